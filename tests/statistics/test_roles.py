"""What models are to each other: partners, counterparts of the families that a study compares, and the steps of the ladder."""

from typing import Any

from grids import MODELS, sections

from study.settings.grid import Grid
from study.settings.params import Params
from study.statistics.roles import Roles


def roles(*fractions: float, **study: Any) -> Roles:
    """Of a study whose section has ``study``, on a ladder of ``fractions``."""
    params = sections(models=MODELS | study.pop("more", {}))
    params["study"] |= study
    found = Params(params).study()
    models = tuple(Params(params).model(name) for name in found.models)
    return Roles(Grid(found.name, found.datasets, models, fractions or (1.0, 0.5, 0.1), 1.0, found.seeds), found.compare)


def test_pairs_need_both_partners() -> None:
    assert roles().pairs() == [("cnn_scratch", "cnn_glyphs"), ("vit_scratch", "vit_glyphs")]
    alone = roles(models=["cnn_glyphs", "vit_scratch"])
    assert alone.pairs() == []
    assert alone.counterparts(False) == alone.counterparts(True) == []


def test_every_cnn_meets_every_vit_of_its_kind() -> None:
    found = roles(more={"wide_scratch": MODELS["cnn_scratch"] | {"arch": "resnet18"}})
    assert found.counterparts(pretrained=False) == [("cnn_scratch", "vit_scratch"), ("wide_scratch", "vit_scratch")]


def test_the_study_says_which_families_meet() -> None:
    found = roles(more={"mlp_scratch": MODELS["cnn_scratch"] | {"family": "mlp"}}, compare=["mlp", "cnn"])
    assert found.counterparts(pretrained=False) == [("mlp_scratch", "cnn_scratch")]
    assert found.both() == []


def test_the_steps_of_the_ladder() -> None:
    assert (roles().full, roles().reduced, roles().smallest) == ((1.0,), (0.5, 0.1), (0.1,))
    assert (roles(0.5, 0.1).full, roles(0.5, 0.1).smallest) == ((), ())
    assert (roles(1.0).reduced, roles(1.0).smallest) == ((), ())
