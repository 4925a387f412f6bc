"""The page of a report: what it says of a study, and what it warns of."""

import json
import re
import shutil
import warnings
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import yaml
from grids import MODELS, sections, write_cells, write_study
from small_reports import Aggregate, prepare

from study.settings.grid import Grid
from study.settings.params import Params

PROJECT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize("seeds", [(0,), (0, 1, 2)])
def test_every_number_in_the_sentences_stands_in_the_tables(run: Aggregate, tmp_path: Path, seeds: tuple[int, ...]) -> None:
    prepare(tmp_path, seeds=seeds)
    run("tiny")
    folder = tmp_path / "reports" / "tiny"
    tables = " ".join(path.read_text() for path in sorted((folder / "tables").glob("*.md")))
    page = (folder / "README.md").read_text()
    found = page[page.index("## What was found") : page.index("## Before you read on" if len(seeds) < 3 else "## What to take")]
    numbers = re.findall(r"[+−]\d+\.\d+", found)
    assert len(numbers) >= 2
    assert [number for number in numbers if number not in tables] == []


@pytest.mark.parametrize("seeds", [(0,), (0, 1), (0, 1, 2)])
def test_what_was_found_is_short_and_the_note_on_intervals_stands_once(
    run: Aggregate, tmp_path: Path, seeds: tuple[int, ...]
) -> None:
    prepare(tmp_path, seeds=seeds)
    run("tiny")
    page = (tmp_path / "reports/tiny/README.md").read_text()
    found = page[page.index("## What was found") :].split("\n## ")[0].split("\n", 1)[1]
    shown = re.sub(r"!\[.*?\]\(.*?\)|\| ---.*|[|*]", " ", found)
    assert len(re.findall(r"[A-Za-z]+", shown)) <= 150
    assert len(re.findall(r"(?<![A-Za-z])\d+(?:\.\d+)?", shown)) <= 25
    assert len(re.findall(r"Intervals are 95 %", page)) == 1
    order = [
        "What was found",
        "What to take home",
        "Error by train fraction",
        "The harder dataset",
        "The hypotheses, part by part",
    ]
    order += ["Further claims", "Other scales", "Curves, calibration, classes", "How it was made"]
    places = [page.index(f"## {title}") for title in order]
    assert places == sorted(places)
    assert ("**One seed.**" in page, "**Two seeds.**" in page) == (len(seeds) == 1, len(seeds) == 2)


def test_the_html_file_says_what_the_page_says_and_fetches_nothing(whole: Aggregate, tmp_path: Path) -> None:
    prepare(tmp_path)
    whole("tiny")
    folder = tmp_path / "reports" / "tiny"
    html = (folder / "report.html").read_text()
    page = (folder / "README.md").read_text().split("## Files")[0]
    said = unescape(re.sub(r"<[^>]+>", " ", html))
    words = re.findall(r"[\w.+−]+", re.sub(r"<[^>]+>|!\[.*?\)", " ", page))
    assert len(words) > 1000 and sorted(set(words) - set(re.findall(r"[\w.+−]+", said))) == []
    assert html.count("<table>") == page.count("\n| ---") > 5
    assert html.count("<img ") == html.count('src="data:image/svg+xml;base64,') == page.count("](figures/")
    assert not re.search(r"""(src|href)=["'](?!data:|#)""", html) and "<script" not in html
    assert len(html) < 3_000_000


@pytest.mark.parametrize(
    "options",
    [
        {"datasets": ("one",)},
        {"datasets": ("a", "b", "c")},
        {"models": {"cnn_scratch": MODELS["cnn_scratch"]}},
        {"models": {"vit_glyphs": MODELS["vit_glyphs"], "vit_scratch": MODELS["vit_scratch"]}},
        {
            "models": MODELS
            | {"cnn_photos": MODELS["cnn_glyphs"] | {"label": None}, "deep_scratch": MODELS["cnn_scratch"] | {"label": None}}
        },
    ],
)
def test_studies_of_other_shapes(run: Aggregate, tmp_path: Path, options: dict[str, Any]) -> None:
    prepare(tmp_path, **options)
    run("tiny")
    verdicts = json.loads((tmp_path / "reports/tiny/summary.json").read_text())["verdicts"]
    tested = len(options.get("datasets", ())) > 1 or len(options.get("models", MODELS)) > 4
    assert (verdicts["H3"] != "not tested") == tested
    assert " is not tested: it needs " in (tmp_path / "reports/tiny/README.md").read_text()


def test_five_classes_or_fewer_have_no_top5(run: Aggregate, tmp_path: Path) -> None:
    cells = prepare(tmp_path)
    write_cells(tmp_path, cells, classes=4)
    run("tiny")
    rows = (tmp_path / "reports/tiny/tables/cells.csv").read_text().splitlines()
    place = rows[0].split(",").index("top5_error")
    assert {row.split(",")[place] for row in rows[1:]} == {""}


