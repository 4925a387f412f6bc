"""Parquet files as the Hugging Face hub serves them."""

import builtins
import json
from pathlib import Path

import numpy as np
import pytest
from pictures import OPTIONS, content, lay

from study.base.errors import StudyError
from study.data import parquet
from study.data.image import square

OPTIONS = {**OPTIONS, "image": "image", "label": "label"}


@pytest.fixture
def pa():
    pytest.importorskip("pyarrow.parquet")
    return pytest.importorskip("pyarrow")


def write(pa, path, labels, start=0, names=None, images=None):
    """A file of the hub's form: an image per label, and the classes' ``names`` in its metadata."""
    images = images if images is not None else [{"bytes": content(start + n), "path": f"{n}.png"} for n in range(len(labels))]
    table = pa.table({"image": images, "label": labels, "other": labels})
    if names:
        features = {"image": {"_type": "Image"}, "label": {"names": names, "_type": "ClassLabel"}}
        table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    path.parent.mkdir(parents=True, exist_ok=True)
    pa.parquet.write_table(table, path, row_group_size=3)
    return path


def load(path, tmp_path, **options):
    draft = tmp_path / "draft"
    draft.mkdir(exist_ok=True)
    options = {**OPTIONS, **options}
    return parquet.read(path, options).assembled(options, draft)


def test_a_repository_of_the_hub(pa, tmp_path, capsys):
    data = tmp_path / "data"
    write(pa, data / "train-00001-of-00002.parquet", [1, 1, 0], 5, ["cat", "dog"])
    write(pa, data / "train-00000-of-00002.parquet", [0, 1, 0, 1, 0], 0, ["cat", "dog"])
    write(pa, data / "validation-00000-of-00001.parquet", [1, 0], 8, ["cat", "dog"])
    write(pa, data / "test-00000-of-00001.parquet", [-1, -1], 10, ["cat", "dog"])  # hidden, as the hub does
    read = load(data, tmp_path)
    assert read.classes == ("cat", "dog")
    assert read.train_labels.tolist() == [0, 1, 0, 1, 0, 1, 1, 0]
    assert read.test_labels.tolist() == [1, 0]
    for row in range(8):
        np.testing.assert_array_equal(read.train_images[row], square(content(row), 8, "crop"))
    np.testing.assert_array_equal(read.test_images[1], square(content(9), 8, "crop"))
    assert "test not read" in capsys.readouterr().out


def test_linked_folders_and_endings_in_capitals_are_read(pa, tmp_path):
    write(pa, tmp_path / "elsewhere/train-0.parquet", ["cat", "dog"] * 2, 0)
    write(pa, tmp_path / "data/train-1.PARQUET", ["cat", "dog"] * 2, 4)
    (tmp_path / "data/more").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "data/circle").symlink_to(tmp_path / "data")
    write(pa, tmp_path / "data/test.parquet", ["cat", "dog"], 8)
    assert len(load(tmp_path / "data", tmp_path).train_labels) == 8


def test_parts_by_folders_as_the_hub_converts_them(pa, tmp_path, capsys):
    data = tmp_path / "data"
    for number, part in enumerate(("train", "train/more", "partial-test", "validation")):
        write(pa, data / "default" / part / "0000.parquet", [0, 1], 2 * number)
    (data / "default/train/._0000.parquet").write_bytes(b"of a file manager")
    read = load(data, tmp_path)
    assert read.train_labels.tolist() == [0, 1, 0, 1]
    np.testing.assert_array_equal(read.test_images[0], square(content(4), 8, "crop"))
    assert "validation not read" in capsys.readouterr().out


@pytest.mark.parametrize("others", [["dog", "cat"], ["cat", "dog", "wolf"], None])
def test_files_that_number_their_classes_otherwise_are_refused(pa, tmp_path, others):
    write(pa, tmp_path / "data/train-0.parquet", [0, 1], 0, ["cat", "dog"])
    write(pa, tmp_path / "data/test-0.parquet", [0, 1], 2, others)
    with pytest.raises(StudyError, match=r"test-0.parquet numbers its classes otherwise than .*train-0.parquet"):
        load(tmp_path / "data", tmp_path)


