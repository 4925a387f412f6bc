"""How every figure looks, and how it is written: the same bytes each time, without dates or versions."""

import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from study.report.analysis import Analysis
from study.settings.params import Model

# Okabe and Ito's colours, which the colour-blind tell apart; markers and line styles carry the same in grey.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
DASHES = ("-", (0, (6, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)), (0, (3, 1, 1, 1, 1, 1)))
VARIANTS = (("-", "full"), ((0, (1, 1.5)), "left"), ((0, (6, 2, 1, 2)), "bottom"), ((0, (3, 1, 1, 1, 1, 1)), "top"))
LABEL = 32  # characters of a line of a label, or it would take the room of the axes
INTERVAL = "95 % interval"
WIDTH = 4.9  # inches, of every figure: a phone shows it at three quarters, where 9 points can still be read
LABEL_HEIGHT = 0.145  # inches, of a line of 8 points
RC: dict[Any, Any] = {
    "svg.hashsalt": "study",
    "svg.fonttype": "path",
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "text.parse_math": False,  # a $ in a name is a $
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.titley": 1.0,  # where it is anyway; or matplotlib looks for ticks above the axes each time that it draws
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.6,
    "figure.facecolor": "white",
    "figure.dpi": 100,
    "legend.frameon": False,
}


@dataclass(frozen=True)
class Style:
    """How a model is drawn: colour and marker by architecture, solid and filled where it is pre-trained.

    ``variant`` counts the pre-trained models of one architecture from 0: the next ones have other lines and half-filled marks.
    """

    colour: str
    marker: str
    pretrained: bool
    variant: int = 0

    @property
    def line(self) -> dict[str, Any]:
        """Keyword arguments of ``Axes.plot``."""
        return {
            "color": self.colour,
            "linestyle": VARIANTS[self.variant % len(VARIANTS)][0] if self.pretrained else (0, (5, 2)),
            "marker": self.marker,
            "fillstyle": VARIANTS[self.variant % len(VARIANTS)][1],
            "markerfacecoloralt": "white",
            "markerfacecolor": self.colour if self.pretrained else "white",
            "markersize": 5,
            "linewidth": 1.6,
        }


def style(analysis: Analysis, model: Model) -> Style:
    """The style of ``model``, by the place of its architecture among the grid's."""
    architectures = list(dict.fromkeys(each.scratch or each.name for each in analysis.grid.models))
    place = architectures.index(model.scratch or model.name)
    alike = [each.name for each in analysis.grid.models if each.weights is not None and each.scratch == model.scratch]
    variant = alike.index(model.name) if model.scratch and model.weights is not None else 0
    return Style(COLOURS[place % len(COLOURS)], MARKERS[place % len(MARKERS)], model.weights is not None, variant)


def broken(label: str) -> str:
    """``label`` in lines short enough to stand beside or above axes, three at most."""
    return "\n".join(textwrap.wrap(label, LABEL, max_lines=3, placeholder=" …")) or label


def drawable(classes: Sequence[str]) -> list[str]:
    """Names of classes as figures have them: their numbers where the font lacks a character, as it does of Chinese."""
    known = font_manager.get_font(font_manager.findfont(RC["font.family"])).get_charmap()
    return [name if all(ord(each) in known for each in name) else f"class {number}" for number, name in enumerate(classes)]


