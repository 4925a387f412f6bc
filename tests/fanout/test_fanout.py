"""`python -m tools.fanout`: the plan, mistakes in its arguments, and a tiny grid from nothing to its report."""

import fcntl
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from clones import commit, ran, set_params, sh, working_tree

from study.base.errors import StudyError
from study.design.cells import Cell
from study.fanout import paths, plan, view
from study.fanout.local import slots
from study.fanout.slurm import parameters
from study.pipeline.cell_states import CellState, CellStatus, StudyStatus
from study.settings.grid import Grid
from study.settings.params import Params
from tools import fanout as command

EASY, HARD = (Cell("digits", "cnn_scratch", fraction, 0) for fraction in (0.1, 1.0))


def study(*cells):
    return StudyStatus(Grid.load(Params.load()), cells, None)


def test_slots_take_turns_on_gpus():
    assert slots(4, ["0", "1"]) == ["0", "1", "0", "1"]
    assert slots(None, ["3", "5"]) == ["3", "5"]
    assert slots(2, []) == [None, None]
    assert len(slots(10**12, [])) == len(slots(10**12, ["0"])) == 10_000


def test_the_longest_first_and_what_runs_before_all():
    def cell(fraction, state=CellState.MISSING, seconds=None):
        return CellStatus(Cell("digits", "cnn_scratch", fraction, 0), state, 10, seconds=seconds)

    cells = (
        cell(0.1, seconds=5.0),
        cell(0.2, CellState.RUNNING, 1.0),
        cell(0.3, CellState.DONE),
        cell(0.4, seconds=50.0),
        cell(0.5),
        cell(0.6, CellState.TRAINED),
    )
    assert [each.cell.fraction for each in plan.to_run(study(*cells))] == [0.2, 0.5, 0.4, 0.1, 0.6]


def test_a_cell_comes_first_that_a_worker_of_a_killed_driver_holds(tmp_path, monkeypatch):
    """It trains nothing while it waits for another try, and would be left alone by a driver that is stopped."""
    cells = study(*(CellStatus(cell, CellState.MISSING, 10, seconds=cell.fraction) for cell in (HARD, EASY)))
    monkeypatch.chdir(tmp_path)
    paths.lock(EASY).parent.mkdir(parents=True)
    with paths.lock(EASY).open("w") as lock:
        assert [each.cell for each in plan.to_run(cells)] == [HARD, EASY]
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert [each.cell for each in plan.to_run(cells)] == [EASY, HARD]


def test_expected_time_is_that_of_slots_that_take_the_next_one():
    assert plan.makespan([50, 30, 20, 10], 2) == 60
    assert plan.makespan([10], 3, started=[4.0, 25.0]) == 25
    assert plan.makespan([], 2) == 0


def test_a_dry_run_says_what_runs_where_and_how_long():
    cells = (
        CellStatus(HARD, CellState.MISSING, 10, seconds=7200.0, device="H200"),
        CellStatus(EASY, CellState.STOPPED, 10, 3, seconds=3600.0),
        CellStatus(Cell("digits", "vit_scratch", 0.1, 0), CellState.RECORDED, 10),
    )
    text = "\n".join(command.describe(study(*cells), ["0", "1"], None, 1))
    assert "3 to run, 2 at a time on GPU 0, 1" in text
    assert "expected for the training of 2: 2 h 00 min, 3.00 GPU-hours, by rates measured on H200" in text
    assert "not known for 1" in text and "dvc pull" in text
    assert "nothing to train" in "\n".join(command.describe(study(CellStatus(HARD, CellState.DONE, 10)), [None], None, 0))


def test_a_dry_run_shows_the_commands_that_will_run():
    cells = (CellStatus(HARD, CellState.MISSING, 10), CellStatus(EASY, CellState.MISSING, 10))
    shown = "\n".join(command.describe(study(*cells), ["0"], None, 1))
    assert "1. python -m tools.repro --single-item STAGE, for each download, weights and split that" in shown
    assert "2. python -m tools.repro --single-item train@CELL evaluate@CELL, for" in shown
    assert "3. python -m tools.repro --single-item aggregate@cifar32" in shown


