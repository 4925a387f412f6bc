"""Files over HTTP(S): resumed where they broke off, tried again on passing errors, checked, renamed when complete.

urllib of the standard library does it, because stages also run by hand where no HTTP library is promised. pooch does not
resume a broken download, and httpx and requests leave resuming, retrying and the check to their caller: what is written here
would stay. The 170 MB of CIFAR come over poor lines.
"""

import fcntl
import hashlib
import http.client
import os
import shutil
import ssl
import string
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from study.base.console import progress, say
from study.base.errors import StudyError
from study.data import connection
from study.data.connection import Body, Interruption, words

ATTEMPTS = 5  # in a row without STEP more bytes than ever before; then the transfer is given up
STEP = 1 << 14  # bytes
BACKOFF = 1.0  # seconds before the second attempt, doubled before each one after it
CHUNK = 1 << 16  # bytes
SLOWEST, WINDOW = 512, 60.0  # bytes a second, and the seconds for which a server may be slower
LARGEST = 64 << 30  # bytes of a file whose length the server does not say
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})  # HTTP statuses worth another attempt


@dataclass(frozen=True)
class Checksum:
    """What a file's bytes must add up to: ``algorithm`` is a name that hashlib knows, ``digest`` hexadecimal."""

    algorithm: str
    digest: str

    def of(self, path: Path) -> str:
        """The checksum that ``path`` really has."""
        with path.open("rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.new(self.algorithm, usedforsecurity=False)).hexdigest()


def downloads() -> Path:
    """Where transfers lie until they are complete and used: outside every DVC output, which DVC deletes at a stage's start."""
    return Path(os.environ.get("DVC_ROOT", "."), ".dvc", "tmp", "downloads")


@contextmanager
def fetched(
    url: str, folder: Path, name: str, expected: Checksum | None, way_out: str, largest: int = LARGEST
) -> Iterator[Path]:
    """The file behind ``url`` as ``folder/name``, for the length of the block.

    What a broken transfer left in ``folder/name.part`` is gone on with, if the server still has the same version of the
    file. A complete file stays after a block that raised, where ``expected`` can tell later that it is the right one;
    after a block that ended well nothing stays. One process at a time has ``name``; others wait. ``way_out`` ends
    the sentence of every StudyError: what to do where the network cannot help. ``largest`` is in bytes.
    """
    if not url.startswith(("http://", "https://")):
        raise StudyError(f"{url!r} is not an http or https URL; {way_out}.")
    folder.mkdir(parents=True, exist_ok=True)
    path, part = folder / name, folder / f"{name}.part"
    with _alone(folder / f"{name}.lock"):
        if expected is None:
            path.unlink(missing_ok=True)
        if not path.exists() or (expected and expected.of(path) != expected.digest):
            _download(url, part, way_out, largest)
            if expected is not None:
                _check(url, part, expected, way_out)
            part.replace(path)
            _version_file(part).unlink(missing_ok=True)
        try:
            yield path
        except BaseException:
            if expected is None:
                path.unlink(missing_ok=True)
            raise
        path.unlink(missing_ok=True)


def _check(url: str, part: Path, expected: Checksum, way_out: str) -> None:
    found = expected.of(part)
    if found != expected.digest:
        part.unlink()
        _version_file(part).unlink(missing_ok=True)
        raise StudyError(
            f"{url} has the {expected.algorithm} {found} instead of {expected.digest}: what was downloaded is deleted; "
            f"run the same command to fetch it again, or {way_out}."
        )


def _download(url: str, part: Path, way_out: str, largest: int) -> None:
    """Fill ``part`` to its end, over as many attempts as bring something new."""
    failures, best = 0, _size(part)
    while True:
        try:
            _attempt(url, part, way_out, largest)
            return
        except Interruption as error:
            after = _size(part)
            failures = 1 if after >= best + STEP else failures + 1
            best = max(best, after)
            if failures >= ATTEMPTS:
                kept = f" ({after:,} bytes are kept, the same command goes on from there)" if after else ""
                raise StudyError(f"{url} could not be fetched: {error}{kept}; {way_out}.") from None
            wait = BACKOFF * 2 ** (failures - 1)
            say(f"transfer of {url} interrupted: {error}; going on from byte {after:,} in {wait:.0f} s")
            time.sleep(wait)


def _attempt(url: str, part: Path, way_out: str, largest: int) -> None:
    """One request for what ``part`` still lacks. Raises Interruption where another attempt may help."""
    version = _version(part)
    offset = _size(part) if version else 0
    headers = {"Accept-Encoding": "identity", "User-Agent": "image-classification-study"}
    if offset:
        # If-Range: a server whose file has changed answers with all of it, so that two versions are never joined.
        headers |= {"Range": f"bytes={offset}-", "If-Range": version}
    try:
        quoted = urllib.parse.quote(url, safe=string.punctuation)  # spaces and umlauts; what is quoted stays as it is
        response = connection.opened(urllib.request.Request(quoted, headers=headers))
    except urllib.error.HTTPError as error:
        with error:
            if error.code == 416 and offset:
                if error.headers.get("Content-Range") == f"bytes */{offset}":
                    return  # the last run was stopped between the last byte and the rename
                part.unlink()
                raise Interruption("the server's file is shorter than what is here, starting again") from None
            said = f"the server answered {error.code} {words(error.reason)}"
            if error.code in PASSING:
                raise Interruption(said) from None
            raise StudyError(f"{url} could not be fetched: {said}; {way_out}.") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, ssl.SSLCertVerificationError) or isinstance(error, connection.HOPELESS):
            raise StudyError(f"{url} could not be fetched: {words(reason)}; {way_out}.") from None
        raise Interruption(words(reason)) from None
    with response:
        try:
            told = connection.body(response, url, offset, way_out)
        except Interruption:
            part.unlink(missing_ok=True)
            raise
        limit = min(largest, _room(part) + told.start)
        if told.total is not None and told.total > limit:
            raise StudyError(f"{url} has {told.total:,} bytes, more than the {limit:,} that fit here; {way_out}.")
        _remember_version(response, _version_file(part))
        if not told.start:
            say(f"fetching {url}{f' ({told.total:,} bytes)' if told.total else ''}")
        if _receive(response, part, told, limit, way_out) > limit:
            part.unlink()
            raise StudyError(f"{url} goes on after {limit:,} bytes, and its length is not said; {way_out}.")


