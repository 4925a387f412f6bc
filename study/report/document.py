"""A report page as blocks, written as Markdown for a Git host; study/report/webpage.py writes the same as HTML."""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass

from study.report.table import Table


@dataclass(frozen=True)
class Heading:
    """A heading of level 1 to 6."""

    level: int
    text: str


@dataclass(frozen=True)
class Paragraph:
    """Text with Markdown's **bold**, `code` and [links](to)."""

    text: str


@dataclass(frozen=True)
class Bullets:
    """A list of such texts."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Picture:
    """The figure figures/<name>.svg, with the words for who cannot see it."""

    name: str
    description: str


@dataclass(frozen=True)
class Details:
    """Blocks that a reader opens by a click on ``summary``, which is such a text too."""

    summary: str
    blocks: tuple["Block", ...]


Block = Heading | Paragraph | Bullets | Picture | Details | Table

MARKS = (
    (re.compile(r"`([^`]+)`"), r"<code>\1</code>"),
    (re.compile(r"\*\*([^*]+)\*\*"), r"<strong>\1</strong>"),
    (re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)"), r'<a href="\2">\1</a>'),
)


def inline(text: str) -> str:
    """A text of such marks as HTML. An interval, ``[−0.10, 2.00]``, is no link: no parenthesis follows it directly."""
    found = html.escape(text)
    for mark, element in MARKS:
        found = mark.sub(element, found)
    return found


def markdown(blocks: Sequence[Block]) -> str:
    """The page, ending in a newline."""
    return "\n\n".join(_markdown(block) for block in blocks) + "\n"


def _markdown(block: Block) -> str:
    match block:
        case Heading(level, text):
            return f"{'#' * level} {text}"
        case Paragraph(text):
            return text
        case Bullets(items):
            return "\n".join(f"- {item}" for item in items)
        case Picture(name, description):
            return f"![{description}](figures/{name}.svg)"
        case Details(summary, blocks):  # Git hosts read no Markdown inside the summary
            return f"<details>\n<summary>{inline(summary)}</summary>\n\n{markdown(blocks)}\n</details>"
        case Table():
            return f"**{block.title}**\n\n{block.markdown().rstrip()}"
