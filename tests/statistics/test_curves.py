"""Learning curves: data equivalents, exponents and requirements, against polyfit, interpolation, and curves that are known."""

import math

import numpy as np
import pytest
from scipy import optimize
from simulated import CLASSES, Grid, Model, cells, exactly

from study.statistics.contrasts import Arm
from study.statistics.curves import Curve, Line
from study.statistics.equivalents import equivalents, first_below
from study.statistics.exponents import exponents
from study.statistics.publication import Publication
from study.statistics.requirements import backtest, requirements
from study.statistics.roles import Roles
from study.statistics.sample import Sample

LADDER = (1.0, 0.5, 0.2, 0.1)
PAIR = (Model("cnn_scratch", "cnn"), Model("cnn_glyphs", "cnn", "glyphs", "cnn_scratch"))
GRID = Grid(("easy",), PAIR, LADDER)
ROLES = Roles(GRID)
SCRATCH = dict(zip(LADDER, (0.10, 0.16, 0.30, 0.45), strict=True))


def sample(scratch: dict[float, float], pretrained: float, images: int = 10_000, seeds: int = 1, **options: float) -> Sample:
    def rate(arm: Arm) -> float:
        return scratch[arm.fraction] if arm.model == "cnn_scratch" else pretrained

    if options:
        return Sample(cells(GRID.arms(), rate, images, seeds, options["spread"], int(options["seed"])), CLASSES)
    return Sample(exactly(GRID.arms(), rate, images, seeds), CLASSES)


def half_added(error: float, images: int) -> float:
    return (error * images + 0.5) / (images + 1)


@pytest.mark.parametrize("pretrained", [0.40, 0.30, 0.2, 0.12])
def test_a_data_equivalent_by_interpolation(pretrained: float) -> None:
    (found,) = equivalents(ROLES, sample(SCRATCH, pretrained))
    fractions, errors = np.log(LADDER[::-1]), np.log([half_added(SCRATCH[f], 10_000) for f in LADDER[::-1]])
    expected = math.exp(np.interp(-math.log(half_added(pretrained, 10_000)), -errors, fractions)) / 0.1
    assert found.times == pytest.approx(expected, rel=1e-3)
    assert 1 <= found.low < found.times < found.high
    assert (found.scratch, found.pretrained, found.fraction, found.most) == ("cnn_scratch", "cnn_glyphs", 0.1, 10.0)


def test_beyond_the_end_of_the_curve_only_more_than_its_length_is_known() -> None:
    (found,) = equivalents(ROLES, sample(SCRATCH, 0.01))
    assert (found.times, found.low, found.high) == (math.inf, math.inf, math.inf)
    (found,) = equivalents(ROLES, sample(SCRATCH, 0.099, images=1000))
    assert found.low < 10 < found.high == math.inf
    (found,) = equivalents(ROLES, sample(SCRATCH, 0.6))
    assert (found.times, found.low, found.high) == (0.0, 0.0, 0.0)


def test_a_curve_that_goes_up_again_counts_where_it_first_reaches_the_error() -> None:
    (found,) = equivalents(ROLES, sample({0.1: 0.5, 0.2: 0.2, 0.5: 0.4, 1.0: 0.1}, 0.3))
    assert 1 < found.times < 2


@pytest.mark.parametrize(("seeds", "spread"), [(1, 0.0), (3, 0.05)])
def test_the_interval_of_a_data_equivalent_holds_the_truth(seeds: int, spread: float) -> None:
    truth = math.exp(np.interp(-math.log(0.22), -np.log([0.45, 0.30, 0.16, 0.10]), np.log([1.0, 2.0, 5.0, 10.0])))
    found = [equivalents(ROLES, sample(SCRATCH, 0.22, 1000, seeds, spread=spread, seed=seed))[0] for seed in range(60)]
    assert np.mean([each.low <= truth <= each.high for each in found]) >= 0.88
    assert np.mean([each.low <= each.times <= each.high for each in found]) == 1.0


