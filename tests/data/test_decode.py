"""Many files to one .npy: the same bytes for any number of processes, and what became of each file."""

import hashlib
import io
import os

import numpy as np
import pytest
from pictures import content

from study.base.errors import StudyError
from study.data import decode as module
from study.data.decode import Item, decode
from study.data.image import square


@pytest.fixture
def files(tmp_path):
    """Thirty files, three of them no images, one absent; as items."""
    items = []
    for number in range(30):
        file = tmp_path / f"{number}.png"
        if number != 17:
            file.write_bytes(b"nonsense" if number in (3, 20, 29) else content(number))
        items.append(Item(f"images/{number}.png", str(file), number % 5))
    return items


def test_any_number_of_processes_gives_the_same(files, tmp_path):
    answers = [decode(files, 30, 8, "crop", tmp_path / f"{n}.npy", processes=n) for n in (1, 3)]
    assert answers[0] == answers[1]
    assert (tmp_path / "1.npy").read_bytes() == (tmp_path / "3.npy").read_bytes()


def test_rows_labels_sums_and_failures(files, tmp_path):
    done = decode(files, 30, 8, "pad", tmp_path / "x.npy")
    bad = (3, 17, 20, 29)
    good = [number for number in range(30) if number not in bad]
    assert done.labels == [number % 5 for number in good]
    assert [name for name, _ in done.unreadable] == [f"images/{number}.png" for number in bad]
    assert dict(done.unreadable)["images/17.png"] == "No such file or directory"
    assert dict(done.sums)["images/4.png"] == hashlib.md5(content(4)).hexdigest()
    assert len(done.sums) == 29
    rows = np.stack([square(content(number), 8, "pad") for number in good])
    expected = io.BytesIO()
    np.save(expected, rows)
    assert (tmp_path / "x.npy").read_bytes() == expected.getvalue()


@pytest.mark.parametrize("processes", [1, 2])
def test_pipes_and_devices_are_not_read(tmp_path, processes):
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "zeros.png").symlink_to("/dev/zero")
    items = [Item(name, str(tmp_path / name), 0) for name in ("pipe.png", "zeros.png")]
    done = decode(items, 2, 8, "crop", tmp_path / "x.npy", processes)
    assert done.unreadable == [("pipe.png", "no regular file"), ("zeros.png", "no regular file")]


def test_bytes_and_pixels_are_taken_too(tmp_path):
    pixels = np.random.RandomState(0).randint(0, 256, (8, 8)).astype(np.uint8)
    done = decode([Item("a", content(1), 0), Item("b", pixels, 1)], 2, 8, "crop", tmp_path / "x.npy", processes=2)
    assert (done.labels, done.sums, done.unreadable) == ([0, 1], [], [])
    images = np.load(tmp_path / "x.npy")
    np.testing.assert_array_equal(images[0], square(content(1), 8, "crop"))
    np.testing.assert_array_equal(images[1], np.repeat(pixels[..., None], 3, axis=2))


def test_a_killed_process_is_one_sentence(files, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_squares", _die)
    with pytest.raises(StudyError, match="a process that decodes images was killed, most likely for want of memory"):
        decode(files, 30, 8, "crop", tmp_path / "x.npy", processes=2)


def _die(*_):
    os._exit(9)


def test_items_are_not_drawn_ahead_of_the_work(tmp_path):
    """A dataset larger than memory: only a few chunks are on the way."""
    drawn, ahead = 0, []
    size, processes = 64, 2

    def items():
        nonlocal drawn
        for number in range(2000):
            drawn += 1
            ahead.append(drawn - written())
            yield Item(str(number), file, 0)

    def written():
        path = tmp_path / "x.npy"
        return max(0, path.stat().st_size - 128) // (8 * 8 * 3) if path.exists() else 0

    file = content(0)
    decode(items(), 2000, 8, "crop", tmp_path / "x.npy", processes=processes)
    buffered = io.DEFAULT_BUFFER_SIZE * 2 // (8 * 8 * 3)
    assert max(ahead) <= (3 * processes + 3) * size + buffered
