"""What aggregate refuses, and what a failure leaves."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from grids import sections, write_cells, write_study
from small_reports import Aggregate, contents, prepare

from stages import aggregate
from study.base.errors import StudyError
from study.design.cells import Cell

PROJECT = Path(__file__).parent.parent.parent


def damage(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


def another_cell(path: Path) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | {"cell": "easy-vit_scratch-1.0-0"}))


@pytest.mark.parametrize(
    ("file", "harm"),
    [
        ("predictions/{}/predictions.npz", Path.unlink),
        ("predictions/{}/predictions.npz", damage),
        ("predictions/{}/predictions.npz", flip),
        ("predictions/{}/metrics.json", lambda path: path.write_text('{"images": 300, "top1_error": 0.9}')),
        ("history/{}/history.csv", lambda path: path.write_text("epoch,val_error\n1,0.5\n")),
        ("history/{}/provenance.json", another_cell),
        ("history/{}/provenance.json", lambda path: path.write_text('{"cell": "easy-cnn_glyphs-0.1-0"}')),
        ("history/{}", shutil.rmtree),
    ],
)
def test_a_missing_or_damaged_cell_is_named_and_the_old_report_stands(
    run: Aggregate, tmp_path: Path, file: str, harm: Callable[[Path], Any]
) -> None:
    prepare(tmp_path)
    report = tmp_path / "reports" / "tiny"
    report.mkdir(parents=True)
    (report / "README.md").write_text("the old report")
    harm(tmp_path / "data" / file.format("easy-cnn_glyphs-0.1-0"))
    with pytest.raises(
        StudyError, match=r"^1 of 16 cells are missing or damaged: easy-cnn_glyphs-0\.1-0 .*dvc pull.*dvc repro"
    ):
        run("tiny")
    assert contents(tmp_path / "reports") == {"tiny/README.md": b"the old report"}


def test_cells_on_different_test_images_are_not_compared(run: Aggregate, tmp_path: Path) -> None:
    prepare(tmp_path)
    write_cells(tmp_path, [Cell("hard", "vit_glyphs", 0.1, 0)], images=200)
    with pytest.raises(StudyError, match=r"hard-vit_glyphs-0\.1-0 .its test images are not those of hard-cnn_scratch-1\.0-0"):
        run("tiny")


def test_an_error_while_writing_leaves_the_old_report(run: Aggregate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(tmp_path)
    report = tmp_path / "reports" / "tiny"
    report.mkdir(parents=True)
    (report / "README.md").write_text("the old report")

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(aggregate, "write_report", full)
    with pytest.raises(OSError, match="No space"):
        run("tiny")
    assert contents(tmp_path / "reports") == {"tiny/README.md": b"the old report"}


def test_an_incomplete_report_is_not_made_under_dvc(run: Aggregate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(tmp_path)
    monkeypatch.setenv("DVC_STAGE", "aggregate@tiny")
    with pytest.raises(StudyError, match="by hand"):
        run("--incomplete", "tiny")


def test_nothing_measured_is_one_sentence(run: Aggregate, tmp_path: Path) -> None:
    write_study(tmp_path, sections())
    with pytest.raises(StudyError, match=r"data/measured holds no whole cell of study tiny; .* --measured puts one there"):
        run("--measured")
    write_cells(tmp_path, [Cell("other", "cnn_scratch", 1.0, 0)], measured=True)
    with pytest.raises(StudyError, match=r"it has other-cnn_scratch-1\.0-0: set study\.datasets and study\.models"):
        run("--measured")


def test_another_study_or_a_bad_value_is_one_sentence(run: Aggregate, tmp_path: Path) -> None:
    prepare(tmp_path)
    with pytest.raises(StudyError, match="is tiny, not other; python -m tools.study sets another"):
        run("other")
    params = sections() | {"train": sections()["train"] | {"learning_rate": 0}}
    write_study(tmp_path, params, (1.0, 0.1))
    with pytest.raises(StudyError, match="learning_rate"):
        run("tiny")
    write_study(tmp_path, sections(datasets=("easy", "verdicts")), (1.0, 0.1))
    with pytest.raises(StudyError, match="another name"):
        run("tiny")


def test_another_ladder_in_the_command_than_in_the_matrix_is_refused(run: Aggregate, tmp_path: Path) -> None:
    prepare(tmp_path)
    run("tiny", "--ladder", "1.0,0.1")
    with pytest.raises(StudyError, match="the matrix has 1.0,0.1; write the same".replace(".", r"\.")):
        run("tiny", "--ladder", "1.0,0.2,0.1")


@pytest.mark.parametrize("what", ["params.yaml", "data/predictions/{}/metrics.json", "dvc.yaml", "code"])
def test_what_is_edited_while_a_report_is_made_is_refused(
    run: Aggregate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    cells = prepare(tmp_path)
    run("tiny")
    before, write = contents(tmp_path / "reports"), aggregate.write_report

    def edited(*arguments: Any) -> None:
        write(*arguments)
        if what == "code":
            monkeypatch.setattr(aggregate.code, "digest", lambda module: "edited")
        else:
            path = tmp_path / what.format(cells[0])
            path.write_text(path.read_text().replace("0.1", "0.2") + "\n")

    monkeypatch.setattr(aggregate, "write_report", edited)
    with pytest.raises(StudyError, match=r"of reports/tiny were edited while it was made, so nothing was written"):
        run("tiny")
    assert contents(tmp_path / "reports") == before


def test_a_cell_that_ends_while_an_incomplete_report_is_made_does_not_stop_it(
    run: Aggregate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = prepare(tmp_path)
    late, aside = tmp_path / f"data/predictions/{cells[0]}", tmp_path / "aside"
    late.rename(aside)
    write = aggregate.write_report
    monkeypatch.setattr(aggregate, "write_report", lambda *arguments: (aside.rename(late), write(*arguments)))
    run("--incomplete", "tiny")
    assert str(cells[0]) in (tmp_path / "reports/tiny/README.md").read_text()
