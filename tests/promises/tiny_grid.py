"""The tiny grid on which promises are tried, and its report."""

from pathlib import Path

MODELS = ("cnn_scratch", "cnn_glyphs")
REPORT = Path("reports/digits")


def report_bytes(clone):
    """What a report promises byte for byte: all but the pages, which quote provenance."""
    folder = clone / REPORT
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix not in (".md", ".html")
    }
