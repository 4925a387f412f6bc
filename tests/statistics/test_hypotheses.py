"""Parts, verdicts and hypotheses: by hand, on numbers whose answers are known."""

import numpy as np
import pytest
from simulated import CLASSES, Grid, Model, Wrong, cells, exactly

from study.statistics import verdicts
from study.statistics.contrasts import Arm
from study.statistics.estimate import Estimate, least
from study.statistics.hypotheses import Finding, findings
from study.statistics.parts import Part
from study.statistics.roles import Roles
from study.statistics.sample import Sample

TABLE = {
    ("easy", "cnn_scratch"): (0.20, 0.28, 0.50),
    ("easy", "cnn_glyphs"): (0.10, 0.12, 0.20),
    ("easy", "vit_scratch"): (0.30, 0.45, 0.65),
    ("easy", "vit_glyphs"): (0.15, 0.16, 0.18),
    ("hard", "cnn_scratch"): (0.40, 0.48, 0.60),
    ("hard", "cnn_glyphs"): (0.25, 0.30, 0.50),
    ("hard", "vit_scratch"): (0.60, 0.70, 0.75),
    ("hard", "vit_glyphs"): (0.35, 0.36, 0.45),
}


def rate(arm: Arm) -> float:
    return TABLE[arm.dataset, arm.model][Grid().ladder.index(arm.fraction)]


def asked(wrong: Wrong, grid: Grid | None = None, compare: tuple[str, str] = ("cnn", "vit")) -> dict[str, Finding]:
    grid = grid or Grid()
    return {finding.key: finding for finding in findings(Roles(grid, compare), Sample(wrong, CLASSES))}


@pytest.fixture(scope="module")
def found() -> dict[str, Finding]:
    return asked(exactly(Grid().arms(), rate))


def values(finding: Finding) -> dict[str, float]:
    return {part.where.key: round(part.estimate.value, 9) for part in finding.parts if part.estimate}


def test_h1_by_hand(found: dict[str, Finding]) -> None:
    assert values(found["H1"]) == {
        "easy/cnn_scratch+cnn_glyphs/1.0+0.1": 0.20,
        "easy/vit_scratch+vit_glyphs/1.0+0.1": 0.32,
        "hard/cnn_scratch+cnn_glyphs/1.0+0.1": -0.05,
        "hard/vit_scratch+vit_glyphs/1.0+0.1": 0.05,
    }
    assert found["H1"].verdict == "mixed"
    assert found["H1"].worth == "in these trainings"


def test_h2_and_h3_by_hand(found: dict[str, Finding]) -> None:
    assert values(found["H2"]) == {
        "a/easy/vit_scratch+cnn_scratch/0.5": 0.17,
        "a/easy/vit_scratch+cnn_scratch/0.1": 0.15,
        "a/hard/vit_scratch+cnn_scratch/0.5": 0.22,
        "a/hard/vit_scratch+cnn_scratch/0.1": 0.15,
        "b/easy/vit_scratch+cnn_scratch/1.0+0.1": 0.05,
        "b/hard/vit_scratch+cnn_scratch/1.0+0.1": -0.05,
    }
    assert values(found["H3"]) == {
        "easy+hard/vit_scratch+cnn_scratch/1.0": 0.10,
        "easy+hard/vit_glyphs+cnn_glyphs/1.0": 0.05,
    }
    assert [part.where.kind for part in found["H3"].parts] == ["scratch", "pre-trained"]


