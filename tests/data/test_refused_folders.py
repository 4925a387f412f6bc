"""Folders and images that cannot be read, or are no dataset: each mistake is one sentence."""

import os
from pathlib import Path

import numpy as np
import pytest
from pictures import content, halves, lay, load, tiny_imagenet

from study.base.errors import StudyError
from study.data.image import square


def refused(root, said, **options):
    with pytest.raises(StudyError, match=said):
        load(root, **options)


def test_refusals(tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    refused(empty, "empty holds no images; put a folder per class there")
    refused(lay(tmp_path / "phone", "ant/1.heic", "bee/2.heic"), r"holds no images but 2 other files; put .* \(.png, .jpg")
    refused(lay(tmp_path / "flat", "1.png", "2.png"), "flat has images and no class folders; put the images of each class")
    refused(lay(tmp_path / "one", "ant/1.png", "ant/2.png"), "the dataset has one class, ant; there is nothing to tell apart")
    refused(halves(tmp_path / "one_of_two", ("ant",)), "the dataset has one class, ant")
    classes = lay(tmp_path / "classes", "ant/1.png", "ant/2.png", "bee/1.png", "bee/2.png")
    refused(classes, "classes has no train/ and test/; write the share for testing into params.yaml, such as test: 0.2")
    refused(lay(classes, "cat/1.png"), "class cat has 1 image, too few to be in train and test", test=0.2)
    refused(lay(tmp_path / "train_only", "train/ant/1.png", "train/bee/1.png"), "has train/ and neither test/ nor val/")
    divided = halves(tmp_path / "divided")
    refused(divided, "test is a test set already; take `test` out of", test=0.2)
    refused(lay(divided, "test/cow/1.png"), "test has 1 class without an image in .*train: cow; add train images")
    other = lay(tmp_path / "other", "train/ant/1.png", "train/bee/1.png", "test/one/1.png", "val/images/1.png")
    refused(other, "other has train/ and test/ and val/ without any class of it")
    file = tmp_path / "file.txt"
    file.write_text("")
    refused(file, "file.txt is not a folder; format folder reads a folder, or a .zip or .tar of one")


def test_a_class_name_that_no_table_can_hold(tmp_path):
    refused(halves(tmp_path / "data", ("a\nb", "c")), r"the class name 'a\\nb' cannot be printed")
    try:
        root = halves(tmp_path / "raw", (os.fsdecode(b"\xff"), "c"))
    except OSError:
        pytest.skip("this file system takes UTF-8 alone")
    refused(root, r"the class name '\\udcff' cannot be printed")


def test_an_unreadable_folder_is_said(tmp_path, monkeypatch):
    root = halves(tmp_path / "data")

    def scandir(path):
        if Path(path).name == "bee":
            raise PermissionError(13, "Permission denied", str(path))
        return original(path)

    original = os.scandir
    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", scandir)
        refused(root, "train/bee cannot be read .Permission denied.; put that right")


def test_tiny_imagenet_damaged(tmp_path):
    refused(tiny_imagenet(tmp_path / "a", "val_7.JPEG\tn1\n"), "lists 1 image that is not here: images/val_7.JPEG")
    refused(tiny_imagenet(tmp_path / "b", "val_7.JPEG\n"), "is damaged; every line must have an image, a tab and its class")


def test_unreadable_images_are_listed_at_once_or_skipped(tmp_path, capsys):
    root = halves(tmp_path / "data", train=5, test=2)
    for path in [*(f"train/ant/{n}.png" for n in range(4)), "train/bee/1.png", "test/ant/0.png", "test/bee/1.png"]:
        (root / path).write_bytes(content(size=(64, 64))[:-40])
    with pytest.raises(StudyError) as error:
        load(root)
    assert str(error.value).startswith("7 images cannot be read: train/ant/0.png (")
    assert "train/bee/1.png (" in str(error.value)
    assert " and 2 more; mend or remove them, or write unreadable: skip" in str(error.value)
    each = [line for line in capsys.readouterr().out.splitlines() if line.startswith("unreadable: ")]
    assert len(each) == 7 and each[6].startswith("unreadable: test/bee/1.png (")
    data = load(root, unreadable="skip")
    assert data.train_labels.tolist() == [0, 1, 1, 1, 1]
    assert data.test_labels.tolist() == [0, 1]
    assert data.train_images.shape == (5, 8, 8, 3)
    np.testing.assert_array_equal(data.train_images[0], square((root / "train/ant/4.png").read_bytes(), 8, "crop"))
    said = capsys.readouterr().out
    assert "skipped 7 unreadable images: train/ant/0.png (" in said
    assert [line for line in said.splitlines() if line.startswith("unreadable: ")] == each
    one = halves(tmp_path / "one")
    (one / "train/ant/0.png").write_bytes(b"")
    refused(one, "^1 image cannot be read: train/ant/0.png (.*); mend or remove it, or write")


def test_a_class_that_is_unreadable_altogether(tmp_path):
    root = halves(tmp_path / "data", ("ant", "bee", "cat"))
    for n in range(2):
        (root / f"train/bee/{n}.png").write_bytes(b"")
    refused(root, "1 of 3 classes have no train image: bee; add some, or remove the class", unreadable="skip")
