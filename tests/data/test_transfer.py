"""Transfers: resumed, repeated, checked, and told in one sentence when they fail."""

import errno
import hashlib
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from servers import Files, serving

from study.base.errors import StudyError
from study.data import connection, transfer
from study.data.transfer import Checksum, fetched

CONTENT = bytes(range(256)) * 2000  # 512,000 bytes
MD5 = Checksum("md5", hashlib.md5(CONTENT).hexdigest())


pytestmark = pytest.mark.usefixtures("no_waiting")


@pytest.fixture
def site():
    files = Files()
    files.files["/data.bin"] = CONTENT
    with serving(files):
        yield files


def get(site, folder, expected=MD5, path="/data.bin"):
    with fetched(site.url + path, folder, "data.bin", expected, "look elsewhere") as file:
        return file.read_bytes()


def names(folder):
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock")


def test_whole_file_and_nothing_left(site, tmp_path):
    assert get(site, tmp_path / "new") == CONTENT
    assert names(tmp_path / "new") == []


def test_spaces_and_umlauts_in_a_url_are_quoted_and_what_is_quoted_stays(site, tmp_path):
    site.files["/K%C3%A4fer%20%2B.bin?a=b"] = CONTENT
    assert get(site, tmp_path, path="/Käfer %2B.bin?a=b") == CONTENT


@pytest.mark.parametrize("etags", [True, False])
def test_cut_connection_goes_on_where_it_stopped(site, tmp_path, etags):
    site.cuts, site.etags = [100_000, 50_000], etags
    assert get(site, tmp_path) == CONTENT
    ranges = [asked for _, _, asked in site.requests]
    # Without a version of the file to ask for, the only safe way is from the start.
    assert ranges == ([None, "bytes=100000-", "bytes=150000-"] if etags else [None, None, None])


def test_next_run_goes_on_where_this_one_gave_up(site, tmp_path):
    site.cuts = [200_000, *[0] * 10]
    with pytest.raises(StudyError, match=r"closed after 200,000 of 512,000 bytes.*200,000 bytes are kept.*look elsewhere\.$"):
        get(site, tmp_path)
    assert (tmp_path / "data.bin.part").read_bytes() == CONTENT[:200_000]
    site.cuts, site.requests = [], []
    assert get(site, tmp_path) == CONTENT
    assert site.requests == [("GET", "/data.bin", "bytes=200000-")]


def test_two_versions_of_a_file_are_never_joined(site, tmp_path):
    site.cuts = [200_000, *[0] * 10]
    with pytest.raises(StudyError):
        get(site, tmp_path)
    other = CONTENT[::-1]
    site.files["/data.bin"], site.cuts = other, []
    assert get(site, tmp_path, expected=None) == other


def test_server_without_ranges_sends_all_of_it_again(site, tmp_path):
    site.ranges, site.cuts = False, [100_000]
    assert get(site, tmp_path) == CONTENT


def test_killed_between_the_last_byte_and_the_rename(site, tmp_path):
    (tmp_path / "data.bin.part").write_bytes(CONTENT)
    (tmp_path / "data.bin.part.version").write_text(site.etag(CONTENT))
    assert get(site, tmp_path) == CONTENT
    assert len(site.requests) == 1


def test_part_that_is_longer_than_the_file_is_dropped(site, tmp_path):
    (tmp_path / "data.bin.part").write_bytes(CONTENT + b"more")
    (tmp_path / "data.bin.part.version").write_text(site.etag(CONTENT))
    assert get(site, tmp_path) == CONTENT


@pytest.mark.parametrize("status", [429, 500, 503])
def test_passing_statuses_are_tried_again(site, tmp_path, status):
    site.statuses = [status, status]
    assert get(site, tmp_path) == CONTENT


def test_a_missing_file_is_told_at_once(site, tmp_path):
    with pytest.raises(StudyError, match=r"nothing\.bin could not be fetched: the server answered 404 .*; look elsewhere\.$"):
        get(site, tmp_path, path="/nothing.bin")
    assert len(site.requests) == 1


