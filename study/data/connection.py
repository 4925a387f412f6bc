"""One HTTP(S) request: its answer within a limited time, whom it trusts, and what its headers say of the body."""

import http.client
import importlib
import os
import queue
import re
import ssl
import threading
import urllib.request
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from study.base.errors import StudyError, plain

TIMEOUT = 30.0  # seconds without a byte
PATIENCE = 60.0  # seconds until all headers of an answer are there
BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")  # certificates of a company's own, by custom
RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)")


class Interruption(Exception):  # noqa: N818 (not an error yet)
    """A transfer that broke off for a reason that may pass; its text is the reason."""


@dataclass(frozen=True)
class Body:
    """Where in the file a body begins, and how long the whole file is; None where the server does not say."""

    start: int
    total: int | None


def opened(request: urllib.request.Request) -> Any:
    """The answer to ``request``. Raises what urllib raises, and TimeoutError where it is not there after PATIENCE.

    A time limit of the connection alone would wait for ever on a server that sends a byte now and then.
    """
    answers: queue.Queue[Any] = queue.Queue()
    context = trust()

    def ask() -> None:
        try:
            answers.put(urllib.request.urlopen(request, timeout=TIMEOUT, context=context))
        except BaseException as error:
            answers.put(error)

    threading.Thread(target=ask, name="request", daemon=True).start()
    try:
        answer = answers.get(timeout=PATIENCE)
    except queue.Empty:
        raise TimeoutError(f"no whole answer within {PATIENCE:.0f} s") from None
    if isinstance(answer, BaseException):
        raise answer
    return answer


def trust() -> ssl.SSLContext:
    """The system's certificates, certifi's where it is installed (Python for macOS comes without any), and a bundle's."""
    context = ssl.create_default_context()
    with suppress(ImportError):
        context.load_verify_locations(importlib.import_module("certifi").where())
    bundle = own_bundle()
    if bundle is not None:
        try:
            context.load_verify_locations(**{"capath" if bundle.is_dir() else "cafile": str(bundle)})
        except OSError as error:  # ssl's own errors are of this kind too
            raise StudyError(f"the certificates in {bundle} cannot be read ({error}); {BUNDLES[0]} names them.") from None
    return context


def own_bundle() -> Path | None:
    """The certificates that the environment names, by the variables of requests, curl and OpenSSL."""
    return next((Path(os.environ[name]) for name in BUNDLES if os.environ.get(name)), None)


def body(response: Any, url: str, offset: int, way_out: str) -> Body:
    """What ``response`` carries, where ``offset`` was asked for. Raises StudyError for an answer that cannot be a file.

    Raises Interruption for a part that does not begin at ``offset``.
    """
    told, headers = response.headers.get("Content-Length"), response.headers
    wrong = None
    if response.status not in (200, 203, 206):
        wrong = f"answered {response.status}, which is no file"
    elif headers.get("Content-Encoding", "identity") != "identity":
        wrong = f"sends it packed ({headers['Content-Encoding']}) although it was asked not to"
    elif told is not None and not re.fullmatch(r"\d{1,18}", told):
        wrong = f"says that its length is {told[:40]!r}"
    if wrong:
        raise StudyError(f"{url} could not be fetched: the server {wrong}; {way_out}.")
    length = int(told) if told is not None else None
    if response.status != 206:
        return Body(0, length)
    part = RANGE.fullmatch(headers.get("Content-Range", "").strip())
    if part is None or int(part[1]) != offset or (length is not None and length != int(part[2]) - offset + 1):
        raise Interruption("the server sent another part than was asked for, starting again")
    return Body(offset, int(part[3]) if part[3] != "*" else int(part[2]) + 1)


def words(reason: object) -> str:
    """An exception in words: some have no text of their own."""
    text = getattr(reason, "strerror", None) or plain(str(reason))
    return text or type(reason).__name__


HOPELESS = (ValueError, http.client.InvalidURL)  # of urllib: the address or a header is wrong, and will stay so
