"""What is committed can be had again, byte for byte: cells, made here from nothing, and the report of the published numbers."""

import importlib.metadata
import os
import re
import shutil
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
    for name in ("torch", "matplotlib"):
        pinned = re.search(rf"^{name}==([\d.]+)", (root / "requirements.txt").read_text(), re.MULTILINE)[1]
        installed = importlib.metadata.version(name)
        if installed.partition("+")[0] != pinned:
            pytest.skip(f"{name} {installed} is not the {pinned} that the committed studies were made with")


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


def test_the_published_report_is_what_the_code_writes(root, as_committed, tmp_path):
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(root / name, tmp_path)
    shutil.copytree(root / "data/reference", tmp_path / "data/reference")
    command = [sys.executable, "-m", "stages.aggregate", "--published"]
    done = subprocess.run(command, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(root)}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    written, kept = (each / "reports/published" for each in (tmp_path, root))
    names = {path.relative_to(folder) for folder in (written, kept) for path in folder.rglob("*") if path.is_file()}
    assert len(names) > 30
    assert [str(name) for name in sorted(names) if bytes_of(written / name) != bytes_of(kept / name)] == []


def bytes_of(path):
    return path.read_bytes() if path.is_file() else None
