"""Keys of a dataset's source in params.yaml, and where its path leads."""

import os

import numpy as np
import pytest
import yaml
from pictures import halves

from stages import download as stage
from study.base.errors import StudyError
from study.data import formats, place
from study.data.dataset import Dataset
from study.data.part import Part
from study.settings.params import Source


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("DATASETS_DIR", raising=False)
    return folder


@pytest.mark.parametrize(
    ("form", "options", "said"),
    [
        ("folder", {}, "source.path is None; format folder needs a path"),
        ("folder", {"path": "x"}, "source.side is None; format folder needs the side of the squares in pixels"),
        ("folder", {"path": "x", "side": 32.0}, "source.side is 32.0"),
        ("folder", {"path": "x", "side": True}, "source.side is True"),
        ("folder", {"path": "x", "side": 3}, "source.side is 3; .* 4 to 4096"),
        ("folder", {"path": "x", "side": 32, "fit": "stretch"}, "source.fit is 'stretch'; .* crop or squash or pad"),
        ("folder", {"path": "x", "side": 32, "test": 1}, "source.test is 1; .* above 0 and below 1"),
        ("folder", {"path": "x", "side": 32, "test": 1.0}, "source.test is 1.0"),
        ("folder", {"path": "x", "side": 32, "unreadable": "ignore"}, "source.unreadable is 'ignore'; .* stop or skip"),
        ("folder", {"path": "x", "side": 32, "md5": "X" * 32}, "source.md5 is 'XX.*needs 32 lower-case hexadecimal digits"),
        ("folder", {"path": "x", "side": 32, "sha256": "0" * 63}, "needs 64 lower-case hexadecimal digits"),
        (
            "folder",
            {"path": "x", "side": 32, "image": "y"},
            "source.image is not a key of format folder; there are format, path",
        ),
        (
            "csv",
            {"path": "x.csv", "side": 32, "image": "file"},
            "source.label is None; format csv needs the name of one column",
        ),
        (
            "csv",
            {"path": "x", "side": 32, "image": "f", "label": ["a", "b"]},
            r"label is \['a', 'b'\].*several are another task",
        ),
        ("parquet", {"path": "x", "side": 32, "sha256": "0" * 64}, "source.sha256 is not a key of format parquet"),
        ("torchvision", {"side": 32}, "source.name is None; format torchvision needs DTD or FashionMNIST"),
        ("floder", {}, "format is 'floder'; it must be one of cifar10, .*folder, csv, parquet, torchvision"),
    ],
)
def test_keys_are_checked(form, options, said):
    with pytest.raises(StudyError, match=said):
        formats.check(Source(form, options), "datasets.mine.source")


def test_null_stands_for_the_default():
    formats.check(Source("folder", {"path": "x", "side": 32, "fit": None, "test": None, "md5": None}), "source")


def test_path_absolute_in_the_project_or_under_datasets_dir(project, tmp_path, monkeypatch):
    for path in ("mine", "~nobody-of-this-name/mine"):
        with pytest.raises(StudyError, match="mine is not in the project, and DATASETS_DIR names no folder to look in"):
            place.found(path)
    monkeypatch.setenv("DATASETS_DIR", str(tmp_path / "nowhere"))
    with pytest.raises(
        StudyError, match=r"DATASETS_DIR is .*nowhere, which is not a folder; unset it, or name the one with mine"
    ):
        place.found("mine")
    monkeypatch.setenv("DATASETS_DIR", str(tmp_path))
    with pytest.raises(StudyError, match="mine is neither in the project nor under DATASETS_DIR"):
        place.found("mine")
    with pytest.raises(StudyError, match=r"absent is not here; put the data there, or write another path"):
        place.found(str(tmp_path / "absent"))
    (tmp_path / "mine").mkdir()
    assert place.found("mine") == tmp_path / "mine"
    assert place.found(str(tmp_path / "mine")) == tmp_path / "mine"
    (project / "mine").mkdir()
    assert place.found("mine").resolve() == project / "mine"


def declare(project, **source):
    (project / "params.yaml").write_text(yaml.safe_dump({"datasets": {"mine": {"source": source, "recipe": {}}}}))


def test_a_pipe_is_not_waited_for(project):
    os.mkfifo("table.csv")
    with pytest.raises(StudyError, match=r"table\.csv is neither a file nor a folder"):
        place.found("table.csv")


def test_the_stage_download(project, capsys):
    halves(project / "data/own/mine", train=3)
    declare(project, format="folder", path="data/own/mine", side=8)
    written = stage.download("mine")
    names = {"train_images.npy", "train_labels.npy", "test_images.npy", "test_labels.npy", "classes.json"}
    assert {path.name for path in written.iterdir()} == names
    assert "6 train and 2 test images, 2 classes: ant, bee\n" in capsys.readouterr().out
    before = {path.name: path.read_bytes() for path in written.iterdir()}
    Dataset.read(written).write(project / "data")  # what was written anew is what was mapped
    assert {name: (project / "data" / name).read_bytes() for name in names} == before
    (project / "data/own/mine/train/ant/0.png").write_bytes(b"nonsense")
    with pytest.raises(StudyError, match=r"1 image cannot be read: train/ant/0.png"):
        stage.download("mine")
    assert {path.name: path.read_bytes() for path in written.iterdir()} == before
    assert [path.name for path in (project / "data/raw").iterdir()] == ["mine"]


def test_a_part_is_a_map_and_needs_its_own_files_alone(project):
    halves(project / "data/own/mine", train=3)
    declare(project, format="folder", path="data/own/mine", side=8)
    folder = stage.download("mine")
    for path in folder.glob("test_*"):
        path.unlink()
    part = Part.read(folder, "train")
    assert isinstance(part.images, np.memmap)
    assert (part.images.shape, part.labels.tolist(), part.classes) == ((6, 8, 8, 3), [0, 0, 0, 1, 1, 1], ("ant", "bee"))
    with pytest.raises(StudyError, match=r"test_images.npy is not here; dvc pull, or python -m stages.download mine"):
        Part.read(folder, "test")
    np.save(folder / "train_labels.npy", part.labels[:5])
    with pytest.raises(StudyError, match=r"train labels are int64 of shape .5,.; they must be whole numbers, one for"):
        Part.read(folder, "train")


@pytest.mark.parametrize("rows", [1, 3, 10_000])
def test_arrays_are_written_block_by_block_as_np_save_does(rows, project, monkeypatch):
    from study.data import dataset

    monkeypatch.setattr(dataset, "_BLOCK", rows * 48)
    images = np.random.RandomState(0).randint(0, 256, (7, 4, 4, 3)).astype(np.uint8)
    labels = np.arange(7, dtype=np.int32) % 2
    Dataset(images[::-1], labels, images[:2], labels[:2], ("a", "b")).write(project)
    np.save(project / "expected.npy", np.ascontiguousarray(images[::-1]))
    assert (project / "train_images.npy").read_bytes() == (project / "expected.npy").read_bytes()
    np.save(project / "expected.npy", labels.astype(np.int64))
    assert (project / "train_labels.npy").read_bytes() == (project / "expected.npy").read_bytes()
