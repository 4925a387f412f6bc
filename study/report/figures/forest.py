"""The forest plot: every part of H1 to H3 with its effect, its interval and what could have come out."""

import textwrap
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from study.report.analysis import Analysis
from study.report.figures.style import WIDTH, canvas
from study.report.part_names import called, sampled
from study.statistics import verdicts
from study.statistics.parts import Part

COLOURS = {
    verdicts.SUPPORTED: "#0072B2",
    verdicts.REFUTED: "#D55E00",
    verdicts.TOO_SMALL: "#777777",
    verdicts.UNTELLABLE: "#999999",
}
SHOWN = 12  # parts of a hypothesis
ROW = 0.36  # inches
LETTERS, BOLD_LETTERS = 82, 74  # of a line
ROOM = 0.15  # of the intervals' span, on either side of them
LINE = 0.36  # of a row: what each further line of a label takes


def forest(analysis: Analysis) -> Figure | None:
    """Colour: verdict. Grey bar: what could have come out. Open mark: cannot be told. None where no part is tested.

    The axis is as wide as the intervals want it. A grey bar that goes on beyond it ends in an arrow.
    """
    rows: list[tuple[str, Part | None]] = []
    for finding in analysis.conclusions.hypotheses:
        shown = [part for part in sampled(finding.parts, SHOWN) if part.estimate is not None]
        if shown:
            cut = f" ({len(shown)} of {len(finding.parts)} parts, lowest to highest)" if len(finding.parts) > SHOWN else ""
            rows.append((f"{finding.key}: {finding.claim}{cut}", None))
            rows += [(called(analysis, finding.key, part), part) for part in shown]
    if not rows:
        return None
    texts = [_lines(text, LETTERS if part else BOLD_LETTERS) for text, part in rows]
    places = [row + LINE * sum(text.count("\n") for text in texts[: row + 1]) for row in range(len(rows))]
    with canvas(WIDTH, 1.3 + ROW * (places[-1] + 1)) as (figure, (axes,)):
        figure.suptitle(
            "Parts of the hypotheses\nblue: supported; orange: refuted; grey: too small to tell\n"
            "open: cannot be told; wide bar: what could have come out",
            x=0.01,
            ha="left",
            fontsize=9,
        )
        limits = _limits([part for _, part in rows if part is not None])
        axes.set_xlim(limits)
        for place, text, (_, part) in zip(places, texts, rows, strict=True):
            bold, foot = ("bold", place + 0.35) if part is None else ("normal", place)
            label = axes.text(0, foot, text, transform=axes.get_yaxis_transform(), fontsize=8, va="bottom", fontweight=bold)
            label.set_bbox({"facecolor": "white", "linewidth": 0, "pad": 0.3})
            label.set_in_layout(False)  # or the axes would make room for it
            if part is not None:
                _draw(axes, place + 0.17, part, limits)
        axes.axvline(0, color="#444444", linewidth=0.8)
        axes.set_ylim(places[-1] + 0.6, -0.6)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.set_xlabel("effect, points of top-1 error; right of 0: as claimed")
    return figure


def _lines(text: str, letters: int) -> str:
    return "\n".join(textwrap.wrap(text, letters, break_on_hyphens=False))


def _limits(parts: Sequence[Part]) -> tuple[float, float]:
    """What the axis shows, in points: 0 and every interval, with room beside them."""
    intervals = [part.estimate for part in parts if part.estimate is not None]
    low = 100 * min(0.0, *(each.low for each in intervals))
    high = 100 * max(0.0, *(each.high for each in intervals))
    room = ROOM * (high - low)
    return low - room, high + room


def _draw(axes: Axes, height: float, part: Part, limits: tuple[float, float]) -> None:
    estimate, colour = part.estimate, COLOURS[part.verdict]
    assert estimate is not None  # such parts are not shown
    if part.attainable is not None:
        low, high = (100 * end for end in part.attainable)
        axes.barh(height, high - low, left=low, height=0.22, color="#e2e2e2", linewidth=0)
        for end, marker, goes_on in zip(limits, "<>", (low < limits[0], high > limits[1]), strict=True):
            if goes_on:
                axes.plot([end], [height], marker, color="#b0b0b0", markersize=5, clip_on=False)
    axes.hlines(height, 100 * estimate.low, 100 * estimate.high, color=colour, linewidth=1.6)
    fill = "white" if part.verdict == verdicts.UNTELLABLE else colour
    axes.plot([100 * estimate.value], [height], "o", color=colour, markerfacecolor=fill, markersize=4.5)
