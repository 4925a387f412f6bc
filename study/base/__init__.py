"""Imported before all else by every command: what ends it while numpy or torch are imported is one sentence too."""

import sys
from types import TracebackType

from study.base.errors import OUT_OF_MEMORY, UNMAPPED


def _unhandled(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """For what console.run does not see, since it comes before any main has begun."""
    if issubclass(kind, MemoryError) or (issubclass(kind, ImportError) and UNMAPPED in str(error)):
        print(f"error: {OUT_OF_MEMORY}", file=sys.stderr)
    elif issubclass(kind, KeyboardInterrupt):
        print("stopped by Ctrl-C.", file=sys.stderr)  # Python then ends by the signal
    else:
        sys.__excepthook__(kind, error, trace)


sys.excepthook = _unhandled
