"""The hypotheses: what they are made of, on numbers whose answers are known."""

from pathlib import Path
from typing import Any

import pytest
from grids import MODELS, sections, write_study

from study.report.analysis import Analysis
from study.report.labels import Labels
from study.settings.grid import Grid
from study.settings.params import Params
from study.statistics.effects import Finding, findings
from study.statistics.estimates import Arm, Errors, Estimate
from study.statistics.published import Published

PROJECT = Path(__file__).parent.parent


def study(root: Path, ladder: tuple[float, ...] = (1.0, 0.5, 0.1), **options: Any) -> Grid:
    params = sections(**options)
    write_study(root, params, ladder)
    return Grid.load(Params(params), root / "dvc.yaml")


def verdicts_of(grid: Grid, errors: Errors) -> dict[str, Finding]:
    return {finding.key: finding for finding in findings(grid, Labels(grid), errors)}


def with_errors(grid: Grid, of: Any) -> Errors:
    return Errors(
        {
            Arm(dataset, model.name, fraction): [of(dataset, model.name, fraction)]
            for dataset in grid.datasets
            for model in grid.models
            for fraction in grid.fractions
        }
    )


def value(estimate: Estimate | None) -> float:
    assert estimate is not None
    return estimate.value


@pytest.fixture(scope="module")
def published() -> Analysis:
    numbers = Published.read(PROJECT / "data" / "published.csv")
    return Analysis.of_published(numbers.grid(Params.load(PROJECT / "params.yaml")), numbers)


def test_the_published_numbers_do_not_bear_out_the_second_part_of_h2(published: Analysis) -> None:
    found = {finding.key: finding for finding in published.findings}
    assert found["H1"].verdict == "supported"
    assert found["H2"].verdict == "mixed"
    assert found["H3"].verdict == "supported"
    (refuted,) = found["H2"].with_verdict("refuted")
    assert refuted.label.startswith("(b) cifar10")
    assert value(refuted.estimate) == pytest.approx(0.225 - 0.237, abs=1e-9)
    assert all(part.estimate is None or part.estimate.low is None for finding in found.values() for part in finding.parts)


@pytest.mark.parametrize(
    ("model", "deltas"),
    [("resnet50", [-6.50, -10.62, -20.61, -27.46]), ("vit_s16", [-25.43, -30.08, -38.05, -45.19])],
)
def test_published_differences_to_the_rounding_of_their_errors(published: Analysis, model: str, deltas: list[float]) -> None:
    for fraction, delta in zip((1.0, 0.5, 0.2, 0.1), deltas, strict=True):
        gain = {Arm("cifar10", f"{model}_im1k", fraction): 1.0, Arm("cifar10", f"{model}_scratch", fraction): -1.0}
        assert 100 * value(published.estimate(gain)) == pytest.approx(delta, abs=0.1)


@pytest.mark.parametrize(
    ("model", "penalty"),
    [("resnet50_scratch", 21.88), ("resnet50_im1k", 12.25), ("vit_s16_scratch", 26.15), ("vit_s16_im1k", 16.13)],
)
def test_published_penalties_to_the_rounding_of_their_errors(published: Analysis, model: str, penalty: float) -> None:
    effect = {Arm("cifar100", model, 1.0): 1.0, Arm("cifar10", model, 1.0): -1.0}
    assert 100 * value(published.estimate(effect)) == pytest.approx(penalty, abs=0.1)


def test_absolute_and_relative_growth_disagree_in_the_published_penalties(published: Analysis) -> None:
    scratch = next(each for each in published.relatives if each.key == "H3" and each.part.label.endswith("scratch"))
    assert scratch.growths == pytest.approx((0.582 / 0.320, 0.323 / 0.104))
    assert value(scratch.part.estimate) > 0 > scratch.log_ratio.value
    assert scratch.disagrees


