"""What users are promised of `dvc repro` and `dvc exp run`, with real training."""

import json
import re
import shutil
import time

import numpy as np
import pytest
import yaml
from clones import ran, sh
from tiny_grid import MODELS, REPORT, report_bytes

FRACTIONS = ("1.0", "0.5", "0.2", "0.1")
CELLS = {f"digits-{model}-{fraction}-0" for model in MODELS for fraction in FRACTIONS}


def stages(cells, *names):
    return {f"{name}@{cell}" for cell in cells for name in names}


def lock(clone):
    return yaml.safe_load((clone / "dvc.lock").read_text())["stages"]


def test_small_study_runs_whole(whole):
    clone, output = whole
    models = ("cnn_scratch", "cnn_glyphs", "vit_scratch", "vit_glyphs")
    cells = {f"{d}-{m}-{f}-0" for d in ("digits", "digits100") for m in models for f in FRACTIONS}
    assert stages(cells, "train", "evaluate") | {"aggregate@digits"} <= ran(output)
    summary = json.loads((clone / REPORT / "summary.json").read_text())
    assert set(summary) == {"digits", "digits100", "verdicts"}
    for dataset in ("digits", "digits100"):
        for model in models:
            cell = clone / f"data/predictions/{dataset}-{model}-1.0-0"
            measured = json.loads((cell / "metrics.json").read_text())["top1_error"]
            with np.load(cell / "predictions.npz") as arrays:
                assert measured == (arrays["predicted"] != arrays["labels"]).mean()
            assert summary[dataset][model]["top1_error"] == pytest.approx(measured)


def test_second_run_runs_nothing(clone):
    assert ran(sh(clone, "dvc", "repro")) == set()
    assert sh(clone, "git", "status", "--porcelain") == ""


def test_cleaning_the_cache_as_readme_has_it_says_nothing_and_keeps_the_study(clone, root):
    command = re.search(r"`(dvc gc [^`]+)`", (root / "README.md").read_text())[1].split()
    assert sh(clone, *command, "--force") == ""
    assert ran(sh(clone, "dvc", "repro")) == set()


def test_weights_and_biases_switched_on_runs_nothing(clone):
    assert ran(sh(clone, "dvc", "repro", WANDB_MODE="offline", WANDB_PROJECT="p")) == set()


def test_one_models_learning_rate_runs_that_models_cells_alone(clone):
    output = sh(clone, "dvc", "exp", "run", "-S", "+models.cnn_glyphs.recipe.learning_rate=0.0005")
    changed = {cell for cell in CELLS if "cnn_glyphs" in cell}
    assert ran(output) == stages(changed, "train", "evaluate") | {"aggregate@digits"}


def test_cells_that_left_the_study_are_in_no_table(clone):
    assert "cnn_glyphs" in "".join(path.read_text() for path in (clone / REPORT / "tables").iterdir())
    output = sh(clone, "dvc", "exp", "run", "-S", "study.models=[cnn_scratch]")
    assert ran(output) == {"aggregate@digits"}
    for path in (clone / REPORT).rglob("*"):
        if path.suffix in (".md", ".csv", ".json"):
            assert "cnn_glyphs" not in path.read_text(), path
    back = sh(clone, "dvc", "exp", "run", "-S", f"study.models=[{','.join(MODELS)}]")
    assert ran(back) <= {"aggregate@digits"}


def test_a_fraction_of_the_ladder_trains_nothing_and_moves_the_headline(clone):
    before = (clone / REPORT / "summary.json").read_text()
    assert ran(sh(clone, "dvc", "exp", "run", "-S", "fraction=0.2")) == {"aggregate@digits"}
    assert (clone / REPORT / "summary.json").read_text() != before
    assert "cnn_scratch" in sh(clone, "dvc", "metrics", "diff")


def test_detour_to_another_fraction_and_back_leaves_everything_as_it_was(clone):
    files, entries, params = report_bytes(clone), lock(clone), (clone / "params.yaml").read_bytes()
    new = {f"digits-{model}-0.3-0" for model in MODELS}
    output = sh(clone, "dvc", "exp", "run", "-S", "fraction=0.3")
    assert ran(output) == stages(new, "train", "evaluate") | {"split@digits-0.3-0", "aggregate@digits"}
    assert report_bytes(clone) != files
    sh(clone, "dvc", "exp", "run", "-S", "fraction=1.0")
    assert ran(sh(clone, "dvc", "repro")) == set()
    assert report_bytes(clone) == files
    assert (clone / "params.yaml").read_bytes() == params
    assert {name: lock(clone)[name] for name in entries} == entries


def test_queued_experiments_finish(clone):
    sh(clone, "dvc", "exp", "run", "--queue", "-S", "fraction=0.05,0.3")
    sh(clone, "dvc", "queue", "start")
    deadline = time.monotonic() + 300
    while (status := sh(clone, "dvc", "queue", "status")).count("Success") < 2:
        assert "Failed" not in status and time.monotonic() < deadline, status + sh(clone, "dvc", "queue", "logs", "-h")
        time.sleep(2)
    shown = sh(clone, "dvc", "exp", "show", "--csv", "--drop", "data/|stages/")
    assert "0.05" in shown and "0.3" in shown


def test_partial_pull_and_failed_aggregate_leave_the_old_report(clone):
    before = {**report_bytes(clone), "page": (clone / REPORT / "README.md").read_bytes()}
    shutil.rmtree(clone / "data/predictions/digits-cnn_scratch-0.2-0")
    under_dvc = sh(clone, "dvc", "repro", "--single-item", "--force", "aggregate@digits", fails=True)
    by_hand = sh(clone, "python", "-m", "stages.aggregate", "digits", fails=True)
    for output in (under_dvc, by_hand):
        assert "digits-cnn_scratch-0.2-0" in output and "Traceback" not in output
    assert {**report_bytes(clone), "page": (clone / REPORT / "README.md").read_bytes()} == before
    assert not list((clone / "reports").glob("*tmp*"))


def test_uncached_cells_off_the_grid_are_not_deleted(clone):
    stray = clone / "data/predictions/digits-cnn_scratch-0.7-0"
    shutil.copytree(clone / "data/predictions/digits-cnn_scratch-0.2-0", stray)
    output = sh(clone, "dvc", "repro", fails=True)
    assert stray.name in output and "not deleted" in output
    assert stray.is_dir()


def test_wrong_value_stops_the_study_with_one_sentence(clone):
    before = lock(clone)
    output = sh(clone, "dvc", "exp", "run", "-S", "train.precision=fp16", fails=True)
    assert "train.precision is 'fp16'; it must be bf16 or fp32" in output and "Traceback" not in output
    assert lock(clone) == before
