"""The committed study can be had again: a cell made here, from nothing, is the cell in dvc.lock, byte for byte."""

import importlib.metadata
import re

import pytest
import torch
import yaml
from clones import set_params, sh, working_tree

CELLS = ("digits-cnn_scratch-0.1-0", "digits-vit_glyphs-0.1-0")
HOLDS_TIMES = "data/history"  # wall times among them


@pytest.fixture
def as_committed(root):
    """Skips where another processor or another torch may give other last digits."""
    if not torch.cpu._is_avx2_supported():
        pytest.skip("this is no x86-64 processor with AVX2, on which the committed study was made")
    pinned = re.search(r"^torch==([\d.]+)", (root / "requirements.txt").read_text(), re.MULTILINE)[1]
    installed = importlib.metadata.version("torch")
    if installed.partition("+")[0] != pinned:
        pytest.skip(f"torch {installed} is not the {pinned} that the committed study was made with")


def outs(folder, stage):
    entry = yaml.safe_load((folder / "dvc.lock").read_text())["stages"][stage]
    return {out["path"]: out["md5"] for out in entry["outs"] if not out["path"].startswith(HOLDS_TIMES)}


def test_cells_of_the_committed_study_are_made_again_byte_for_byte(root, as_committed, tmp_path):
    clone = working_tree(root, tmp_path / "clone")
    set_params(clone, "study.name=digits", "study.datasets=[digits]", "study.models=[cnn_scratch,vit_glyphs]")
    sh(clone, "dvc", "repro", *(f"evaluate@{cell}" for cell in CELLS), STUDY_DEVICE="cpu")
    for cell in CELLS:
        for stage in ("train", "evaluate"):
            assert outs(clone, f"{stage}@{cell}") == outs(root, f"{stage}@{cell}")
