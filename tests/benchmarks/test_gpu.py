"""benchmarks/gpu.py: from end to end at toy size, without DVC and without a network, and its table says what does not hold."""

import json
import os
import subprocess
import sys
import time

import pytest
import tiny
import torch

from benchmarks import gpu, pixels, trained
from benchmarks.cases import Case
from benchmarks.rows import BROKEN, FAILED, HELD, LEFT_OUT, MEASURED, Row, Table
from study.engine import resize

# What a borrowed machine with torch, timm and scikit-learn does not have, and its network.
BARE = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {absent}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Absent())
import socket
def connect(*_):
    raise OSError("there is no network here")
socket.socket.connect = connect
"""
ABSENT = (
    "dvc",
    "dvc_data",
    "dvc_objects",
    "scmrepo",
    "ruamel",
    "pydantic",
    "submitit",
    "matplotlib",
    "wandb",
    "pytest",
    "rich",
)
CELL = tiny.CNN


@pytest.fixture
def bare(tmp_path):
    """A project of seconds, and the environment of a bare machine."""
    folder = tmp_path / "bare"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(BARE.format(absent=ABSENT))
    project = tmp_path / "project"
    project.mkdir()
    tiny.make(project, precision="fp32")
    (project / "benchmarks").symlink_to(tiny.ROOT / "benchmarks")
    (project / "dvc.yaml").symlink_to(tiny.ROOT / "dvc.yaml")
    return project, {**os.environ, "PYTHONPATH": str(folder), "STUDY_DEVICE": "cpu"}


def run(project, environment, *more):
    command = [sys.executable, "-m", "benchmarks.gpu", "--out", "out", "--work", "work", "--cells", str(CELL), *more]
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, timeout=1200)
    return done, [json.loads(line) for line in (project / "out" / "rows.jsonl").read_text().splitlines()]


def test_from_end_to_end_on_a_bare_machine(bare):
    assert subprocess.run([sys.executable, "-c", "import dvc"], env=bare[1], capture_output=True, check=False).returncode == 1
    done, rows = run(*bare, "--minutes", "40")  # blocks of toys are short, however much time there is
    assert done.returncode == 0, done.stdout + done.stderr
    found = {part: [row["verdict"] for row in rows if row["part"] == part] for part in gpu.SHARES}
    assert found == {
        "pixels": [HELD] * 16,
        "exactness": [HELD] * 2,
        "throughput": [MEASURED] * 2,
        "together": [MEASURED] * 2,
        "cells": [MEASURED],
    }, done.stdout + done.stderr
    project, environment = bare
    table = (project / "out" / "table.txt").read_text().splitlines()
    assert len(table) == 2 + len(rows)
    assert "going on after epoch" in next(row["said"] for row in rows if "killed" in row["what"])
    assert {path.name for path in (project / "out" / "measured" / str(CELL)).iterdir()} == {
        "predictions.npz", "metrics.json", "history.csv", "provenance.json", "record.json",
    }  # fmt: skip
    done, rows = run(project, environment, "--minutes", "5", "--parts", "cells")  # finished: it is not trained again
    assert done.returncode == 0, done.stdout + done.stderr
    assert rows[-1]["said"] == rows[-2]["said"]


def test_pixels_that_differ_are_broken(monkeypatch):
    monkeypatch.setattr(pixels, "SIZES", ((8, 12),))
    device = torch.device("cpu")
    assert {row.verdict for row in pixels.compare(device)} == {HELD}
    honest = resize.resize
    monkeypatch.setattr(resize, "resize", lambda images, *rest: honest(images, *rest).clamp(max=254))
    assert [row.verdict for row in pixels.compare(device)] == [BROKEN, HELD] * 2


def test_other_bytes_are_broken_and_a_failure_is_said(monkeypatch, tmp_path):
    sums = iter([{"checkpoint.safetensors": "a", "history.csv": "b"}, {"checkpoint.safetensors": "c", "history.csv": "b"}])
    monkeypatch.setattr(trained, "_sums", lambda project, **more: next(sums))
    project = trained.Project(tmp_path, time.time() + 60)
    monkeypatch.setattr(trained, "HERE", tiny.ROOT)
    monkeypatch.setattr(trained.Project, "start", lambda *_: pytest.fail("not asked for"))
    monkeypatch.setattr(trained, "_killed", lambda project: trained._ended(project, 1, "starting\nerror: no memory.\n"))
    case = Case("vit", "test_vit", {}, 32, "fp32")
    rows = list(trained.exactness(case, project, 8, 200, 2, cuda=False))
    assert [(row.verdict, row.said) for row in rows] == [
        (BROKEN, "checkpoint.safetensors differ"),
        (FAILED, "error: no memory."),
    ]


def test_a_part_that_has_no_time_is_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(trained, "HERE", tiny.ROOT)
    project = trained.Project(tmp_path, time.time() - 1)
    assert [
        row.verdict for row in trained.exactness(Case("vit", "test_vit", {}, 32, "fp32"), project, 8, 200, 2, cuda=False)
    ] == [LEFT_OUT]
    assert trained.study_cell(CELL, project, tmp_path).verdict == LEFT_OUT


def test_cells_find_what_git_has_of_data_and_the_folder_of_downloads(tmp_path, monkeypatch):
    (tmp_path / "data/pretrained/a").mkdir(parents=True)
    (tmp_path / "data/own/birds").mkdir(parents=True)
    monkeypatch.setattr(trained, "HERE", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATASETS_DIR", "sets")
    project = trained.Project(tmp_path / "work" / "cells", time.time() + 60)
    for _ in range(2):
        project.make("{}")
    assert (project.folder / "data/pretrained/a").is_dir() and (project.folder / "data/own/birds").is_dir()
    monkeypatch.setattr(trained.subprocess, "Popen", lambda *_, env, **__: env)
    assert project.start("download", "birds")["DATASETS_DIR"] == str(tmp_path / "sets")


def test_the_time_that_is_left_is_never_given_as_nothing(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(trained.Project, "left", 0.2)
    monkeypatch.setattr(trained.Project, "run", lambda _, *command: (asked.append(command), (trained.AGAIN, ""))[1])
    cells = trained.cells
    for folder in (cells.raw("tiny"), cells.weights("cnn"), cells.split("tiny", CELL.fraction, CELL.seed)):
        (tmp_path / folder).mkdir(parents=True)
    assert trained.study_cell(CELL, trained.Project(tmp_path, 0), tmp_path).verdict == LEFT_OUT
    assert [float(command[-1]) for command in asked] == [0.2]


def test_the_table_is_on_disk_line_by_line_and_counts_what_is_bad(tmp_path):
    table = Table(tmp_path / "out", "head")
    for count, verdict in enumerate((HELD, MEASURED, LEFT_OUT, BROKEN, FAILED)):
        table.add(Row("pixels", "x", verdict, "y", {"n": count}))
        assert (tmp_path / "out" / "table.txt").read_text().splitlines()[-1].split()[1:] == [
            "pixels",
            "x",
            *verdict.split(),
            "y",
        ]
        assert json.loads((tmp_path / "out" / "rows.jsonl").read_text().splitlines()[-1])["values"] == {"n": count}
    assert table.bad == 2
