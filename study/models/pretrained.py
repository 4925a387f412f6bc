"""Pre-trained weights, fetched: from the hub, a URL, a file, a folder or a cell. Always safetensors, never pickles.

Beside the weights lies a config.json as timm writes it, in every kind of source: mean, std and interpolation are the
weights' own, and nothing else can tell them. timm's defaults for the architecture would often be others (bilinear
for one set of ResNet50 weights, bicubic for the next), and nobody would see it.
"""

import errno
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from study.base.errors import UNREADABLE, StudyError, one_line
from study.base.sums import sha256
from study.data.connection import own_bundle
from study.data.transfer import Checksum, downloads, fetched
from study.design.cells import Cell
from study.models import from_cell
from study.settings.params import CELL, Weights

HUB = "hf-hub:"
CONFIG = "config.json"
FILE = "model.safetensors"
COMMIT = re.compile(r"[0-9a-f]{40}")
LARGEST_CONFIG = 1 << 24  # bytes
SHA256 = re.compile(r"[0-9a-f]{64}")
PICKLED = (".pth", ".pt", ".bin", ".ckpt", ".tar")
CONVERT = "python -m tools.convert makes a .safetensors file of one that torch pickled."
WAY_OUT = "weights.source in params.yaml also takes a local folder with config.json and model.safetensors"


@dataclass(frozen=True)
class Fetched:
    """What came with the weights: config.json, the hub's commit, and the sha256 that the file has."""

    config: Mapping[str, Any]
    revision: str | None
    sha256: str


def fetch(weights: Weights, target: Path) -> Fetched:
    """Copy the weights that ``weights.source`` names to ``target``, byte for byte, and check them against their sha256.

    Raises StudyError where something is absent, damaged or out of reach.
    """
    source = weights.source
    if source.startswith(CELL):
        config, revision = from_cell.fetch(Cell.parse(source.removeprefix(CELL)), target, weights.sha256), None
    elif source.startswith(HUB):
        config, revision = _from_hub(source, target)
    elif source.startswith(("http://", "https://")):
        config, revision = _from_url(source, weights.sha256, target), None
    else:
        config, revision = _from_disk(source, target), None
    found = sha256(target)
    if weights.sha256 is not None and found != weights.sha256:
        raise StudyError(
            f"{source} has the sha256 {found} instead of {weights.sha256}, which params.yaml gives; it is damaged, or another "
            "version than the study was set up for."
        )
    return Fetched(config, revision, found)


def _from_hub(source: str, target: Path) -> tuple[Mapping[str, Any], str]:
    """config.json and commit of ``hf-hub:owner/name[@revision]``; HF_ENDPOINT, HF_HOME and HF_HUB_OFFLINE are honoured."""
    bundle = own_bundle()
    if bundle is not None:  # httpx, which the hub's library is built on, knows this name alone
        os.environ.setdefault("SSL_CERT_DIR" if bundle.is_dir() else "SSL_CERT_FILE", str(bundle))
    from huggingface_hub import hf_hub_download

    repository, _, revision = source.removeprefix(HUB).partition("@")
    with _hub_errors(source):
        config = Path(hf_hub_download(repository, CONFIG, revision=revision or None))
        commit = config.parent.name  # the cache is laid out as snapshots/<commit>/<file>
        if not COMMIT.fullmatch(commit):
            raise StudyError(f"{source}: the hub's cache has no commit in {config}; {WAY_OUT}.")
        # By commit, so that both files belong together even if the repository changes in between.
        path = Path(hf_hub_download(repository, FILE, revision=commit))
    shutil.copyfile(path, target)
    # The cache links to a large file by the sha256 that the hub gives for it, and checks nothing but its length.
    promised = path.readlink().name if path.is_symlink() else ""
    if SHA256.fullmatch(promised) and sha256(target) != promised:
        raise StudyError(f"{path} is damaged: its sha256 is not the hub's; delete the file it links to and run this again.")
    return _parse(config.read_bytes(), f"{source}/{CONFIG}"), commit


