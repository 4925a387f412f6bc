"""What a report reads belongs together: cell, checkpoint, curves and recipe; what is derived is derived again."""

import io
import json
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from written import RECIPE, write

from study.design import cells
from study.design.cells import Cell
from study.results import collected
from study.results.predictions import FILE, Predictions
from study.settings.params import Params

ONE, OTHER = Cell("tiny", "cnn", 1.0, 0), Cell("tiny", "cnn", 0.5, 0)


@pytest.fixture(autouse=True)
def two_cells(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(ONE, "a" * 64, seed=1)
    write(OTHER, "b" * 64, seed=2)


def missing(recipe=RECIPE, arch="resnet10t", weights=None, val_fraction=0.1):
    """The cells that a report of such params.yaml would not take, and why."""
    model = {"family": "cnn", "arch": arch, "weights": weights, "recipe": {}, "scratch": None}
    source = {"source": {"format": "digits"}, "recipe": {}}
    sections = {"train": recipe.as_dict(), "split": {"val_fraction": val_fraction}}
    params = Params(sections | {"datasets": {"tiny": source}, "models": {"cnn": model}})
    return dict(collected.load([ONE, OTHER], params).missing)


def swap(place):
    one, other, aside = place(ONE), place(OTHER), place(ONE).with_name("aside")
    for source, target in ((one, aside), (other, one), (aside, other)):
        source.rename(target)


def test_cells_as_written_are_read():
    assert missing() == {}


@pytest.mark.parametrize("place", [cells.predictions, cells.history])
def test_folders_of_two_cells_that_were_swapped_are_refused(place):
    swap(place)
    assert all("is of another cell" in why for why in missing().values()) and len(missing()) == 2


def test_predictions_and_history_of_two_trainings_are_refused(tmp_path):
    for path in cells.history(ONE).iterdir():
        path.unlink()
    cells.history(ONE).rmdir()
    cells.predictions(ONE).rename("aside")
    write(ONE, "c" * 64)  # trained again, tested before
    for path in cells.predictions(ONE).iterdir():
        path.unlink()
    cells.predictions(ONE).rmdir()
    (tmp_path / "aside").rename(cells.predictions(ONE))
    assert missing() == {ONE: f"{cells.predictions(ONE)} and {cells.history(ONE)} are of two checkpoints"}


def test_curves_of_another_training_are_refused():
    """Of the same recipe, the same best epoch and as many validation images."""
    (cells.history(OTHER) / "history.csv").rename(cells.history(ONE) / "history.csv")
    folder = cells.history(ONE)
    assert missing()[ONE] == f"{folder / 'history.csv'} is not of the training of {folder / 'provenance.json'}"


def edit_arrays(change):
    path = cells.predictions(ONE) / FILE
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    change(arrays)
    np.savez_compressed(path, **arrays)


def first(name, value):
    def change(arrays):
        arrays[name][0] = value

    return change


def flip(arrays):
    arrays["rank"] = np.where(arrays["rank"] == 0, 6, 0).astype(arrays["rank"].dtype)


def outside(label):
    """A label that is no class's number, in arrays and metrics that agree with each other."""

    def change(arrays):
        for name in ("labels", "predicted"):
            arrays[name][0] = label
        arrays["rank"][0] = 0
        arrays["classes"] = arrays["classes"][:7]
        changed = Predictions(**{name: str(value) if not value.shape else value for name, value in arrays.items()})
        (cells.predictions(ONE) / "metrics.json").write_text(json.dumps(changed.metrics()))

    return change


@pytest.mark.parametrize(
    "change",
    [
        first("confidence", np.nan), first("confidence", 1.5), first("confidence", -0.5), first("nll", np.nan),
        first("nll", np.inf), first("nll", -1), first("rank", 7), first("rank", -1), first("predicted", 7), first("labels", -1),
        outside(7), outside(-1), flip,
    ],
)  # fmt: skip
def test_numbers_that_no_test_can_give_are_refused(change):
    edit_arrays(change)
    assert list(missing()) == [ONE]


@pytest.mark.parametrize("forged", ["bare name", "another method", "names of no characters"])
def test_arrays_that_would_unpack_to_more_than_they_say_are_damaged(forged):
    path = cells.predictions(ONE) / FILE
    with zipfile.ZipFile(path) as packed:
        arrays = {name: packed.read(name) for name in packed.namelist()}
    if forged == "names of no characters":
        header = io.BytesIO()
        np.lib.format.write_array_header_1_0(header, {"descr": "<U0", "fortran_order": False, "shape": (10**6,)})
        arrays["classes.npy"] = header.getvalue()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2 if forged == "another method" else zipfile.ZIP_DEFLATED) as packed:
        for name, content in arrays.items():
            packed.writestr(name, content)
        if forged == "bare name":
            packed.writestr("labels", arrays["labels.npy"])
    assert missing() == {ONE: f"{path} damaged"}


