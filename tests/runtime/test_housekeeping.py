"""Cells that left the grid: cleared away under DVC where they can be brought back, else nothing is touched."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from grids import sections, write_cells, write_study

from stages import aggregate
from study.base.errors import StudyError
from study.design.cells import Cell
from study.report.figures import drawn
from study.runtime import housekeeping
from study.settings.grid import Grid
from study.settings.params import Params

STRAYS = (Cell("easy", "cnn_scratch", 0.3, 0), Cell("easy", "vit_scratch", 0.3, 0))


def dvc(root: Path, *arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "dvc", *arguments], cwd=root, check=True, capture_output=True)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A DVC project with a whole study, and two cells off its grid that dvc.lock and the cache hold."""
    pytest.importorskip("dvc")
    params = sections()
    write_study(tmp_path, params, (1.0, 0.1))
    cells = Grid.load(Params(params), tmp_path / "dvc.yaml").cells()
    write_cells(tmp_path, [*cells, *STRAYS])
    dvc(tmp_path, "init", "--no-scm")
    stages = {
        f"cell{place}": {"cmd": "true", "outs": [f"data/{kind}/{cell}" for kind in housekeeping.FOLDERS]}
        for place, cell in enumerate(STRAYS)
    }
    content = yaml.safe_load((tmp_path / "dvc.yaml").read_text())
    (tmp_path / "dvc.yaml").write_text(yaml.safe_dump({"stages": content["stages"] | stages}))
    dvc(tmp_path, "commit", "-f", *stages)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(drawn, "all_figures", lambda analysis: iter(()))
    monkeypatch.setenv("DVC_STAGE", "aggregate@tiny")
    monkeypatch.setattr(sys, "argv", ["aggregate", "tiny"])
    return tmp_path


def strays(project: Path) -> list[Path]:
    return [path for kind in housekeeping.FOLDERS for cell in STRAYS if (path := project / "data" / kind / str(cell)).exists()]


def test_under_dvc_they_go_and_dvc_brings_them_back(project: Path) -> None:
    assert len(strays(project)) == 4
    before = {path: path.read_bytes() for stray in strays(project) for path in stray.iterdir()}
    aggregate.main()
    assert strays(project) == []
    assert len(list((project / "data/history").iterdir())) == 16
    dvc(project, "checkout", "cell0", "cell1")
    assert {path: path.read_bytes() for stray in strays(project) for path in stray.iterdir()} == before


def unrecorded(project: Path) -> None:
    (project / "dvc.lock").unlink()


def without_stages(project: Path) -> None:
    (project / "dvc.lock").write_text("schema: '2.0'\nstages:\n")


def with_bytes_that_are_no_text(project: Path) -> None:
    (project / "dvc.lock").write_bytes(b"\xff\xfe\x00")


def without_objects(project: Path) -> None:
    shutil.rmtree(project / ".dvc" / "cache" / "files")


def without_a_file(project: Path) -> None:
    lock = yaml.safe_load((project / "dvc.lock").read_text())
    object_id = lock["stages"]["cell1"]["outs"][0]["md5"]
    cache = project / ".dvc" / "cache" / "files" / "md5"
    entries = yaml.safe_load((cache / object_id[:2] / object_id[2:]).read_text())
    (cache / entries[0]["md5"][:2] / entries[0]["md5"][2:]).unlink()


def changed(project: Path) -> None:
    path = project / "data/history" / str(STRAYS[1]) / "history.csv"
    text = path.read_text()
    path.unlink()
    path.write_text(text + "6,0,0,0,0,0\n")


def another_file(project: Path) -> None:
    (project / "data/predictions" / str(STRAYS[1]) / "notes.txt").write_text("mine")


def not_a_cell(project: Path) -> None:
    (project / "data/predictions" / "notes.txt").write_text("mine")


HARMS = [
    unrecorded,
    without_stages,
    with_bytes_that_are_no_text,
    without_objects,
    without_a_file,
    changed,
    another_file,
    not_a_cell,
]


@pytest.mark.parametrize("harm", HARMS)
def test_what_could_not_be_brought_back_stays_and_stops_the_stage(project: Path, harm: object) -> None:
    harm(project)  # type: ignore[operator]
    with pytest.raises(StudyError, match=r"is not deleted: .*dvc c"):
        aggregate.main()
    assert len(strays(project)) == 4
    assert not [*project.glob("reports/*")]


def test_a_missing_cell_of_the_grid_is_said_before_anything_is_deleted(project: Path) -> None:
    shutil.rmtree(project / "data/history/easy-cnn_scratch-1.0-0")
    with pytest.raises(StudyError, match="1 of 16 cells"):
        aggregate.main()
    assert len(strays(project)) == 4


def test_a_configured_cache_is_used(project: Path) -> None:
    shutil.move(project / ".dvc" / "cache", project / "elsewhere")
    dvc(project, "cache", "dir", str(project / "elsewhere"))
    aggregate.main()
    assert strays(project) == []
