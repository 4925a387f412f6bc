"""DVC's default remote, and what can be wrong with it before it carries the results of many machines."""

import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from study.base.errors import StudyError, one_line
from study.pipeline.dvc_errors import opened, translated

SECRETS = frozenset(
    (
        *("password", "passphrase", "token", "access_key_id", "secret_access_key", "session_token", "sse_customer_key"),
        *("account_key", "sas_token", "connection_string", "client_secret", "oss_key_secret", "gdrive_client_secret"),
    )
)  # of ssh and webdav, S3, Azure, OSS and Google Drive, as DVC names them


def checked(writing: bool) -> str:
    """The name of the default remote, fit to share results by; ``writing`` tries to put a file there and takes it away again.

    Raises StudyError where there is none, where it is http, where ``verify`` is off, where a secret stands in the
    configuration that git tracks, and where it cannot be written.
    """
    with translated(), opened() as repo:
        name = _configured(repo)
        if writing:
            _try_writing(repo, name)
        return name


def _configured(repo: Any) -> str:
    """The name of the default remote, whose configuration is fit."""
    name = repo.config["core"].get("remote")
    if not name or name not in repo.config["remote"]:
        raise StudyError("there is no default remote; dvc remote add --local -d store URL, as docs/remotes.md shows.")
    for each, tracked in repo.config.read("repo").get("remote", {}).items():
        _refuse_secrets(each, tracked)
    options = repo.config["remote"][name]
    if urlsplit(str(options["url"])).scheme in ("http", "https"):
        raise StudyError(
            f"the remote {name} is http, which DVC only reads and without records of runs; workers and the head need "
            "a path, ssh, s3 or webdav (docs/remotes.md)."
        )
    if not options.get("verify"):
        raise StudyError(
            f"the remote {name} does not verify what it gives, so that a damaged file would be taken; "
            f"dvc remote modify --local {name} verify true."
        )
    return str(name)


def _refuse_secrets(name: str, tracked: Mapping[str, Any]) -> None:
    """Raise StudyError where the section of the remote ``name`` in .dvc/config holds a secret: every clone gets it."""
    if urlsplit(tracked.get("url", "")).password:
        raise StudyError(
            f".dvc/config, which git tracks, has a password in the url of the remote {name}; dvc remote modify {name} url URL "
            f"without it, then dvc remote modify --local {name} password PASSWORD."
        )
    secrets = sorted(SECRETS & tracked.keys())
    if secrets:
        raise StudyError(
            f".dvc/config, which git tracks, holds {secrets[0]} of the remote {name}; "
            f"dvc remote modify --unset {name} {secrets[0]}, then set it with dvc remote modify --local."
        )


def _try_writing(repo: Any, name: str) -> None:
    """DVC takes a record of a run that could not be sent for a success, so a remote is tried before hours are spent."""
    try:
        remote = repo.cloud.get_remote(name)
        files, folder = remote.fs, remote.fs.join(remote.path, "tmp")
        path = files.join(folder, f"tried-{uuid.uuid4().hex}")
        files.makedirs(folder, exist_ok=True)
        files.pipe_file(path, b"a worker tries whether it can write here\n")
        files.rm_file(path)
    except Exception as error:  # each kind of remote has its own errors, and each of them means no
        raise StudyError(
            f"the remote {name} cannot be written: {type(error).__name__}: {one_line(error)}; put its address, its "
            "credentials or its base folder right (docs/remotes.md)."
        ) from None