@pytest.mark.parametrize(
    "options, where, hours",
    [
        ([], "with", "1.00 GPU"),
        (["--slurm", "gpus_per_node=a100:4"], "with", "4.00 GPU"),
        (["--slurm", "gpus_per_node=0"], "without", "1.00 processor"),
        (["--slurm", "gpus-per-node=0"], "without", "1.00 processor"),
    ],
)
def test_a_dry_run_on_slurm_says_how_many_gpus_cells_get(monkeypatch, capsys, options, where, hours):
    monkeypatch.setattr(plan, "read", lambda: study(CellStatus(HARD, CellState.MISSING, 10, seconds=3600.0)))
    monkeypatch.setattr(sys, "argv", ["fanout", "--executor", "slurm", "--dry-run", *options])
    command.main()
    shown = capsys.readouterr().out
    assert f"at a time on Slurm, {where} GPUs" in shown and f"{hours}-hours" in shown


def test_what_a_log_has_for_a_terminal_is_written_out(tmp_path):
    (tmp_path / "log").write_text("\x1b[31mred\x1b[0m\rdone \x07\n\n")
    assert view.tail(tmp_path / "log", 2) == [r"\x1b[31mred\x1b[0m", r"done \x07"]


def test_stages_that_cells_share_run_at_once_group_by_group(monkeypatch):
    ran_at_once = []

    def run(lines):
        ran_at_once.append([line[4:] for line in lines])  # without python -m tools.repro --single-item
        return [0] * len(lines)

    monkeypatch.setattr(plan, "shared_to_run", lambda: [["download@a", "weights@b", "weights@c"], ["split@a"]])
    monkeypatch.setattr(plan, "read", lambda: study(CellStatus(EASY, CellState.DONE, 10)))
    monkeypatch.setattr(command.process, "run_at_once", run)
    assert command.fan_out(None, 2) == {}
    assert ran_at_once == [[["download@a", "weights@c"], ["weights@b"]], [["split@a"]]]


def test_options_of_slurm():
    known = ["time", "partition", "gpus_per_node", "job_name", "stderr_to_stdout", "array_parallelism"]
    made = parameters(8, {"time": "30", "partition": "gpu", "gpus_per_node": "0", "reservation": "mine"}, known)
    assert made["time"] == 30 and made["partition"] == "gpu" and made["array_parallelism"] == 8
    assert "gpus_per_node" not in made and made["additional_parameters"] == {"reservation": "mine"}
    assert parameters(None, {}, known)["gpus_per_node"] == 1
    lines = {"setup": "module load cuda", "teardown": "true", "srun_args": "--mpi=none --label"}
    made = parameters(None, lines, [*known, *lines])  # submitit takes lists there
    assert (made["setup"], made["teardown"]) == (["module load cuda"], ["true"]) and made["srun_args"] == [
        "--mpi=none",
        "--label",
    ]
    with pytest.raises(StudyError, match="time=8:00:00 is no number of minutes"):
        parameters(None, {"time": "8:00:00"}, known)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--slurm", "time=5"], "time=5 is for Slurm; add --executor slurm"),
        (["--executor", "slurm", "--gpus", "0"], "--gpus is for this machine"),
        (["--executor", "slurm", "--slurm", "time"], "--slurm time is not of the form KEY=VALUE"),
        (["--jobs", "0"], "--jobs is 0; it must be 1 or more"),
        (["--executor", "slurm", "--jobs", "-1"], "--jobs is -1; it must be 1 or more"),
        (["--executor", "slurm", "--slurm", "time=1", "--slurm", "time=2"], "given twice: time=1, time=2; give each once"),
        (["--executor", "slurm", "--slurm", "partition=a", "--partition", "b"], "given twice: partition=a, partition=b"),
        (
            ["--executor", "slurm", "--slurm", "cpus-per-task=1", "--slurm", "cpus_per_task=2"],
            "given twice: cpus-per-task=1, cpus",
        ),
        (["--executor", "slurm", "--slurm", "time=8h", "--dry-run"], "time=8h is no number of minutes"),
        (["--executor", "slurm", "--partition", ""], "--slurm partition= is not of the form KEY=VALUE"),
    ],
)
def test_mistakes_are_one_sentence(monkeypatch, arguments, said):
    monkeypatch.setattr(sys, "argv", ["fanout", *arguments])
    with pytest.raises(StudyError, match=said):
        command.main()


