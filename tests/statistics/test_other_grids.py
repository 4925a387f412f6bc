"""Hypotheses of other grids: arms that are absent, one dataset or three, another ladder, other families."""

import pytest
from known_errors import asked, values
from simulated import Grid, Model, exactly

from study.statistics.contrasts import Arm
from study.statistics.hypotheses import Finding, findings
from study.statistics.roles import Roles
from study.statistics.sample import Sample


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
