"""Intervals over test images, one seed and two: against scipy, Wilson, Newcombe and Tango, and by hand."""

import math
from itertools import product

import numpy as np
import pytest
from scipy import optimize, stats
from simulated import CLASSES, Wrong, cells

from study.base.errors import StudyError
from study.statistics.contrasts import Arm, Contrast, degradation, error, gain, minus, penalty
from study.statistics.draws import DRAWS, draw, percentiles
from study.statistics.estimate import Estimate
from study.statistics.sample import Sample
from study.statistics.scales import LOG_ERROR

ARMS = [Arm(dataset, model, fraction) for dataset, model, fraction in product(("easy", "hard"), "ab", (1.0, 0.1))]
KINDS: dict[str, Contrast] = {
    "error": error("easy", "a", 1.0),
    "gain": gain("easy", "b", "a", 1.0),
    "degradation": degradation("easy", "b", 0.1),
    "degradations": minus(degradation("easy", "b", 0.1), degradation("easy", "a", 0.1)),
    "penalties": minus(penalty(("easy", "hard"), "b", 1.0), penalty(("easy", "hard"), "a", 1.0)),
}


def rate(arm: Arm) -> float:
    return 0.12 + 0.06 * (arm.model == "b") + 0.15 * (arm.fraction < 1) + 0.1 * (arm.dataset == "hard")


def found(sample: Sample, contrast: Contrast) -> Estimate:
    estimate = sample.estimate(contrast)
    assert estimate is not None
    return estimate


def one(*errors: int, images: int) -> Sample:
    """A model a, and b where given, with so many errors on the first images; one dataset."""
    wrong: Wrong = {Arm("easy", name, 1.0): [np.arange(images) < count] for name, count in zip("ab", errors, strict=False)}
    return Sample(wrong, CLASSES)


def test_a_draw_has_one_entry_more_than_the_test_set_and_half_an_imaginary_image_at_either_end() -> None:
    everything = draw("easy", np.ones((1, 1, 300), dtype=np.bool_), draws=4000)
    assert (everything.wrong[0] + everything.top + everything.bottom == 301).all()
    assert everything.top.mean() == pytest.approx(0.5, abs=0.05)
    assert everything.bottom.mean() == pytest.approx(0.5, abs=0.05)
    # Both imaginary images are Binomial(301, 1 / 602), and a single real one is Binomial(301, 1 / 301).
    assert everything.top.var() == pytest.approx(0.5, abs=0.06)
    single = draw("easy", (np.arange(300) == 7)[None, None], draws=4000)
    assert (single.wrong.mean(), single.wrong.var()) == pytest.approx((1.0, 1.0), abs=0.08)


def test_draws_depend_on_the_dataset_alone() -> None:
    cell = np.arange(70)[None, None] < 20
    first, other = draw("easy", cell), draw("hard", cell)
    again = draw("easy", np.concatenate([np.arange(70)[None, None] < 9, cell]))
    assert np.array_equal(first.wrong[0], again.wrong[1]) and np.array_equal(first.top, again.top)
    assert not np.array_equal(first.wrong, other.wrong)
    assert abs(np.corrcoef(first.wrong[0], other.wrong[0])[0, 1]) < 0.1


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_effect_against_scipy(kind: str) -> None:
    contrast, images = KINDS[kind], 2000
    wrong = cells(ARMS, rate, images=images, seed=1)
    ours = found(Sample(wrong, CLASSES), contrast)
    samples = [
        np.sum([weight * wrong[arm][0] for arm, weight in contrast.items() if arm.dataset == dataset], axis=0, dtype=float)
        for dataset in sorted({arm.dataset for arm in contrast})
    ]
    theirs = stats.bootstrap(
        samples,
        lambda *data, axis=-1: np.sum([np.mean(part, axis=axis) for part in data], axis=0),
        n_resamples=5000,
        method="percentile",
        rng=np.random.default_rng(2),
        vectorized=True,
    ).confidence_interval
    assert ours.value == pytest.approx(sum(sample.mean() for sample in samples), abs=1e-12)
    width = theirs.high - theirs.low
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.07 * width + 1 / images)