@contextmanager
def _own_settings() -> Iterator[None]:
    """Matplotlib's defaults and RC, whatever a user's matplotlibrc says."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(RC)
        yield


@contextmanager
def canvas(width: float, height: float, columns: int = 1, rows: int = 1) -> Iterator[tuple[Figure, list[Axes]]]:
    """A figure of ``width`` by ``height`` inches with its axes, row by row; no window system, no global state left."""
    with _own_settings():
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure, list(figure.subplots(rows, columns, squeeze=False).flat)


@contextmanager
def panels(analysis: Analysis, title: str, height: float) -> Iterator[tuple[Figure, list[tuple[Axes, Model]]]]:
    """A figure with a titled panel for each model, ``height`` inches high, at most two in a row."""
    models = analysis.grid.models
    columns = min(2, len(models))
    rows = -(-len(models) // columns)
    with canvas(WIDTH, 0.6 + height * rows, columns, rows) as (figure, every):
        figure.suptitle(title, x=0.01, ha="left", fontsize=10)
        for unused in every[len(models) :]:
            unused.set_axis_off()
        titled = list(zip(every, models, strict=False))
        for axes, model in titled:
            axes.set_title(broken(analysis.labels.model(model)), fontsize=9)
        yield figure, titled


def save(figure: Figure, folder: Path, name: str) -> None:
    """Write ``name``.svg and ``name``.png, without date, creator or software version."""
    with _own_settings():
        layout = figure.get_layout_engine()
        assert layout is not None  # canvas has set it
        layout.execute(figure)
        figure.set_layout_engine("none")  # laid out once, not again for each format
        # Not savefig, which draws every figure once more before it writes it.
        FigureCanvasSVG(figure).print_svg(str(folder / f"{name}.svg"), metadata={"Date": None, "Creator": None})  # type: ignore[no-untyped-call]
        figure.set_dpi(130)
        FigureCanvasAgg(figure).print_png(str(folder / f"{name}.png"), metadata={"Software": None})  # type: ignore[no-untyped-call]


def legend(analysis: Analysis, mark: str) -> str:
    """What the ``mark`` (band, bar) in a title shows; published numbers have bounds."""
    return f"{mark}: {INTERVAL if analysis.measured_here else '95 % bound'}"


def runs_legend(analysis: Analysis) -> str:
    """The line of a title that says what the small marks are; none where each mean is of one training."""
    return "\nsmall marks: single trainings" if len(analysis.grid.seeds) > 1 else ""


def apart(heights: Sequence[float], gap: float) -> list[float]:
    """Places near ``heights``, in the same order, at least ``gap`` apart: for labels at the ends of lines."""
    order = sorted(range(len(heights)), key=lambda place: (heights[place], place))
    blocks: list[tuple[float, list[int]]] = []  # centre of a run of labels that touch, and which they are
    for place in order:
        centre, members = heights[place], [place]
        while blocks and centre - blocks[-1][0] < gap * (len(members) + len(blocks[-1][1])) / 2:
            other, others = blocks.pop()
            centre = (centre * len(members) + other * len(others)) / (len(members) + len(others))
            members = others + members
        blocks.append((centre, members))
    placed = [0.0] * len(heights)
    for centre, members in blocks:
        for step, member in enumerate(members):
            placed[member] = centre + gap * (step - (len(members) - 1) / 2)
    return placed


def label_ends(axes: Axes, ends: Sequence[tuple[float, str, str]]) -> None:
    """Write each (height in data units, text, colour) beside the axes, moved apart where they would overlap."""
    if not ends:
        return
    bottom, top = axes.get_ylim()
    inches = axes.bbox.height / axes.figure.dpi  # before layout: near enough
    lines = max(broken(text).count("\n") + 1 for _, text, _ in ends)
    gap = abs(top - bottom) * lines * LABEL_HEIGHT / inches
    for (height, text, colour), place in zip(ends, apart([end[0] for end in ends], gap), strict=True):
        axes.annotate(
            broken(text),
            (1.0, height),
            xycoords=("axes fraction", "data"),
            xytext=(1.02, place),
            textcoords=("axes fraction", "data"),
            color=colour,
            fontsize=8,
            ha="left",
            va="center",
            annotation_clip=False,
        )


def log_fractions(axes: Axes, fractions: Sequence[float]) -> None:
    """A log axis with the ladder's ticks; data shrinks from left to right."""
    axes.set_xscale("log")
    axes.set_xticks(list(fractions), [f"{fraction:g}" if fraction < 1 else "1.0" for fraction in fractions])
    axes.minorticks_off()
    smallest, largest = min(fractions), max(fractions)
    axes.set_xlim((largest * 1.1, smallest / 1.1))
    axes.set_xlabel("train fraction (log scale)")


def nothing(axes: Axes, text: str) -> None:
    """Say inside empty axes why they are empty."""
    axes.set_yticks([])
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color="#666666")
