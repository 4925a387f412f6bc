"""The grid: ladder and operating point, and the labels that people read."""

from pathlib import Path

import pytest
from grids import MODELS, sections, write_study

from study.base.errors import StudyError
from study.report.labels import Labels
from study.settings.grid import Grid, ladder
from study.settings.params import Params


def grid(root: Path, *fractions: float, **options: object) -> Grid:
    params = sections(**options)  # type: ignore[arg-type]
    write_study(root, params, fractions or (1.0, 0.5, 0.1))
    return Grid.load(Params(params), root / "dvc.yaml")


def test_the_operating_point_joins_the_ladder_but_not_the_hypotheses(tmp_path: Path) -> None:
    study = grid(tmp_path, 0.1, 1.0, 0.5, fraction=0.3)
    assert study.fractions == (1.0, 0.5, 0.3, 0.1)
    assert study.ladder == (1.0, 0.5, 0.1)


def test_an_operating_point_on_the_ladder_is_one_cell(tmp_path: Path) -> None:
    study = grid(tmp_path, 1.0, 0.5, 0.5, fraction=0.5)
    assert study.fractions == (1.0, 0.5)
    assert len(study.cells()) == len(set(study.cells())) == 2 * 4 * 2


@pytest.mark.parametrize("name", ["verdicts", "model", "fraction"])
def test_a_dataset_may_not_be_called_as_a_column_of_a_report(tmp_path: Path, name: str) -> None:
    with pytest.raises(StudyError, match=f"study has {name}, which a report's tables use otherwise; give it another name"):
        grid(tmp_path, datasets=("easy", name))


def test_the_ladder_of_this_project_stands_in_the_command_of_aggregate_too(root: Path) -> None:
    found = ladder(root / "dvc.yaml")
    assert found[0] == 1.0
    assert f"--ladder {','.join(map(str, found))}\n" in (root / "dvc.yaml").read_text()


@pytest.mark.parametrize("text", ["stages: {}", "a: [", "stages: {split: {matrix: {fraction: 0.5}}}", ""])
def test_a_ladder_that_cannot_be_read_is_one_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "dvc.yaml").write_text(text)
    with pytest.raises(StudyError, match=r"dvc\.yaml: stages\.split\.matrix\.fraction"):
        ladder(tmp_path / "dvc.yaml")


@pytest.mark.parametrize("entry", [1, 0.0, 1.5, "0.5", 1e-05])
def test_a_fraction_out_of_range_is_named(tmp_path: Path, entry: object) -> None:
    write_study(tmp_path, sections(), [1.0, entry])  # type: ignore[list-item]
    with pytest.raises(StudyError, match=repr(entry)):
        ladder(tmp_path / "dvc.yaml")


def test_a_ladder_without_the_operating_point_would_leave_its_cells_missing(tmp_path: Path) -> None:
    (tmp_path / "dvc.yaml").write_text("stages: {split: {matrix: {fraction: [1.0, 0.5]}}}")
    with pytest.raises(StudyError, match=r"fraction lacks \$\{fraction\}, so that no cell of the operating point"):
        ladder(tmp_path / "dvc.yaml")


def test_a_ladder_without_numbers_or_file(tmp_path: Path) -> None:
    write_study(tmp_path, sections(), [])
    with pytest.raises(StudyError, match="holds no number"):
        ladder(tmp_path / "dvc.yaml")
    with pytest.raises(StudyError, match="missing"):
        ladder(tmp_path / "absent.yaml")


def test_a_model_is_called_by_its_label_or_else_by_its_key(tmp_path: Path) -> None:
    own = MODELS["cnn_glyphs"] | {"label": None}
    study = grid(tmp_path, models=MODELS | {"net_photos": own})
    labels = Labels(study)
    assert [labels.model(model) for model in study.models] == [
        "CNN, scratch",
        "CNN, pre-trained",
        "ViT, scratch",
        "ViT, pre-trained",
        "net_photos, pre-trained",
    ]
    assert labels.architecture_of("net_photos") == "net_photos" and labels.of("vit_glyphs") == "ViT, pre-trained"
