"""Tables of images: columns, separators, parts, and what is refused."""

import numpy as np
import pytest
from pictures import OPTIONS, content, lay

from study.base.errors import StudyError
from study.data import csv_file
from study.data.image import square

COLUMNS = {**OPTIONS, "image": "file", "label": "y", "split": None, "images": None, "test": 0.25}
FILES = [f"{n}.png" for n in range(8)]


@pytest.fixture
def folder(tmp_path):
    return lay(tmp_path / "data", *FILES)


def load(folder, text, name="x.csv", **options):
    (folder / name).write_text(text, encoding="utf-8")
    draft = folder.parent / "draft"
    draft.mkdir(exist_ok=True)
    options = {**COLUMNS, **options}
    return csv_file.read(folder / name, options).assembled(options, draft)


def rows(*labels, mark=",", head="file,y"):
    return "\n".join([head.replace(",", mark), *(f"{n}.png{mark}{label}" for n, label in enumerate(labels))]) + "\n"


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_separators_and_share(mark, folder):
    data = load(folder, rows(*"babababa", mark=mark))
    assert data.classes == ("a", "b")
    assert np.bincount(data.train_labels).tolist() == [3, 3]
    assert np.bincount(data.test_labels).tolist() == [1, 1]
    for part in ("train", "test"):
        for image, label in zip(getattr(data, f"{part}_images"), getattr(data, f"{part}_labels"), strict=True):
            (number,) = [n for n in range(8) if np.array_equal(square(content(n), 8, "crop"), image)]
            assert data.classes[label] == "babababa"[number]


def test_order_of_rows_does_not_count(folder):
    head, *lines = rows(*"babababa").splitlines()
    one, two = (load(folder, "\n".join([head, *each]), name=f"{n}.csv") for n, each in enumerate((lines, lines[::-1])))
    np.testing.assert_array_equal(one.train_images, two.train_images)
    np.testing.assert_array_equal(one.test_labels, two.test_labels)


def test_excel_mark_quotes_spaces_and_other_columns(folder):
    lay(folder, "a, b.png", start=8)
    text = "﻿" + 'id,y,file\n1, yes ,0.png\n2,no,"a, b.png"\n3,yes,1.png\n4,no,2.png\n\n'
    data = load(folder, text)
    assert data.classes == ("no", "yes")
    assert len(data.train_labels) + len(data.test_labels) == 4


def test_spaces_in_the_first_line_empty_cells_and_paths_of_windows(tmp_path):
    folder = lay(tmp_path / "data", *(f"in/{file}" for file in FILES[:4]))
    lines = ["file ; y", *(f".\\in\\{n}.png; {'ab'[n % 2]};;" for n in range(4)), ";;"]
    data = load(folder, "\n".join(lines), test=0.5)
    assert data.classes == ("a", "b")
    assert len(data.train_labels) + len(data.test_labels) == 4


def test_numbers_of_any_length_are_in_order(folder):
    assert load(folder, rows("9" * 5000, "10", "9", "9" * 5000, "10", "9")).classes == ("9", "10", "9" * 5000)


def test_column_of_parts(folder, capsys):
    parts = ["train", "TRAIN", "val", "test", "train", "Test", "train", "valid"]
    text = "file,y,part\n" + "".join(f"{n}.png,{'ab'[n % 2]},{part}\n" for n, part in enumerate(parts))
    data = load(folder, text, split="part", test=None)
    assert data.train_labels.tolist() == [0, 1, 0, 0]
    assert data.test_labels.tolist() == [1, 1]
    np.testing.assert_array_equal(data.test_images[0], square(content(3), 8, "crop"))
    assert "test is the test set; 2 rows of other parts are not read" in capsys.readouterr().out


def test_files_in_another_folder(tmp_path):
    folder = lay(tmp_path / "data", *(f"pictures/{file}" for file in FILES))
    assert len(load(folder, rows(*"abababab"), images="pictures").train_labels) == 6


def test_composed_and_decomposed_characters_are_one_class(folder):
    data = load(folder, rows("Käfer", "bee", "Ka\u0308fer", "bee"), test=0.5)
    assert data.classes == ("Käfer", "bee") and data.train_labels.tolist() == [0, 1]


