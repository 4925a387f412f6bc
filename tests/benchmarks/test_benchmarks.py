"""The benchmarks: every way takes steps, ratios are taken round by round, and the time budget is kept."""

import subprocess
import sys
import time

import pytest
import torch

from benchmarks import ways
from benchmarks.throughput import WAYS, Comparison, Result, goals, within_rounds
from benchmarks.workers import FailedError, LateError, Steps, Worker


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setenv("STUDY_DEVICE", "cpu")
    monkeypatch.setitem(ways.SIZES, "cpu", ways.Size(32, 24, 12, 0))


def result(way, rates, batch=64, memory=2**30):
    return Result("resnet50", way, batch, rates, memory, 12.5, 10**9)


@pytest.mark.parametrize("way", WAYS)
def test_every_way_trains_over_the_end_of_an_epoch(way, small):
    steps = ways.steps(way, "test_vit", 8, torch.device("cpu"))
    for _ in range(4):
        next(steps)


def test_a_worker_measures_one_batch_size_after_another(small):
    steps = Steps("ours", "test_vit", time.time())
    assert steps.batch(4) > 0
    assert steps.block(0.05) > 0
    steps.batch(8)
    assert steps.images(0.05) > 0
    assert steps.memory(0) > 2**20


def test_a_worker_tells_what_went_wrong_and_when_it_is_late():
    worker = Worker("ours", "no_such_model")
    try:
        with pytest.raises(LateError):
            worker.ask("batch", 4, time.time())
        with pytest.raises(FailedError, match="no_such_model"):
            worker.answer(time.time() + 60)
    finally:
        worker.close()


def test_ratios_are_taken_within_rounds():
    ours, plain = result("ours", [300.0, 30.0, 330.0]), result("plain", [100.0, 10.0, 100.0])
    assert within_rounds(ours, "plain", [plain, ours]) == [3.0, 3.0, pytest.approx(3.3)]
    assert within_rounds(ours, "timm", [plain, ours]) == []
    line = Comparison("resnet50", (64,), 1e13, 1.0, 0.0, [])._line(ours, [plain, ours])
    assert " ".join(line.split()) == "ours 300 30 to 330 3.00 (3.00 to 3.30) - - 3.0% 1.0 GiB 12.5 s"


def test_goals_are_met_or_missed(capsys):
    goals([result("plain", [1000.0]), result("timm", [5000.0]), result("synthetic", [6100.0]), result("ours", [6000.0])])
    said = capsys.readouterr().out.splitlines()[2:]
    assert [line.split()[-1] for line in said] == ["met", "met", "missed", "met"]


@pytest.mark.parametrize("script", ["throughput", "cells_at_once"])
def test_a_run_ends_in_time_and_says_what_it_left_out(script, root, tmp_path):
    command = [sys.executable, root / "benchmarks" / f"{script}.py", "--minutes", "0.005"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr == "error: the time was up before the device had answered; give more --minutes.\n"