def test_wrong_checksum_deletes_the_part_and_says_so(site, tmp_path):
    site.files["/data.bin"] = CONTENT[:-1] + b"\0"
    with pytest.raises(
        StudyError, match=rf"the md5 \w+ instead of {MD5.digest}: what was downloaded is deleted.*look elsewhere"
    ):
        get(site, tmp_path)
    assert names(tmp_path) == []


def test_complete_file_survives_a_failure_after_it(site, tmp_path):
    with pytest.raises(RuntimeError), fetched(f"{site.url}/data.bin", tmp_path, "data.bin", MD5, "") as path:
        raise RuntimeError
    assert path.exists()
    site.requests = []
    assert get(site, tmp_path) == CONTENT
    assert site.requests == []


def test_unreachable_server(tmp_path):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/data.bin"
        with (
            pytest.raises(StudyError, match=r"could not be fetched: Connection refused; look elsewhere\.$"),
            fetched(url, tmp_path, "data.bin", MD5, "look elsewhere"),
        ):
            pass


def test_silent_server_times_out(tmp_path, monkeypatch):
    monkeypatch.setattr(connection, "TIMEOUT", 0.05)
    monkeypatch.setattr(transfer, "ATTEMPTS", 2)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/data.bin"
        with pytest.raises(StudyError, match="timed out"), fetched(url, tmp_path, "data.bin", MD5, "look elsewhere"):
            pass


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/data.bin", "file:///etc/passwd", "data.bin"])
def test_only_http_is_fetched(url, tmp_path):
    with pytest.raises(StudyError, match="not an http or https URL"), fetched(url, tmp_path, "data.bin", MD5, "look elsewhere"):
        pass


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full stands for a full disk, and is not on this system")
def test_full_disk(site, tmp_path):
    (tmp_path / "data.bin.part").symlink_to("/dev/full")
    with pytest.raises(StudyError, match=r"data\.bin\.part cannot be written \(No space left on device\).*look elsewhere\.$"):
        get(site, tmp_path)


def test_two_processes_do_not_share_a_part(site, tmp_path):
    site.files["/data.bin"] = CONTENT
    inside = threading.Event()
    order = []

    def second():
        inside.wait()
        assert get(site, tmp_path) == CONTENT
        order.append("second")

    other = threading.Thread(target=second)
    other.start()
    with fetched(f"{site.url}/data.bin", tmp_path, "data.bin", MD5, "") as path:
        inside.set()
        other.join(0.2)
        assert path.read_bytes() == CONTENT
        order.append("first")
    other.join()
    assert order == ["first", "second"]


def test_a_file_system_without_locks(site, tmp_path, monkeypatch):
    """As Lustre is where it is mounted without flock."""

    def none(*_):
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(transfer.fcntl, "flock", none)
    assert get(site, tmp_path) == CONTENT


def test_killed_process_leaves_a_part_that_the_next_run_uses(site, tmp_path, root):
    site.files["/data.bin"] = CONTENT * 40  # 20 MB
    program = f"""
import os, pathlib, signal, threading, time
from study.data import connection, transfer
part = pathlib.Path({str(tmp_path)!r}, "data.bin.part")
def kill():
    while not part.exists() or part.stat().st_size < 100_000: time.sleep(0.0005)
    os.kill(os.getpid(), signal.SIGKILL)
threading.Thread(target=kill, daemon=True).start()
transfer.CHUNK = 4096
with transfer.fetched({site.url + "/data.bin"!r}, part.parent, "data.bin", None, ""): time.sleep(60)
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=root, env={**os.environ, "PYTHONPATH": str(root)}, check=False)
    assert done.returncode == -9
    kept = (tmp_path / "data.bin.part").stat().st_size
    assert kept >= 100_000
    site.requests = []
    assert get(site, tmp_path, expected=None) == CONTENT * 40
    assert site.requests == [("GET", "/data.bin", f"bytes={kept}-")]


def test_downloads_lie_outside_the_outputs(monkeypatch):
    monkeypatch.delenv("DVC_ROOT", raising=False)
    assert transfer.downloads() == Path(".dvc/tmp/downloads")
    monkeypatch.setenv("DVC_ROOT", "/project")
    assert transfer.downloads() == Path("/project/.dvc/tmp/downloads")
