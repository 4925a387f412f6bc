"""A model's card: damaged ones are refused in one sentence, and reading one takes no torch."""

import subprocess
import sys

import pytest

from study.base.errors import StudyError
from study.models.card import Card


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"arch": "x"}'])
def test_card_that_is_damaged(tmp_path, text):
    with pytest.raises(StudyError, match=r"card\.json is not here; dvc pull, or python -m stages\.weights"):
        Card.read(tmp_path)
    (tmp_path / "card.json").write_text(text)
    with pytest.raises(StudyError, match=r"card\.json is (damaged|not a card)"):
        Card.read(tmp_path)


def test_card_imports_neither_torch_nor_timm(root):
    program = "import sys, study.models.card; print({'torch', 'timm', 'numpy'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True).stdout == "set()\n"
