"""`python -m tools.status`: one sentence on mistakes, a width of 100 columns, seconds for 64 cells, and nothing is written."""

import os
import resource
import subprocess
import sys
import time

from clones import set_params, sh
from recorded_study import CNN, committed, show

from study.design import cells
from study.engine import resume
from study.pipeline import cell_states
from study.settings.grid import Grid
from study.settings.params import Params
from tools import status as command

TWO_SEEDS = (
    "fraction=1.0",
    "study.seeds=[0,1]",
    "study.name=cifar32",
    "study.datasets=[cifar10,cifar100]",
    "study.models=[cnn32_scratch,cnn32_tiny,vit32_scratch,vit32_tiny]",
)


def test_nothing_is_written(clone):
    def everything():
        return {
            str(path): (path.lstat().st_mtime_ns, path.lstat().st_ino, path.lstat().st_size)
            for path in clone.rglob("*")
            if "__pycache__" not in path.parts
        }

    cells.failed(CNN).parent.mkdir()
    cells.failed(CNN).write_text("{}")
    before = everything()
    show(clone, PYTHONDONTWRITEBYTECODE="1")
    assert everything() == before


def test_mistakes_in_params_are_one_sentence(clone):
    set_params(clone, "fraction=1.5")
    output = sh(clone, "python", "-m", "tools.status", fails=True)
    assert output.startswith("error: params.yaml: fraction is 1.5") and output.count("\n") == 1


def test_a_reader_that_has_seen_enough_is_no_error(by_hand, root):
    line = f"{sys.executable} -m tools.status | true"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", line], env={**os.environ, "PYTHONPATH": str(root)}, capture_output=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_durations():
    assert [command.duration(seconds) for seconds in (0.2, 59.4, 59.6, 3569, 3600, 11400, 172800 + 7200)] == [
        "0 s", "59 s", "1 min", "59 min", "1 h 00 min", "3 h 10 min", "2 days 2 h",
    ]  # fmt: skip


def test_sixty_four_cells_in_time_and_in_width(root, tmp_path):
    clone = committed(root, tmp_path / "clone", *TWO_SEEDS)
    set_params(clone, "+models.vit32_scratch.recipe.epochs=30", "split.val_fraction=0.2")
    show(clone)  # files are compiled and hashed
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    output = show(clone)
    wall, after = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    assert "64 cells: 16 stale, 48 unsure" in output
    assert max(map(len, output.splitlines())) <= 100
    # Processor time: on a busy machine the wall says nothing.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 2.0, f"{wall:.1f} s on the wall"


def test_the_widest_words_fit_a_hundred_columns(by_hand):
    set_params(by_hand, *TWO_SEEDS)
    for cell in Grid.load(Params.load()).cells():
        store = resume.Store(cell, "0" * 64)
        store.save(resume.State(12, 1, {"seconds": 9.0}, b"", b""))
        cells.failed(cell).parent.mkdir(parents=True, exist_ok=True)
    text = list(command.lines(cell_states.read()))
    assert sum(line.count("stopped 12/20") for line in text) == 64
    assert max(map(len, text)) <= 100
