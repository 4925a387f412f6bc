"""What all tests share: the repository's root, real CIFAR where it is at hand, and no settings from outside."""

import os
from pathlib import Path

import pytest
import torch

from study.engine import exactness

ROOT = Path(__file__).resolve().parent.parent

# Libraries choose their kernels once in a process. Here, as in a stage, before the first computation: else what a test computes
# itself would depend on the tests before it, and differ from what a stage computes.
exactness.pin(torch.device("cpu"), "fp32")

# In a git hook they name the user's own repository: a test that commits into a clone of its own would commit there.
for _name in [name for name in os.environ if name.startswith("GIT_")]:
    del os.environ[_name]


@pytest.fixture(autouse=True)
def settings_of_the_user_do_not_reach_tests(monkeypatch):
    for name in os.environ:
        if name.startswith(("WANDB_", "DVC_", "HF_", "STUDY_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("DVC_NO_ANALYTICS", "1")


@pytest.fixture
def no_waiting(monkeypatch):
    """Downloads from servers of this machine, whatever proxy its user has, that are tried again at once."""
    from study.data import transfer

    monkeypatch.setattr(transfer, "BACKOFF", 0.001)
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def project(tmp_path, monkeypatch, no_waiting):
    """An empty project as the working directory; data come from where the test says, and downloads do not wait."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("DATASETS_DIR", raising=False)
    return folder


@pytest.fixture(scope="session")
def root():
    """The repository that is being tested."""
    return ROOT


@pytest.fixture(scope="session")
def datasets_dir():
    """The folder with the official, unpacked CIFAR files; skips where there is none."""
    folder = os.environ.get("DATASETS_DIR")
    if not folder or not (Path(folder) / "cifar-10-batches-py").is_dir():
        pytest.skip("DATASETS_DIR names no folder with the official CIFAR files")
    return Path(folder)


@pytest.fixture(scope="session")
def cuda():
    """A CUDA device; skips where there is none."""
    import torch

    if not torch.cuda.is_available():
        pytest.skip("no CUDA device here")
    return torch.device("cuda")