def _receive(response: Any, part: Path, told: Body, limit: int, way_out: str) -> int:
    """Write the body of ``response`` into ``part``, up to a little more than ``limit``; the bytes that ``part`` has then."""
    done = told.start
    marked, mark = done, time.monotonic()
    bar = progress(total=told.total, initial=done, unit="B", unit_scale=True, desc=part.stem)
    with bar, _writing(part, way_out), part.open("ab" if done else "wb", buffering=0) as file:
        while done <= limit:
            try:
                chunk = memoryview(response.read1(CHUNK))
            except (OSError, http.client.HTTPException) as error:
                raise Interruption(words(error)) from None
            if not chunk:
                break
            done += len(chunk)
            bar.update(len(chunk))
            while chunk:
                chunk = chunk[file.write(chunk) :]
            if (seconds := time.monotonic() - mark) >= WINDOW:
                if done - marked < SLOWEST * seconds:
                    raise Interruption(f"the server sends less than {SLOWEST} bytes a second")
                marked, mark = done, time.monotonic()
    if told.total is not None and done < told.total:
        raise Interruption(f"the connection closed after {done:,} of {told.total:,} bytes")
    return done


def _room(part: Path) -> int:
    """Bytes that are free where ``part`` lies."""
    return shutil.disk_usage(part.parent).free


@contextmanager
def _writing(part: Path, way_out: str) -> Iterator[None]:
    """Turn a full disk or a missing permission into one sentence."""
    try:
        yield
    except OSError as error:
        raise StudyError(
            f"{part} cannot be written ({error.strerror}): put that right and run the same command, which goes on from "
            f"what is there, or {way_out}."
        ) from None


def _remember_version(response: Any, version_file: Path) -> None:
    """Keep what names this version of the file, for If-Range; without one a later run starts at the first byte."""
    etag = response.headers.get("ETag")
    version = etag if etag and not etag.startswith("W/") else response.headers.get("Last-Modified")
    if version and version.isascii() and version.isprintable():
        version_file.write_text(version, encoding="ascii")
    else:
        version_file.unlink(missing_ok=True)


def _version(part: Path) -> str:
    """What names the version of the file that ``part`` is the beginning of; empty where nothing does."""
    try:
        return _version_file(part).read_text(encoding="ascii")
    except (OSError, ValueError):
        return ""


def _version_file(part: Path) -> Path:
    return part.with_name(f"{part.name}.version")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Hold ``lock``: two experiments that DVC runs at once must not write into one .part."""
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"another process is fetching {lock.stem}; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError:  # a file system without locks: nobody gets one there
            pass
        yield
