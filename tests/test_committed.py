"""The committed studies can be had again: cells made here, from nothing, are the cells in dvc.lock, byte for byte."""

import importlib.metadata
import re
import subprocess
import sys

import pytest
import torch

CELLS = ("digits-cnn_scratch-0.1-0", "digits-vit_glyphs-0.1-0")


@pytest.fixture
def as_committed(root):
    """Skips where another processor or another torch may give other last digits."""
    if not torch.cpu._is_avx2_supported():
        pytest.skip("this is no x86-64 processor with AVX2, on which the committed study was made")
    pinned = re.search(r"^torch==([\d.]+)", (root / "requirements.txt").read_text(), re.MULTILINE)[1]
    installed = importlib.metadata.version("torch")
    if installed.partition("+")[0] != pinned:
        pytest.skip(f"torch {installed} is not the {pinned} that the committed study was made with")


def test_cells_of_the_committed_study_are_made_again_byte_for_byte(root, as_committed, monkeypatch):
    monkeypatch.setenv("STUDY_DEVICE", "cpu")
    command = [sys.executable, "-m", "tools.prove", *CELLS]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [f"{cell}: the same bytes" in done.stdout for cell in CELLS] == [True, True]


def test_a_cell_that_comes_out_otherwise_is_named(root, as_committed, tmp_path):
    """Held against a lock that has another checkpoint."""
    import yaml

    from study.design.cells import Cell
    from study.pipeline import proof

    cell = Cell.parse(CELLS[0])
    lock = yaml.safe_load((root / "dvc.lock").read_text())["stages"]
    lock[f"train@{cell}"]["outs"][0]["md5"] = "0" * 32 + ".dir"
    wrong = lock[f"train@{cell}"]["outs"][0]["path"]
    workshop = proof.Workshop(tmp_path)
    assert workshop.prepare([cell]) == {}
    (result,) = workshop.make([cell], lock, 1, lambda _: None)
    assert result.different == (wrong,)
