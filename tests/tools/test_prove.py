"""A study is proved whole, and over several calls: what was proved is not made again, what lacks its data is said."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from study.base.errors import StudyError
from study.design.cells import Cell
from study.pipeline import proof, proved
from study.pipeline.proof import Proof
from study.settings import at_work, studies
from study.settings.params import Params
from tools import prove

NAMES = ("digits-cnn_glyphs-0.1-0", "digits-cnn_scratch-0.1-0", "digits100-cnn_glyphs-0.2-0", "glyphs-cnn_scratch-1.0-0")
CELLS = [Cell.parse(name) for name in NAMES]


class Stages:
    """Stands in for the stages by hand: writes a file where each would write its folder, and keeps what it was asked for."""

    def __init__(self, fails: str = ""):
        self.asked: list[str] = []
        self.fails = fails

    def run(self, shop: proof.Workshop, name: str, *arguments: str) -> None:
        self.asked.append(" ".join((name, *arguments)))
        if self.fails and self.asked[-1].startswith(self.fails):
            raise StudyError(f"stages.{self.asked[-1]} failed: it is not here.")
        folders = {"train": ("runs", "history"), "evaluate": ("predictions",)}.get(name, ())
        for folder in folders:
            path = shop._folder / "data" / folder / arguments[0]
            path.mkdir(parents=True)
            (path / "file").write_text(f"{folder} of {arguments[0]}")

    def trained(self) -> list[str]:
        return [each.removeprefix("train ") for each in self.asked if each.startswith("train ")]


@pytest.fixture
def project(root, tmp_path, monkeypatch):
    """A project whose dvc.lock has the four cells with what Stages writes of them."""
    for name in ("params.yaml", "dvc.yaml", "studies.yaml", "stages", "study"):
        (tmp_path / name).symlink_to(root / name)
    (tmp_path / "data/pretrained").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    made = tmp_path / "made"
    lock = {}
    for name in NAMES:
        for stage, folders in (("train", ("runs", "history")), ("evaluate", ("predictions",))):
            outs = []
            for folder in folders:
                made.mkdir(exist_ok=True)
                (made / "file").write_text(f"{folder} of {name}")
                outs.append({"path": f"data/{folder}/{name}", "md5": proof.folder_md5(made)})
            lock[f"{stage}@{name}"] = {"cmd": "x", "outs": outs}
    write(lock)
    return lock


def write(lock):
    Path("dvc.lock").write_text(yaml.safe_dump({"schema": "2.0", "stages": lock}))
    os.utime("dvc.lock", (0, 0))


def proving(monkeypatch, stages: Stages) -> bool:
    monkeypatch.setattr(proof.Workshop, "run", lambda shop, *words: stages.run(shop, *words))
    return prove.of_study("digits", 1)


def test_a_study_is_its_recorded_cells_and_those_that_its_weights_come_from(project):
    found = proved.cells_of(studies.named("digits"), Params.load(), project)
    assert [str(cell) for cell in found] == [NAMES[3], NAMES[2], NAMES[0], NAMES[1]]


def test_what_was_proved_is_not_made_again(project, monkeypatch, capsys):
    stages = Stages()
    assert proving(monkeypatch, stages) and sorted(stages.trained()) == sorted(NAMES)
    assert not (prove.PLACE / "data").exists()  # hundreds of megabytes
    assert "29 cells are not; 0 were proved before" in capsys.readouterr().out
    again = Stages()
    assert proving(monkeypatch, again) and again.asked == []
    assert "4 were proved before" in capsys.readouterr().out


def test_another_entry_in_the_lock_is_made_again_and_a_difference_is_named(project, monkeypatch, capsys):
    assert proving(monkeypatch, Stages())
    wrong = project[f"train@{NAMES[0]}"]["outs"][0]
    wrong["md5"] = "0" * 32 + ".dir"
    write(project)
    for _ in range(2):  # a cell that differs never counts as proved
        stages = Stages()
        assert not proving(monkeypatch, stages) and stages.trained() == [NAMES[0]]
    assert f"{NAMES[0]}: differs: {wrong['path']}" in capsys.readouterr().out


def test_one_at_a_time_from_the_ledger_to_the_clearing_away(project, monkeypatch):
    held = []

    def seen(honest):
        def look(*arguments, **options):
            assert at_work.held(prove.LOCK)
            held.append(honest.__name__)
            return honest(*arguments, **options)

        return look

    monkeypatch.setattr(proved, "Ledger", seen(proved.Ledger))
    monkeypatch.setattr(prove, "made", seen(prove.made))
    monkeypatch.setattr(prove.shutil, "rmtree", seen(prove.shutil.rmtree))
    assert proving(monkeypatch, Stages())
    assert list(dict.fromkeys(held)) == ["Ledger", "made", "rmtree"] and held[-1] == "rmtree"


@pytest.mark.parametrize("what", ["code", "params", "libraries"])
def test_an_edit_makes_the_proofs_void(project, monkeypatch, what):
    assert proving(monkeypatch, Stages())
    if what == "code":
        monkeypatch.setattr(proved.code, "digest", lambda module: "edited")
    elif what == "libraries":
        monkeypatch.setattr(proved, "libraries", lambda: {"torch": "0"})
    else:
        text = Path("params.yaml").read_text().replace("learning_rate: 0.001\n", "learning_rate: 0.002\n", 1)
        Path("params.yaml").unlink()
        Path("params.yaml").write_text(text)
    stages = Stages()
    proving(monkeypatch, stages)
    assert len(stages.trained()) >= 3  # the pre-training has a rate of its own


def test_a_file_that_is_no_ledger_is_refused_and_stays(project, monkeypatch):
    prove.LEDGER.parent.mkdir(parents=True)
    prove.LEDGER.write_text("# README")
    stages = Stages()
    with pytest.raises(StudyError, match="proved.json has no list of proved cells; remove it"):
        proving(monkeypatch, stages)
    assert stages.asked == [] and prove.LEDGER.read_text() == "# README"


def test_data_that_are_not_here_are_said_once_and_the_others_are_proved(project, monkeypatch, capsys):
    stages = Stages(fails="download glyphs")
    assert not proving(monkeypatch, stages)
    said = capsys.readouterr().out
    assert f"not made: {NAMES[3]}, since stages.download glyphs failed: it is not here.\n" in said
    assert "3 cells are made now, 1 at a time" in said and "3 of 4 cells are the same bytes" in said
    assert NAMES[3] not in stages.trained() and "split glyphs 1.0 0" not in stages.asked


def test_a_cell_that_is_named_twice_is_one_cell(project, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["prove", NAMES[0], NAMES[0]])
    stages = Stages()
    monkeypatch.setattr(proof.Workshop, "run", lambda shop, *words: stages.run(shop, *words))
    with pytest.raises(SystemExit) as ended:
        prove.main()
    assert ended.value.code == 0 and "1 of 1 cells are the same bytes" in capsys.readouterr().out


def test_a_folder_is_known_as_dvc_knows_it(tmp_path):
    pytest.importorskip("dvc")
    from dvc.fs import localfs
    from dvc_data.hashfile.build import build
    from dvc_data.hashfile.db import HashFileDB

    for name in ("a/b", "a.txt", "a0", "größe"):  # a path sorts a/b first, DVC its text
        (tmp_path / "out" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "out" / name).write_text(name)
    cache = HashFileDB(localfs, str(tmp_path / "cache"))
    by_dvc = build(cache, str(tmp_path / "out"), localfs, "md5", dry_run=True)[2]
    assert proof.folder_md5(tmp_path / "out") == by_dvc.hash_info.value


def test_the_users_images_are_found_after_the_project_was_moved(project, tmp_path, monkeypatch):
    (tmp_path / "data/own").mkdir()
    proof.Workshop(tmp_path / "shop")
    moved = tmp_path.rename(tmp_path.with_name(f"{tmp_path.name}-moved"))
    monkeypatch.chdir(moved)
    proof.Workshop(moved / "shop")
    assert (moved / "shop/data/own").resolve() == moved / "data/own"


def test_every_cheapest_cell_is_recorded(root):
    lock = yaml.safe_load((root / "dvc.lock").read_text())["stages"]
    for name in prove.CHEAPEST:
        assert proof.recorded(lock, Cell.parse(name))


def test_stages_run_on_a_processor_and_find_a_relative_folder_of_datasets(monkeypatch):
    monkeypatch.delenv("STUDY_DEVICE", raising=False)
    monkeypatch.setenv("DATASETS_DIR", "here")
    found = proof._environment()
    assert found["STUDY_DEVICE"] == "cpu" and found["DATASETS_DIR"] == str(Path("here").absolute())


@pytest.mark.parametrize("words", [("--study", "nosuch"), ("--study", "cifar"), ("--study", "digits", NAMES[0])])
def test_a_study_that_cannot_be_proved_is_one_sentence(root, words):
    done = subprocess.run([sys.executable, "-m", "tools.prove", *words], cwd=root, capture_output=True, text=True, timeout=300)
    assert done.returncode in (1, 2) and "error: " in done.stderr and "Traceback" not in done.stderr


SLOW = """
import sys, time
from pathlib import Path
from study.design.cells import Cell
from study.pipeline import proof
from study.runtime.lifecycle import stoppable
name = sys.argv[1]
Path("slow/stages").mkdir(parents=True)
Path("slow/stages/__init__.py").touch()
Path("slow/stages/train.py").write_text(
    "import time, pathlib; pathlib.Path('begun').write_text(str(__import__('os').getpid())); time.sleep(600)"
)
proof.CODE = ()
lock = {f"{stage}@{name[:-1]}{seed}": {"outs": []} for stage in ("train", "evaluate") for seed in range(9)}
shop = proof.Workshop(Path("slow"))
with stoppable(lambda: "kept."):
    shop.make([Cell.parse(f"{name[:-1]}{seed}") for seed in range(9)], lock, 1, print)
"""


def test_a_stop_stops_the_training_that_runs_and_begins_no_other(root, tmp_path):
    begun = tmp_path / "slow/begun"
    command = [sys.executable, "-c", SLOW, NAMES[0]]
    with subprocess.Popen(
        command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(root)}, stderr=subprocess.PIPE
    ) as process:
        end = time.monotonic() + 120
        while not (begun.is_file() and begun.read_text()) and time.monotonic() < end:
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=120)
    assert process.returncode == 143 and b"stopped by SIGTERM: kept." in said
    with pytest.raises(ProcessLookupError):
        os.kill(int(begun.read_text()), 0)


def test_a_cell_that_failed_is_not_the_same_bytes():
    assert Proof(CELLS[0]).same and not Proof(CELLS[0], error="x").same
