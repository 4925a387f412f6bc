"""Output folders that are whole or absent, never half written."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replaced(folder: Path) -> Iterator[Path]:
    """An empty folder beside ``folder`` to write into; it takes the place of ``folder`` when the block ends well.

    When the block raises, it is removed and ``folder`` stays as it was. What a killed run left is removed by the next.
    """
    draft, former = (folder.with_name(f".{folder.name}.{kind}") for kind in ("draft", "former"))
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    try:
        yield draft
        shutil.rmtree(former, ignore_errors=True)
        if folder.exists():
            folder.rename(former)
        draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        shutil.rmtree(former, ignore_errors=True)
