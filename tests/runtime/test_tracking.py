"""Weights & Biases: off unless wanted, one run per cell, never a reason to stop."""

import ssl
import sys
import time
import urllib.error

import pytest
from servers import Files, serving
from tiny import CNN, make, run

from study.design.cells import Cell
from study.runtime import tracking


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, False),
        ({"WANDB_MODE": "disabled", "WANDB_PROJECT": "p", "WANDB_API_KEY": "k"}, False),
        ({"WANDB_MODE": "offline"}, True),
        ({"WANDB_MODE": "online"}, True),
        ({"WANDB_PROJECT": "p"}, True),
        ({"WANDB_API_KEY": "k"}, True),
        ({"WANDB_ENTITY": "e"}, True),
        ({"WANDB_DIR": "d"}, False),
        ({"WANDB_PROJECT": ""}, False),
    ],
)
def test_wanted_by_wandbs_own_variables(variables, expected, monkeypatch):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert tracking.wanted() is expected
    assert (tracking.new_id() is not None) is expected


def test_without_wandb_there_is_one_line_of_warning(monkeypatch, capsys):
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setitem(sys.modules, "wandb", None)
    tracker = tracking.Tracker(CNN, "abcd1234", {})
    tracker.log({"loss": 1.0}, step=1)
    tracker.finish()
    assert capsys.readouterr().out.count("\n") == 1


def test_a_failing_wandb_stops_nothing(monkeypatch, capsys):
    class Failing:
        @staticmethod
        def init(**_):
            raise RuntimeError("no\nserver")

        @staticmethod
        def Settings(**_):  # noqa: N802 (wandb's name)
            return None

    monkeypatch.setenv("WANDB_MODE", "online")
    monkeypatch.setattr(tracking, "_in_reach", lambda: True)
    monkeypatch.setitem(sys.modules, "wandb", Failing)
    tracking.Tracker(CNN, "abcd1234").finish()
    assert capsys.readouterr().out == ("warning: Weights & Biases does not start (no server); the stage goes on without it.\n")


def test_off_does_not_import_wandb(tmp_path):
    folder = make(tmp_path, epochs=1)
    (folder / "wandb.py").write_text("raise SystemExit('imported')")
    assert run(folder, "train", CNN).returncode == 0


def test_offline_train_and_evaluate_share_a_run(tmp_path):
    pytest.importorskip("wandb")
    folder = make(tmp_path, epochs=2)
    root = tmp_path / "root"
    root.mkdir()
    settings = {"WANDB_MODE": "offline", "DVC_ROOT": str(root)}
    for stage in ("train", "evaluate"):
        done = run(folder, stage, CNN, **settings)
        assert done.returncode == 0, done.stderr
        assert "warning" not in done.stdout, done.stdout
    runs = sorted((root / "wandb").glob("offline-run-*"))  # not in the workspace, which may be a temporary one
    assert not (folder / "wandb").exists()
    assert len(runs) == 2  # offline, each process writes its own part; wandb sync joins them by the run's id
    assert len({path.name.rpartition("-")[2] for path in runs}) == 1
    history, results = (next(path.glob("run-*.wandb")).read_bytes() for path in runs)
    for content in (history, results):  # protocol buffers: texts stand in them as they are
        assert str(CNN).encode() in content
        assert b"tiny" in content
    for name in (b"train_loss", b"val_error", b"learning_rate", b"batch_size"):
        assert name in history
    assert b"top1_error" in results
    assert b"top1_error" not in history


def test_the_group_is_the_study_where_it_can_be_read(tmp_path, monkeypatch):
    monkeypatch.chdir(make(tmp_path))
    assert tracking._study() == "tiny"
    (tmp_path / "params.yaml").unlink()
    assert tracking._study() is None
    assert tracking.Tracker(Cell("a", "b", 1.0, 0), None)._run is None


@pytest.mark.parametrize("mode", [None, "online"])
def test_out_of_reach_the_run_is_kept_here_within_seconds(monkeypatch, capsys, mode):
    asked = {}

    class Fake:
        @staticmethod
        def init(**options):
            asked.update(options)

        @staticmethod
        def Settings(**_):  # noqa: N802 (wandb's name)
            return None

    monkeypatch.setenv("WANDB_API_KEY", "k")
    monkeypatch.setenv("WANDB_PROJECT", "")
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")
    if mode:
        monkeypatch.setenv("WANDB_MODE", mode)
    monkeypatch.setitem(sys.modules, "wandb", Fake)
    begun = time.monotonic()
    tracking.Tracker(CNN, "abcd1234")
    assert time.monotonic() - begun < 2 * tracking.SECONDS
    assert asked["project"] == tracking.PROJECT
    assert asked["mode"] == "offline" and "127.0.0.1:9 is out of reach" in capsys.readouterr().out
    site = Files()
    with serving(site):  # an answer of 404 is an answer
        monkeypatch.setenv("WANDB_BASE_URL", site.url)
        asked.clear()
        tracking.Tracker(CNN, "abcd1234")
    assert asked["mode"] is None


@pytest.mark.parametrize(
    ("reason", "reached"), [(ssl.SSLCertVerificationError("self-signed"), True), (OSError("no route"), False)]
)
def test_a_server_whose_certificate_python_does_not_know_is_left_to_wandb(monkeypatch, reason, reached):
    def refuse(*_, **__):
        raise urllib.error.URLError(reason)

    monkeypatch.setattr(tracking.urllib.request, "urlopen", refuse)
    assert tracking._in_reach() is reached
