"""Zip files as other systems pack them, and as nobody should."""

import zipfile
from pathlib import Path

import pytest
from pictures import halves

from study.base.errors import StudyError
from study.data import formats
from study.settings.params import Source

pytestmark = pytest.mark.usefixtures("project")


def packed(contents):
    with zipfile.ZipFile("x.zip", "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)


def load():
    Path("draft").mkdir(exist_ok=True)
    return formats.load(Source("folder", {"side": 8, "path": "x.zip"}), Path("work"), Path("draft"))


@pytest.fixture
def contents(tmp_path):
    root = halves(tmp_path / "plain")
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*.png")}


def test_folders_in_a_zip_of_windows_are_no_files(contents):
    folders = {"photos\\": b"", "photos\\train\\": b"", "photos\\empty\\": b""}
    packed(folders | {f"photos\\{name}".replace("/", "\\"): content for name, content in contents.items()})
    assert load().train_labels.tolist() == [0, 0, 1, 1]


def test_folders_too_deep_to_be_removed_again_are_refused_and_the_next_run_is_whole(contents):
    packed({"/".join(["d"] * depth) + "/x.png": b"x" for depth in range(300, 1501, 300)})
    with pytest.raises(StudyError, match="has a file 301 folders deep, and 100 are read"):
        load()
    packed(contents)
    assert load().train_labels.tolist() == [0, 0, 1, 1]
