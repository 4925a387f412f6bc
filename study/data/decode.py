"""Many image files to one .npy file of squares, by all processors; memory does not grow with the number of images.

Order and bytes do not depend on the number of processes: each image is decoded by itself, and rows are written in the
order of the files.
"""

import hashlib
import signal
import stat
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from study.base import machine
from study.base.console import progress
from study.base.errors import StudyError
from study.data.image import UnreadableError, square

FEW = 500  # images that one process decodes sooner than others would have started
_CHUNK = 8_000_000  # bytes of squares that a process hands over at once


Content = str | bytes | NDArray[np.uint8]  # a file's path, a file's bytes, or pixels (H, W) or (H, W, 3)


@dataclass(frozen=True, slots=True)
class Item:
    """One image: its name for messages and the digest, what it is made of, and its label from 0."""

    name: str
    content: Content
    label: int


@dataclass
class Decoded:
    """What became of the items, in their order: labels of the rows that were written, md5 sums, and failures."""

    labels: list[int] = field(default_factory=list)
    sums: list[tuple[str, str]] = field(default_factory=list)  # name and md5 of every file whose path was given
    unreadable: list[tuple[str, str]] = field(default_factory=list)  # name and reason


_Answer = tuple[list[str], list[bytes | str]]  # md5s ("" where there is no file), and the square or the reason


def decode(items: Iterable[Item], total: int, side: int, fit: str, path: Path, processes: int | None = None) -> Decoded:
    """Write the readable ones of ``items`` as uint8 (N, side, side, 3) to the .npy file ``path``, byte for byte as np.save.

    ``total`` is the number of items, for the progress bar; ``processes`` None stands for as many as there are usable
    processors. Raises StudyError where a process is killed, as the kernel does when memory is short.
    """
    processes = processes or (machine.processors() if total > FEW else 1)
    size = max(1, min(64, _CHUNK // (side * side * 3)))
    done = Decoded()
    with path.open("wb") as file, progress(total=total, unit="image", desc=path.stem) as bar:
        _header(file, total, side)
        for chunk, (sums, results) in _answers(iter(items), size, side, fit, processes):
            for item, md5, result in zip(chunk, sums, results, strict=True):
                if md5:
                    done.sums.append((item.name, md5))
                if isinstance(result, str):
                    done.unreadable.append((item.name, result))
                else:
                    done.labels.append(item.label)
                    file.write(result)
            bar.update(len(chunk))
        file.seek(0)
        _header(file, len(done.labels), side)
    return done


def _chunks(items: Iterator[Item], size: int) -> Iterator[list[Item]]:
    """``size`` items at a time, fewer where they are bytes in memory already: a few chunks per process are there at once."""
    chunk: list[Item] = []
    held = 0
    for item in items:
        chunk.append(item)
        held += len(item.content) if isinstance(item.content, bytes) else 0
        if len(chunk) == size or held >= _CHUNK:
            yield chunk
            chunk, held = [], 0
    if chunk:
        yield chunk


def _header(file: BinaryIO, count: int, side: int) -> None:
    """What np.save puts first; numpy pads it so that another ``count`` takes the same room."""
    described = {"descr": "|u1", "fortran_order": False, "shape": (count, side, side, 3)}
    np.lib.format.write_array_header_1_0(file, described)


def _answers(items: Iterator[Item], size: int, side: int, fit: str, processes: int) -> Iterator[tuple[list[Item], _Answer]]:
    """Chunks of ``size`` items and what became of them, in order; a few chunks per process are on the way at a time."""
    chunks = _chunks(items, size)
    if processes == 1:
        for chunk in chunks:
            yield chunk, _squares([item.content for item in chunk], side, fit)
        return
    # Spawned, as fork would copy threads' locks; Ctrl-C is the parent's to hear, which then ends the others.
    pool = ProcessPoolExecutor(processes, get_context("spawn"), signal.signal, (signal.SIGINT, signal.SIG_IGN))
    waiting: deque[tuple[list[Item], Future[_Answer]]] = deque()
    try:
        for chunk in chunks:
            waiting.append((chunk, pool.submit(_squares, [item.content for item in chunk], side, fit)))
            if len(waiting) > 3 * processes:
                first, future = waiting.popleft()
                yield first, future.result()
        for first, future in waiting:
            yield first, future.result()
    except BrokenProcessPool:
        raise StudyError(
            "a process that decodes images was killed, most likely for want of memory; free some and run the same command."
        ) from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _read(file: Path) -> bytes:
    """The bytes of ``file``. A pipe would be waited for, and a device has no end."""
    if not stat.S_ISREG(file.stat().st_mode):
        raise UnreadableError("no regular file")
    return file.read_bytes()


def _squares(contents: list[Content], side: int, fit: str) -> _Answer:
    """For each content the md5 of its file, and its square's bytes or the reason why there is none."""
    sums: list[str] = []
    results: list[bytes | str] = []
    for content in contents:
        md5 = ""
        try:
            if isinstance(content, str):
                content = _read(Path(content))
                md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
            results.append(square(content, side, fit).tobytes())
        except (OSError, ValueError, UnreadableError) as error:  # ValueError of a path with a zero byte
            results.append(getattr(error, "strerror", None) or str(error))
        sums.append(md5)
    return sums, results
