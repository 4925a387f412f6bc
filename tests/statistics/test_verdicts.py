"""Verdicts on parts and hypotheses: not chosen by a sign, and nothing is refuted by the ceiling of errors."""

import numpy as np
import pytest
from known_errors import asked, rate
from simulated import Grid, cells, exactly

from study.statistics import verdicts
from study.statistics.estimate import Estimate, least
from study.statistics.hypotheses import Finding


def test_c4_at_a_true_zero_is_not_chosen_by_its_sign() -> None:
    """No loss is reduced and no architecture differs: nothing may be refuted more often than by chance."""
    words = []
    for seed in range(60):
        wrong = cells(Grid().arms(), lambda arm: 0.3, 300, seed=seed)
        words += [part.verdict for part in asked(wrong)["C4"].parts]
    assert words.count("supported") < 0.01 * len(words)
    assert words.count("refuted") < 0.08 * len(words)


def test_the_least_of_two_is_above_0_if_both_are_and_below_if_either_is() -> None:
    above, about, below = (
        Estimate(0.2, 0.1, 0.3, (0.2,), 0.1),
        Estimate(0.1, -0.1, 0.3, (0.1,), 0.2),
        Estimate(-0.2, -0.3, -0.1, (0,)),
    )
    assert least([above, above]).sign == 1
    assert least([above, about]).sign == 0
    assert least([above, below]).sign == least([about, below]).sign == -1
    assert least([above, about]).tellable == 0.2


def test_the_ceiling_refutes_nothing() -> None:
    """The small study's H1 on digits100: the ViT from scratch errs on 82.3 % with all data, and on 98 % with a tenth."""
    errors = {"vit_scratch": (0.823, 0.94, 0.98), "vit_glyphs": (0.117, 0.323, 0.87)}
    grid = Grid(("hard",), tuple(model for model in Grid().models if model.family == "vit"))
    wrong = cells(grid.arms(), lambda arm: errors[arm.model][grid.ladder.index(arm.fraction)], 300)
    (part,) = asked(wrong, grid)["H1"].parts
    assert part.estimate is not None and part.estimate.sign == -1
    assert part.attainable is not None and part.attainable[1] < 0
    assert part.verdict == "cannot be told"
    assert asked(wrong, grid)["H1"].verdict == "undecided"


def test_the_attainable_range_reaches_from_no_error_to_guessing(found: dict[str, Finding]) -> None:
    part = found["H1"].parts[0]  # scratch errs on 0.50 of the easy dataset with a tenth of the data
    assert part.attainable == pytest.approx((0.20 - 0.50, 0.20 + 0.40))
    part = found["C3"].parts[1]  # the CNN from scratch errs on 0.40 of the hard dataset with all data
    assert part.attainable == pytest.approx((-0.45, 0.99 - 0.45))


def test_worse_than_guessing_is_attainable() -> None:
    grid = Grid(("easy",))
    wrong = exactly(grid.arms(), lambda arm: 0.95 if arm.model == "vit_scratch" else 0.93, 300)
    for part in asked(wrong, grid)["H2"].parts[:2]:
        assert part.estimate is not None and part.attainable is not None
        assert part.attainable[0] <= part.estimate.value <= part.attainable[1]


@pytest.mark.parametrize(
    ("parts", "word"),
    [
        ("ss", "supported"),
        ("rr", "refuted"),
        ("sst", "supported in 2 of 3"),
        ("rt", "refuted in 1 of 2"),
        ("srt", "mixed"),
        ("sr", "mixed"),
        ("tt", "undecided"),
        ("", "not tested"),
        ("nn", "not tested"),
        ("sc", "supported"),
        ("sntc", "supported in 1 of 2"),
        ("rcn", "refuted"),
        ("tc", "undecided"),
        ("cn", "undecided"),
    ],
)
def test_the_word_for_a_hypothesis(parts: str, word: str) -> None:
    letters = {"s": "supported", "r": "refuted", "t": "too small to tell", "c": "cannot be told", "n": "not tested"}
    assert set(letters.values()) == set(verdicts.PARTS)
    assert verdicts.of_hypothesis([letters[letter] for letter in parts]) == word


def test_three_seeds_hold_for_another_training() -> None:
    found = asked(cells(Grid().arms(), rate, 300, seeds=3, spread=0.05))
    assert found["H1"].worth == ""
    assert found["C5"].parts
    parts = [part for finding in found.values() for part in finding.parts]
    assert all(part.estimate is not None for part in parts)
    assert all(np.isfinite(part.estimate.tellable) for part in parts if part.estimate and part.unit == "points")