def test_an_equivalent_against_the_percentiles_of_a_bootstrap_of_its_own() -> None:
    drawn = sample(SCRATCH, 0.22, 2000, spread=0.0, seed=7)
    wrong = cells(GRID.arms(), lambda arm: SCRATCH[arm.fraction] if arm.model == "cnn_scratch" else 0.22, 2000, seed=7)
    generator, ratios = np.random.default_rng(8), []
    for _ in range(500):
        picked = generator.integers(2000, size=2000)
        errors = {arm: runs[0][picked].mean() for arm, runs in wrong.items()}
        curve = [errors[Arm("easy", "cnn_scratch", fraction)] for fraction in LADDER[::-1]]
        target = errors[Arm("easy", "cnn_glyphs", 0.1)]
        ratios.append(math.exp(np.interp(-math.log(target), -np.log(curve), np.log(LADDER[::-1]))) / 0.1)
    low, high = np.quantile(ratios, [0.025, 0.975])
    (found,) = equivalents(ROLES, drawn)
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.12 * (high - low))


def test_an_exponent_against_polyfit() -> None:
    (scratch, _) = exponents(ROLES, sample(SCRATCH, 0.2))
    errors = np.array([half_added(SCRATCH[fraction], 10_000) for fraction in LADDER])
    weights = np.sqrt(10_000 * errors / (1 - errors))
    slope, level = np.polyfit(np.log(LADDER), np.log(errors), 1, w=weights)
    assert scratch.exponent.value == pytest.approx(-slope)
    residuals = {fraction: residual.value for fraction, residual in scratch.residuals}
    for fraction, error in zip(LADDER, errors, strict=True):
        assert residuals[fraction] == pytest.approx(math.log(error) - level - slope * math.log(fraction), abs=1e-9)
    fitted = np.exp(level + slope * np.log(LADDER))
    assert scratch.worst == pytest.approx(np.max(np.abs(fitted / errors - 1)))


def test_a_power_law_fits_itself_and_its_exponent_lies_in_its_interval() -> None:
    law = {fraction: 0.1 * fraction**-0.4 for fraction in LADDER}
    hits, fits = [], []
    for seed in range(60):
        (scratch, _) = exponents(ROLES, sample(law, 0.2, 1000, spread=0.0, seed=seed))
        hits.append(scratch.exponent.low <= 0.4 <= scratch.exponent.high)
        fits.append(scratch.fits)
    assert np.mean(hits) >= 0.88
    assert np.mean(fits) >= 0.7  # four residuals, each with its 95 %
    (bent, _) = exponents(ROLES, sample({0.1: 0.6, 0.2: 0.3, 0.5: 0.28, 1.0: 0.02}, 0.2))
    assert not bent.fits


def test_cells_without_errors_have_an_exponent() -> None:
    (found, _) = exponents(ROLES, sample(dict.fromkeys(LADDER, 0.0), 0.0, 300))
    assert found.exponent.value == pytest.approx(0.0) and found.exponent.low < 0 < found.exponent.high


def test_how_much_data_on_a_known_law() -> None:
    law = {fraction: round(0.1 * fraction**-0.4, 4) for fraction in LADDER}
    for target in (0.05, 0.12, 0.2, 0.5):
        (scratch, _) = requirements(ROLES, sample(law, 0.2), target)
        expected = (target / 0.1) ** (-1 / 0.4)
        assert scratch.fraction == pytest.approx(expected, rel=0.02)
        assert scratch.low < scratch.fraction < scratch.high
        assert scratch.beyond == (not 0.1 <= scratch.fraction <= 1.0)
        assert abs(scratch.backtest) < 0.01