def test_folders_of_files_as_spark_and_dask_write_them(pa, tmp_path):
    for number, part in enumerate(("train", "test")):
        write(pa, tmp_path / f"data/{part}.parquet/part-0.parquet", [0, 1], 2 * number)
    write(pa, tmp_path / "data/.cache/train-0.parquet", [0, 1], 4)
    data = load(tmp_path / "data", tmp_path)
    assert (data.train_labels.tolist(), data.test_labels.tolist()) == ([0, 1], [0, 1])


def test_images_beside_that_dvc_does_not_watch_must_be_pinned(pa, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lay(tmp_path / "elsewhere", *(f"{n}.png" for n in range(4)))
    rows = [{"bytes": None, "path": str(tmp_path / f"elsewhere/{n}.png")} for n in range(4)]
    write(pa, tmp_path / "data/own/birds/train.parquet", [0, 1, 0, 1], images=rows)
    options = {**OPTIONS, "path": "data/own/birds", "dataset": "birds", "test": 0.5, "sha256": None}
    with pytest.raises(StudyError, match=r"DVC does not see when files of data/own/birds change: write md5"):
        parquet.read(Path("data/own/birds"), options).assembled(options, tmp_path)


def test_a_single_file_is_all_train_whatever_its_name(pa, tmp_path):
    data = load(write(pa, tmp_path / "test.parquet", [0, 1, 0, 1]), tmp_path, test=0.5)
    assert (len(data.train_labels), len(data.test_labels)) == (2, 2)


@pytest.mark.parametrize("said", ["{", "[]", '{"info": null}', '{"info": {"features": {"label": {"names": [0, 1]}}}}'])
def test_names_that_the_hub_did_not_write_are_left(pa, tmp_path, said):
    table = pa.table({"image": [content(n) for n in range(4)], "label": [0, 1, 0, 1]})
    pa.parquet.write_table(table.replace_schema_metadata({"huggingface": said}), tmp_path / "x.parquet")
    assert load(tmp_path / "x.parquet", tmp_path, test=0.5).classes == ("0", "1")


def test_a_file_that_is_damaged_inside(pa, tmp_path):
    path = write(pa, tmp_path / "x.parquet", [0, 1] * 20)
    whole = path.read_bytes()
    for place in (100, len(whole) // 2):
        path.write_bytes(whole[:place] + b"\xff" * 60 + whole[place + 60 :])
        with pytest.raises(StudyError, match=r"x.parquet is no whole parquet file \(.*\); fetch it again") as error:
            load(path, tmp_path, test=0.5)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("image", [None, {"bytes": "text", "path": None}, {"bytes": None, "path": "a\0b"}, "a.png", [1]])
def test_what_is_no_image_is_unreadable(pa, tmp_path, image):
    path = write(pa, tmp_path / "x.parquet", [0, 1, 0, 1], images=[image] * 4)
    with pytest.raises(StudyError, match=r"^4 images cannot be read: x.parquet:\d \("):
        load(path, tmp_path, test=0.5)


def test_one_file_is_divided_and_its_digest_is_checked(pa, tmp_path, capsys):
    path = write(pa, tmp_path / "x.parquet", [0, 1] * 8)
    data = load(path, tmp_path, test=0.25)
    assert data.classes == ("0", "1")
    assert np.bincount(data.test_labels).tolist() == [2, 2]
    every = [image.tobytes() for image in (*data.train_images, *data.test_images)]
    assert sorted(every) == sorted(square(content(n), 8, "crop").tobytes() for n in range(16))
    md5 = capsys.readouterr().out.rsplit(": ", 1)[1].strip()
    load(path, tmp_path, test=0.25, md5=md5)
    write(pa, path, [1, 0] * 8)
    with pytest.raises(StudyError, match=f"instead of {md5}"):
        load(path, tmp_path, test=0.25, md5=md5)


def test_labels_that_are_texts_and_other_columns(pa, tmp_path):
    path = write(pa, tmp_path / "x.parquet", ["b", "a", "B", "a", "b", "B"])
    data = load(path, tmp_path, test=0.5, label="other")
    assert data.classes == ("B", "a", "b")
    assert np.bincount(data.train_labels).tolist() == [1, 1, 1]


def test_plain_bytes_and_files_beside(pa, tmp_path):
    plain = write(pa, tmp_path / "a/x.parquet", [0, 1, 0, 1], images=[content(n) for n in range(4)])
    beside = write(pa, tmp_path / "b/x.parquet", [0, 1, 0, 1], images=[{"bytes": None, "path": f"{n}.png"} for n in range(4)])
    for n in range(4):
        beside.with_name(f"{n}.png").write_bytes(content(n))
    one, two = (load(path, path.parent, test=0.5) for path in (plain, beside))
    np.testing.assert_array_equal(one.train_images, two.train_images)


def test_unreadable_rows_are_named(pa, tmp_path):
    images = [content(0), b"nonsense", content(2), content(3)]
    path = write(pa, tmp_path / "train-0.parquet", [0, 1, 0, 1], images=images)
    write(pa, tmp_path / "test-0.parquet", [0, 1])
    with pytest.raises(StudyError, match=r"1 image cannot be read: train-0.parquet:1 \(no image that Pillow knows\)"):
        load(path.parent, tmp_path)
    assert load(path.parent, tmp_path, unreadable="skip").train_labels.tolist() == [0, 0, 1]


def test_refusals(pa, tmp_path):
    def refused(said, path, **options):
        with pytest.raises(StudyError, match=said):
            load(path, tmp_path, **options)

    one = write(pa, tmp_path / "one.parquet", [0, 1, 0, 1])
    refused("has no test files; write the share for testing into params.yaml, such as test: 0.2", one)
    refused("has no column picture; there are image, label, other", one, image="picture")
    refused("has no .parquet file", tmp_path / "draft")
    write(pa, tmp_path / "two/train-0.parquet", [0, 1, 0])
    write(pa, tmp_path / "two/test-0.parquet", [0, 1])
    refused("has test files already; take `test` out", tmp_path / "two", test=0.5)
    refused(
        "has 1 train image without a label .-1.; remove it", write(pa, tmp_path / "hidden.parquet", [0, 1, -1, 0]), test=0.5
    )
    refused("labels from 0 to 2 for 2 names", write(pa, tmp_path / "few.parquet", [0, 1, 2], names=["a", "b"]), test=0.5)
    refused("several labels for an image in label", write(pa, tmp_path / "multi.parquet", [[0], [0, 1]]), test=0.5)
    refused("labels of the kind float", write(pa, tmp_path / "float.parquet", [0.5, 1.0]), test=0.5)
    refused("the dataset has one class, 0", write(pa, tmp_path / "single.parquet", [0, 0]), test=0.5)
    refused("has no rows", write(pa, tmp_path / "none.parquet", pa.array([], pa.int64()), images=pa.array([], pa.binary())))
    for large in (2_000_000, 2**63 + 1):
        labels = pa.array([large, 1, 1, large], pa.uint64())
        refused(f"labels from 1 to {large} for 4 images; number the classes from 0", write(pa, tmp_path / "l.parquet", labels))
    refused("class 1 has 0 images", write(pa, tmp_path / "gap.parquet", [0, 0, 2, 2]), test=0.5)
    refused(
        "has labels from 1 to 2, and none is 0: they are numbered", write(pa, tmp_path / "l.parquet", [1, 2, 1, 2]), test=0.5
    )
    refused("has the label 'a b' besides a and b", write(pa, tmp_path / "l.parquet", ["a", "b", "a b", "b c", "c"]), test=0.5)
    one.write_bytes(one.read_bytes()[:100])
    refused("one.parquet is no whole parquet file", one, test=0.5)


def test_without_pyarrow(tmp_path, monkeypatch):
    def without(name, *rest, **options):
        if name.startswith("pyarrow"):
            raise ImportError(name)
        return original(name, *rest, **options)

    original = builtins.__import__
    monkeypatch.setattr(builtins, "__import__", without)
    (tmp_path / "x.parquet").write_bytes(b"")
    with pytest.raises(StudyError, match=r"^format parquet needs pyarrow; run pip install -r requirements-parquet"):
        load(tmp_path / "x.parquet", tmp_path)
