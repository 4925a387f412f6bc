"""The crossed analysis of variance: against loops over the definition, and what follows from it."""

import numpy as np
import pytest
from scipy import stats
from simulated import CLASSES, cells

from study.statistics.anova import Forms, MeanSquares, combined
from study.statistics.contrasts import Arm, Contrast, error, gain, minus, penalty
from study.statistics.sample import Sample
from study.statistics.scales import LOG_ERROR

ARMS = [Arm(dataset, model, 1.0) for dataset in ("easy", "hard") for model in "ab"]


def rate(arm: Arm) -> float:
    return 0.1 + 0.05 * (arm.model == "b") + 0.1 * (arm.dataset == "hard")


def by_definition(table: np.ndarray, low: float, high: float) -> MeanSquares:
    """The mean squares of ``table`` (seeds, images) of contributions in [low, high], one sum after the other."""
    seeds, images = table.shape
    by_seed, by_image, grand = table.mean(axis=1), table.mean(axis=0), table.mean()
    seed = images * sum((each - grand) ** 2 for each in by_seed)
    rest = sum((table[s, i] - by_seed[s] - by_image[i] + grand) ** 2 for s in range(seeds) for i in range(images))
    weighted = [*((1.0, each) for each in by_image), (0.5, low), (0.5, high)]
    mean = sum(weight * each for weight, each in weighted) / (images + 1)
    image = seeds * sum(weight * (each - mean) ** 2 for weight, each in weighted)
    return MeanSquares(seed / (seeds - 1), image / images, rest / ((seeds - 1) * (images - 1)), images, seeds)


@pytest.mark.parametrize("seeds", [3, 5])
def test_mean_squares_by_their_definition(seeds: int) -> None:
    wrong = np.array([runs for arm, runs in cells(ARMS[:2], rate, 80, seeds, 0.3).items()])
    ours = Forms.of(wrong).mean_squares(np.array([1.0, -1.0]))
    theirs = by_definition(wrong[0].astype(float) - wrong[1], -1.0, 1.0)
    assert (ours.seed, ours.image, ours.rest) == pytest.approx((theirs.seed, theirs.image, theirs.rest))


def test_the_interval_by_hand() -> None:
    wrong = cells([ARMS[0]], rate, 200, 3, 0.2, seed=1)
    estimate = Sample(wrong, CLASSES).estimate(error("easy", "a", 1.0))
    table = np.array(wrong[ARMS[0]], dtype=float)
    each = by_definition(table, 0.0, 1.0)
    assert each.seed > each.rest
    variance = (each.seed + each.image - each.rest) / (200 * 3)
    freedom = (each.seed + each.image - each.rest) ** 2 / (each.seed**2 / 2 + each.image**2 / 199 + each.rest**2 / (2 * 199))
    half = stats.t.ppf(0.975, freedom) * np.sqrt(variance)
    centre = (200 * table.mean() + 0.5) / 201
    assert estimate is not None and estimate.value == pytest.approx(table.mean())
    assert (estimate.low, estimate.high) == pytest.approx((max(centre - half, 0), centre + half))
    tellable = (stats.t.ppf(0.975, freedom) + stats.t.ppf(0.8, freedom)) * np.sqrt(variance)
    assert estimate.tellable == pytest.approx(tellable)


def test_two_datasets_add() -> None:
    first, second = MeanSquares(2.0, 0.3, 0.1, 100, 3), MeanSquares(0.5, 0.2, 0.1, 300, 3)
    deviation, freedom = combined([first, second])
    assert deviation**2 == pytest.approx(2.2 / 300 + 0.6 / 900)
    assert 2 < freedom < 4
    assert combined([first, first])[1] == pytest.approx(2 * combined([first])[1])


def test_seeds_that_agree_leave_the_uncertainty_of_the_images() -> None:
    """One training copied: no variance between seeds, nothing left over, and the interval of a single training's images."""
    wrong = cells(ARMS, rate, 600, 1, seed=2)
    contrasts: list[Contrast] = [
        error("easy", "a", 1.0),
        gain("easy", "b", "a", 1.0),
        minus(penalty(("easy", "hard"), "b", 1.0), penalty(("easy", "hard"), "a", 1.0)),
    ]
    once, thrice = (Sample({arm: runs * seeds for arm, runs in wrong.items()}, CLASSES) for seeds in (1, 3))
    for contrast in contrasts:
        single, several = once.estimate(contrast), thrice.estimate(contrast)
        assert single is not None and several is not None
        assert several.value == single.value
        assert several.high - several.low == pytest.approx(single.high - single.low, rel=0.1)


def test_the_rest_counts_once() -> None:
    """Where neither images nor seeds differ, the variance is that of seeds x images coin flips, and not twice that."""
    generator = np.random.default_rng(3)
    variances = [Forms.of(generator.random((1, 3, 400)) < 0.3).mean_squares(np.ones(1)).variance for _ in range(300)]
    assert 1.0 < np.mean(variances) / (0.3 * 0.7 / 1200) < 1.5


def test_cells_without_errors_have_a_variance() -> None:
    sample = Sample({arm: [np.zeros(300, dtype=np.bool_)] * 3 for arm in ARMS}, CLASSES)
    for contrast in (error("easy", "a", 1.0), gain("easy", "a", "b", 1.0)):
        estimate = sample.estimate(contrast)
        assert estimate is not None and estimate.value == 0.0 and estimate.low < estimate.high
        assert estimate.sign == 0
    alone = sample.estimate(error("easy", "a", 1.0))
    assert alone is not None and alone.low == 0.0


def test_a_ratio_by_its_slope() -> None:
    """On many images, log(error) has the interval of the error over the error."""
    wrong = cells([ARMS[0]], rate, 20_000, 3, 0.02, seed=4)
    sample = Sample(wrong, CLASSES)
    plain, logarithm = sample.estimate(error("easy", "a", 1.0)), sample.estimate(error("easy", "a", 1.0), LOG_ERROR)
    assert plain is not None and logarithm is not None
    assert logarithm.value == pytest.approx(np.log(plain.value))
    assert logarithm.high - logarithm.low == pytest.approx((plain.high - plain.low) / plain.value, rel=0.01)


def test_more_seeds_are_narrower() -> None:
    widths = []
    for seeds in (3, 5, 8):
        found = [
            Sample(cells([ARMS[0]], rate, 300, seeds, 0.2, seed=seed), CLASSES).estimate(error("easy", "a", 1.0))
            for seed in range(40)
        ]
        widths.append(np.mean([each.high - each.low for each in found if each is not None]))
    assert widths[0] > 1.2 * widths[1] > 1.2 * widths[2]
