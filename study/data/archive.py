"""Data that come packed: a .zip or .tar, by path or URL, is unpacked beside the dataset that is being made.

Files alone are unpacked, none outside the folder meant for them and none over another; an archive that tries is refused whole.
"""

import lzma
import shutil
import stat
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any

from study.base.console import say
from study.base.errors import UNREADABLE, StudyError, counted, listed, one_line
from study.data import place
from study.data.transfer import Checksum, fetched
from study.settings.sources import is_url

ENDINGS = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
_LISTED = ", ".join(ENDINGS)
MOST = 100  # times the archive's own size may it unpack to, and a GB: more is no archive of images
DEEPEST = 100  # folders inside each other: what walks and removes them calls itself for each
_GB = 10**9
_BLOCK = 4096  # bytes that even an empty file takes
_NAMES = (tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE)
_LONGEST = 1 << 20
_UTF8 = 0x800  # the flag of a name in a .zip that is said to be UTF-8


@contextmanager
def opened(options: Mapping[str, Any], workdir: Path, draft: Path) -> Iterator[Path]:
    """What ``options`` name by path, inside and sha256: a folder or file, unpacked below ``draft`` for the length of the block.

    Archives behind a URL lie in ``workdir`` until they are complete. Raises StudyError where something is not there.
    """
    path, sha256 = options["path"], options["sha256"]
    if is_url(path):
        name = path.split("?")[0].rsplit("/", 1)[-1]
        if not name.lower().endswith(ENDINGS):
            raise StudyError(f"{path} does not end like an archive; fetch it by hand, or give one that ends in {_LISTED}.")
        if sha256 is None:
            raise StudyError(f"{path} needs its sha256 in the dataset's source in params.yaml; it is what `sha256sum` prints.")
        way_out = "fetch it by hand and write its path in the place of the URL"
        file = fetched(path, workdir, f"{sha256[:12]}-{name}", Checksum("sha256", sha256), way_out)
        with file as packed, _unpacked(packed, draft, path) as root:
            yield _inside(root, options["inside"], path)
        return
    there = place.found(path)
    if there.is_file() and there.name.lower().endswith(ENDINGS):
        if sha256 is not None and (found := Checksum("sha256", sha256).of(there)) != sha256:
            raise StudyError(f"{there} has the sha256 {found} instead of {sha256}; put the right one there.")
        with _unpacked(there, draft, path) as root:
            yield _inside(root, options["inside"], path)
    elif options["inside"] is not None or sha256 is not None:
        raise StudyError(f"{there} is no archive ({_LISTED}); take `inside` and `sha256` out of the dataset's source.")
    else:
        yield there


def _inside(root: Path, inside: str | None, path: str) -> Path:
    """The folder or file ``inside`` the unpacked archive; without it the first folder that does not just hold another."""
    if inside is not None:
        below = root / _safe(inside, path)
        if not below.exists():
            there = listed(sorted(each.name for each in root.iterdir()))
            raise StudyError(f"{path} has no {inside} inside; there are {there}.")
        return below
    while True:
        seen = [each for each in root.iterdir() if not each.name.startswith(".") and each.name != "__MACOSX"]
        if len(seen) != 1 or not seen[0].is_dir() or not any(each.is_dir() for each in seen[0].iterdir()):
            return root
        root = seen[0]


@contextmanager
def _unpacked(packed: Path, draft: Path, path: str) -> Iterator[Path]:
    """The folder, below ``draft``, that ``packed`` is unpacked to for the length of the block; people know it as ``path``."""
    root = draft / "unpacked"
    room = min(MOST * packed.stat().st_size + _GB, shutil.disk_usage(draft).free)
    say(f"unpacking {packed}")
    try:
        try:
            _unpack(packed, root, room)
        except (*UNREADABLE, tarfile.TarError, lzma.LZMAError) as error:  # RuntimeError is zipfile's word for a password
            raise StudyError(
                f"{packed} cannot be unpacked ({one_line(error)}); put a whole one there, without a password."
            ) from None
        with place.known_as(root, path):
            yield root
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _unpack(packed: Path, root: Path, room: int) -> None:
    """Write the files in ``packed`` below ``root``, at most ``room`` bytes of them."""
    root.mkdir()
    left, folders = room, {root, *root.parents}
    for name, file in _members(packed, root):
        target = root / _safe(name, str(packed))
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            copy = target.open("xb")
        except (FileExistsError, NotADirectoryError):
            raise StudyError(f"{packed} has two things called {name}; pack it anew, each under a name of its own.") from None
        with file, copy:
            while chunk := file.read(1 << 20):
                left -= len(chunk)
                if left < 0:
                    break
                copy.write(chunk)
        new = {*target.parents} - folders
        folders |= new
        left -= _BLOCK * (1 + len(new))
        if left < 0:
            raise StudyError(
                f"{packed} unpacks to more than {room:,} bytes, the free room here or {MOST} times its own size and a GB; "
                f"make room, or unpack it by hand if you trust it, and write that folder's path into params.yaml."
            )