@pytest.mark.parametrize(("errors", "images"), [(30, 300), (200, 600), (540, 600), (500, 10_000)])
def test_an_error_against_wilson(errors: int, images: int) -> None:
    ours = found(one(errors, images=images), error("easy", "a", 1.0))
    theirs = stats.binomtest(errors, images).proportion_ci(method="wilson")
    assert (ours.low, ours.high) == pytest.approx(
        (theirs.low, theirs.high), abs=0.05 * (theirs.high - theirs.low) + 1.5 / images
    )


def newcombe(both: int, first: int, second: int, neither: int) -> tuple[float, float]:
    """Interval of the difference of two paired shares (Newcombe 1998, method 10)."""
    n = both + first + second + neither
    ends = []
    for count in (both + first, both + second):
        interval = stats.binomtest(count, n).proportion_ci(method="wilson")
        ends.append((count / n, interval.low, interval.high))
    (p1, l1, u1), (p2, l2, u2) = ends
    product_of_margins = (both + first) * (second + neither) * (both + second) * (first + neither)
    cross = both * neither - first * second
    corrected = max(cross - n / 2, 0.0) if cross > 0 else cross
    phi = corrected / math.sqrt(product_of_margins)
    down = math.sqrt((p1 - l1) ** 2 - 2 * phi * (p1 - l1) * (u2 - p2) + (u2 - p2) ** 2)
    up = math.sqrt((u1 - p1) ** 2 - 2 * phi * (u1 - p1) * (p2 - l2) + (p2 - l2) ** 2)
    return p1 - p2 - down, p1 - p2 + up


def tango(first: int, second: int, n: int) -> tuple[float, float]:
    """Score interval of the difference of two paired shares with so many discordant pairs (Tango 1998)."""

    def score(delta: float) -> float:
        a, b, c = 2 * n, -first - second + (2 * n - first + second) * delta, -second * delta * (1 - delta)
        q = (math.sqrt(b * b - 4 * a * c) - b) / (2 * a)
        return (first - second - n * delta) / math.sqrt(n * (2 * q + delta * (1 - delta)))

    z, middle = stats.norm.ppf(0.975), (first - second) / n
    return (
        optimize.brentq(lambda delta: score(delta) - z, -0.999, middle),
        optimize.brentq(lambda delta: score(delta) + z, middle, 0.999),
    )


@pytest.mark.parametrize(
    ("both", "first", "second", "images"), [(40, 30, 10, 300), (20, 12, 8, 600), (2000, 300, 200, 10_000), (250, 20, 25, 300)]
)
def test_a_gain_against_newcombe_and_tango(both: int, first: int, second: int, images: int) -> None:
    place = np.arange(images)
    wrong: Wrong = {
        Arm("easy", "a", 1.0): [place < both + first],
        Arm("easy", "b", 1.0): [(place < both) | ((place >= both + first) & (place < both + first + second))],
    }
    ours = found(Sample(wrong, CLASSES), gain("easy", "a", "b", 1.0))
    assert ours.value == pytest.approx((first - second) / images)
    for theirs in (newcombe(both, first, second, images - both - first - second), tango(first, second, images)):
        assert (ours.low, ours.high) == pytest.approx(theirs, abs=0.08 * (theirs[1] - theirs[0]) + 1.5 / images)


@pytest.mark.parametrize("images", [300, 601])
def test_ends_are_values_that_the_test_set_can_give(images: int) -> None:
    sample = Sample(cells(ARMS, rate, images=images, seed=3), CLASSES)
    for contrast in KINDS.values():
        estimate = found(sample, contrast)
        for value in (estimate.value, estimate.low, estimate.high):
            assert value * images == pytest.approx(round(value * images), abs=1e-6)


def test_no_interval_has_width_zero_or_leaves_the_range() -> None:
    for count in (0, 1, 299, 300):
        alone = found(one(count, images=300), error("easy", "a", 1.0))
        assert 0 <= alone.low <= alone.value <= alone.high <= 1
        assert alone.low < alone.high
        same = found(one(count, count, images=300), gain("easy", "a", "b", 1.0))
        assert (same.value, same.sign) == (0.0, 0)
        assert same.low < 0 < same.high


def test_no_errors_in_300_images_by_hand() -> None:
    """Errors of a draw are then Binomial(301, 1 / 602): 97.5 % of them are at most 2."""
    estimate = found(one(0, images=300), error("easy", "a", 1.0))
    assert stats.binom.ppf(0.975, 301, 1 / 602) == 2
    assert (estimate.low, estimate.high) == (0.0, pytest.approx(2 / 300))