@pytest.mark.parametrize("text", ["", ",", "0,", "0,,1", " "])
def test_a_gpu_without_a_name_would_be_the_processor(monkeypatch, capsys, text):
    monkeypatch.setattr(sys, "argv", ["fanout", "--gpus", text])
    with pytest.raises(SystemExit):
        command.main()
    assert "has an empty name; write numbers or names with commas between" in capsys.readouterr().err
    assert command._gpus("0, GPU-ab") == ["0", "GPU-ab"]


def test_an_edit_while_cells_are_trained_is_said(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = CellStatus(EASY, CellState.MISSING, 10)
    for edited, left in ((True, []), (False, [CellStatus(HARD, CellState.STALE, 10)])):
        for path in command.QUESTION:
            path.write_text("study\n")
        readings = iter(([before], left))
        monkeypatch.setattr(plan, "shared_to_run", list)
        monkeypatch.setattr(plan, "read", lambda: None)
        monkeypatch.setattr(plan, "to_run", lambda _, readings=readings: next(readings))
        run = (lambda: Path("params.yaml").write_text("another") and {}) if edited else dict
        monkeypatch.setattr(command, "Driver", lambda *_, run=run: SimpleNamespace(run=run))
        with pytest.raises(StudyError, match=r"was edited while cells were trained; .*dvc repro -s -f train@CELL"):
            command.fan_out(None, 1)


def test_two_cells_at_once_from_nothing_to_the_report(root, tmp_path):
    clone = working_tree(root, tmp_path / "clone")
    (clone / "dvc.lock").unlink()
    text = (clone / "dvc.yaml").read_text().replace('["${fraction}", 1.0, 0.5, 0.2, 0.1]', '["${fraction}", 0.1]')
    (clone / "dvc.yaml").write_text(text.replace("--ladder 1.0,0.5,0.2,0.1", "--ladder 0.1"))
    set_params(
        clone,
        "study.seeds=[0]",
        "study.name=digits",
        "study.datasets=[digits]",
        "study.models=[cnn_scratch,cnn_glyphs]",
        "fraction=0.1",
    )
    set_params(clone, "datasets.digits.recipe.epochs=1")
    commit(clone, "two cells")
    output = sh(clone, "python", "-m", "tools.fanout", "--jobs", "2")
    for cell in ("digits-cnn_glyphs-0.1-0", "digits-cnn_scratch-0.1-0"):
        assert f"start {cell} on CPU, log in .dvc/tmp/fanout/{cell}.log" in output and f"done {cell}" in output
        assert (clone / f".dvc/tmp/fanout/{cell}.log").read_text().count("epoch 1/1") == 1
    assert ran(output) == {  # by the driver itself, before and after
        "download@digits", "weights@cnn_scratch", "weights@cnn_glyphs", "split@digits-0.1-0", "aggregate@digits",
    }  # fmt: skip
    assert not ran(sh(clone, "dvc", "repro"))

    set_params(clone, "datasets.digits.recipe.epochs=2")
    assert ran(sh(clone, "python", "-m", "tools.fanout", "--jobs", "2")) == {"aggregate@digits"}
    assert (clone / ".dvc/tmp/fanout/digits-cnn_glyphs-0.1-0.log").read_text().count("epoch 2/2") == 1
    assert not ran(sh(clone, "dvc", "repro"))
    changed = sh(clone, "git", "status", "--porcelain", "--untracked-files=all").splitlines()
    assert {line[3:].split("/")[0] for line in changed} == {"dvc.lock", "params.yaml", "reports"}


@pytest.mark.parametrize(("kind", "drawn"), [("xterm", True), ("dumb", False)])
def test_a_table_is_drawn_where_the_terminal_can_clear_it(kind, drawn, monkeypatch, capsys):
    """Emacs' shell is a terminal that would show the sequences themselves."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("TERM", kind)
    shown = view.View()
    shown.table("head", [["a", "b"]])
    shown.event("done")
    shown.close()
    said = capsys.readouterr().out
    assert ("\x1b" in said) == ("head" in said) == drawn and " done\n" in said
