"""Intervals: against scipy's bootstrap, and by simulation on data with known effects."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from study.statistics.bootstrap import resampled_errors, resampling_weights
from study.statistics.estimates import Arm, Contrast, Errors, error, log_sd_ratio, minus

MODELS = ("cnn", "vit")
IMAGES = 400


def cells(generator: np.random.Generator, images: int = IMAGES) -> dict[Arm, NDArray[np.bool_]]:
    """Two datasets, two models, two fractions: errors that go together because images differ in difficulty."""
    wrong = {}
    for dataset, hardness in (("easy", -1.0), ("hard", -0.4)):
        difficulty = generator.standard_normal(images)
        for place, model in enumerate(MODELS):
            for fraction, less in ((1.0, 0.0), (0.1, 0.5)):
                threshold = hardness + 0.3 * place + less
                own = 0.6 * generator.standard_normal(images)
                wrong[Arm(dataset, model, fraction)] = 0.8 * difficulty + own < threshold
    return wrong


def kinds() -> dict[str, Contrast]:
    def loss(model: str) -> Contrast:
        return minus(error("easy", model, 0.1), error("easy", model, 1.0))

    def penalty(model: str) -> Contrast:
        return minus(error("hard", model, 1.0), error("easy", model, 1.0))

    return {
        "error": error("easy", "cnn", 1.0),
        "gain": minus(error("easy", "vit", 1.0), error("easy", "cnn", 1.0)),
        "degradation": loss("vit"),
        "difference of degradations": minus(loss("vit"), loss("cnn")),
        "penalty": penalty("vit"),
        "difference of penalties": minus(penalty("vit"), penalty("cnn")),
    }


def test_every_draw_has_as_many_images_as_the_test_set() -> None:
    weights = resampling_weights("easy", 70, 50)
    assert weights.shape == (50, 70)
    assert (weights.sum(axis=1) == 70).all()
    assert (weights >= 0).all() and (weights == np.round(weights)).all()


def test_draws_depend_on_the_dataset_alone() -> None:
    assert np.array_equal(resampling_weights("easy", 70, 50), resampling_weights("easy", 70, 50))
    assert not np.array_equal(resampling_weights("easy", 70, 50), resampling_weights("hard", 70, 50))


def test_resampled_errors_are_those_of_the_drawn_images() -> None:
    weights = np.array([[2, 0, 1, 1], [0, 4, 0, 0]], dtype=np.float32)
    wrong = np.array([[True, False], [False, True], [False, False], [True, True]])
    assert resampled_errors(weights, wrong).tolist() == [[0.75, 0.25], [0.0, 1.0]]


@pytest.mark.parametrize("kind", kinds())
def test_one_contrast_of_each_kind_against_scipy(kind: str) -> None:
    wrong = cells(np.random.default_rng(1))
    contrast = kinds()[kind]
    ours = Errors.of_cells({arm: [cell] for arm, cell in wrong.items()}).estimate(contrast)
    samples = [
        np.sum([weight * wrong[arm] for arm, weight in contrast.items() if arm.dataset == dataset], axis=0, dtype=float)
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
    assert ours is not None and ours.low is not None and ours.high is not None
    assert ours.value == pytest.approx(sum(sample.mean() for sample in samples), abs=1e-12)
    width = theirs.high - theirs.low
    assert ours.low == pytest.approx(theirs.low, abs=0.07 * width)
    assert ours.high == pytest.approx(theirs.high, abs=0.07 * width)


def test_paired_draws_are_narrower_than_independent_ones() -> None:
    wrong = cells(np.random.default_rng(3))
    errors = Errors.of_cells({arm: [cell] for arm, cell in wrong.items()})
    first, second, difference = (
        errors.estimate(each) for each in (error("easy", "vit", 1.0), error("easy", "cnn", 1.0), kinds()["gain"])
    )
    widths = [each.high - each.low for each in (first, second, difference) if each and each.high and each.low is not None]
    assert widths[2] < 0.95 * np.hypot(widths[0], widths[1])


def simulate(seeds: int, spread: float, replications: int, generator: np.random.Generator) -> tuple[Errors, dict[str, float]]:
    """Many studies in one ``Errors`` (a study's number is in its models' names), and the true error of either model.

    An image is wrong where its difficulty, shared by all, and the model's own noise fall below a threshold that moves
    from training to training by ``spread``: the true error of the recipe is normal, averaged over images and trainings.
    """
    wrong: dict[Arm, list[NDArray[np.bool_]]] = {}
    thresholds = {"a": -0.7, "b": -0.9}
    for dataset, shift in (("easy", 0.0), ("hard", 0.5)):
        for study in range(replications):
            difficulty = generator.standard_normal(IMAGES)
            for model, threshold in thresholds.items():
                wrong[Arm(dataset, f"{model}{study}", 1.0)] = [
                    0.8 * difficulty + 0.6 * generator.standard_normal(IMAGES)
                    < threshold + shift + spread * generator.standard_normal()
                    for _ in range(seeds)
                ]
    scale = np.sqrt(1 + spread**2)
    truth = {
        f"{model} {dataset}": float(stats.norm.cdf((threshold + shift) / scale))
        for model, threshold in thresholds.items()
        for dataset, shift in (("easy", 0.0), ("hard", 0.5))
    }
    return Errors.of_cells(wrong), truth


def coverage(seeds: int, spread: float, replications: int = 500) -> dict[str, float]:
    """How often the 95 % intervals of a difference, and of a difference of penalties, hold the truth."""
    errors, truth = simulate(seeds, spread, replications, np.random.default_rng(5))
    easy = truth["a easy"] - truth["b easy"]
    hits = {"difference": 0, "penalties": 0}
    for study in range(replications):
        difference = minus(error("easy", f"a{study}", 1.0), error("easy", f"b{study}", 1.0))
        penalties = minus(minus(error("hard", f"a{study}", 1.0), error("hard", f"b{study}", 1.0)), difference)
        for kind, contrast, value in (
            ("difference", difference, easy),
            ("penalties", penalties, truth["a hard"] - truth["b hard"] - easy),
        ):
            found = errors.estimate(contrast)
            assert found is not None and found.low is not None and found.high is not None
            hits[kind] += found.low <= value <= found.high
    return {kind: count / replications for kind, count in hits.items()}


def test_one_seed_covers_the_effect_of_these_models() -> None:
    for kind, share in coverage(seeds=1, spread=0.0).items():
        assert 0.93 <= share <= 0.97, kind


@pytest.mark.parametrize("seeds", [3, 5])
@pytest.mark.parametrize("spread", [0.05, 0.3])
def test_several_seeds_cover_the_effect_of_the_recipe(seeds: int, spread: float) -> None:
    for kind, share in coverage(seeds, spread, 300).items():
        assert share >= 0.93, kind


def test_seeds_that_agree_leave_the_uncertainty_of_the_images() -> None:
    """Three trainings with one and the same outcome: nothing varies but which images were drawn for the test set."""
    wrong = cells(np.random.default_rng(6))
    once, thrice = (Errors.of_cells({arm: [cell] * seeds for arm, cell in wrong.items()}) for seeds in (1, 3))
    for contrast in kinds().values():
        single, several = once.estimate(contrast), thrice.estimate(contrast)
        assert single is not None and single.high is not None and single.low is not None
        assert several is not None and several.high is not None and several.low is not None
        assert several.value == single.value
        deviation = (single.high - single.low) / (2 * stats.norm.ppf(0.975))
        assert several.high - several.value == pytest.approx(stats.t.ppf(0.975, 2) * deviation, rel=0.05)


def test_one_seed_does_not_cover_the_effect_of_the_recipe() -> None:
    """What the tables warn of: where trainings differ, one of them tells little of the next."""
    assert coverage(seeds=1, spread=0.3, replications=200)["difference"] < 0.8


def test_the_ratio_of_spreads_covers_its_truth_and_needs_three_seeds() -> None:
    generator = np.random.default_rng(7)
    hits = 0
    for _ in range(400):
        found = log_sd_ratio(generator.normal(0, 2.0, 4).tolist(), generator.normal(0, 1.0, 4).tolist())
        assert found is not None and found.low is not None and found.high is not None
        hits += found.low <= np.log(2.0) <= found.high
    assert 0.93 <= hits / 400 <= 0.97
    assert log_sd_ratio([0.1, 0.2], [0.1, 0.3]) is None
    assert log_sd_ratio([0.1, 0.2, 0.3], [0.2, 0.2, 0.2]) is None


def test_an_effect_of_nothing_is_exactly_nothing() -> None:
    wrong = cells(np.random.default_rng(4))
    arms = {arm: [wrong[Arm(arm.dataset, "cnn", arm.fraction)]] for arm in wrong}
    found = Errors.of_cells(arms).estimate(kinds()["difference of penalties"])
    assert found is not None and (found.value, found.low, found.high) == (0.0, 0.0, 0.0)
