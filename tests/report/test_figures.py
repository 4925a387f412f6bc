"""Figures: the same bytes every time, nothing of the day in them, and labels that do not cover each other."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
from grids import MODELS, sections, write_cells, write_study
from matplotlib.figure import Figure
from small_reports import analysed

from study.report.analysis import Analysis
from study.report.figures import classes, comparisons, forest, fractions, learning
from study.report.figures.drawn import all_figures
from study.report.figures.style import WIDTH, apart, save, style
from study.results import collected as results
from study.settings.grid import Grid
from study.settings.params import Params
from study.statistics import verdicts
from study.statistics.calibration import wilson
from study.statistics.contrasts import Arm, penalty
from study.statistics.published import Published


@pytest.fixture(scope="module")
def analysis(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    return analysed(tmp_path_factory.mktemp("study"))


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def test_the_same_bytes_twice_without_dates_or_versions(analysis: Analysis, tmp_path: Path) -> None:
    for name in ("first", "second"):
        save(fractions.error_against_fraction(analysis, "easy"), tmp_path, name)
    for suffix in ("svg", "png"):
        first, second = ((tmp_path / f"{name}.{suffix}").read_bytes() for name in ("first", "second"))
        assert first == second
        assert not [word for word in (b"<dc:date", b"Software", b"Matplotlib") if word in first]


def test_lines_are_labelled_where_they_end_and_the_axis_has_the_ladder(analysis: Analysis) -> None:
    figure = fractions.error_against_fraction(analysis, "easy")
    assert sorted(texts(figure)) == ["CNN, pre-trained", "CNN, scratch", "ViT, pre-trained", "ViT, scratch"]
    (axes,) = figure.axes
    assert axes.get_xscale() == "log" and axes.get_legend() is None
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1.0", "0.5", "0.1"]
    assert len(axes.collections) == 2 * 4  # a band and its bars for each line
    assert [float(np.asarray(line.get_ydata())[0]) for line in axes.lines[4:]] == [pytest.approx(90)]  # guessing
    assert axes.get_ylim()[1] > np.max([np.nanmax(np.asarray(line.get_ydata())) for line in axes.lines])


@pytest.mark.parametrize("figure", [fractions.error_against_fraction, fractions.gain_against_fraction, fractions.slope])
def test_names_of_lines_that_end_close_together_do_not_overlap(
    figure: Callable[[Analysis, str], Figure | None], tmp_path: Path
) -> None:
    drawn = figure(analysed(tmp_path, error=lambda cell: 0.80 + 0.02 * ("vit" in cell.model) - 0.3 * cell.fraction), "easy")
    assert drawn is not None
    drawn.draw_without_rendering()
    boxes = sorted((text.get_window_extent() for text in drawn.axes[0].texts), key=lambda box: float(box.y0))
    assert len(boxes) >= 2
    for below, above in pairwise(boxes):
        assert below.y1 <= above.y0


@pytest.mark.parametrize("models", [None, ("cnn_scratch", "cnn_glyphs")])
def test_titles_fit_on_their_figures(models: tuple[str, ...] | None, tmp_path: Path) -> None:
    chosen = {"models": {name: MODELS[name] for name in models}} if models else {}
    for name, _, figure in all_figures(analysed(tmp_path, **chosen)):
        figure.draw_without_rendering()
        titles = [figure._suptitle, *(axes._left_title for axes in figure.axes)]  # type: ignore[attr-defined]
        for title in filter(None, titles):
            assert title.get_window_extent().x1 <= figure.bbox.x1, f"{name}: {title.get_text()}"


def test_several_seeds_show_single_runs_as_dots(tmp_path: Path) -> None:
    several = analysed(tmp_path, seeds=(0, 1, 2))
    lines = fractions.error_against_fraction(several, "easy").axes[0].lines
    dots = [line for line in lines if line.get_linestyle() == "None"]
    assert [len(np.asarray(line.get_ydata())) for line in dots] == [3 * 3] * 4
    assert len({(line.get_marker(), line.get_markerfacecolor()) for line in dots}) == 4
    for name, _, figure in all_figures(several):
        said = any("small marks: single trainings" in axes.get_title(loc="left") for axes in figure.axes)
        assert said == (name.split("_")[0] in ("error", "gain", "penalty")), name


def test_learning_curves_of_several_seeds_are_named_at_their_mean(tmp_path: Path) -> None:
    several = analysed(tmp_path, seeds=(0, 1, 2))
    figure = learning.learning_curves(several, "easy")
    assert figure is not None and figure._suptitle is not None  # type: ignore[attr-defined]
    assert "a line for each train fraction and seed" in figure._suptitle.get_text()  # type: ignore[attr-defined]
    runs = several.arm_results(Arm("easy", "cnn_scratch", 1.0))
    (label,) = [text for text in figure.axes[0].texts if text.get_text() == "1.0"]
    assert label.xy[1] == pytest.approx(100 * np.mean([run.history[-1].val_error for run in runs]))  # type: ignore[attr-defined]


def test_seeds_are_no_further_test_images(tmp_path: Path) -> None:
    """Three seeds on 300 images in 10 classes: the interval of a class is that of 30 images, not of 90."""
    figure = classes.hardest_classes(analysed(tmp_path, seeds=(0, 1, 2)), "easy")
    assert figure is not None
    axes = figure.axes[0]
    shares = np.asarray(axes.lines[0].get_xdata(), dtype=float) / 100
    low, high = wilson(shares, np.full(len(shares), 30))
    drawn = np.array([segment[:, 0] for segment in axes.collections[0].get_segments()]) / 100  # type: ignore[attr-defined]
    assert np.allclose(drawn, np.stack([low, high], axis=1))


def test_the_forest_plot_shows_every_part_by_its_verdict(analysis: Analysis) -> None:
    figure = forest.forest(analysis)
    assert figure is not None
    parts = [part for key in ("H1", "H2", "H3") for part in analysis.conclusions.finding(key).parts]
    (axes,) = figure.axes
    marks = [line for line in axes.lines if line.get_marker() == "o"]
    assert [float(np.asarray(mark.get_xdata())[0]) for mark in marks] == [
        pytest.approx(100 * part.estimate.value) for part in parts if part.estimate
    ]
    assert [mark.get_color() for mark in marks] == [forest.COLOURS[part.verdict] for part in parts]
    ranges = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in axes.patches]  # type: ignore[attr-defined]
    assert ranges == [pytest.approx([100 * end for end in part.attainable]) for part in parts if part.attainable]
    assert len(axes.texts) == 3 + len(parts)


def test_the_axis_of_the_forest_plot_fits_the_intervals_not_what_could_have_come_out(analysis: Analysis) -> None:
    figure = forest.forest(analysis)
    assert figure is not None
    (axes,) = figure.axes
    low, high = axes.get_xlim()
    parts = [part for key in ("H1", "H2", "H3") for part in analysis.conclusions.finding(key).parts]
    ends = [100 * end for part in parts if part.estimate for end in (part.estimate.low, part.estimate.high)]
    assert low < min(0, *ends) and max(0, *ends) < high
    assert high - low < 1.5 * (max(0, *ends) - min(0, *ends))
    arrows = {"<": 0, ">": 0}
    for line in axes.lines:
        if line.get_marker() in arrows:
            arrows[str(line.get_marker())] += 1
    ranges = [(100 * part.attainable[0], 100 * part.attainable[1]) for part in parts if part.attainable]
    assert arrows == {"<": sum(start < low for start, _ in ranges), ">": sum(end > high for _, end in ranges)}
    assert sum(arrows.values()) > 0


def test_what_cannot_be_told_is_an_open_mark(tmp_path: Path) -> None:
    study = analysed(tmp_path, error=lambda cell: 0.88 if cell.model == "vit_scratch" else 0.1 + 0.5 * (1 - cell.fraction))
    parts = [part for key in ("H1", "H2", "H3") for part in study.conclusions.finding(key).parts]
    assert verdicts.UNTELLABLE in {part.verdict for part in parts}
    figure = forest.forest(study)
    assert figure is not None
    marks = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    for mark, part in zip(marks, parts, strict=True):
        assert (mark.get_markerfacecolor() == "white") == (part.verdict == verdicts.UNTELLABLE)


def test_labels_of_the_forest_plot_fit_and_keep_apart(tmp_path: Path) -> None:
    """Long names are wrapped, and labels are as large as a phone needs."""
    label = "Vision Transformer Small of sixteen pixels a patch, of hub"
    models = {name: model | {"label": label if name.startswith("vit") else "CNN"} for name, model in MODELS.items()}
    figure = forest.forest(analysed(tmp_path, models=models))
    assert figure is not None
    figure.draw_without_rendering()
    labels = figure.axes[0].texts
    boxes = [text.get_window_extent() for text in labels]
    assert any("\n" in text.get_text() for text in labels)
    for text, box in zip(labels, boxes, strict=True):
        assert text.get_fontsize() >= 8 and box.x1 <= figure.bbox.x1, text.get_text()
    for above, below in pairwise(boxes):
        assert above.y0 >= below.y1


def test_figures_fit_a_phone(analysis: Analysis) -> None:
    for name, _, figure in all_figures(analysis):
        assert figure.get_figwidth() == WIDTH <= 5, name


def test_models_differ_in_grey_too(analysis: Analysis) -> None:
    looks = [style(analysis, model) for model in analysis.grid.models]
    assert len({(look.marker, look.pretrained) for look in looks}) == len(looks)
    assert len({look.colour for look in looks}) == 2  # one for each architecture


def test_no_line_crosses_a_missing_cell(tmp_path: Path) -> None:
    partial = analysed(tmp_path, leave_out=slice(1, 2))
    assert [str(cell) for cell in partial.missing] == ["easy-cnn_scratch-0.5-0"]
    heights = fractions.error_against_fraction(partial, "easy").axes[0].lines[0].get_ydata()
    assert np.isnan(np.asarray(heights, dtype=float)).tolist() == [False, True, False]


def test_what_is_missing_altogether_is_said_or_left_out(tmp_path: Path) -> None:
    partial = analysed(tmp_path, leave_out=slice(3))  # cnn_scratch on easy
    figure = fractions.error_against_fraction(partial, "easy")
    assert "CNN, scratch" not in texts(figure) and "CNN, pre-trained" in texts(figure)
    calibration = classes.calibration(partial, "easy")
    assert calibration is not None and "missing" in texts(calibration)
    penalties = comparisons.penalty_per_model(partial)
    assert penalties is not None and " missing" in texts(penalties)


def test_the_penalty_figure_gives_the_numbers_of_the_table(analysis: Analysis) -> None:
    figure = comparisons.penalty_per_model(analysis)
    assert figure is not None
    estimates = [analysis.estimate(penalty(analysis.grid.datasets, model.name, 1.0)) for model in analysis.grid.models]
    assert texts(figure) == [f"{100 * each.value:+.1f}".replace("-", "−") for each in estimates if each]


def test_what_cannot_be_shown_is_no_figure(tmp_path: Path) -> None:
    alone = analysed(tmp_path, datasets=("one",), models={"cnn_scratch": MODELS["cnn_scratch"]})
    assert fractions.gain_against_fraction(alone, "one") is None
    assert forest.forest(alone) is None
    assert comparisons.penalty_per_model(alone) is None
    assert comparisons.ours_beside_published(alone) is None


def test_a_confusion_matrix_of_a_hundred_classes_is_drawn(tmp_path: Path) -> None:
    params = sections(models={"cnn_scratch": MODELS["cnn_scratch"]})
    write_study(tmp_path, params, (1.0,))
    grid = Grid.load(Params(params), tmp_path / "dvc.yaml")
    write_cells(tmp_path, grid.cells(), classes=100)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        study = Analysis.of_cells(grid, results.load(grid.cells(), Params(params)), Published.read())
    figure = classes.confusion(study, "easy")
    assert figure is not None
    save(figure, tmp_path, "confusion")
    assert matplotlib.image.imread(tmp_path / "confusion.png").min() < 0.2


def test_labels_are_moved_apart_and_keep_their_order() -> None:
    placed = apart([10.0, 10.1, 30.0, 10.05], gap=2.0)
    assert placed[2] == 30.0
    assert placed[0] < placed[3] < placed[1]
    assert placed[3] - placed[0] == pytest.approx(2.0) and placed[1] - placed[3] == pytest.approx(2.0)
    assert apart([1.0, 5.0], gap=2.0) == [1.0, 5.0]
    assert apart([], gap=1.0) == []


def test_labels_pushed_into_others_make_room_again() -> None:
    placed = sorted(apart([0.0, 0.5, 2.0, 2.1, 2.2], gap=1.0))
    assert all(above - below >= 1.0 - 1e-9 for below, above in pairwise(placed))
