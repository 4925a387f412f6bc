"""Advice from the fitted curves: the model that needs least data first, in images, and what cannot be told."""

import math
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from grids import sections, write_cells, write_study

from study.base.errors import StudyError
from study.design.cells import Cell
from study.report import gather
from study.settings.grid import Grid
from study.settings.params import Params
from study.statistics.requirements import Requirement
from tools import advise

LEVELS = {"cnn_scratch": 0.08, "cnn_glyphs": 0.02, "vit_scratch": 0.3, "vit_glyphs": 0.2}


def error(cell: Cell) -> float:
    """A power law with exponent 0.5, but for a model that more data do not help."""
    return LEVELS[cell.model] * (1.0 if cell.model == "vit_scratch" else cell.fraction**-0.5)


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., list[str]]:
    params = sections()
    write_study(tmp_path, params, (1.0, 0.5, 0.2, 0.1))
    cells = Grid.load(Params(params), tmp_path / "dvc.yaml").cells()
    write_cells(tmp_path, [cell for cell in cells if cell.model != "vit_glyphs" or cell.fraction == 1.0], 4000, error=error)
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> list[str]:
        monkeypatch.setattr(sys, "argv", ["advise", *arguments])
        advise.main()
        return capsys.readouterr().out.splitlines()

    return call


def test_the_model_that_needs_least_stands_first_and_the_answer_is_that_of_the_law(ask: Callable[..., list[str]]) -> None:
    lines = ask("easy", "--error", "0.1")
    assert lines[0] == "An error of 10 % on easy needs, in labelled train images (95 % interval):"
    assert lines[1].strip().startswith("CNN, pre-trained  under 90")
    number = float(lines[2].split("CNN, scratch")[1].split("[")[0].strip(" *").replace(",", ""))
    assert number == pytest.approx(900 * 0.08**2 / 0.1**2, rel=0.35)
    assert "over 100 times all*" in lines[3] or "ViT, scratch" in lines[3]
    assert "Least data: CNN, pre-trained. Its interval lies below those of all other models." in lines
    assert "Cannot be told, with fewer than three fractions: ViT, pre-trained." in lines


def test_of_models_that_all_need_less_than_was_measured_none_is_said_to_need_least(ask: Callable[..., list[str]]) -> None:
    lines = ask("easy", "--error", "0.95")
    assert all("  under 90" in line for line in lines[1:4])
    (least,) = (line for line in lines if line.startswith("Least data: "))
    assert all(name in least for name in ("CNN, pre-trained", "CNN, scratch", "ViT, scratch"))
    assert least.endswith(" need less than was measured; which of them needs least cannot be told.")
    assert not [line for line in lines if line.startswith("*")]


def test_two_that_need_less_than_was_measured_are_not_told_apart_by_curves_drawn_beyond_it(
    ask: Callable[..., list[str]],
) -> None:
    lines = ask("easy", "--error", "0.28")
    assert [line.split("  ")[-2].split(" (")[0] for line in lines[1:3]] == ["under 90", "under 90"]
    assert (
        "Least data: CNN, pre-trained; CNN, scratch need less than was measured; which of them needs least cannot be told."
        in lines
    )


def test_a_model_that_does_not_reach_it_by_its_curve_may_by_its_interval(ask: Callable[..., list[str]]) -> None:
    analysis = gather.of_study(Params.load(), "tiny", incomplete=True)

    def need(model: str, fraction: float, low: float, high: float) -> Requirement:
        return Requirement("easy", model, 0.1, fraction, low, high, 0.0, 0.1, 1.0)

    first = need("cnn_scratch", 60.0, 45.0, 81.0)
    lines = advise.advice(analysis, [first, need("cnn_glyphs", math.inf, 58.0, math.inf)])
    assert "  over 100 times all* [" in lines[2]
    assert (
        "Least data: CNN, scratch. Its interval overlaps with another model's: which of them needs less cannot be told."
        in lines
    )
    lines = advise.advice(analysis, [first, need("cnn_glyphs", math.inf, 90.0, math.inf)])
    assert "Least data: CNN, scratch. Its interval lies below those of all other models." in lines


def test_what_lies_beyond_is_said(ask: Callable[..., list[str]]) -> None:
    lines = ask("easy", "--error", "0.01")
    assert any("*" in line for line in lines[1:4])
    assert "* lies beyond the fractions that were measured. Nobody can tell whether the curve holds there." in lines


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [(("easy", "--error", "5"), "above 0 and below 1"), (("cifar10", "--error", "0.1"), "no dataset of study tiny")],
)
def test_what_cannot_be_asked_is_one_sentence(ask: Callable[..., list[str]], arguments: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(StudyError, match=sentence):
        ask(*arguments)
