"""A report page as blocks, written as Markdown for a Git host; study/report/webpage.py writes the same as HTML."""

from collections.abc import Sequence
from dataclasses import dataclass

from study.report.columns import Table
from study.report.text import inline


@dataclass(frozen=True)
class Heading:
    """A heading of level 1 to 6."""

    level: int
    text: str


@dataclass(frozen=True)
class Paragraph:
    """Text with the marks of study/report/text.py."""

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
class Row:
    """Pictures side by side where there is room."""

    pictures: tuple[Picture, ...]


@dataclass(frozen=True)
class Details:
    """Blocks that a reader opens by a click on ``summary``, which is such a text too."""

    summary: str
    blocks: tuple["Block", ...]


Block = Heading | Paragraph | Bullets | Picture | Row | Details | Table


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
        case Row(pictures):
            return "\n".join(map(_markdown, pictures))
        case Details(summary, blocks):  # Git hosts read no Markdown inside the summary
            return f"<details>\n<summary>{inline(summary)}</summary>\n\n{markdown(blocks)}\n</details>"
        case Table():
            return f"**{block.title}**\n\n{block.markdown().rstrip()}"