def _members(packed: Path, root: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """Name and content of each file in ``packed``, of which those before it lie below ``root``.

    Symbolic links are passed over, which is said; folders and devices are too.
    """
    links = []
    if packed.name.lower().endswith(".zip"):
        with _zip(packed) as archive:
            for entry in archive.infolist():
                if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):  # others unpack to memory whole
                    raise zipfile.BadZipFile("only stored and deflated files are read")
                if stat.S_ISLNK(entry.external_attr >> 16):
                    links.append(entry.filename)
                elif not entry.filename.endswith(("/", "\\")):  # is_dir knows no folders of Windows
                    yield entry.filename, archive.open(entry)
    else:
        most = MOST * packed.stat().st_size + _GB
        with tarfile.open(packed, "r:*", tarinfo=_Header) as tar:
            for member in tar:
                if member.issym():
                    links.append(member.name)
                elif member.islnk():  # one more name of a file that came before
                    yield member.name, (root / _safe(member.linkname, str(packed))).open("rb")
                elif member.isreg() and (file := tar.extractfile(member)):
                    yield member.name, file
                elif tar.offset > most:  # what is passed over is unpacked too
                    raise tarfile.ReadError(f"it unpacks to more than {most:,} bytes")
                tar.members = []  # type: ignore[attr-defined]  # else the list of all members grows with the archive
            tar.fileobj.seek(tar.offset)
            if tar.fileobj.read(512) != bytes(512):
                raise tarfile.ReadError("it has no end")  # tarfile takes one that is cut between two files for a whole one
            _to_the_end(tar.fileobj, most)
    if links:
        say(f"{packed}: {counted(len(links), 'link is', 'links are')} passed over ({listed(links)})")


class _Header(tarfile.TarInfo):
    """A header of a .tar, whose names are no longer than a MB: tarfile reads them at once."""

    @classmethod
    def frombuf(cls, *arguments: Any) -> "_Header":
        header = super().frombuf(*arguments)
        if header.type in _NAMES and header.size > _LONGEST:
            raise tarfile.ReadError(f"a name of {header.size:,} bytes")
        return header


def _to_the_end(file: Any, most: int) -> None:
    """Read what follows, ``most`` bytes: gzip says at its end alone that what was unpacked was damaged. Raises as it does."""
    while chunk := file.read(1 << 20):
        most -= len(chunk)
        if most < 0:
            raise tarfile.ReadError("it goes on for ever behind its end")


def _zip(packed: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(packed, metadata_encoding="utf-8")  # as many programs write names without saying so
    except UnicodeDecodeError:
        archive = zipfile.ZipFile(packed)
        odd = [entry.filename for entry in archive.infolist() if not entry.filename.isascii() and not entry.flag_bits & _UTF8]
        say(
            f"{packed}: {counted(len(odd), 'name is', 'names are')} not UTF-8 and read as code page 437 ({listed(odd)}); "
            "where that is wrong, unpack it by hand, or pack it anew"
        )
        return archive


def _safe(name: str, archive: str) -> PurePosixPath:
    """``name`` as a path that stays below where it is unpacked; StudyError for any other."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or not path.parts or "\0" in name:
        raise StudyError(f"{archive} has a file {name!r}, which would lie outside the folder it is unpacked to; do not use it.")
    if len(path.parts) > DEEPEST:
        raise StudyError(f"{archive} has a file {len(path.parts):,} folders deep, and {DEEPEST} are read; pack it anew.")
    return path