def test_the_backtest_by_hand_and_an_answer_at_least_as_wide() -> None:
    evidence = sample(SCRATCH, 0.2)
    curve = Curve.of(evidence, "easy", "cnn_scratch", LADDER)
    assert curve is not None
    errors = np.array([half_added(SCRATCH[fraction], 10_000) for fraction in (0.1, 0.2, 0.5)])
    _slope, level = np.polyfit(np.log([0.1, 0.2, 0.5]), np.log(errors), 1, w=np.sqrt(errors / (1 - errors)))
    off = level - math.log(half_added(0.10, 10_000))
    assert backtest(evidence, curve) == pytest.approx(off)
    (found, _) = requirements(ROLES, evidence, 0.12)
    assert found.backtest == pytest.approx(off)
    assert found.backtest_percent == pytest.approx(100 * (math.exp(off) - 1))
    line = Line.through(evidence, curve)
    exponent = evidence.log_estimate(line.slope())
    assert exponent is not None
    # By the straight line, the error's being off by |off| moves the answer by |off| / b in log fraction, on either side.
    assert math.log(found.high / found.fraction) >= 0.98 * abs(off) / exponent.value
    assert math.log(found.fraction / found.low) >= 0.98 * abs(off) / exponent.value


def test_a_curve_that_does_not_fall_never_arrives() -> None:
    (flat, _) = requirements(ROLES, sample({0.1: 0.3, 0.2: 0.31, 0.5: 0.32, 1.0: 0.33}, 0.2), 0.1)
    assert (flat.fraction, flat.high) == (math.inf, math.inf)
    assert flat.beyond


def test_a_curve_that_does_not_fall_is_there_already_where_all_of_it_lies_below() -> None:
    (flat, _) = requirements(ROLES, sample({0.1: 0.050, 0.2: 0.051, 0.5: 0.052, 1.0: 0.053}, 0.2), 0.3)
    assert flat.fraction == 0.0 and flat.under


def test_two_fractions_are_no_curve_to_judge() -> None:
    grid = Grid(("easy",), PAIR, (1.0, 0.1))
    evidence = Sample(exactly(grid.arms(), lambda arm: 0.2), CLASSES)
    assert exponents(Roles(grid), evidence) == () and requirements(Roles(grid), evidence, 0.1) == ()
    assert len(equivalents(Roles(grid), evidence)) == 1
    alone = Grid(("easy",), PAIR, (1.0,))
    assert equivalents(Roles(alone), Sample(exactly(alone.arms(), lambda arm: 0.2), CLASSES)) == ()


def test_published_numbers_have_curves_too() -> None:
    errors = {Arm("easy", "cnn_scratch", fraction): SCRATCH[fraction] for fraction in LADDER}
    errors[Arm("easy", "cnn_glyphs", 0.1)] = 0.2
    evidence = Publication(errors, CLASSES)
    (found,) = equivalents(ROLES, evidence)
    assert 2 < found.low < found.times < found.high < 5
    (law,) = exponents(ROLES, evidence)
    # Independent errors: the interval of weighted least squares with known variances.
    rates = np.array([SCRATCH[fraction] for fraction in LADDER])
    information = 10_000 * rates / (1 - rates)
    places = np.log(LADDER) - np.average(np.log(LADDER), weights=information)
    half = 1.959964 / math.sqrt((information * places**2).sum())
    assert law.exponent.high - law.exponent.value == pytest.approx(half, rel=0.01)


def test_the_first_place_below_zero() -> None:
    grid = [float(each) for each in np.geomspace(0.1, 1.0, 9)]

    def at(fraction: float) -> float:
        return math.log(0.37 / fraction)

    assert first_below([at(each) for each in grid], grid, at) == pytest.approx(optimize.brentq(at, 0.1, 1.0), rel=1e-3)
    assert first_below([1.0] * 9, grid, at) == math.inf
    assert first_below([-1.0] * 9, grid, at) == 0.0
    assert first_below([0.0, *[-1.0] * 8], grid, at) == 0.1
