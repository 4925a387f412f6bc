"""Text with Markdown's **bold**, `code` and [links](to), and its way to HTML. What comes from outside is never markup."""

import html
import re

_MARK = re.compile(
    r"\\(?P<plain>[^A-Za-z0-9\s])|`(?P<code>[^`]+)`|\*\*(?P<strong>(?:\\.|[^*\\])+)\*\*"
    r"|\[(?P<text>(?:\\.|[^\]\\])+)\]\((?P<to>[^)\s]+)\)"
)
_SPECIAL = re.compile(r"[\\`*\[\]<>#~$&!]|(?<![^\W_])_|_(?![^\W_])|(?<=\w):(?=//)|(?<=\bwww)\.")


def escaped(text: object) -> str:
    """``text`` from outside (a label, a device, an error) so that neither Markdown nor HTML sees marks in it."""
    return _SPECIAL.sub(r"\\\g<0>", " ".join(str(text).split()))


def code(text: object) -> str:
    """A name from outside as code."""
    return f"`{' '.join(str(text).replace('`', chr(39)).split())}`"


def inline(text: str) -> str:
    """The marks of ``text`` as HTML. An interval, ``[−0.1, 2.0]``, is no link: no parenthesis follows it directly."""
    done, pieces = 0, []
    for mark in _MARK.finditer(text):
        pieces += [html.escape(text[done : mark.start()]), _element(mark)]
        done = mark.end()
    return "".join([*pieces, html.escape(text[done:])])


def _element(mark: re.Match[str]) -> str:
    match mark.lastgroup:
        case "plain":
            return html.escape(mark["plain"])
        case "code":
            return f"<code>{html.escape(mark['code'])}</code>"
        case "strong":
            return f"<strong>{inline(mark['strong'])}</strong>"
    return f'<a href="{html.escape(mark["to"])}">{inline(mark["text"])}</a>'
