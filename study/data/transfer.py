"""Files over HTTP(S): resumed where they broke off, tried again on passing errors, checked, renamed when complete.

urllib of the standard library does it, because stages also run by hand where no HTTP library is promised.
"""

import fcntl
import hashlib
import http.client
import importlib
import os
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from study.base.console import progress, say
from study.base.errors import StudyError

ATTEMPTS = 5  # in a row without a single new byte; then the transfer is given up
BACKOFF = 1.0  # seconds before the second attempt, doubled before each one after it
TIMEOUT = 30.0  # seconds without an answer, or without a byte
CHUNK = 1 << 16  # bytes
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})  # HTTP statuses worth another attempt


class _InterruptedError(Exception):
    """A transfer that broke off for a reason that may pass; its text is the reason."""


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
def fetched(url: str, folder: Path, name: str, expected: Checksum | None, way_out: str) -> Iterator[Path]:
    """The file behind ``url`` as ``folder/name``, for the length of the block.

    What a broken transfer left in ``folder/name.part`` is gone on with, if the server still has the same version of the
    file. A complete file stays after a block that raised, where ``expected`` can tell later that it is the right one;
    after a block that ended well nothing stays. One process at a time has ``name``; others wait. ``way_out`` ends
    the sentence of every StudyError: what to do where the network cannot help.
    """
    if not url.startswith(("http://", "https://")):
        raise StudyError(f"{url!r} is not an http or https URL; {way_out}.")
    folder.mkdir(parents=True, exist_ok=True)
    path, part = folder / name, folder / f"{name}.part"
    with _alone(folder / f"{name}.lock"):
        if expected is None:
            path.unlink(missing_ok=True)
        if not path.exists() or (expected and expected.of(path) != expected.digest):
            _download(url, part, way_out)
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


def _download(url: str, part: Path, way_out: str) -> None:
    """Fill ``part`` to its end, over as many attempts as bring something new."""
    failures = 0
    while True:
        before = _size(part)
        try:
            _attempt(url, part, way_out)
            return
        except _InterruptedError as error:
            after = _size(part)
            failures = 1 if after > before else failures + 1
            if failures >= ATTEMPTS:
                kept = f" ({after:,} bytes are kept, the same command goes on from there)" if after else ""
                raise StudyError(f"{url} could not be fetched: {error}{kept}; {way_out}.") from None
            wait = BACKOFF * 2 ** (failures - 1)
            say(f"transfer of {url} interrupted: {error}; going on from byte {after:,} in {wait:.0f} s")
            time.sleep(wait)


def _attempt(url: str, part: Path, way_out: str) -> None:
    """One request for what ``part`` still lacks. Raises _InterruptedError where another attempt may help."""
    version_file = _version_file(part)
    offset = _size(part)
    headers = {"Accept-Encoding": "identity", "User-Agent": "image-classification-study"}
    if offset and version_file.exists():
        # If-Range: a server whose file has changed answers with all of it, so that two versions are never joined.
        headers |= {"Range": f"bytes={offset}-", "If-Range": version_file.read_text(encoding="ascii")}
    else:
        offset = 0
    try:
        response = urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=TIMEOUT, context=_trust())
    except urllib.error.HTTPError as error:
        with error:
            if error.code == 416 and error.headers.get("Content-Range") == f"bytes */{offset}":
                return  # the last run was stopped between the last byte and the rename
            if error.code == 416:
                part.unlink()
                raise _InterruptedError("the server's file is shorter than what is here, starting again") from None
            if error.code in PASSING:
                raise _InterruptedError(f"the server answered {error.code} {error.reason}") from None
            raise StudyError(
                f"{url} could not be fetched: the server answered {error.code} {error.reason}; {way_out}."
            ) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, ssl.SSLCertVerificationError) or isinstance(error, ValueError):
            raise StudyError(f"{url} could not be fetched: {reason}; {way_out}.") from None
        raise _InterruptedError(_told(reason)) from None
    with response:
        if response.status != 206:
            offset = 0
        elif not response.headers.get("Content-Range", "").startswith(f"bytes {offset}-"):
            part.unlink()
            raise _InterruptedError("the server sent another part than was asked for, starting again")
        length = response.headers.get("Content-Length")
        total = offset + int(length) if length is not None else None
        _remember_version(response, version_file)
        if not offset:
            say(f"fetching {url}{f' ({total:,} bytes)' if total else ''}")
        _receive(response, part, offset, total, way_out)


def _receive(response: Any, part: Path, offset: int, total: int | None, way_out: str) -> None:
    """Write the body of ``response`` into ``part`` from ``offset``; ``total`` is the whole file's length in bytes."""
    done = offset
    bar = progress(total=total, initial=offset, unit="B", unit_scale=True, desc=part.stem)
    with bar, _writing(part, way_out), part.open("ab" if offset else "wb", buffering=0) as file:
        while True:
            try:
                chunk = memoryview(response.read(CHUNK))
            except (OSError, http.client.HTTPException) as error:
                raise _InterruptedError(_told(error)) from None
            if not chunk:
                break
            done += len(chunk)
            bar.update(len(chunk))
            while chunk:
                chunk = chunk[file.write(chunk) :]
    if total is not None and done < total:
        raise _InterruptedError(f"the connection closed after {done:,} of {total:,} bytes")


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
    if version and version.isascii():
        version_file.write_text(version, encoding="ascii")
    else:
        version_file.unlink(missing_ok=True)


def _version_file(part: Path) -> Path:
    return part.with_name(f"{part.name}.version")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _told(reason: object) -> str:
    """An exception in words: some have no text of their own."""
    text = getattr(reason, "strerror", None) or str(reason)
    return text or type(reason).__name__


def _trust() -> ssl.SSLContext:
    """The system's certificates, and certifi's where it is installed: Python for macOS comes without any."""
    context = ssl.create_default_context()
    with suppress(ImportError):
        context.load_verify_locations(importlib.import_module("certifi").where())
    return context


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Hold ``lock``: two experiments that DVC runs at once must not write into one .part."""
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"another process is fetching {lock.stem}; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