def test_an_effect_of_one_arm_on_itself_is_nothing() -> None:
    sample = one(30, images=300)
    assert sample.estimate(minus(error("easy", "a", 1.0), error("easy", "a", 1.0))) == Estimate(0.0, 0.0, 0.0, (0.0,), 0.0)


def test_paired_draws_are_narrower_than_independent_ones() -> None:
    sample = Sample(cells(ARMS, rate, seed=4), CLASSES)
    first, second, both = (found(sample, each) for each in (error("easy", "a", 1.0), error("easy", "b", 1.0), KINDS["gain"]))
    widths = [each.high - each.low for each in (first, second, both)]
    assert widths[2] < 0.95 * math.hypot(widths[0], widths[1])


def test_two_seeds_have_the_interval_of_their_mean_over_images() -> None:
    wrong = cells([Arm("easy", "a", 1.0)], rate, images=600, seeds=2, seed=5)
    (arm, runs), contrast = next(iter(wrong.items())), error("easy", "a", 1.0)
    estimate = found(Sample(wrong, CLASSES), contrast)
    assert estimate.runs == pytest.approx([run.mean() for run in runs])
    mean = np.mean(runs, axis=0)
    half = stats.norm.ppf(0.975) * mean.std() / math.sqrt(600)
    assert (estimate.low, estimate.high) == pytest.approx((mean.mean() - half, mean.mean() + half), abs=0.1 * half + 1 / 600)
    assert estimate.low * 1200 == pytest.approx(round(estimate.low * 1200), abs=1e-6)
    # The same training twice says no more than once.
    once, twice = (found(Sample({arm: runs[:1] * seeds}, CLASSES), contrast) for seeds in (1, 2))
    assert (once.value, once.low, once.high) == (twice.value, twice.low, twice.high)


def test_the_smallest_effect_that_can_be_told_is_told_four_times_in_five() -> None:
    """By simulation: b errs more than a by the difference that studies with the same images call tellable, on average."""
    images, told = 600, []
    studies = [Sample(cells(ARMS[:4], lambda arm: 0.22, images=images, seed=1000 + seed), CLASSES) for seed in range(20)]
    effect = float(np.mean([found(study, KINDS["gain"]).tellable for study in studies]))
    for seed in range(150):
        wrong = cells(ARMS[:4], lambda arm: 0.2 + effect * (arm.model == "b"), images=images, seed=seed)
        told.append(found(Sample(wrong, CLASSES), KINDS["gain"]).sign > 0)
    assert 0.7 < np.mean(told) < 0.9


def test_percentiles_are_draws_and_keep_infinity() -> None:
    values = np.arange(1.0, DRAWS + 1)
    assert percentiles(values) == (43.0, 1958.0)
    values[:60] = -np.inf
    assert percentiles(values) == (-np.inf, 1958.0)
    undefined = np.full(DRAWS, 1.0)
    undefined[:43] = np.nan
    assert percentiles(undefined) == (-np.inf, np.inf)
    undefined[42] = 1.0
    assert percentiles(undefined) == (1.0, 1.0)


def test_a_ratio_is_infinite_where_one_side_has_no_error_and_undefined_where_both_have_none() -> None:
    few = one(2, 30, images=300).estimate(gain("easy", "b", "a", 1.0), LOG_ERROR)
    assert few is not None and few.value == pytest.approx(math.log(15))
    assert math.isfinite(few.low) and few.low > 0 and few.high == math.inf
    none = one(0, 30, images=300).estimate(gain("easy", "b", "a", 1.0), LOG_ERROR)
    assert none is not None and none.value == none.high == math.inf
    assert 0 < none.low < math.inf
    assert one(0, 0, images=300).estimate(gain("easy", "b", "a", 1.0), LOG_ERROR) is None


def test_cells_that_do_not_belong_together_are_refused() -> None:
    a, b = Arm("easy", "a", 1.0), Arm("easy", "b", 1.0)
    cell = np.zeros(30, dtype=np.bool_)
    with pytest.raises(StudyError, match="same number"):
        Sample({a: [cell], b: [cell, cell]}, CLASSES)
    with pytest.raises(StudyError, match="different sizes"):
        Sample({a: [cell], b: [cell[:20]]}, CLASSES)
    assert Sample({a: [cell]}, CLASSES).estimate(gain("easy", "a", "b", 1.0)) is None
