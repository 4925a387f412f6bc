"""The stage download: over HTTP to data/raw/<dataset>/, and a failure leaves what was there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from fake_cifar import FILES, described, expect_fake, packed
from servers import Files, serving

from stages import download as stage
from study.data import cifar
from study.data.dataset import Dataset

pytestmark = pytest.mark.usefixtures("project")


def params(folder, **sources):
    datasets = {name: {"source": source, "recipe": {}} for name, source in sources.items()}
    (folder / "params.yaml").write_text(yaml.safe_dump({"datasets": datasets}))


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_whole_stage_over_a_breaking_network(project, monkeypatch, capsys):
    archive = packed(FILES)
    monkeypatch.setattr(cifar, "CIFAR10", described(FILES, archive))
    site = Files()
    site.files["/fake.tar.gz"] = archive
    site.cuts, site.statuses = [None, 2000], [503]  # the answer 503, then one that is cut
    with serving(site):
        params(project, small={"format": "cifar10", "url": f"{site.url}/fake.tar.gz"})
        stage.download("small")
        first = contents(project / "data/raw/small")
        stage.download("small")
    expect_fake(Dataset.read(Path("data/raw/small")))
    assert set(first) == {"train_images.npy", "train_labels.npy", "test_images.npy", "test_labels.npy", "classes.json"}
    assert contents(project / "data/raw/small") == first
    assert [asked for _, _, asked in site.requests[:4]] == [None, None, "bytes=2000-", None]
    assert [path.name for path in Path(".dvc/tmp/downloads").iterdir()] == ["fake.tar.gz.lock"]
    assert [path.name for path in Path("data/raw").iterdir()] == ["small"]
    assert "9 train and 3 test images, 3 classes" in capsys.readouterr().out


def command(project, root, *arguments):
    return subprocess.run(
        [sys.executable, *arguments], cwd=project, env={**os.environ, "PYTHONPATH": str(root)}, capture_output=True, text=True
    )


def test_command_line(project, root):
    params(project, small={"format": "digits"})
    done = command(project, root, "-m", "stages.download", "small")
    assert (done.returncode, done.stderr) == (0, "")
    data = Dataset.read(project / "data/raw/small")
    assert len(data.train_labels) == 1197
    failed = command(project, root, "-m", "stages.download", "big")
    assert failed.returncode == 1
    assert failed.stderr == "error: 'big' is not declared under datasets in params.yaml; there are small.\n"


def test_a_failure_leaves_what_was_there(project, monkeypatch):
    params(project, small={"format": "digits"})
    stage.download("small")
    before = contents(project / "data/raw/small")

    def full(self, folder):
        (folder / "train_images.npy").write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Dataset, "write", full)
    with pytest.raises(OSError, match="No space left"):
        stage.download("small")
    assert contents(project / "data/raw/small") == before
    assert [path.name for path in Path("data/raw").iterdir()] == ["small"]


def test_starts_without_torch_pandas_or_sklearn(project, root):
    program = "import sys, stages.download, study.data.cifar; print({'torch', 'sklearn', 'pandas'} & set(sys.modules))"
    assert command(project, root, "-c", program).stdout == "set()\n"
