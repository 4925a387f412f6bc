"""Small files of torch that would fill memory are refused before they do."""

import zipfile

import pytest
import torch

from study.base.errors import StudyError
from tools import convert


def test_one_tensor_of_a_thousand_names_is_not_copied_a_thousand_times(tmp_path):
    tensor = torch.zeros(1000)
    torch.save({f"n{number}": tensor for number in range(1000)}, tmp_path / "many.pth")
    with pytest.raises(StudyError, match=r"gives the same values many names \(4,000,000 bytes of [\d,]+\)"):
        convert.convert(tmp_path / "many.pth")


def test_a_file_that_was_packed_anew_is_not_unpacked_to_memory(tmp_path):
    torch.save({"a": torch.zeros(10**6)}, tmp_path / "plain.pth")
    with zipfile.ZipFile(tmp_path / "plain.pth") as plain, zipfile.ZipFile(tmp_path / "small.pth", "w", 8) as packed:
        for name in plain.namelist():
            packed.writestr(name, plain.read(name))
    with pytest.raises(StudyError, match="is packed, which torch.save never does"):
        convert.convert(tmp_path / "small.pth")
