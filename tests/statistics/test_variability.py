"""C5: variability between trainings without the luck of the test set, by simulation and by hand."""

import numpy as np
import pytest
from simulated import CLASSES, Grid, Model

from study.statistics.contrasts import Arm
from study.statistics.estimate import rounded
from study.statistics.roles import Roles
from study.statistics.sample import Sample
from study.statistics.variability import Spread, difference, less_variable, spread

GRID = Grid(("easy",), (Model("cnn_scratch", "cnn"), Model("cnn_glyphs", "cnn", "glyphs", "cnn_scratch")))
SCRATCH = [Arm("easy", "cnn_scratch", fraction) for fraction in GRID.ladder]


def trainings(scratch: float, pretrained: float, seeds: int, seed: int, images: int = 400) -> Sample:
    """Errors of 30 % with a standard deviation between trainings as given; single images are coin flips."""
    generator = np.random.default_rng(seed)
    spreads = {"cnn_scratch": scratch, "cnn_glyphs": pretrained}
    return Sample(
        {
            arm: [
                generator.random(images) < np.clip(0.3 + spreads[arm.model] * generator.standard_normal(), 0, 1)
                for _ in range(seeds)
            ]
            for arm in GRID.arms()
        },
        CLASSES,
    )


def test_the_luck_of_the_test_set_is_taken_off() -> None:
    """Trainings of one true error: what their errors differ by is chance of single images, and no variability."""
    found = [spread(trainings(0.0, 0.0, 4, seed), SCRATCH) for seed in range(100)]
    chance = 0.3 * 0.7 / 400
    assert abs(np.mean([each.variance for each in found])) < 0.15 * chance
    assert min(each.variance for each in found) < 0 <= min(each.deviation for each in found)


def test_a_spread_is_recovered() -> None:
    found = [spread(trainings(0.05, 0.0, 4, seed), SCRATCH).variance for seed in range(200)]
    assert np.sqrt(np.mean(found)) == pytest.approx(0.05, rel=0.06)


def test_a_spread_by_hand() -> None:
    sample, arm = trainings(0.05, 0.0, 3, 0), SCRATCH[0]
    estimate = sample.estimate({arm: 1})
    assert estimate is not None
    found = spread(sample, [arm])
    rest = sample.mean_squares(arm).rest
    assert found.variance == pytest.approx(np.var(estimate.runs, ddof=1) - rest / 400)
    assert found.deviation == pytest.approx(np.sqrt(found.variance))


@pytest.mark.parametrize("seeds", [3, 5])
@pytest.mark.parametrize("spreads", [(0.05, 0.02), (0.03, 0.03), (0.02, 0.0)])
def test_the_interval_of_a_difference_holds_the_truth(seeds: int, spreads: tuple[float, float]) -> None:
    truth, hits = spreads[0] ** 2 - spreads[1] ** 2, []
    for seed in range(150):
        (part,) = less_variable(Roles(GRID), trainings(*spreads, seeds, seed))
        assert part.estimate is not None
        hits.append(part.estimate.low <= truth <= part.estimate.high)
    assert np.mean(hits) >= 0.93


@pytest.mark.parametrize(("seeds", "told"), [(3, 0.4), (5, 0.85)])
def test_mean_squares_are_pooled_before_the_interval_is_made(seeds: int, told: float) -> None:
    """A spread five times the other: with intervals of each fraction's own, 12 and 75 % were told."""
    found = [less_variable(Roles(GRID), trainings(0.1, 0.02, seeds, seed))[0].verdict for seed in range(150)]
    assert found.count("supported") >= told * 150


def test_cells_that_never_differ_have_a_spread_of_zero() -> None:
    wrong = {arm: [np.arange(50) < 5] * 3 for arm in GRID.arms()}
    (part,) = less_variable(Roles(GRID), Sample(wrong, CLASSES))
    assert part.estimate is not None and part.verdict == "too small to tell"
    assert np.isfinite([part.estimate.low, part.estimate.value, part.estimate.high]).all()


def test_a_single_mean_square_has_the_interval_of_a_variance() -> None:
    from scipy import stats

    found = difference(Spread(2.0, ((1.0, 2.0, 5.0),)), Spread(0.0, ()))
    low, high = 5 * 2.0 / stats.chi2.ppf([0.975, 0.025], 5)
    assert (found.low, found.high) == pytest.approx((low, high))


def test_verdicts_need_three_seeds() -> None:
    assert less_variable(Roles(GRID), trainings(0.1, 0.0, 2, 0)) == ()
    (part,) = less_variable(Roles(GRID), trainings(0.1, 0.0, 8, 0))
    assert part.verdict == "supported"
    assert part.unit == "variance" and part.attainable is None


def test_what_is_reported_is_free_of_the_noise_of_sums() -> None:
    # BLAS sums in another order with AVX-512 than without: the last digits of a report would be the processor's.
    assert Spread(0.006338955084908735**2, ()).deviation == Spread(0.006338955084908734**2, ()).deviation == 0.006338955085
    noisy = [rounded(0.0, 0.0, 0.0, (), tellable).tellable for tellable in (0.010650750120244542, 0.010650750120244549)]
    assert noisy == [0.01065075012] * 2
