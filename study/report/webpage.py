"""A report page as one HTML file: opens from disk, asks no network, light and dark, narrow screens, print (shell.html).

string.Template fills the shell: it has two places, title and page, and no logic that jinja2 would serve. The blocks are
matched in Python, since every text in them goes through ``inline``, which escapes it.
"""

import base64
import html
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template

from study.report.columns import Table, numeric
from study.report.document import Block, Bullets, Details, Heading, Paragraph, Picture, Row
from study.report.text import inline

SHELL = Path(__file__).parent / "shell.html"


def webpage(blocks: Sequence[Block], figures: Mapping[str, bytes]) -> str:
    """``blocks``, which start with a heading, as one HTML document; ``figures`` holds the SVG of each picture by its name."""
    titles = [block.text for block in blocks if isinstance(block, Heading)]
    contents = "".join(f'<li><a href="#{_anchor(title)}">{inline(title)}</a></li>' for title in titles[1:])
    head, *rest = (_html(block, figures) for block in blocks)
    page = "\n".join([head, f'<nav aria-label="Contents"><ul>{contents}</ul></nav>', *rest])
    title = re.sub(r"<[^>]+>", "", inline(titles[0]))
    return Template(SHELL.read_text(encoding="utf-8")).substitute(title=title, page=page)


def _html(block: Block, figures: Mapping[str, bytes]) -> str:
    match block:
        case Heading(level, text):
            return f'<h{level} id="{_anchor(text)}">{inline(text)}</h{level}>'
        case Paragraph(text):
            return f"<p>{inline(text)}</p>"
        case Bullets(items):
            return "<ul>\n" + "\n".join(f"<li>{inline(item)}</li>" for item in items) + "\n</ul>"
        case Picture(name, description):
            svg = base64.b64encode(figures[name]).decode("ascii")
            return f'<figure><img alt="{html.escape(description)}" src="data:image/svg+xml;base64,{svg}"></figure>'
        case Row(pictures):
            return '<div class="row">\n' + "\n".join(_html(each, figures) for each in pictures) + "\n</div>"
        case Details(summary, inner):
            body = "\n".join(_html(each, figures) for each in inner)
            return f"<details>\n<summary>{inline(summary)}</summary>\n{body}\n</details>"
        case Table():
            return _table(block)


def _table(table: Table) -> str:
    rows = table.rows
    classes = [' class="number"' if numeric(rows, place) else "" for place in range(len(table.header))]
    head = "".join(f'<th scope="col"{each}>{inline(text)}</th>' for text, each in zip(table.header, classes, strict=True))
    body = "\n".join(
        "<tr>" + "".join(f"<td{each}>{inline(text)}</td>" for text, each in zip(row, classes, strict=True)) + "</tr>"
        for row in rows
    )
    notes = "".join(f"\n<p>{inline(note)}</p>" for note in table.notes)
    return (
        f'<section class="table">\n<div class="scroll" tabindex="0">\n<table>\n<caption>{inline(table.title)}</caption>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>\n</div>{notes}\n</section>"
    )


def _anchor(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