@pytest.mark.parametrize("key", ["top1_error", "top1_accuracy", "top5_error", "images"])
def test_metrics_that_predictions_do_not_give_are_refused(key):
    path = cells.predictions(ONE) / "metrics.json"
    for value in (0, float("nan"), "0.1", None):
        path.write_text(json.dumps(json.loads(path.read_text()) | {key: value}))
        assert "contradict" in missing()[ONE] or "damaged" in missing()[ONE]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("recipe", RECIPE.as_dict() | {"learning_rate": 0.1}),
        ("recipe", RECIPE.as_dict() | {"epochs": 4}),
        ("recipe", []),
        ("recipe", {}),
        ("best_epoch", 1),
        ("train_images", -1),
        ("train_images", True),
        ("train_images", 0),
        ("train_images", 99),
        ("train_images", 101),
        ("train_images", 10**400),
        ("full_images", 0),
        ("full_images", 99),
        ("validation_images", 0),
        ("validation_images", 11),
        ("official_images", 111),
        ("arch", None),
        ("cell", str(OTHER)),
        ("checkpoint_sha256", "c" * 64),
        ("history_sha256", "c" * 64),
        (("validation_images", "official_images"), 10**400),
        (("full_images", "official_images"), 10**400),
    ],
)
def test_a_provenance_that_the_curves_contradict_is_refused(key, value):
    """With several keys the counts still add up: each is that much larger."""
    path = cells.history(ONE) / "provenance.json"
    found = json.loads(path.read_text())
    changes = {key: value} if isinstance(key, str) else {name: found[name] + value for name in key}
    path.write_text(json.dumps(found | changes))
    assert list(missing()) == [ONE]


@pytest.mark.parametrize(("count", "fits"), [(43, True), (57, True), (42, False), (58, False)])
def test_the_train_images_of_a_fraction_are_its_share_to_within_one_image_a_class(count, fits):
    path = cells.history(OTHER) / "provenance.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"train_images": count}))
    assert (OTHER not in missing()) == fits


def test_cells_of_another_recipe_than_the_studys_are_refused():
    why = "was trained by another recipe than params.yaml has"
    assert missing(replace(RECIPE, weight_decay=0.0)) == {ONE: why, OTHER: why}


def test_cells_of_another_share_for_validation_than_the_studys_are_refused():
    why = "10 of its 110 images were for validation, not the val_fraction 0.2 of params.yaml"
    assert missing(val_fraction=0.2) == {ONE: why, OTHER: why}


SHA = "d" * 64


@pytest.mark.parametrize("arch", ["resnet18", {"name": "resnet10t", "stem_width": 16}])
def test_cells_of_another_arch_than_the_studys_are_refused(arch):
    why = "was trained with another arch than params.yaml has"
    assert missing(arch=arch) == {ONE: why, OTHER: why}


@pytest.mark.parametrize("sha256", [None, SHA])
def test_cells_from_scratch_are_not_those_of_a_model_with_weights(sha256):
    why = "was trained from other weights than params.yaml has"
    assert missing(weights={"source": "hub", "sha256": sha256}) == {ONE: why, OTHER: why}


@pytest.mark.parametrize(
    ("weights", "same"),
    [
        ({"source": "a copy", "sha256": SHA}, True),
        ({"source": "hub", "sha256": None}, True),
        ({"source": "a copy", "sha256": None}, False),
        (None, False),
    ],
)
def test_weights_are_known_by_their_sha256_or_else_by_their_source(weights, same):
    for cell in (ONE, OTHER):
        path = cells.history(cell) / "provenance.json"
        content = json.loads(path.read_text()) | {"weights": {"source": "hub", "revision": None, "sha256": SHA}}
        path.write_text(json.dumps(content))
    assert (not missing(weights=weights)) == same


@pytest.mark.parametrize(
    "line", ["2,nan,1,0.5,1,0.5", "2,0.0005,1,1.5,1,0.5", "2,0.0005,inf,0.5,1,0.5", "3,0.0005,1,0.5,1,0.5", "2"]
)
def test_curves_that_no_training_draws_are_refused(line):
    path = cells.history(ONE) / "history.csv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:2], line, *lines[3:]]) + "\n")
    assert list(missing()) == [ONE]
