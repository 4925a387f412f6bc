"""Weights of a tiny model, and the stage weights on them."""

import hashlib
from pathlib import Path

import pytest
from huggingface_hub import constants

from stages import weights as stage
from study.base.errors import StudyError
from study.models.card import Card
from study.settings.params import Model, Weights

ARCH, OPTIONS = "test_vit", {"patch_size": 8, "depth": 1}
CONFIG = {
    "architecture": ARCH,
    "num_classes": 7,
    "pretrained_cfg": {
        "input_size": [3, 32, 32],
        "num_classes": 7,
        "mean": [0.1, 0.2, 0.3],
        "std": [0.4, 0.5, 0.6],
        "interpolation": "bilinear",
    },
}


def point_to(url, monkeypatch):
    """What HF_ENDPOINT does when huggingface_hub is imported."""
    monkeypatch.setattr(constants, "ENDPOINT", url)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", url + "/{repo_id}/resolve/{revision}/{filename}")


def prepare(source, sha256=None, arch=ARCH, options=OPTIONS):
    target = Path("data/weights/small")
    target.mkdir(parents=True, exist_ok=True)
    model = Model("small", "vit", arch, options, None if source is None else Weights(str(source), sha256), None)
    card = stage.prepare(model, target)
    assert Card.read(target) == card
    return card


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def expect(card, source, content, revision=None):
    assert card == Card(ARCH, OPTIONS, source, revision, sha256(content), (0.1, 0.2, 0.3), (0.4, 0.5, 0.6), "bilinear")
    assert Path("data/weights/small/weights.safetensors").read_bytes() == content


def refused(sentence, *arguments, **options):
    with pytest.raises(StudyError, match=sentence) as error:
        prepare(*arguments, **options)
    text = str(error.value)
    assert text.endswith(".")
    assert "\n" not in text
    assert not Path("data/weights/small/card.json").exists()
