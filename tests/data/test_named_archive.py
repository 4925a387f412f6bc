"""What is said of files in an archive names the archive, not the folder that it was unpacked to for a while."""

import shutil
from pathlib import Path

import pytest
from pictures import halves, lay

from study.base.errors import StudyError
from study.data import formats
from study.settings.params import Source

pytestmark = pytest.mark.usefixtures("project")


def load(folder, form="folder", **options):
    """The folder's files as format ``form`` reads them from pets.zip."""
    shutil.make_archive("pets", "zip", folder)
    Path("draft").mkdir(exist_ok=True)
    return formats.load(Source(form, {"side": 8, "path": "pets.zip", **options}), Path("work"), Path("draft"))


def refused(folder, said, **options):
    with pytest.raises(StudyError) as error:
        load(folder, **options)
    assert str(error.value).startswith(said)
    assert "unpacked" not in str(error.value)


def test_counting_lines(tmp_path, capsys):
    load(halves(tmp_path / "data"))
    assert "\npets.zip: train: 4 images\npets.zip: test: 2 images\n" in capsys.readouterr().out
    lay(tmp_path / "data", "val/ant/0.png")
    load(tmp_path / "data")
    assert "\npets.zip: test/ is the test set; val not read\n" in capsys.readouterr().out


def test_errors_of_folders(tmp_path):
    root = lay(halves(tmp_path / "data"), "test/cow/0.png")
    refused(root, "pets.zip: test has 1 class without an image in train: cow;")
    refused(lay(tmp_path / "flat", "1.png"), "pets.zip has images and no class folders;")
    train = lay(tmp_path / "train", "train/ant/0.png", "train/bee/0.png", "LICENSE")
    refused(train, "pets.zip has train/ and neither test/ nor val/; write inside: train, which test: 0.2 then divides, or")


def test_class_folders_one_level_deeper(tmp_path):
    root = lay(tmp_path / "data", "LICENSE", *(f"pets/v1/{name}/{n}.png" for name in ("cat", "dog") for n in range(2)))
    refused(
        root,
        "the dataset has one class, pets; there is nothing to tell apart: it takes two at least; if the folders in it "
        "are meant (cat, dog), write inside: pets/v1.",
        test=0.5,
    )
    assert load(root, test=0.5, inside="pets/v1").classes == ("cat", "dog")


def test_a_table_that_lists_files_of_another_folder(tmp_path):
    root = lay(tmp_path / "data", *(f"pictures/{n}.png" for n in range(4)))
    (root / "meta").mkdir()
    (root / "meta/labels.csv").write_text("file,y\n" + "".join(f"{n}.png,{n % 2}\n" for n in range(4)))
    table = {"form": "csv", "image": "file", "label": "y", "test": 0.5, "inside": "meta/labels.csv"}
    refused(
        root,
        "pets.zip: meta/labels.csv lists 4 files that are not in meta: 0.png, 1.png, 2.png, 3.png; write images: the "
        "folder in the archive",
        **table,
    )
    assert load(root, **table, images="../pictures").classes == ("0", "1")
