"""Weights & Biases, for those who turn it on with its own variables: one run per cell, train and evaluate in the same.

On where WANDB_MODE is set, unless it says disabled; where it is not set, on with WANDB_PROJECT, WANDB_ENTITY or
WANDB_API_KEY. It never stops a stage: what goes wrong is one line of warning.
"""

import http.client
import os
import secrets
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from study.base.console import say
from study.base.errors import StudyError, one_line
from study.design.cells import Cell
from study.settings.params import Params

SECONDS = 5.0  # to wait for the server of Weights & Biases
PROJECT = "robustness-matrix"


def wanted() -> bool:
    """Whether the user has turned Weights & Biases on."""
    mode = os.environ.get("WANDB_MODE")
    if mode:
        return mode != "disabled"
    return any(os.environ.get(f"WANDB_{name}") for name in ("PROJECT", "ENTITY", "API_KEY"))


def new_id() -> str | None:
    """An id for the run of a new training; None where tracking is off."""
    return secrets.token_hex(4) if wanted() else None


class Tracker:
    """One run of Weights & Biases, or nothing where ``run_id`` is None, tracking is off or wandb fails."""

    def __init__(self, cell: Cell, run_id: str | None, config: Mapping[str, Any] | None = None):
        self._run: Any = None
        if run_id is None or not wanted():
            return
        with _warning("does not start"):
            import wandb

            offline = os.environ.get("WANDB_MODE") != "offline" and not _in_reach()
            if offline:
                say(f"warning: {_address()} is out of reach: the run is kept in the folder wandb, `wandb sync` sends it.")
            self._run = wandb.init(
                mode="offline" if offline else None,
                project=os.environ.get("WANDB_PROJECT") or PROJECT,
                group=os.environ.get("WANDB_RUN_GROUP") or _study(),
                name=str(cell),
                id=run_id,
                resume="allow",
                config=dict(config) if config else None,
                dir=os.environ.get("WANDB_DIR") or os.environ.get("DVC_ROOT") or ".",
                settings=wandb.Settings(silent=True, console="off", init_timeout=30),
            )

    def log(self, values: Mapping[str, float], step: int | None = None) -> None:
        """Add ``values`` to the curves at ``step``."""
        if self._run is not None:
            with _warning("does not log"):
                self._run.log(dict(values), step=step)

    def summarise(self, values: Mapping[str, Any]) -> None:
        """Set ``values`` as results of the whole run."""
        if self._run is not None:
            with _warning("does not log"):
                self._run.summary.update(dict(values))

    def finish(self) -> None:
        """Close the run."""
        if self._run is not None:
            with _warning("does not finish"):
                self._run.finish()
            self._run = None


@contextmanager
def _warning(what: str) -> Iterator[None]:
    """Within it, an error becomes one line on the screen; ``what`` says what Weights & Biases fails to do."""
    try:
        yield
    except Exception as error:
        say(f"warning: Weights & Biases {what} ({one_line(error)}); the stage goes on without it.")


def _address() -> str:
    return os.environ.get("WANDB_BASE_URL") or "https://api.wandb.ai"


def _in_reach() -> bool:
    """Whether the server answers anything at all; wandb itself asks for a minute and a half."""
    try:
        urllib.request.urlopen(_address(), timeout=SECONDS).close()
    except urllib.error.HTTPError:
        return True
    except urllib.error.URLError as error:  # wandb trusts other certificates than Python itself: it may well get through
        return isinstance(error.reason, ssl.SSLCertVerificationError)
    except (OSError, ValueError, http.client.HTTPException):
        return False
    return True


def _study() -> str | None:
    """The study's name, to group its runs; tracking is never a reason to ask for more of params.yaml than is there."""
    try:
        return Params.load().study().name
    except StudyError:
        return None
