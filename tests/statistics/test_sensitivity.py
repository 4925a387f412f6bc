"""Doubtful test images: the lists in data/reference, and verdicts without them."""

from pathlib import Path

import numpy as np
import pytest
from simulated import CLASSES, Grid, exactly

from study.base.errors import StudyError
from study.statistics.contrasts import Arm
from study.statistics.doubtful import DOUBTED_LABELS, LISTS, NEAR_DUPLICATES, read_list, read_lists
from study.statistics.hypotheses import findings
from study.statistics.roles import Roles
from study.statistics.sample import Sample
from study.statistics.sensitivity import sensitivities

FOLDER = Path(__file__).parents[2] / "data" / "reference"


def test_the_lists_have_as_many_images_as_their_sources_say() -> None:
    """ciFAIR counts pairs: 286 + 39 are 3.25 % of CIFAR-10's test set, 891 + 104 are 10 % of CIFAR-100's. Northcutt et al.
    count 0.54 and 5.85 %."""
    lists = read_lists({"cifar10": 10_000, "cifar100": 10_000}, FOLDER)
    counts = {kind: {dataset: len(indices) for dataset, indices in each.items()} for kind, each in lists.items()}
    assert counts[NEAR_DUPLICATES] == {"cifar10": 286 + 22, "cifar100": 891 + 36}
    assert counts[DOUBTED_LABELS] == {"cifar10": 54, "cifar100": 585}
    for path in FOLDER.glob("cifar*.csv"):
        assert path.read_text().startswith("# ")
        assert "Source: github.com/" in path.read_text()


def test_a_dataset_without_lists_has_none() -> None:
    assert read_lists({"digits": 600}, FOLDER) == {key: {} for key in LISTS}


@pytest.mark.parametrize("line", ["one", "-1", "3\n3", "1.0", "9" * 5000, "٣"])
def test_a_wrong_index_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "easy_doubted_labels.csv"
    path.write_text(f"# Source: nobody.\nindex\n{line}\n")
    with pytest.raises(StudyError, match="index is"):
        read_list(path)


@pytest.mark.parametrize("content", [b"", b"# Source: nobody.\n", b"votes\n1\n", b"index\n\xff\n", b'index\n"5\n'])
def test_a_damaged_list_is_not_an_empty_one(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "easy_doubted_labels.csv"
    path.write_bytes(content)
    with pytest.raises(StudyError, match=r"easy_doubted_labels\.csv (has no column index|is damaged .*); git checkout"):
        read_list(path)


def test_an_index_beyond_the_test_set_is_refused(tmp_path: Path) -> None:
    (tmp_path / "easy_doubted_labels.csv").write_text("index,votes\n5,1\n30,2\n")
    assert read_lists({"easy": 31}, tmp_path)[DOUBTED_LABELS] == {"easy": frozenset({5, 30})}
    with pytest.raises(StudyError, match="beyond the 30"):
        read_lists({"easy": 30}, tmp_path)


def test_verdicts_are_those_of_a_study_without_the_images() -> None:
    """All that speaks for H2 (a) stands on 60 images: without them nothing is left of it."""
    grid, images = Grid(), 600
    wrong = exactly(grid.arms(), lambda arm: 0.3, images)
    special = range(400, 460)
    for arm, (cell,) in wrong.items():
        if arm.model == "vit_scratch":
            cell[list(special)] = True
        wrong[arm] = [cell]
    sample, roles = Sample(wrong, CLASSES), Roles(grid)
    official = findings(roles, sample)
    (found,) = sensitivities(roles, sample, {"doubted_labels": {"easy": special, "other": [1]}, "near_duplicates": {}})
    assert found.removed == {"easy": (60, 600)}
    changed = {before.where.key: (before.verdict, after.verdict) for _, before, after in found.changed(official)}
    assert changed["a/easy/vit_scratch+cnn_scratch/0.1"] == ("supported", "too small to tell")
    assert not any(key.startswith("a/hard") for key in changed)
    keep = np.ones(images, dtype=np.bool_)
    keep[list(special)] = False
    by_hand = Sample(
        {arm: [run[keep] if arm.dataset == "easy" else run for run in runs] for arm, runs in wrong.items()}, CLASSES
    )
    assert found.findings == findings(roles, by_hand)
    assert by_hand.error(Arm("easy", "vit_scratch", 0.1)) == pytest.approx(180 / 540)
