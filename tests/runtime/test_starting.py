"""What is edited while a stage starts, before it knows its own code, is not recorded as the code that ran."""

import shutil

import pytest
from tiny import CNN, ROOT, make, run

EDIT = """

def _edit():
    from pathlib import Path

    with Path("study/design/recipe.py").open("a") as file:
        file.write("# edited\\n")


_edit()
"""


@pytest.mark.parametrize("stage", ["train", "evaluate"])
def test_code_that_is_edited_while_torch_is_imported(tmp_path, stage):
    project = make(tmp_path, epochs=1)
    (project / "study").unlink()
    shutil.copytree(ROOT / "study", project / "study", ignore=shutil.ignore_patterns("__pycache__"))
    if stage == "evaluate":
        done = run(project, "train", CNN)
        assert done.returncode == 0, done.stderr
    # Not in a stage's own files: imported after the stage began, and with torch.
    with (project / "study/base/sums.py").open("a") as file:
        file.write(EDIT)
    done = run(project, stage, CNN)
    assert done.returncode == 1
    assert done.stderr == (
        f"error: code of stages.{stage} was edited while it started, so nothing was done; run the same command again.\n"
    )
    assert not (project / "data" / ("predictions" if stage == "evaluate" else "runs") / str(CNN)).exists()
