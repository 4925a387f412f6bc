"""python -m tools.photos: patches of photographs that installed packages ship, as a folder of classes."""

import sys

import numpy as np
import pytest
from PIL import Image

from study.base.errors import StudyError
from study.data import folder
from tools import photos


def test_patches_are_the_photographs_cut_up(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["photos", str(tmp_path / "photos")])
    photos.main()
    assert "260 patches of flower, 288 patches of hopper, 260 patches of palace" in capsys.readouterr().out
    for name, photograph in photos.photographs().items():
        whole = np.asarray(Image.open(photograph))
        patch = np.asarray(Image.open(tmp_path / "photos" / name / "032_064.png"))
        assert np.array_equal(patch, whole[32:64, 64:96])
    images = folder.read(tmp_path / "photos", {"test": 0.2})
    assert list(images.classes) == ["flower", "hopper", "palace"]
    assert (len(images.train), len(images.test)) == (646, 162)
    with pytest.raises(StudyError, match="is there already"):
        photos.main()
