"""The forest plot: every part of H1 to H3 with its effect, its interval and what could have come out."""

import textwrap

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from study.report.analysis import Analysis
from study.report.figures.style import WIDTH, canvas
from study.report.part_names import called, some
from study.statistics import verdicts
from study.statistics.hypotheses import HYPOTHESES
from study.statistics.parts import Part

COLOURS = {
    verdicts.SUPPORTED: "#0072B2",
    verdicts.REFUTED: "#D55E00",
    verdicts.TOO_SMALL: "#777777",
    verdicts.UNTELLABLE: "#999999",
}
SHOWN = 12  # parts of a hypothesis
ROW = 0.36  # inches
LETTERS = 64  # of a line


def forest(analysis: Analysis) -> Figure | None:
    """Colour: verdict. Grey bar: what could have come out. Open mark: cannot be told. None where no part is tested."""
    rows: list[tuple[str, Part | None]] = []
    for key in HYPOTHESES:
        parts = analysis.conclusions.finding(key).parts
        shown = [part for part in some(parts, SHOWN) if part.estimate is not None]
        if shown:
            cut = f" ({SHOWN} of {len(parts)} parts, lowest to highest)" if len(parts) > SHOWN else ""
            claim = f"{key}: {analysis.conclusions.finding(key).claim}{cut}"
            rows.append(("\n".join(textwrap.wrap(claim, LETTERS)), None))
            rows += [(called(analysis, key, part), part) for part in shown]
    if not rows:
        return None
    with canvas(WIDTH, 1.3 + ROW * len(rows)) as (figure, (axes,)):
        figure.suptitle(
            "Parts of the hypotheses\nblue: supported; orange: refuted; grey: too small to tell\n"
            "open: cannot be told; wide bar: what could have come out",
            x=0.01,
            ha="left",
            fontsize=9,
        )
        for place, (text, part) in enumerate(rows):
            bold, height = ("bold", place + 0.1) if part is None else ("normal", place - 0.22)
            label = axes.text(0, height, text, transform=axes.get_yaxis_transform(), fontsize=7, va="center", fontweight=bold)
            label.set_bbox({"facecolor": "white", "linewidth": 0, "pad": 0.3})
            label.set_in_layout(False)  # or the axes would make room for it
            if part is not None:
                _draw(axes, place + 0.15, part)
        axes.axvline(0, color="#444444", linewidth=0.8)
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.margins(x=0.03)
        axes.set_xlabel("effect, points of top-1 error; right of 0: as claimed")
    return figure


def _draw(axes: Axes, height: float, part: Part) -> None:
    estimate, colour = part.estimate, COLOURS[part.verdict]
    assert estimate is not None  # such parts are not shown
    if part.attainable is not None:
        low, high = (100 * end for end in part.attainable)
        axes.barh(height, high - low, left=low, height=0.22, color="#e2e2e2", linewidth=0)
    axes.hlines(height, 100 * estimate.low, 100 * estimate.high, color=colour, linewidth=1.6)
    fill = "white" if part.verdict == verdicts.UNTELLABLE else colour
    axes.plot([100 * estimate.value], [height], "o", color=colour, markerfacecolor=fill, markersize=4.5)
