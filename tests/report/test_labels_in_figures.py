"""Labels of models in figures: long ones leave the axes their room, and no two models look the same."""

from collections.abc import Callable
from pathlib import Path

import pytest
from grids import MODELS
from matplotlib.figure import Figure
from small_reports import analysed

from study.report.figures import comparisons, fractions
from study.report.figures.style import drawable, save, style


@pytest.mark.parametrize("figure", [fractions.error_against_fraction, fractions.slope, comparisons.penalty_per_model])
def test_a_long_label_is_broken_and_leaves_the_axes_their_room(figure: Callable[..., Figure], tmp_path: Path) -> None:
    long = "Vision Transformer, tiny, 192 wide, 12 deep, patches of 16"
    models = {name: entry | ({"label": long} if name.startswith("vit") else {}) for name, entry in MODELS.items()}
    study = analysed(tmp_path, models=models)
    drawn = figure(study) if figure is comparisons.penalty_per_model else figure(study, "easy")
    save(drawn, tmp_path, "long")  # lays it out
    assert drawn.axes[0].get_position().width > 0.4


def test_a_class_whose_characters_the_font_lacks_is_drawn_by_its_number() -> None:
    assert drawable(["cat", "猫", "Rød", "कुत्ता", "кот"]) == ["cat", "class 1", "Rød", "class 3", "кот"]


def test_two_pretrained_models_of_one_architecture_look_different(tmp_path: Path) -> None:
    second = MODELS["vit_glyphs"] | {"label": "ViT, other weights"}
    study = analysed(tmp_path, models=MODELS | {"vit_other": second})
    looks = [style(study, model) for model in study.grid.models]
    assert len({str(look.line) for look in looks}) == 5
    assert len({look.colour for look in looks}) == 2  # an architecture has one colour