def test_the_claims_by_hand(found: dict[str, Finding]) -> None:
    c1 = values(found["C1"])
    assert len(c1) == 2 * 2 * 2
    assert c1["easy/cnn_scratch+cnn_glyphs/0.5+0.1"] == 0.14
    assert c1["hard/cnn_scratch+cnn_glyphs/0.5+0.1"] == -0.08
    assert values(found["C2"]) == {
        "easy+hard/cnn_scratch+cnn_glyphs/1.0": 0.05,
        "easy+hard/vit_scratch+vit_glyphs/1.0": 0.10,
    }
    assert values(found["C3"]) == {
        "easy/cnn_scratch+vit_glyphs/1.0+0.1": 0.02,
        "hard/cnn_scratch+vit_glyphs/1.0+0.1": -0.05,
    }
    assert found["C5"].parts == () and found["C5"].verdict == "not tested"
    assert set(values(found["C6"]).values()) == {
        round(TABLE[dataset, f"{family}_scratch"][place] - TABLE[dataset, f"{family}_glyphs"][place], 9)
        for dataset in ("easy", "hard")
        for family in ("cnn", "vit")
        for place in range(3)
    }
    c7 = values(found["C7"])
    assert len(c7) == 2 * 3
    assert c7["easy/vit_glyphs+cnn_glyphs/0.1"] == 0.17
    assert values(found["C8"]) == {
        "less/easy/vit_scratch+cnn_scratch/1.0+0.1": 0.05,
        "less/hard/vit_scratch+cnn_scratch/1.0+0.1": -0.05,
        "less/easy/vit_glyphs+cnn_glyphs/1.0+0.1": -0.07,
        "less/hard/vit_glyphs+cnn_glyphs/1.0+0.1": -0.15,
        "harder/easy+hard/vit_scratch+cnn_scratch/1.0": 0.10,
        "harder/easy+hard/vit_glyphs+cnn_glyphs/1.0": 0.05,
    }


def test_c4_sets_a_reduced_loss_against_a_difference_of_losses_of_either_sign(found: dict[str, Finding]) -> None:
    parts = {part.where.key: part for part in found["C4"].parts}
    assert len(parts) == (2 + 1) * 2 * 2
    part = parts["less/easy/cnn_scratch+cnn_glyphs/1.0+0.1/vit_glyphs+cnn_glyphs"]
    assert part.estimate is not None
    # The CNN's loss is 0.30 from scratch and 0.10 pre-trained; pre-trained, the ViT's loss is 0.07 smaller.
    assert part.estimate.value == pytest.approx(0.20 - 0.07)
    # At no error, and at guessing, of the CNN from scratch on a tenth; the rival stays as it is.
    assert part.attainable == pytest.approx((0.20 - 0.50 - 0.07, 0.20 + 0.40 - 0.07))
    hard = parts["harder/easy+hard/vit_scratch+vit_glyphs/1.0/vit_scratch+cnn_scratch"]
    assert hard.estimate is not None and hard.estimate.value == pytest.approx(0.10 - 0.10)
    assert hard.verdict == "too small to tell"


def test_the_attainable_range_of_c4_knows_that_the_arm_that_falls_may_be_in_the_rival_too(found: dict[str, Finding]) -> None:
    """Losses on a tenth of the easy dataset: CNN 0.30 from scratch, 0.10 pre-trained; ViT from scratch 0.35."""
    parts = {part.where.key: part for part in found["C4"].parts}
    part = parts["less/easy/cnn_scratch+cnn_glyphs/1.0+0.1/vit_scratch+cnn_scratch"]
    # effect + rival is ViT's loss - pre-trained CNN's, whatever the CNN from scratch does; effect - rival falls twice as fast.
    assert part.estimate is not None and part.estimate.value == pytest.approx(min(0.20 - 0.05, 0.20 + 0.05))
    assert part.attainable == pytest.approx((0.15 - 2 * 0.50, 0.25))


def test_c4_cannot_be_told_where_no_error_of_the_model_could_have_changed_its_sign() -> None:
    """The pre-trained CNN loses more than the ViT from scratch, so the CNN from scratch can gain no more than they differ."""
    table = {"cnn_scratch": (0.2, 0.5), "cnn_glyphs": (0.1, 0.4), "vit_scratch": (0.2, 0.3), "vit_glyphs": (0.1, 0.2)}
    grid = Grid(("easy",), ladder=(1.0, 0.1))
    wrong = exactly(grid.arms(), lambda arm: table[arm.model][grid.ladder.index(arm.fraction)])
    part = asked(wrong, grid)["C4"].parts[0]
    assert part.where.key == "less/easy/cnn_scratch+cnn_glyphs/1.0+0.1/vit_scratch+cnn_scratch"
    assert part.estimate is not None and part.estimate.value == pytest.approx(-0.2)
    assert part.attainable == pytest.approx((0.2 - 2 * 0.5, -0.2))
    assert part.verdict == "cannot be told"


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


