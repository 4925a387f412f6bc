"""Folders of class folders: what is read, in which order, what is passed over, and the md5 of it all."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pytest
from pictures import OPTIONS, content, halves, lay, load, tiny_imagenet

from study.base.errors import StudyError
from study.data import folder
from study.data.image import square


@pytest.mark.parametrize("test", ["test", "val", "valid", "validation"])
def test_train_and_test(test, tmp_path):
    root = lay(tmp_path / "data", "train/b/2.png", "train/a/1.png", "train/b/10.png", f"{test}/b/x.png")
    data = load(root)
    assert data.classes == ("a", "b")
    assert data.train_labels.tolist() == [0, 1, 1]
    assert data.train_labels.dtype == np.int64
    for row, seed in enumerate([1, 2, 0]):  # a/1, b/10, b/2
        np.testing.assert_array_equal(data.train_images[row], square(content(seed), 8, "crop"))
    assert data.test_labels.tolist() == [1]
    np.testing.assert_array_equal(data.test_images[0], square(content(3), 8, "crop"))


def test_order_is_that_of_bytes_and_not_of_the_file_system_or_locale(tmp_path, monkeypatch):
    names = [
        "train/b/1.png",
        "train/B/1.png",
        "train/a/Z.png",
        "train/a/é.png",
        "train/a/a.png",
        "train/a/z.png",
        "train/Ä/1.png",
    ]
    root = lay(tmp_path / "data", *names, "test/a/1.png")
    images = folder.read(root, OPTIONS)
    assert list(images.classes) == ["B", "a", "b", "Ä"]
    ordered = ["B/1.png", "a/Z.png", "a/a.png", "a/z.png", "a/é.png", "b/1.png", "Ä/1.png"]
    assert [item.name for item in images.train] == [f"train/{name}" for name in ordered]
    walk = os.walk
    monkeypatch.setattr(os, "walk", lambda *a, **k: ((d, s[::-1], f[::-1]) for d, s, f in walk(*a, **k)))
    assert folder.read(root, OPTIONS) == images


def test_decomposed_characters_are_the_same_name(tmp_path):
    composed, decomposed = "K\u00e4fer", "Ka\u0308fer"
    roots = [halves(tmp_path / str(n), (name, "a")) for n, name in enumerate((composed, decomposed))]
    data = [load(root, tmp_path / f"draft{n}") for n, root in enumerate(roots)]
    assert data[0].classes == data[1].classes == ("K\u00e4fer", "a")
    np.testing.assert_array_equal(data[0].train_images, data[1].train_images)
    names = [[item.name for item in folder.read(root, OPTIONS).train] for root in roots]
    assert names[0] == names[1]
    if not (roots[0] / "train" / decomposed).exists():
        lay(roots[0], f"train/{decomposed}/0.png")
        with pytest.raises(StudyError, match=f"train has {composed}/0.png twice, in composed and decomposed characters"):
            load(roots[0])


def test_a_hidden_class_folder_is_said_to_be_passed_over(tmp_path, capsys):
    """.net is a class to its user, and none here: it must not be left out in silence."""
    root = lay(tmp_path / "data", *(f"{part}/{name}/0.png" for part in ("train", "test") for name in (".net", "cat", "dog")))
    assert load(root).classes == ("cat", "dog")
    assert "train: 2 images; 1 other file is passed over (.net)\n" in capsys.readouterr().out


def test_odd_names_upper_case_endings_and_deeper_folders(tmp_path):
    root = lay(tmp_path / "data", "train/a b-c/Ä ö.PNG", "train/a b-c/images/x.Png", "train/z/one.two.png", "test/z/1.png")
    data = load(root)
    assert data.classes == ("a b-c", "z")
    assert data.train_labels.tolist() == [0, 0, 1]


def test_what_is_passed_over_is_counted_on_one_line(tmp_path, capsys):
    root = halves(tmp_path / "data")
    strays = ["train/ant/.DS_Store", "train/ant/Thumbs.db", "train/ant/._0.png", "train/ant/notes.txt", "train/loose.png"]
    for path in strays:
        (root / path).write_bytes(content())
    (root / "train/ant/.hidden").mkdir()
    (root / "train/ant/.hidden/1.png").write_bytes(content())
    (root / "train/cat/nothing").mkdir(parents=True)
    (root / "train/__MACOSX/ant").mkdir(parents=True)
    (root / "train/__MACOSX/ant/1.png").write_bytes(content())
    data = load(root)
    assert data.classes == ("ant", "bee")
    assert len(data.train_labels) == 4
    line = next(line for line in capsys.readouterr().out.splitlines() if "data/train" in line)
    assert "data/train: 4 images; 6 other files are passed over (ant/.DS_Store, ant/._0.png, ant/.hidden, ant/Thumbs.db" in line
    assert line.endswith("; 1 empty folder")


def test_links_are_followed_and_circles_end(tmp_path):
    elsewhere = lay(tmp_path / "elsewhere", "1.png", "2.png")
    root = halves(tmp_path / "data")
    (root / "train/cat").symlink_to(elsewhere)
    (root / "train/ant/circle").symlink_to(root / "train")
    data = load(root)
    assert data.classes == ("ant", "bee", "cat")
    assert data.train_labels.tolist() == [0, 0, 1, 1, 2, 2]


@pytest.mark.parametrize("name", ["aaa", "zzz"])
def test_a_class_may_be_a_link_to_another_one(name, tmp_path):
    """Both are classes, whichever of them the file system lists first."""
    root = halves(tmp_path / "data")
    (root / "train" / name).symlink_to(root / "train/bee")
    assert load(root).classes == tuple(sorted(("ant", "bee", name)))


def test_links_around_a_circle_end(tmp_path):
    root = halves(tmp_path / "data")
    (root / "train/ant/x").symlink_to(root / "train/bee")
    (root / "train/bee/y").symlink_to(root / "train/ant")
    assert load(root).train_labels.tolist() == [0] * 4 + [1] * 4


def test_tiny_imagenet_as_it_is_unpacked(tmp_path, capsys):
    root = tiny_imagenet(tmp_path / "data")
    lay(root, "test/images/test_0.JPEG", start=9)  # without labels, as it is published
    data = load(root)
    assert data.classes == ("n1", "n2")
    assert data.train_labels.tolist() == [0, 1]
    assert data.test_labels.tolist() == [1, 0, 1]  # val_0, val_1, val_10
    np.testing.assert_array_equal(data.test_images[2], square(content(4), 8, "crop"))
    assert "val/ is the test set; test not read" in capsys.readouterr().out


@pytest.mark.skipif(not shutil.which("md5sum"), reason="no md5sum here")
def test_digest_is_that_of_md5sum(tmp_path, capsys):
    root = tiny_imagenet(tmp_path / "data")
    names = [path.relative_to(root).as_posix() for path in (*root.rglob("*.JPEG"), root / "val/val_annotations.txt")]
    env = {**os.environ, "LC_ALL": "C"}
    lines = subprocess.run(["md5sum", *sorted(names)], cwd=root, env=env, capture_output=True, check=True).stdout
    expected = hashlib.md5(lines).hexdigest()
    load(root)
    assert f"md5 of the list of files: {expected}\n" in capsys.readouterr().out
    load(root, md5=expected)
    annotations = root / "val/val_annotations.txt"
    annotations.write_text(annotations.read_text().replace("val_0.JPEG\tn2", "val_0.JPEG\tn1"))
    with pytest.raises(StudyError, match=rf"has the md5 .* instead of {expected}: files were added, removed or changed"):
        load(root, md5=expected)


@pytest.mark.parametrize("change", ["changed", "removed", "added", "renamed"])
def test_digest_notices(change, tmp_path, capsys):
    root = halves(tmp_path / "data")
    load(root)
    md5 = capsys.readouterr().out.rsplit(": ", 1)[1].strip()
    (root / "train/ant/notes.txt").write_text("no part of the dataset")
    load(root, md5=md5)
    file = root / "train/ant/0.png"
    if change == "changed":
        file.write_bytes(content(77))
    elif change == "removed":
        file.unlink()
    elif change == "added":
        file.with_name("9.png").write_bytes(content(5))
    else:
        file.rename(file.with_name("00.png"))
    with pytest.raises(StudyError, match=f"instead of {md5}"):
        load(root, md5=md5)


def test_one_set_of_class_folders_is_divided(tmp_path):
    names = [f"{name}/{n:02d}.png" for name, count in (("ant", 20), ("bee", 5), ("cat", 2)) for n in range(count)]
    data = load(lay(tmp_path / "data", *names), test=0.2)
    assert np.bincount(data.test_labels).tolist() == [4, 1, 1]
    assert np.bincount(data.train_labels).tolist() == [16, 4, 1]
    every = {image.tobytes() for image in (*data.train_images, *data.test_images)}
    assert len(every) == 27  # none twice, none lost


@pytest.fixture
def quick_place(tmp_path):
    """A folder in memory where the system has one (Linux): disks may take minutes to remove 33,000 folders."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else tmp_path) as place:
        yield Path(place)


def test_many_classes(quick_place):
    """More than 16 bits would hold; one link per image, to be quick."""
    one = quick_place / "one.png"
    one.write_bytes(content(size=(4, 4)))
    root = quick_place / "data"
    for n in range(33_000):
        (root / f"train/{n:05d}").mkdir(parents=True)
        (root / f"train/{n:05d}/1.png").symlink_to(one)
    (root / "test/32999").mkdir(parents=True)
    (root / "test/32999/1.png").symlink_to(one)
    images = folder.read(root, OPTIONS)
    assert len(images.classes) == 33_000
    assert images.train[-1].label == images.test[0].label == 32_999


def test_folders_beside_the_two_parts_are_named(tmp_path, capsys):
    root = lay(halves(tmp_path / "data"), "train2/ant/9.png", "dev/bee/9.png")
    assert load(root).train_labels.tolist() == [0, 0, 1, 1]
    assert f"{root}: beside train and test images, dev, train2 not read" in capsys.readouterr().out