def test_perfect_models_break_nothing(run: Aggregate, tmp_path: Path) -> None:
    cells = prepare(tmp_path)
    write_cells(tmp_path, cells, error=lambda cell: 0.0)
    run("tiny")
    assert json.loads((tmp_path / "reports/tiny/summary.json").read_text())["verdicts"]["H1"] == "undecided"


def test_missing_cells_of_one_model_are_named_together(run: Aggregate, tmp_path: Path) -> None:
    for cell in prepare(tmp_path, seeds=(0, 1)):
        if cell.model == "vit_scratch" and (cell.fraction, cell.dataset) == (0.1, "hard"):
            shutil.rmtree(tmp_path / "data/history" / str(cell))
    run("--incomplete", "tiny")
    assert "**Missing, 2 cells:** `hard-vit_scratch-0.1-{0,1}`." in (tmp_path / "reports/tiny/tables/cells.md").read_text()


def test_three_seeds_say_what_verdicts_and_intervals_are_for(run: Aggregate, tmp_path: Path) -> None:
    prepare(tmp_path, seeds=(0, 1, 2))
    run("tiny")
    page = (tmp_path / "reports/tiny/README.md").read_text()
    assert "in these trainings" not in page and "They hold for these trained models" not in page
    assert page.index("**3 seeds.** Verdicts hold for other trainings by the same recipe") < page.index("## What to take home")
    assert "Numbers are means over 3 seeds. A seed has a split of the train images, an initialisation and" in page
    assert "How much trainings of one model differ" in page


def test_an_incomplete_report_of_several_seeds_says_what_is_left_out(run: Aggregate, tmp_path: Path) -> None:
    cells = prepare(tmp_path, seeds=(0, 1, 2))
    shutil.rmtree(tmp_path / "data/history" / str(cells[0]))
    run("--incomplete", "tiny")
    page = (tmp_path / "reports/tiny/README.md").read_text()
    line = next(line for line in page.splitlines() if "**This report is incomplete.**" in line)
    assert "**Missing, 1 cell:** `easy-cnn_scratch-1.0-0`. A mean is given only where all its seeds are there." in line


@pytest.mark.parametrize("seeds_there", [(), (0,)])
def test_an_incomplete_report_is_made_before_the_second_dataset_is_trained(
    whole: Aggregate, tmp_path: Path, seeds_there: tuple[int, ...]
) -> None:
    for cell in prepare(tmp_path, seeds=(0, 1, 2)):
        if cell.dataset == "hard" and cell.seed not in seeds_there:
            shutil.rmtree(tmp_path / "data/history" / str(cell))
            shutil.rmtree(tmp_path / "data/predictions" / str(cell))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        whole("--incomplete", "tiny")
    folder = tmp_path / "reports/tiny"
    assert (folder / "tables/errors_easy.md").is_file() and not list(folder.glob("*/*_hard.*"))
    assert "**This report is incomplete.**" in (folder / "README.md").read_text()


def test_validation_and_full_data_are_said_in_numbers(run: Aggregate, tmp_path: Path) -> None:
    prepare(tmp_path)
    run("tiny")
    page = (tmp_path / "reports/tiny/README.md").read_text()
    assert "easy: fraction 1.0 is 900 train images, 90 % of the 1,000 of the official training set." in page
    assert "Validation has 100 labelled images at every fraction, and they choose the epoch." in page
    assert "**Fewer steps with less data.** Fraction 0.1 took" in page


def test_doubtful_test_images_are_left_out_by_format(run: Aggregate, tmp_path: Path) -> None:
    params = sections()
    params["datasets"]["hard"]["source"] = yaml.safe_load((PROJECT / "params.yaml").read_text())["datasets"]["cifar10"][
        "source"
    ]
    write_study(tmp_path, params, (1.0, 0.1))
    (tmp_path / "data/reference/cifar10_near_duplicates.csv").write_text("# source\nindex\n3\n5\n")
    write_cells(tmp_path, Grid.load(Params(params)).cells())
    run("tiny")
    page = (tmp_path / "reports/tiny/README.md").read_text()
    assert "Left out, without near-duplicates: 2 of 300 images of hard." in page


def test_names_from_outside_are_no_markup(run: Aggregate, tmp_path: Path) -> None:
    cells = prepare(tmp_path)
    for cell in cells:
        path = tmp_path / f"data/history/{cell}/provenance.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"kernels": "[GPU](https://e.org) <b>x</b> **y**"}))
    run("tiny")
    folder = tmp_path / "reports/tiny"
    assert 'href="https://e.org"' not in (folder / "report.html").read_text()
    assert "<b>x</b>" not in (folder / "report.html").read_text()
    assert r"\[GPU\](https\://e.org) \<b\>x\</b\> \*\*y\*\*" in (folder / "README.md").read_text()
