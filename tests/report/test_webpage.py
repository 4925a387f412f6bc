"""The report as one HTML file: the same content as the Markdown page, nothing fetched, well formed."""

import base64
import re
from html.parser import HTMLParser

from study.report.columns import Column, Table
from study.report.document import Bullets, Details, Heading, Paragraph, Picture, Row, markdown
from study.report.webpage import webpage

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"/>'
COLUMNS = (Column("Model", "model", lambda row: row[0]), Column("Δ", "delta", lambda row: row[1]))
TABLE = Table("t", "Errors of `a` & b", COLUMNS, (("a < b", "+1.0"), ("`x_y`", "–")), ("Below 0 is **better**.",))
BLOCKS = [
    Heading(1, "Report \\<of\\> it"),
    Heading(2, "What was found"),
    Bullets(("**H1: mixed.** +1.0 [−0.1, 2.0] points", "see [here](tables)")),
    Paragraph("`cell` & more"),
    TABLE,
    Row((Picture("gain", "A gain"), Picture("gain", "Another"))),
    Details("**C1** opens", (Picture("gain", 'The "gain"'), TABLE)),
]
VOID = {"meta", "img", "br", "hr", "link"}


class Reader(HTMLParser):
    """Collects text and attributes, and holds every element to its end tag."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""
        self.attributes: list[tuple[str, str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.text += data + (" " if self.open[-1] in ("th", "td") else "")


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return reader


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text)


def test_it_is_well_formed_and_says_what_the_markdown_says() -> None:
    page = read(webpage(BLOCKS, {"gain": SVG}))
    said = ("Report <of> it", "H1: mixed.", "+1.0 [−0.1, 2.0] points", "a < b", "x_y", "Below 0 is better.", "C1 opens")
    for text in said:
        assert text in page.text, text
    missing = set(words(re.sub(r"<[^>]+>|!\[[^\]]*\]\([^)]*\)", " ", markdown(BLOCKS)))) - set(words(page.text))
    assert missing == {"tables"} | ({"lt", "gt", "of"} & missing)  # the target of the link is in its attribute


def test_nothing_is_fetched_and_figures_are_inside() -> None:
    text = webpage(BLOCKS, {"gain": SVG})
    page = read(text)
    sources = [value for tag, name, value in page.attributes if name in ("src", "srcset", "data") or tag in ("link", "script")]
    assert sources == ["data:image/svg+xml;base64," + base64.b64encode(SVG).decode()] * 3
    assert ("img", "alt", 'The "gain"') in page.attributes
    assert [value for tag, name, value in page.attributes if name == "content" and "default-src 'none'" in value]
    assert "@import" not in text and "url(" not in text


def test_contents_lead_to_headings() -> None:
    page = read(webpage(BLOCKS, {"gain": SVG}))
    targets = {value for _, name, value in page.attributes if name == "id"}
    links = [value for tag, name, value in page.attributes if (tag, name) == ("a", "href") and value.startswith("#")]
    assert links == ["#what-was-found"] and {link[1:] for link in links} <= targets


def test_light_dark_narrow_and_print_have_their_styles() -> None:
    page = webpage(BLOCKS, {"gain": SVG})
    for query in ("prefers-color-scheme: dark", "max-width: 40rem", "@media print"):
        assert query in page, query
    assert not re.search(r"(?<!max-)(?<!min-)width: *\d+(rem|px)", page)  # nothing is wider than a phone


def test_white_of_figures_becomes_the_grey_of_a_dark_page() -> None:
    page = webpage(BLOCKS, {"gain": SVG})
    share = float(re.search(r"invert\((\.\d+)\)", page)[1])  # type: ignore[index]
    grey = int(re.search(r"--page: #(17)1717", page)[1], 16)  # type: ignore[index]
    assert round(255 * (1 - share)) == grey
