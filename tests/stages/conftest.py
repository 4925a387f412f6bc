"""Weights in a folder and on a hub of this machine."""

import json

import pytest
import timm
from huggingface_hub import constants
from safetensors.torch import save
from servers import Hub, serving
from small_weights import ARCH, CONFIG, OPTIONS, point_to


@pytest.fixture(scope="session")
def state():
    """The tensors of a tiny model."""
    model = timm.create_model(ARCH, img_size=32, num_classes=7, **OPTIONS)
    return {name: tensor.contiguous() for name, tensor in model.state_dict().items()}


@pytest.fixture(scope="session")
def content(state):
    """The bytes of their file."""
    return save(state)


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    """The hub can be asked, and nothing of it is here yet."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)


@pytest.fixture
def folder(tmp_path, content):
    """Weights in a local folder laid out like a repository of the hub."""
    path = tmp_path / "local"
    path.mkdir()
    (path / "model.safetensors").write_bytes(content)
    (path / "config.json").write_text(json.dumps(CONFIG))
    return path


@pytest.fixture
def hub(monkeypatch, content):
    """A hub that has them."""
    site = Hub()
    site.repositories["timm/test_vit.small"] = {"config.json": json.dumps(CONFIG).encode(), "model.safetensors": content}
    with serving(site):
        point_to(site.url, monkeypatch)
        yield site
