"""A report page as one HTML file: opens from disk, asks no network, light and dark, narrow screens, print."""

import base64
import html
import re
from collections.abc import Mapping, Sequence

from study.report.document import Block, Bullets, Details, Heading, Paragraph, Picture, inline
from study.report.table import Table

# default-src 'none': whatever the page held, a browser would fetch nothing.
HEAD = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
<main>
"""
TAIL = "</main>\n</body>\n</html>\n"
# Figures are drawn on white: on a dark page each keeps a light card of its own.
STYLE = """:root { color-scheme: light dark; --text: #1c1e21; --page: #fff; --soft: #5c636b; --line: #d9dde1; --band: #f4f6f8;
  --link: #0b5cad; }
@media (prefers-color-scheme: dark) { :root { --text: #e4e6e8; --page: #16181b; --soft: #a0a7ae; --line: #363b41;
  --band: #202327; --link: #7db8f0; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
main { max-width: 62rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.8rem; line-height: 1.2; margin: 0 0 1rem; }
h2 { font-size: 1.3rem; margin: 2.6rem 0 .8rem; padding-top: .8rem; border-top: 1px solid var(--line); }
h3 { font-size: 1.05rem; margin: 1.8rem 0 .6rem; }
p, li { max-width: 46rem; overflow-wrap: break-word; }
li { margin: .35rem 0; }
a { color: var(--link); }
nav ul { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; padding: 0; margin: 1rem 0; list-style: none; }
nav li { margin: 0; }
code { font: .88em ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
figure { margin: 1.2rem 0; overflow-x: auto; }
figure img { display: block; max-width: 100%; height: auto; background: #fff; border: 1px solid var(--line);
  border-radius: 6px; padding: .5rem; }
section.table { margin: 1.4rem 0; }
section.table > p { color: var(--soft); font-size: .88rem; margin: .4rem 0 0; }
section.table > .scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .88rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding-bottom: .4rem; }
th, td { padding: .3rem .7rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
thead th { background: var(--band); vertical-align: bottom; }
.number { text-align: right; white-space: nowrap; }
td code { overflow-wrap: normal; white-space: nowrap; }
details { margin: .7rem 0; padding: .4rem .8rem; border: 1px solid var(--line); border-radius: 6px; }
summary { cursor: pointer; }
@media (max-width: 40rem) { body { font-size: 15px; } th, td { padding: .25rem .45rem; }
  figure img { padding: .2rem; max-width: none; width: 38rem; } }
@media print {
  :root { color-scheme: light; --text: #000; --page: #fff; --soft: #444; --line: #bbb; --band: #f4f4f4; --link: #000; }
  body { font-size: 10pt; } main { max-width: none; padding: 0; } nav { display: none; }
  figure, tr { break-inside: avoid; } h2, h3, caption { break-after: avoid; }
  section.table > .scroll { overflow: visible; } table, section.table > p { font-size: 8pt; } th, td { padding: .15rem .35rem; }
  details { border: 0; padding: 0; } details::details-content { content-visibility: visible; display: block; }
}
"""


def webpage(blocks: Sequence[Block], figures: Mapping[str, bytes]) -> str:
    """``blocks``, which start with a heading, as one HTML document; ``figures`` holds the SVG of each picture by its name."""
    titles = [block.text for block in blocks if isinstance(block, Heading)]
    contents = "".join(f'<li><a href="#{_anchor(title)}">{inline(title)}</a></li>' for title in titles[1:])
    head, *rest = (_html(block, figures) for block in blocks)
    page = [head, f'<nav aria-label="Contents"><ul>{contents}</ul></nav>', *rest]
    return HEAD.format(title=html.escape(titles[0]), style=STYLE) + "\n".join(page) + "\n" + TAIL


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
        case Details(summary, inner):
            body = "\n".join(_html(each, figures) for each in inner)
            return f"<details>\n<summary>{inline(summary)}</summary>\n{body}\n</details>"
        case Table():
            return _table(block)


def _table(table: Table) -> str:
    classes = [' class="number"' if table.numeric(place) else "" for place in range(len(table.header))]
    head = "".join(f'<th scope="col"{each}>{inline(text)}</th>' for text, each in zip(table.header, classes, strict=True))
    rows = "\n".join(
        "<tr>" + "".join(f"<td{each}>{inline(text)}</td>" for text, each in zip(row, classes, strict=True)) + "</tr>"
        for row in table.rows
    )
    notes = "".join(f"\n<p>{inline(note)}</p>" for note in table.notes)
    return (
        f'<section class="table">\n<div class="scroll" tabindex="0">\n<table>\n<caption>{inline(table.title)}</caption>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table>\n</div>{notes}\n</section>"
    )


def _anchor(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
