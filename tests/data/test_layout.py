"""Folders of train and test images are known in any case and by their usual names; what may be a class is not taken for one."""

import pytest
from pictures import OPTIONS, halves, lay, load

from study.base.errors import StudyError
from study.data import folder


def laid(root, train, test):
    return lay(root, *(f"{part}/{name}/{n}.png" for part in (train, test) for name in ("ant", "bee") for n in range(2)))


@pytest.mark.parametrize(
    ("train", "test"),
    [("Train", "Test"), ("training", "testing"), ("TRAIN", "VAL"), ("train", "Validation"), ("Training", "valid")],
)
def test_names_and_cases(train, test, tmp_path):
    images = folder.read(laid(tmp_path, train, test), OPTIONS)
    assert list(images.classes) == ["ant", "bee"]
    assert images.train[0].name == f"{train}/ant/0.png"
    assert images.test[0].name == f"{test}/ant/0.png"


def test_the_better_name_is_the_test_set(tmp_path, capsys):
    root = laid(laid(tmp_path, "train", "Val"), "Testing", "Test")
    assert folder.read(root, OPTIONS).test[0].name == "Test/ant/0.png"
    assert "Test/ is the test set; Testing, Val not read" in capsys.readouterr().out
    for better in ("validation", "val", "test"):  # names in lower case come first
        lay(root, f"{better}/ant/0.png")
        assert folder.read(root, OPTIONS).test[0].name == f"{better}/ant/0.png"


@pytest.mark.parametrize("other", ["Train", "training"])
def test_two_folders_of_train_images_are_refused(other, tmp_path):
    root = laid(halves(tmp_path / "data"), other, "val")
    with pytest.raises(StudyError, match=f"data has two folders of train images or more: train, {other}; rename or remove all"):
        load(root)


def test_a_class_may_be_called_train(tmp_path):
    data = load(lay(tmp_path / "data", *(f"{name}/{n}.png" for name in ("Bus", "Train") for n in range(2))), test=0.5)
    assert data.classes == ("Bus", "Train")


def test_train_images_alone_can_be_divided(tmp_path):
    root = lay(tmp_path / "data", *(f"train/{name}/{n}.png" for name in ("ant", "bee") for n in range(2)))
    with pytest.raises(
        StudyError, match=r"neither test/ nor val/; write path: \S*/data/train, which test: 0.4 then divides, or"
    ):
        load(root, test=0.4)
    assert load(root / "train", test=0.4).classes == ("ant", "bee")


def test_classes_are_named_where_parts_were_perhaps_meant(tmp_path):
    with pytest.raises(StudyError, match="such as test: 0.2, if test_set, train_set are its classes"):
        load(laid(tmp_path / "data", "train_set", "test_set"))


def test_class_folders_one_level_deeper_are_named(tmp_path):
    for below in ("images", "pets/pets-v1"):
        root = lay(tmp_path / below[0], *(f"{below}/{name}/{n}.png" for name in ("cat", "dog") for n in range(2)))
        said = rf"one class, {below.split('/')[0]}; .* two at least; if the folders in it are meant \(cat, dog\), write path: "
        with pytest.raises(StudyError, match=rf"{said}{root}/{below}\.$"):
            load(root, test=0.5)
        assert load(root / below, test=0.5).classes == ("cat", "dog")


def test_jfif_is_read_and_a_folder_of_other_endings_is_named(tmp_path, capsys):
    root = lay(halves(tmp_path / "data"), "train/bee/x.jfif", "train/cow/1.heic", "train/cow/2.heic")
    assert len(load(root).train_labels) == 5
    line = "data/train: 5 images; 2 other files are passed over (cow/1.heic, cow/2.heic); no image in cow\n"
    assert line in capsys.readouterr().out