def test_a_missing_arm_leaves_its_parts_untested_and_the_others_tested() -> None:
    wrong = exactly(Grid().arms(), lambda arm: 0.3, 300)
    del wrong[Arm("easy", "cnn_glyphs", 0.1)]
    h1 = asked(wrong)["H1"]
    assert h1.parts[0].missing == (Arm("easy", "cnn_glyphs", 0.1),)
    assert [part.verdict for part in h1.parts] == ["not tested", *["too small to tell"] * 3]
    assert h1.verdict == "undecided"


def of_datasets(*datasets: str) -> dict[str, Finding]:
    """Errors that grow with the place of a dataset: by 0.1 for the first family, by 0.2 for the second."""
    grid = Grid(datasets)

    def rate(arm: Arm) -> float:
        return 0.1 + (0.2 if "vit" in arm.model else 0.1) * datasets.index(arm.dataset)

    sample = Sample(exactly(grid.arms(), rate, 300), dict.fromkeys(datasets, 10))
    return {finding.key: finding for finding in findings(Roles(grid), sample)}


def test_one_dataset_has_no_penalty() -> None:
    found = of_datasets("easy")
    assert found["H3"].verdict == found["C2"].verdict == "not tested"
    assert found["H3"].needs.startswith("two datasets or more")
    assert {part.where.loss for part in found["C4"].parts} == {part.where.loss for part in found["C8"].parts} == {"less"}
    assert len(found["H1"].parts) == 2


def test_h3_is_read_over_each_step_of_three_datasets_in_the_order_given() -> None:
    assert values(of_datasets("a", "b", "c")["H3"]) == {
        "a+b/vit_scratch+cnn_scratch/1.0": 0.10,
        "b+c/vit_scratch+cnn_scratch/1.0": 0.10,
        "a+b/vit_glyphs+cnn_glyphs/1.0": 0.10,
        "b+c/vit_glyphs+cnn_glyphs/1.0": 0.10,
    }
    assert {part.where.datasets for part in of_datasets("b", "c", "a")["C2"].parts} == {("b", "c"), ("c", "a")}


@pytest.mark.parametrize("ladder", [(1.0,), (0.5, 0.1)])
def test_a_ladder_without_a_step_from_the_whole_has_no_degradation(ladder: tuple[float, ...]) -> None:
    grid = Grid(ladder=ladder)
    found = asked(exactly(grid.arms(), lambda arm: 0.3, 300), grid)
    assert found["H1"].verdict == "not tested"
    assert {part.where.step for part in found["H2"].parts} <= {"a"}


def test_other_families_can_be_compared() -> None:
    models = tuple(Model(model.name.replace("vit", "mixer"), model.family.replace("vit", "mixer"), model.weights,
                         model.scratch and model.scratch.replace("vit", "mixer")) for model in Grid().models)  # fmt: skip
    grid = Grid(models=models)
    wrong = exactly(grid.arms(), lambda arm: 0.3, 300)
    assert asked(wrong, grid)["H3"].verdict == "not tested"
    found = asked(wrong, grid, ("cnn", "mixer"))
    assert found["H3"].claim == "As the dataset gets harder, the mixer loses more than the CNN"
    assert len(found["H3"].parts) == 2
    assert len(found["H1"].parts) == 4


def test_every_part_has_a_key_of_its_own(found: dict[str, Finding]) -> None:
    for finding in found.values():
        assert len({part.where.key for part in finding.parts}) == len(finding.parts)


def parts_of(found: dict[str, Finding]) -> list[Part]:
    return [part for finding in found.values() for part in finding.parts]


def test_three_seeds_hold_for_another_training() -> None:
    found = asked(cells(Grid().arms(), rate, 300, seeds=3, spread=0.05))
    assert found["H1"].worth == ""
    assert found["C5"].parts
    assert all(part.estimate is not None for part in parts_of(found))
    assert all(np.isfinite(part.estimate.tellable) for part in parts_of(found) if part.estimate and part.unit == "points")
