"""The one object that reports are made from: complete, the same each time, fast, and without torch."""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from simulated import CLASSES, Grid, cells, exactly

from study.statistics.conclusions import Conclusions
from study.statistics.contrasts import Arm
from study.statistics.scales import SCALES


def rate(arm: Arm) -> float:
    return (
        0.1
        + 0.1 * ("scratch" in arm.model)
        + 0.1 * ("vit" in arm.model)
        + 0.2 * (1 - arm.fraction)
        + 0.1 * (arm.dataset == "hard")
    )


@pytest.mark.parametrize("seeds", [1, 2, 3])
def test_everything_is_there(seeds: int) -> None:
    grid = Grid(ladder=(1.0, 0.5, 0.2, 0.1))
    wrong = cells(grid.arms(), rate, 500, seeds, 0.02)
    doubtful = {"doubted_labels": {"easy": [1, 2]}, "near_duplicates": {"hard": [3]}}
    found = Conclusions.of_cells(grid, wrong, CLASSES, doubtful=doubtful)
    assert [finding.key for finding in found.findings] == ["H1", "H2", "H3", *(f"C{number}" for number in range(1, 9))]
    assert len(found.readings) == 4 + 8 + 2
    assert all(set(reading.estimates) == {scale.key for scale in SCALES} for reading in found.readings)
    assert len(found.equivalents) == 4 and len(found.exponents) == 8 and len(found.requirements(0.1)) == 8
    assert [each.kind for each in found.sensitivities] == ["doubted_labels", "near_duplicates"]
    assert found.evidence.over_trainings == (seeds >= 3)
    assert found.near_guessing == ()
    again = Conclusions.of_cells(grid, wrong, CLASSES, doubtful=doubtful)
    assert again.findings == found.findings and again.equivalents == found.equivalents
    assert all(
        part.estimate is not None and part.estimate.low < part.estimate.high
        for finding in found.findings
        for part in finding.parts
    )


def test_near_guessing_and_scales_that_disagree() -> None:
    grid = Grid(ladder=(1.0, 0.1))
    table = {"cnn_scratch": (0.02, 0.20), "vit_scratch": (0.40, 0.85), "cnn_glyphs": (0.01, 0.05), "vit_glyphs": (0.1, 0.2)}
    wrong = exactly(grid.arms(), lambda arm: table[arm.model][grid.ladder.index(arm.fraction)], 2000)
    found = Conclusions.of_cells(grid, wrong, CLASSES)
    assert found.near_guessing == (Arm("easy", "vit_scratch", 0.1),)
    loss = next(reading for reading in found.disagreeing if reading.part.where.step == "b")
    # The ViT loses 45 points and the CNN 18, but the ViT's error only doubles and the CNN's grows tenfold.
    assert loss.signs["points"] == 1 and loss.signs["log_error"] == -1
    assert "log_error" in loss.against


def test_64_cells_of_10_000_images_in_seconds() -> None:
    grid = Grid(ladder=(1.0, 0.5, 0.2, 0.1))
    wrong = cells(grid.arms(), rate, 10_000, 2, 0.02)
    assert sum(len(runs) for runs in wrong.values()) == 64
    start = time.perf_counter()
    doubtful = {kind: {dataset: range(500) for dataset in grid.datasets} for kind in ("doubted_labels", "near_duplicates")}
    Conclusions.of_cells(grid, wrong, CLASSES, doubtful=doubtful).requirements(0.1)
    assert time.perf_counter() - start < 15


def test_statistics_import_neither_torch_nor_scipy_stats_nor_dvc() -> None:
    code = (
        "import sys, study.statistics.conclusions, study.statistics.doubtful;"
        "print([name for name in ('torch', 'scipy.stats', 'dvc', 'pandas') if name in sys.modules])"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_worse_than_guessing_leaves_no_odds_and_nothing_breaks() -> None:
    grid = Grid(("easy",), ladder=(1.0, 0.1))
    for seeds in (1, 3):
        wrong = exactly(grid.arms(), lambda arm: 0.95 if arm.fraction < 1 else 0.0, 300, seeds)
        found = Conclusions.of_cells(grid, wrong, CLASSES)
        for reading in found.readings:
            for estimate in reading.estimates.values():
                assert estimate is None or not np.isnan([estimate.value, estimate.low, estimate.high]).any()
