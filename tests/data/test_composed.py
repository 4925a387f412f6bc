"""Names of files in a table and on disk that differ in how their characters are composed."""

import unicodedata

import pytest
from pictures import OPTIONS, lay

from study.base.errors import StudyError
from study.data import csv_file

COLUMNS = {**OPTIONS, "image": "file", "label": "y", "split": None, "images": None, "test": 0.5}
FILES = ["Käfer/ä.png", "Käfer/ö.png", "bee/ü.png", "bee/é.png"]


def read(folder, files):
    (folder / "x.csv").write_text("file,y\n" + "".join(f"{file},{'ab'[n % 2]}\n" for n, file in enumerate(files)))
    return csv_file.read(folder / "x.csv", COLUMNS)


def form(name, files):
    return [unicodedata.normalize(name, file) for file in files]


@pytest.mark.parametrize(("on_disk", "in_table"), [("NFD", "NFC"), ("NFC", "NFD"), ("NFD", "NFD")])
def test_either_form_is_found(on_disk, in_table, tmp_path):
    folder = lay(tmp_path, *form(on_disk, FILES))
    images = read(folder, form(in_table, FILES))
    items = [*images.train, *images.test]
    assert sorted(item.name for item in items) == sorted(form("NFC", FILES))
    assert sorted(item.content for item in items) == sorted(f"{folder}/{file}" for file in form(on_disk, FILES))


def test_what_may_be_two_files_is_refused(tmp_path):
    folder = lay(tmp_path, "Å.png", "A\u030a.png", "1.png")
    if len(list(folder.iterdir())) < 3:
        pytest.skip("this file system has one name for both")
    with pytest.raises(StudyError, match="\u212b.png may be either of 2 files there, in composed and decomposed characters"):
        read(folder, ["\u212b.png", "1.png"])  # the sign of the unit is a third form of it


def test_two_rows_of_one_file_are_refused(tmp_path):
    folder = lay(tmp_path, form("NFD", ["ä.png"])[0], "1.png")
    with pytest.raises(StudyError, match="lists 1 image more than once"):
        read(folder, ["ä.png", "1.png", form("NFD", ["ä.png"])[0]])


def test_what_is_not_there_is_said(tmp_path):
    with pytest.raises(StudyError, match="lists 2 files that are not in .*: nö/1.png, ö.png; put them there"):
        read(lay(tmp_path, "1.png", "n"), ["ö.png", "1.png", "nö/1.png"])
