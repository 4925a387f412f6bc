"""What stages say: numbers on the command line, and the way back of a refused -S."""

import inspect
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from study.base import console
from study.base.errors import OUT_OF_MEMORY, StudyError


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "0", "-5", "soon", "1e999"])
def test_a_number_of_seconds_is_finite_and_above_0(text, capsys):
    arguments = console.parser("doc", "train")
    arguments.add_argument("--budget", type=float)
    with pytest.raises(SystemExit):
        arguments.parse_args([f"--budget={text}"])
    assert f"argument --budget: {text} is no number above 0" in capsys.readouterr().err
    assert arguments.parse_args(["--budget", "1.5"]).budget == 1.5


@pytest.fixture
def repository(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("GIT_DIR", "GIT_WORK_TREE"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "params.yaml").write_text("fraction: 1.0\n")
    for command in ("init -q", "add .", "-c user.name=t -c user.email=t@localhost commit -q -m x"):
        subprocess.run(["git", *command.split()], check=True)
    return tmp_path


def said(sentence):
    def main():
        raise StudyError(sentence)

    with pytest.raises(SystemExit) as ended:
        console.run(main)
    return str(ended.value.code)


@pytest.mark.parametrize("sentence", ["fraction is 1; it must be a decimal.", "params.yaml: train.precision is 'fp16'."])
def test_a_refused_override_says_the_way_back(repository, monkeypatch, sentence):
    monkeypatch.setenv("DVC_EXP_BASELINE_REV", "0" * 40)
    assert said(sentence) == f"error: {sentence}"  # params.yaml is the committed one
    (repository / "params.yaml").write_text("fraction: 1\n")
    assert "and every edit of yours that is not committed" in said(sentence) and "++key=value" in said(sentence)
    assert said("the disk is full.") == "error: the disk is full."
    monkeypatch.delenv("DVC_EXP_BASELINE_REV")
    assert said(sentence) == f"error: {sentence}"


def test_ctrl_c_is_no_defect(capsys):
    def main():
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as ended:
        console.run(main)
    assert ended.value.code == 130 and capsys.readouterr().err == "stopped by Ctrl-C.\n"


class Refusing:
    """The system's loader where memory is too little for a library."""

    def find_spec(self, name, path=None, target=None):
        if name in ("numpy", "torch"):
            raise ImportError("libtorch_cpu.so: failed to map segment from shared object")


REFUSED = 'ImportError("libtorch_cpu.so: failed to map segment from shared object")'
REFUSAL = f"import sys\n{inspect.getsource(Refusing)}\nsys.meta_path.insert(0, Refusing())"


@pytest.mark.parametrize("module", ["split", "download", "weights", "aggregate"])
def test_too_little_memory_for_a_library_is_one_sentence(root, module):
    """Which may come before main has begun."""
    script = f"{REFUSAL}\nimport runpy\nrunpy.run_module('stages.{module}', run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stderr) == (1, f"error: {OUT_OF_MEMORY}\n")


@pytest.mark.parametrize("module", ["stages.aggregate", "tools.convert"])
def test_ctrl_c_while_a_library_is_imported_is_one_line(root, module):
    script = f"{REFUSAL.replace(REFUSED, 'KeyboardInterrupt')}\nimport runpy\nrunpy.run_module({module!r}, run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stderr) == (-signal.SIGINT, "stopped by Ctrl-C.\n")


def test_an_output_that_cannot_be_written_does_not_undo_what_was_done(root):
    script = "from study.base.console import run, say\nrun(lambda: say('done'))"
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([sys.executable, "-c", script], cwd=root, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert (
        done.stderr == "error: the output cannot be written (No space left on device); what was done before that stays done.\n"
    )


def test_other_failures_of_imports_keep_their_traceback(root):
    script = "import study.base.errors\nimport nothing_of_that_name"
    done = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, timeout=300)
    assert done.returncode == 1 and "Traceback" in done.stderr and "nothing_of_that_name" in done.stderr


def test_names_of_files_do_not_control_the_terminal(capsys):
    console.say("one\x1b[31m\rtwo\x07\n\tthree \u202e käfer")
    assert capsys.readouterr().out == "one\\x1b[31m\\rtwo\\x07\n\tthree \\u202e käfer\n"


def fail(error):
    def main():
        raise error

    return main


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(27, "File too large", "a source", None, "a copy"), "error: File too large (a copy); nothing was recorded"),
        (OSError(28, "No space left", "a\nname"), "error: No space left (a name); nothing was recorded"),
        (OSError(28, "No space left"), "error: No space left; nothing was recorded"),
        (OSError(9, "Bad file descriptor", 5), "error: Bad file descriptor; nothing was recorded"),
        (FileNotFoundError(2, "No such file or directory", "git"), "error: git is not installed, or not in PATH; install it"),
    ],
)
def test_a_failure_of_the_system_names_what_was_being_written(error, said):
    with pytest.raises(SystemExit) as end:
        console.run(fail(error))
    assert str(end.value).startswith(said)


def test_a_folder_that_cannot_be_copied_is_one_sentence(tmp_path):
    (tmp_path / "folder").mkdir()
    for name in ("a", "b"):
        (tmp_path / "folder" / name).touch()

    def full(source, target):
        raise OSError(28, "No space left on device", source, None, target)

    with pytest.raises(SystemExit) as ended:
        console.run(lambda: shutil.copytree(tmp_path / "folder", tmp_path / "copy", copy_function=full))
    said = str(ended.value.code)
    assert said.startswith("error: [Errno 28] No space left on device: ") and said.count("No space left") == 1