def test_numbers_are_classes_in_order_of_numbers(folder):
    data = load(folder, rows(10, 9, 10, 9, 2, 2, 10, 9), test=0.3)
    assert data.classes == ("2", "9", "10")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (rows(0.5, 1, 2, 0.5), r"labels that are not whole numbers from 0: 0.5; a label is a class, by name or number"),
        (rows(1, -1, 1, -1), r"not whole numbers from 0: -1"),
        (rows(*"aaaa"), "the dataset has one class, a"),
        (
            rows("a", "b", "a", "b").replace("1.png", "x.png"),
            "lists 1 file that is not in .*data: x.png; put them there, or write images: the folder",
        ),
        ("file,y\n" + "".join(f"no{n}.png,{n % 2}\n" for n in range(8)), "lists 8 files .*: no0.png, .*no4.png and 3 more;"),
        (rows("a", "b").replace("1.png", "0.png"), "lists 1 image more than once: 0.png; list each once, with its one label"),
        (rows("a", "b", "a|b", "a"), r"has the label 'a\|b' besides a and b: several labels for an image are another task"),
        (rows("a", "b", '"b, a"', "a"), "has the label 'b, a' besides b and a: several labels"),
        (rows("a", "", "b"), "has a row without file or y: '1.png,'; fill it in"),
        ("file;label;z\n0.png;a;1\n", "has no column y; there are file, label, z"),
        ("file,y\n", "has no rows; list an image in each"),
        ("", "has no column file and y; there are none"),
        ("image,y\n0.png,a\n", "has no column file; there are image, y"),
        (rows("a", "b", "a"), "class b has 1 image, too few to be in train and test"),
        (
            rows("a", "b", "a, b", "a"),
            "has a row of more cells than columns: '2.png,a, b'; put quotes around a cell with ',' in",
        ),
        (rows("a,b", "b,a", head="file,y,y"), "has two columns of one name; its first line is 'file,y,y': rename one"),
        (rows("a", "b", "a") + "./0.png,a\n", "lists 1 image more than once: 0.png"),
        (rows("a", "b", '"a', "b"), r"damaged up to line 5 \(unexpected end of data\); a cell that begins with a quote must"),
        (rows("a", '"b" c', "a", "b"), r"damaged up to line 3 .* and quotes inside it are doubled"),
        (rows("1", "2", "01", "1"), "has the labels 01 and 1, which are one number; write each class in one way, or by a name"),
        (rows("0", "1", "000", "1"), "has the labels 0 and 000, which are one number"),
        (rows("9" * 5000, "0.5"), "labels that are not whole numbers from 0: 0.5"),
    ],
)
def test_refusals(text, said, folder):
    with pytest.raises(StudyError, match=said):
        load(folder, text)


def test_a_comma_in_a_class_name_is_no_second_label(folder):
    assert load(folder, rows('"crane, bird"', "crane", '"crane, bird"', "crane")).classes == ("crane", "crane, bird")


def test_parts_are_given_once_and_known(folder):
    text = "file,y,part\n0.png,a,train\n1.png,b,tuning\n"
    for options in ({"split": "part", "test": 0.2}, {"split": None, "test": None}):
        with pytest.raises(StudyError, match="needs either a column with train and test in it"):
            load(folder, text, **options)
    with pytest.raises(
        StudyError, match=r"x.csv has 'tuning' in the column part; there may be train, training, test, testing, val"
    ):
        load(folder, text, split="part", test=None)
    with pytest.raises(StudyError, match="the dataset has no test image"):
        load(folder, text.replace("tuning", "Training"), split="part", test=None)


def test_a_class_that_is_in_the_test_part_alone(folder):
    text = "file,y,part\n0.png,a,train\n1.png,b,train\n2.png,c,test\n"
    with pytest.raises(StudyError, match="1 of 3 classes have no train image: c"):
        load(folder, text, split="part", test=None)


def test_what_is_no_text(folder):
    (folder / "y.csv").write_bytes(b"file,y\n\xff.png,1\n")
    with pytest.raises(StudyError, match="is no table of text in UTF-8"):
        csv_file.read(folder / "y.csv", COLUMNS)
    with pytest.raises(StudyError, match="data is no table; write the path of the table in it"):
        csv_file.read(folder, COLUMNS)


def test_labels_belong_to_the_digest(folder, capsys):
    load(folder, rows(*"abababab"))
    md5 = capsys.readouterr().out.rsplit(": ", 1)[1].strip()
    load(folder, rows(*"abababab"), md5=md5)
    with pytest.raises(StudyError, match=f"instead of {md5}"):
        load(folder, rows(*"bbababab"), md5=md5)
