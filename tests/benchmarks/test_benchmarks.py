"""The benchmarks: every way takes steps, ratios are taken round by round, and the time budget is kept."""

import subprocess
import sys
import time

import pytest
import torch

from benchmarks import ways
from benchmarks.cases import SETTINGS, Case
from benchmarks.throughput import Comparison, Result, goals, within_rounds
from benchmarks.workers import FailedError, LateError, Steps, Worker

VIT = Case("vit", "test_vit", {"patch_size": 8, "depth": 1}, 32, "fp32")
WAYS = dict.fromkeys(SETTINGS["cuda"].ways + SETTINGS["cpu"].ways)


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setenv("STUDY_DEVICE", "cpu")
    monkeypatch.setitem(ways.SIZES, "cpu", ways.Size(24, 12, 0))


def result(way, rates, batch=64, memory=2**30):
    return Result("resnet50", way, batch, rates, memory, 12.5, 10**9)


@pytest.mark.parametrize("way", WAYS)
def test_every_way_trains_over_the_end_of_an_epoch(way, small):
    steps = ways.steps(way, VIT, 8, torch.device("cpu"))
    for _ in range(4):
        next(steps)


def test_a_worker_measures_one_batch_size_after_another(small):
    steps = Steps("ours", VIT, time.time())
    assert steps.batch(4) > 0
    assert steps.block(0.05) > 0
    steps.batch(8)
    assert steps.images(0.05) > 0
    assert steps.memory(0) > 2**20


def test_a_worker_tells_what_went_wrong_and_when_it_is_late():
    worker = Worker("ours", Case("", "no_such_model", {}, 32, "fp32"))
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
    line = Comparison(VIT, SETTINGS["cuda"], 1e13, 1.0, 0.0, [])._line(ours, [plain, ours])
    assert " ".join(line.split()) == "ours 300 30 to 330 3.00 (3.00 to 3.30) - - 3.0% 1.0 GiB 12.5 s"


def test_goals_are_met_or_missed(capsys):
    results = [result("plain", [1000.0]), result("timm", [5000.0]), result("synthetic", [6100.0]), result("ours", [6000.0])]
    goals(results, SETTINGS["cuda"])
    said = capsys.readouterr().out.splitlines()[2:]
    assert [line.split()[-1] for line in said] == ["met", "met", "missed", "met"]


@pytest.mark.parametrize(
    ("bf16", "said"), [(50.0, "0.50 times as fast as fp32, so slower"), (200.0, "2.00 times as fast as fp32, so faster")]
)
def test_on_a_processor_goals_say_whether_bf16_would_be_faster(bf16, said, capsys):
    goals(
        [result("plain", [50.0]), result("native", [120.0]), result("bf16", [bf16]), result("ours", [100.0])], SETTINGS["cpu"]
    )
    lines = capsys.readouterr().out.splitlines()[2:]
    assert [line.split()[-1] for line in lines[:2]] == ["met", "missed"]
    assert said in lines[-1]


def test_on_a_processor_all_ways_have_one_precision_and_one_size():
    setting = SETTINGS["cpu"]
    cases = [setting.case(model) for model in setting.models]
    assert {(case.image_size, case.precision) for case in cases} == {(32, "fp32")}
    assert [case.arch for case in cases] == ["resnet10t", "test_vit"] * 2
    assert all(case.options for case in cases)  # of params.yaml, not timm's own
    assert setting.batches == (64,)


def test_one_run_prints_rates_ratios_and_their_spread(monkeypatch, capsys, root):
    """The whole of a comparison, with processes, on a model of seconds."""
    monkeypatch.setenv("STUDY_DEVICE", "cpu")
    results = []
    Comparison(VIT, SETTINGS["toy"], 1e12, 60.0, time.time() + 120, results).run()
    said = capsys.readouterr().out
    assert [each.way for each in results] == ["plain", "ours"], said
    assert all(min(each.rates) > 0 and len(each.rates) == 2 for each in results)
    ratio = within_rounds(results[1], "plain", results)
    assert f"({min(ratio):.2f} to {max(ratio):.2f})" in said


@pytest.mark.parametrize("script", ["throughput", "cells_at_once", "gpu"])
def test_a_run_ends_in_time_and_says_what_it_left_out(script, root, tmp_path):
    command = [sys.executable, root / "benchmarks" / f"{script}.py", "--minutes", "0.005"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr == "error: the time was up before the device had answered; give more --minutes.\n"
