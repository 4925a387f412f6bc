"""dvc.yaml: the matrix of the design, and honest lists of the code that each stage depends on."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from stages.lib import code
from stages.lib.grid import Grid
from stages.lib.params import Params

STAGES = ("download", "weights", "split", "train", "evaluate", "aggregate")


@pytest.fixture(scope="module")
def pipeline(root):
    return yaml.safe_load((root / "dvc.yaml").read_text())["stages"]


def listed_code(root, pipeline, stage):
    """The files and folders of code that dvc.yaml lists for a stage, and the files that these make."""
    listed = [dep for dep in pipeline[stage]["deps"] if dep.startswith("stages/")]
    folders = [dep for dep in listed if not dep.endswith(".py")]
    inside = {
        str(path.relative_to(root)) for folder in folders for path in (root / folder).rglob("*.py") if path.stat().st_size
    }
    return folders, inside, sorted(inside.union(set(listed) - set(folders)))


@pytest.mark.parametrize("stage", ["download", "weights", "split", "train", "aggregate"])
def test_code_dependencies_are_what_the_stage_imports(root, pipeline, stage):
    assert listed_code(root, pipeline, stage)[2] == code.files(f"stages.{stage}", root)


def test_code_dependencies_of_evaluate_are_what_it_imports_and_the_rest_of_the_engine(root, pipeline):
    """The engine is one dependency, so that dvc.lock stays small; what evaluate alone imports is listed by itself."""
    folders, inside, files = listed_code(root, pipeline, "evaluate")
    assert folders == ["stages/lib/engine"]
    assert sorted(inside.union(code.files("stages.evaluate", root))) == files


def test_every_exempt_module_exists_and_is_imported_by_a_stage(root):
    imported = "".join(line for stage in STAGES for line in import_lines(root / f"stages/{stage}.py"))
    imported += "".join(line for path in (root / "stages/lib").rglob("*.py") for line in import_lines(path))
    for path in code.EXEMPT:
        assert (root / path).is_file()
        assert re.search(rf"\b{Path(path).stem}\b", imported), path


def import_lines(path):
    return [line for line in path.read_text().splitlines(keepends=True) if "import" in line and "stages.lib" in line]


def test_imports_inside_functions_and_through_others_are_found(tmp_path):
    lib = tmp_path / "stages" / "lib"
    lib.mkdir(parents=True)
    (tmp_path / "stages" / "a.py").write_text("def f():\n    from stages.lib import b\n")
    (lib / "b.py").write_text("import stages.lib.c\nimport json\n")
    (lib / "c.py").write_text("from stages.lib.console import run\n")
    (lib / "console.py").write_text("from stages.lib import only_for_the_console\n")
    (lib / "only_for_the_console.py").write_text("1\n")
    assert code.files("stages.a", tmp_path) == ["stages/a.py", "stages/lib/b.py", "stages/lib/c.py"]


def test_digest_follows_the_code_and_not_the_exempt(tmp_path):
    lib = tmp_path / "stages" / "lib"
    lib.mkdir(parents=True)
    (tmp_path / "stages" / "a.py").write_text("from stages.lib import b, console\n")
    (lib / "b.py").write_text("x = 1\n")
    (lib / "console.py").write_text("x = 1\n")
    before = code.digest("stages.a", tmp_path)
    (lib / "console.py").write_text("x = 2\n")
    assert code.digest("stages.a", tmp_path) == before
    (lib / "b.py").write_text("x = 2\n")
    assert code.digest("stages.a", tmp_path) != before


def test_stages_do_not_import_each_other_and_the_library_imports_no_stage(root):
    for stage in STAGES:
        others = [path for path in code.files(f"stages.{stage}", root) if not path.startswith("stages/lib/")]
        assert others == [f"stages/{stage}.py"]


@pytest.mark.parametrize("stage", ["split", "aggregate", "download"])
def test_stages_that_do_no_training_do_not_import_torch(root, stage):
    check = f"import sys, stages.{stage}; sys.exit('torch' in sys.modules)"
    assert subprocess.run(["python", "-c", check], cwd=root).returncode == 0


def test_default_grid(root):
    names = subprocess.run(["dvc", "stage", "list", "--name-only"], cwd=root, capture_output=True, text=True, check=True).stdout
    grid = Grid.load(Params.load(root / "params.yaml"), root / "dvc.yaml")
    expected = {f"download@{dataset}" for dataset in grid.datasets} | {f"weights@{model.name}" for model in grid.models}
    expected |= {f"split@{cell.dataset}-{cell.fraction}-{cell.seed}" for cell in grid.cells()}
    expected |= {f"{stage}@{cell}" for cell in grid.cells() for stage in ("train", "evaluate")}
    assert sorted(names.split()) == sorted([*expected, f"aggregate@{grid.name}"])
    assert "train@cifar10-resnet50_im1k-0.2-0" in expected  # as everybody calls them