@contextmanager
def _hub_errors(source: str) -> Iterator[None]:
    """Turn what huggingface_hub raises into one sentence."""
    from huggingface_hub import constants, errors

    try:
        yield
    except StudyError:
        raise
    except errors.LocalEntryNotFoundError as error:
        # The hub's own answer stands behind it, where there was one: too many requests, or no right to see it.
        answer = getattr(error.__cause__, "response", None)
        if answer is not None:
            hint = "wait a while, or set HF_TOKEN" if answer.status_code == 429 else "HF_TOKEN may give the right to it"
            reason = f"{constants.ENDPOINT} answered {answer.status_code} {answer.reason_phrase}: {hint}"
        elif constants.HF_HUB_OFFLINE:
            reason = (
                f"HF_HUB_OFFLINE is set and it is not in the cache {constants.HF_HUB_CACHE}: unset that, or copy the cache here"
            )
        else:
            reason = (
                f"{constants.ENDPOINT} is out of reach and it is not in the cache {constants.HF_HUB_CACHE}: run again with a "
                "network, or fill the cache elsewhere, copy it here and set HF_HUB_OFFLINE=1"
            )
    except errors.EntryNotFoundError:
        reason = f"the repository lacks {CONFIG} or {FILE} (of one with a .bin alone, {CONVERT.rstrip('.')})"
    except errors.RevisionNotFoundError:
        reason = "the repository has no such revision"
    except errors.RepositoryNotFoundError:
        reason = f"{constants.ENDPOINT} has no such repository, or shows it only to users with a token (HF_TOKEN)"
    except errors.HFValidationError:
        reason = "that is not of the form hf-hub:owner/name or hf-hub:owner/name@revision"
    # The HTTP library behind huggingface_hub is another one from version to version, and so are its errors.
    except Exception as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS):
            reason = f"the cache {constants.HF_HUB_CACHE} cannot be written ({error.strerror}): HF_HOME names another place"
        else:
            reason = f"{constants.ENDPOINT} failed ({type(error).__name__}: {one_line(error)})"
    else:
        return
    raise StudyError(f"{source} could not be fetched: {reason}; {WAY_OUT}.")


def _from_url(url: str, promised: str | None, target: Path) -> Mapping[str, Any]:
    """The config.json beside the .safetensors file at ``url``, whose sha256 is ``promised``."""
    path, mark, query = url.partition("?")
    if not path.endswith(".safetensors"):
        hint = f" {CONVERT}" if path.endswith(PICKLED) else ""
        raise StudyError(f"{url} is not a .safetensors file, and no other kind of weights is read; {WAY_OUT}.{hint}")
    beside = f"{path.rpartition('/')[0]}/{CONFIG}{mark}{query}"
    # Two URLs may end alike: transfers are kept apart by the whole of it.
    own = hashlib.sha256(url.encode()).hexdigest()[:16]
    needs = f"mean, std and interpolation come from a {CONFIG} beside the weights, and {WAY_OUT}"
    with fetched(beside, downloads(), f"{own}-{CONFIG}", None, needs, largest=LARGEST_CONFIG) as file:
        config = _parse(file.read_bytes(), beside)
    expected = Checksum("sha256", promised) if promised else None
    with fetched(url, downloads(), f"{own}-{FILE}", expected, WAY_OUT) as file:
        shutil.copyfile(file, target)
    return config


def _from_disk(source: str, target: Path) -> Mapping[str, Any]:
    """The config.json of a folder laid out like a hub repository, or beside a .safetensors file."""
    path = Path(os.path.expanduser(source))  # noqa: PTH111 (Path.expanduser raises where there is no such user)
    if path.is_dir():
        pickled = sorted(each.name for each in path.iterdir() if each.suffix in PICKLED)
        if pickled and not (path / FILE).is_file():
            raise StudyError(
                f"{path} has no {FILE}, but {pickled[0]}, which can run code and is not read. {CONVERT} weights.source is then "
                "that file."
            )
        path = path / FILE
    elif path.suffix != ".safetensors":
        raise StudyError(
            f"weights.source is {source!r} in params.yaml, which is neither a folder here nor a .safetensors file; "
            f"it may also be {HUB}owner/name or a URL." + (f" {CONVERT}" if path.suffix in PICKLED else "")
        )
    config = path.with_name(CONFIG)
    for needed in (path, config):
        if not needed.is_file():
            raise StudyError(
                f"{needed} is not here; weights.source {source!r} needs model weights with a {CONFIG} beside them."
            )
    shutil.copyfile(path, target)
    return _parse(config.read_bytes(), str(config))


def _parse(content: bytes, where: str) -> Mapping[str, Any]:
    try:
        config = json.loads(content)
    except UNREADABLE as error:
        raise StudyError(f"{where} is no readable JSON ({error}).") from None
    if not isinstance(config, dict) or not isinstance(config.get("pretrained_cfg", {}), dict):
        raise StudyError(f"{where} is not a configuration as timm writes it.")
    return config
