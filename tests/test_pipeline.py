"""dvc.yaml: the matrix of the design, and honest lists of the code that each stage depends on."""

import subprocess
import sys

import pytest
import yaml

from study.pipeline import process
from study.runtime import code
from study.settings.grid import Grid
from study.settings.params import Params

STAGES = ("download", "weights", "split", "train", "evaluate", "aggregate")


@pytest.fixture(scope="module")
def pipeline(root):
    return yaml.safe_load((root / "dvc.yaml").read_text())["stages"]


def listed_code(pipeline, stage):
    """The rooms and files of code that dvc.yaml lists for a stage."""
    return [dep for dep in pipeline[stage]["deps"] if dep.startswith(("stages/", "study/"))]


def covers(dependency, path):
    return path == dependency or path.startswith(f"{dependency}/")


def uncovered(pipeline, stage, root):
    """Files that the stage imports and no dependency of dvc.yaml covers, and dependencies on code that cover nothing."""
    listed, imported = listed_code(pipeline, stage), code.files(f"stages.{stage}", root)
    missing = [path for path in imported if not any(covers(dependency, path) for dependency in listed)]
    return missing, [dependency for dependency in listed if not any(covers(dependency, path) for path in imported)]


@pytest.mark.parametrize("stage", STAGES)
def test_code_dependencies_cover_what_the_stage_imports_and_nothing_else(root, pipeline, stage):
    assert uncovered(pipeline, stage, root) == ([], [])


@pytest.mark.parametrize("stage", STAGES)
def test_a_dependency_that_is_taken_out_or_not_needed_is_noticed(root, pipeline, stage):
    for dependency in listed_code(pipeline, stage):
        without = {stage: {"deps": [each for each in pipeline[stage]["deps"] if each != dependency]}}
        missing, _ = uncovered(without, stage, root)
        assert missing and all(covers(dependency, path) for path in missing), dependency
    more = {stage: {"deps": [*pipeline[stage]["deps"], "study/pipeline"]}}
    assert uncovered(more, stage, root) == ([], ["study/pipeline"])


def test_the_pipeline_is_read_in_a_minute(root, pipeline):
    before_plots = (root / "dvc.yaml").read_text().partition("\nplots:")[0]
    assert len(before_plots.splitlines()) < 150
    assert len(pipeline["aggregate"]["deps"]) <= 8


def test_exempt_rooms_are_not_dependencies(root, pipeline):
    for room in code.EXEMPT:
        assert (root / room).is_dir()
        listed = {(stage, dep) for stage in STAGES for dep in listed_code(pipeline, stage) if dep.startswith(room)}
        assert listed <= {("download", code.DECIDES)}, "a new reader's defaults re-run download alone"


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def test_imports_inside_functions_and_through_others_are_found(tmp_path):
    write(tmp_path / "stages/a.py", "def f():\n    from study.room import b\n")
    write(tmp_path / "study/room/b.py", "import study.room.c\nimport json\n")
    write(tmp_path / "study/room/c.py", "from study.base.console import run\n")
    write(tmp_path / "study/base/console.py", "from study.room import only_for_the_console\n")
    write(tmp_path / "study/room/only_for_the_console.py", "1\n")
    assert code.files("stages.a", tmp_path) == ["stages/a.py", "study/room/b.py", "study/room/c.py"]


def test_digest_follows_the_code_and_not_the_exempt(tmp_path):
    write(tmp_path / "stages/a.py", "from study.room import b\nfrom study.base import console\n")
    write(tmp_path / "study/room/b.py", "x = 1\n")
    write(tmp_path / "study/base/console.py", "x = 1\n")
    before = code.digest("stages.a", tmp_path)
    write(tmp_path / "study/base/console.py", "x = 2\n")
    assert code.digest("stages.a", tmp_path) == before
    write(tmp_path / "study/room/b.py", "x = 2\n")
    assert code.digest("stages.a", tmp_path) != before


@pytest.mark.parametrize("stage", ["split", "aggregate", "download"])
def test_stages_that_do_no_training_do_not_import_torch(root, stage):
    check = f"import sys, stages.{stage}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], cwd=root).returncode == 0


def test_default_grid(root):
    command = process.command("stage", "list", "--name-only")
    names = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    grid = Grid.load(Params.load(root / "params.yaml"), root / "dvc.yaml")
    expected = {f"download@{dataset}" for dataset in grid.datasets} | {f"weights@{model.name}" for model in grid.models}
    expected |= {f"split@{cell.dataset}-{cell.fraction}-{cell.seed}" for cell in grid.cells()}
    expected |= {f"{stage}@{cell}" for cell in grid.cells() for stage in ("train", "evaluate")}
    assert sorted(names.split()) == sorted([*expected, f"aggregate@{grid.name}"])
    cell = f"{grid.datasets[0]}-{grid.models[0].name}-{grid.ladder[-1]}-{grid.seeds[0]}"
    assert {
        f"train@{cell}",
        f"split@{grid.datasets[0]}-{grid.ladder[-1]}-{grid.seeds[0]}",
    } <= expected  # as everybody calls them


def test_what_dvc_plots_is_in_the_reports(root):
    """Every file and column that the plots of dvc.yaml name; DVC draws nothing, without a word, where one is missing."""
    for plot in yaml.safe_load((root / "dvc.yaml").read_text())["plots"]:
        ((title, plan),) = plot.items()
        for file, columns in plan["y"].items():
            head = (root / file).read_text(encoding="utf-8").splitlines()[0].split(",")
            wanted = [plan["x"], *([columns] if isinstance(columns, str) else columns)]
            assert set(wanted) <= set(head), title