def test_every_part_by_hand(tmp_path: Path) -> None:
    table = {
        ("easy", "cnn_scratch"): (0.20, 0.28, 0.50),
        ("easy", "cnn_glyphs"): (0.10, 0.12, 0.20),
        ("easy", "vit_scratch"): (0.30, 0.45, 0.65),
        ("easy", "vit_glyphs"): (0.15, 0.16, 0.18),
        ("hard", "cnn_scratch"): (0.40, 0.48, 0.60),
        ("hard", "cnn_glyphs"): (0.25, 0.30, 0.50),
        ("hard", "vit_scratch"): (0.60, 0.70, 0.75),
        ("hard", "vit_glyphs"): (0.35, 0.36, 0.45),
    }
    grid = study(tmp_path)
    found = verdicts_of(grid, with_errors(grid, lambda d, m, f: table[d, m][(1.0, 0.5, 0.1).index(f)]))
    effects = {key: {part.label: round(value(part.estimate), 9) for part in finding.parts} for key, finding in found.items()}
    assert effects["H1"] == {
        "easy, CNN, 1.0 → 0.1": 0.20,
        "easy, ViT, 1.0 → 0.1": 0.32,
        "hard, CNN, 1.0 → 0.1": -0.05,
        "hard, ViT, 1.0 → 0.1": 0.05,
    }
    assert found["H1"].verdict == "mixed"
    assert effects["H2"] == {
        "(a) easy, ViT vs CNN, at 0.5": 0.17,
        "(a) easy, ViT vs CNN, at 0.1": 0.15,
        "(a) hard, ViT vs CNN, at 0.5": 0.22,
        "(a) hard, ViT vs CNN, at 0.1": 0.15,
        "(b) easy, ViT vs CNN, 1.0 → 0.1": 0.05,
        "(b) hard, ViT vs CNN, 1.0 → 0.1": -0.05,
    }
    assert effects["H3"] == {"easy → hard, ViT vs CNN, scratch": 0.10, "easy → hard, ViT vs CNN, pre-trained": 0.05}
    assert found["H3"].verdict == "supported"
    assert effects["C1"]["easy, CNN, 0.5 → 0.1"] == 0.14
    assert effects["C1"]["hard, CNN, 0.5 → 0.1"] == -0.08
    assert len(effects["C1"]) == 2 * 2 * 2
    assert effects["C2"] == {"easy → hard, CNN": 0.05, "easy → hard, ViT": 0.10}
    assert effects["C3"] == {
        "easy, ViT, pre-trained, at 0.1 against CNN, scratch, at 1.0": 0.02,
        "hard, ViT, pre-trained, at 0.1 against CNN, scratch, at 1.0": -0.05,
    }
    assert effects["C4"]["easy, gain of CNN against ViT vs CNN, scratch, at 1.0"] == 0.0
    assert effects["C4"]["easy, gain of ViT against ViT vs CNN, pre-trained, at 0.1"] == 0.45
    # Four times the ViT is the worse of both kinds, and two of the sums are the same.
    assert len(effects["C4"]) == 2 * 3 * 2 * 2 - 4
    assert effects["C5"] == {} and found["C5"].verdict == "not tested"


def test_the_operating_point_never_enters_a_verdict(tmp_path: Path) -> None:
    grid = study(tmp_path, fraction=0.05)
    assert 0.05 in grid.fractions
    found = verdicts_of(grid, with_errors(grid, lambda dataset, model, fraction: 0.5 - 0.1 * fraction))
    assert all(arm.fraction != 0.05 for finding in found.values() for part in finding.parts for arm in part.arms)
    assert found["H1"].parts


def test_a_missing_cell_leaves_its_parts_untested_and_the_others_tested(tmp_path: Path) -> None:
    grid = study(tmp_path)
    full = {arm: [0.3] for arm in with_errors(grid, lambda *_: 0.3)._runs}
    del full[Arm("easy", "cnn_glyphs", 0.1)]
    found = verdicts_of(grid, Errors(full))
    verdicts = {part.label: part.verdict for part in found["H1"].parts}
    assert verdicts.pop("easy, CNN, 1.0 → 0.1") == "not tested"
    assert set(verdicts.values()) == {"inconclusive"}
    assert found["H1"].parts[0].missing == (Arm("easy", "cnn_glyphs", 0.1),)


@pytest.mark.parametrize("datasets", [("one",), ("one", "two", "three")])
def test_other_than_two_datasets_have_no_penalty(tmp_path: Path, datasets: tuple[str, ...]) -> None:
    grid = study(tmp_path, datasets=datasets)
    found = verdicts_of(grid, with_errors(grid, lambda *_: 0.3))
    assert found["H3"].verdict == found["C2"].verdict == "not tested"
    assert len(found["H1"].parts) == 2 * len(datasets)


def test_a_study_without_pairs_or_counterparts_tests_nothing(tmp_path: Path) -> None:
    grid = study(tmp_path, models={"cnn_scratch": MODELS["cnn_scratch"]})
    found = verdicts_of(grid, with_errors(grid, lambda *_: 0.3))
    assert {finding.verdict for finding in found.values()} == {"not tested"}


@pytest.mark.parametrize("ladder", [(1.0,), (0.5, 0.1)])
def test_a_ladder_without_a_step_from_the_whole_has_no_degradation(tmp_path: Path, ladder: tuple[float, ...]) -> None:
    grid = study(tmp_path, ladder)
    found = verdicts_of(grid, with_errors(grid, lambda *_: 0.3))
    assert found["H1"].verdict == "not tested"
    assert not [part for part in found["H2"].parts if part.label.startswith("(b)")]


def test_two_cnns_are_both_held_against_the_vit(tmp_path: Path) -> None:
    grid = study(tmp_path, models=MODELS | {"wide_scratch": MODELS["cnn_scratch"] | {"arch": "resnet18"}})
    found = verdicts_of(grid, with_errors(grid, lambda *_: 0.3))
    assert len(found["H3"].parts) == 3
    assert len({part.label for part in found["H2"].parts}) == len(found["H2"].parts) == 2 * 2 * 3


def test_variability_is_tested_from_three_seeds(tmp_path: Path) -> None:
    grid = study(tmp_path, seeds=(0, 1, 2, 3))
    steady, shaky = [0.300, 0.301, 0.300, 0.301], [0.1, 0.5, 0.2, 0.6]
    errors = Errors({arm: shaky if "scratch" in arm.model else steady for arm in with_errors(grid, lambda *_: 0)._runs})
    claim = verdicts_of(grid, errors)["C5"]
    assert claim.verdict == "supported"
    assert len(claim.parts) == 2 * 2 * 3
    assert claim.parts[0].unit == "log ratio"
