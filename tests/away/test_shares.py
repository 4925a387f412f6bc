"""Shares for machines that share nothing have about as many cells of each model, dataset and fraction, and each cell once."""

from collections import Counter

import pytest

from study.base.errors import StudyError
from study.settings.grid import Grid
from study.settings.params import Model
from tools.away import share


def grid(models, datasets, seeds):
    made = tuple(Model(f"model{number}", "cnn", "x", {}, None, None) for number in range(models))
    names = tuple(f"data{number}" for number in range(datasets))
    return Grid("study", names, made, (1.0, 0.5, 0.2, 0.1), 1.0, tuple(range(seeds)))


@pytest.mark.parametrize("parts", [1, 2, 3, 4, 5, 7])
@pytest.mark.parametrize("shape", [(4, 2, 1), (4, 2, 3), (2, 1, 1), (3, 2, 2)])
def test_each_share_has_its_part_of_every_model_and_of_the_work(parts, shape):
    study = grid(*shape)
    shares = [share(study, part, parts) for part in range(1, parts + 1)]
    assert sorted(cell for each in shares for cell in each) == sorted(study.cells())
    for name in ("model", "dataset", "fraction"):
        for value in {getattr(cell, name) for cell in study.cells()}:
            counts = [Counter(getattr(cell, name) for cell in each)[value] for each in shares]
            assert max(counts) - min(counts) <= (1 if name == "model" else 2), (name, value, counts)
    work = [sum(cell.fraction for cell in each) for each in shares]
    assert max(work) - min(work) <= 1.0
    assert all([cell.fraction for cell in each] == sorted((cell.fraction for cell in each), reverse=True) for each in shares)


@pytest.mark.parametrize("parts", [9, 10**14])
def test_more_shares_than_cells_are_refused_at_once(parts):
    with pytest.raises(StudyError, match=f"--share 1/{parts} is too fine: study study has 8 cells"):
        share(grid(2, 1, 1), 1, parts)
