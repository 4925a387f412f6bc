"""How often intervals hold the truth: the short form of benchmarks/coverage.py, whose table stands in docs/statistics.md."""

import numpy as np
import pytest

from benchmarks.coverage import Scenario, simulate


@pytest.mark.parametrize("images", [300, 600])
@pytest.mark.parametrize("rate", [0.003, 0.05, 0.3, 0.95])
def test_one_seed_covers_the_effect_of_these_models(images: int, rate: float) -> None:
    found = simulate(Scenario(1, images, rate, "vary"), 400, np.random.default_rng([1, images, round(1000 * rate)]))
    assert np.mean([outcome.coverage for outcome in found.values()]) >= 0.93
    for kind, outcome in found.items():
        assert outcome.coverage >= 0.92, kind  # 93 % less one standard error of 400 replications
        assert outcome.empty == 0, kind
        assert outcome.width < 1.5, kind


@pytest.mark.parametrize(("seeds", "widest"), [(3, 2.0), (5, 1.4)])
@pytest.mark.parametrize("rate", [0.05, 0.3])
def test_several_seeds_cover_the_effect_of_the_recipe(seeds: int, widest: float, rate: float) -> None:
    outcomes = [
        outcome
        for spread in ("agree", "vary")
        for outcome in simulate(Scenario(seeds, 600, rate, spread), 250, np.random.default_rng([seeds, 2])).values()
    ]
    assert 0.94 <= np.mean([outcome.coverage for outcome in outcomes]) <= 0.985
    assert min(outcome.coverage for outcome in outcomes) >= 0.88
    assert np.mean([outcome.width for outcome in outcomes]) <= widest
    assert not any(outcome.empty for outcome in outcomes)


def test_one_seed_does_not_cover_the_effect_of_the_recipe() -> None:
    """What "in these trainings" warns of: where trainings differ, one of them tells little of the next."""
    from benchmarks import coverage

    hits = []
    for number in range(60):
        wrong, _ = coverage.study(Scenario(1, 600, 0.3, "vary"), np.random.default_rng(number))
        sample = coverage.Sample(wrong, {"easy": 10, "hard": 10})
        found = sample.estimate(coverage.kinds()["gain"])
        truth = coverage.rates(0.3)
        value = sum(weight * truth[arm] for arm, weight in coverage.kinds()["gain"].items())
        assert found is not None
        hits.append(found.low <= value <= found.high)
    assert np.mean(hits) < 0.85
