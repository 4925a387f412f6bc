"""As much of docs/gpu.md's list as fits into the minutes given, most valuable first, into one table.

    python -m benchmarks.gpu --minutes 9 --out gpu

pixels      the device's resize and normalisation against Pillow's and the CPU's
exactness   the same training twice, killed and resumed, compiled anew: the same bytes
throughput  our step against the plain loop and timm's best
together    one, two and four cells at once on one device
cells       real cells of the study: trained, tested, and copied to OUT/measured for data/measured

OUT/table.txt and OUT/rows.jsonl get each line when it is known. Given again, with the same folders, finished cells are not
trained anew and started ones go on. Needs neither DVC nor a network, but cells need their dataset: in data/raw, under
DATASETS_DIR, or from its authors. Run it in the project's root. Without a CUDA device toy sizes show that everything runs.
Exit code 1 where something did not hold or failed.
"""

import argparse
import json
import platform
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

START = time.time()
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.cases import SETTINGS, Setting  # noqa: E402
from benchmarks.rows import FAILED, LEFT_OUT, MEASURED, Row, Table  # noqa: E402
from benchmarks.trained import HERE, Project, exactness, study_cell  # noqa: E402
from benchmarks.workers import machine  # noqa: E402
from study.base import console  # noqa: E402
from study.design.cells import Cell  # noqa: E402

SCRATCH = ("resnet50_scratch", "vit_s16_scratch")
CELLS = [f"cifar10-{model}-{fraction}-0" for fraction in (0.1, 0.2, 0.5, 1.0) for model in SCRATCH]
# Each part's share of the time, in the order of value; what a part leaves over goes to those after it.
SHARES = {"pixels": 0.08, "exactness": 0.3, "throughput": 0.32, "together": 0.1, "cells": 0.2}


@dataclass(frozen=True)
class Run:
    """What the parts need to know. ``peak`` is the device's rate of matrix products in FLOP/s."""

    setting: Setting
    cuda: bool
    peak: float
    out: Path
    work: Path
    cells: tuple[Cell, ...]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--minutes", type=float, default=9.0, help="time budget of the whole run")
    arguments.add_argument("--out", type=Path, default=Path("gpu"), help="folder of the table and of what is to be kept")
    arguments.add_argument("--work", type=Path, default=HERE / ".dvc" / "tmp" / "gpu", help="folder of trainings under way")
    arguments.add_argument("--parts", nargs="+", choices=SHARES, default=list(SHARES), help="these alone")
    arguments.add_argument("--models", nargs="+", help="keys of params.yaml or timm's names, in place of the default ones")
    arguments.add_argument("--cells", nargs="+", default=CELLS, help="cells of params.yaml, in this order")
    given = arguments.parse_args()
    chosen = tuple(map(Cell.parse, given.cells))
    budget = 60 * given.minutes
    kind, name, peak = machine(START + budget)
    setting = SETTINGS["cuda" if kind == "cuda" else "toy"]
    setting = replace(setting, models=tuple(given.models or setting.models))
    head = f"{time.strftime('%Y-%m-%d %H:%M')}, {name}, Python {platform.python_version()}, {given.minutes:g} minutes"
    table = Table(given.out, head if kind == "cuda" else f"{head}; TOY SIZES: no figure here is a result")
    run = Run(setting, kind == "cuda", peak, given.out.resolve(), given.work.resolve(), chosen)
    parts = [part for part in SHARES if part in given.parts]
    begun = time.time()
    end = begun
    for part in parts:
        end += (START + budget - begun) * SHARES[part] / sum(SHARES[each] for each in parts)
        try:
            for row in PARTS[part](run, end):
                table.add(row)
        except Exception as error:  # the parts after it can still tell something
            table.add(Row(part, "", FAILED, f"{type(error).__name__}: {error}"))
    sys.exit(1 if table.bad else 0)


def pixels(run: Run, end: float) -> Iterator[Row]:
    """In a process of its own, whose memory on the device goes with it."""
    command = [sys.executable, "-m", "benchmarks.pixels"]
    with subprocess.Popen(command, cwd=HERE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        late = threading.Timer(max(0.1, end - time.time()), process.kill)
        late.start()
        for line in process.stdout:
            yield Row(**json.loads(line))
        process.wait()
        if not late.is_alive():
            yield _late("pixels", "the sizes that are not above")
        elif process.returncode:
            yield Row("pixels", "", FAILED, "the reason stands above")
        late.cancel()


def trainings(run: Run, end: float) -> Iterator[Row]:
    """Made-up trainings of each model: large enough that several epochs are left when the first one is saved."""
    images, epochs = (1300, 6) if run.cuda else (200, 6)
    for place, model in enumerate(run.setting.models):
        share = time.time() + (end - time.time()) / (len(run.setting.models) - place)
        project = Project(run.work / "exactness" / model, share)
        yield from exactness(run.setting.case(model), project, run.setting.batches[0], images, epochs, run.cuda)


def throughput(run: Run, end: float) -> Iterator[Row]:
    """A row for each way and batch size; benchmarks.throughput prints its own table too."""
    from benchmarks.throughput import Comparison, Result, spread, within_rounds

    for place, model in enumerate(run.setting.models):
        results: list[Result] = []
        seconds = (end - time.time()) / (len(run.setting.models) - place)
        deadline = time.time() + seconds
        Comparison(run.setting.case(model), run.setting, run.peak, seconds, deadline, results).run()
        for each in results:
            beside = [other for other in results if other.batch == each.batch]
            ratios = {rival: within_rounds(each, rival, beside) for rival in run.setting.rivals}
            said = "".join(f", {spread(found)} / {rival}" for rival, found in ratios.items() if found)
            what = f"{model}, batch {each.batch}, {each.way}"
            yield Row("throughput", what, MEASURED, f"{each.rate:.0f} img/s{said}", {**vars(each), "ratios": ratios})
        if len({each.way for each in results}) < len(run.setting.ways):
            yield _late("throughput", f"{model}, some of it, or it failed: see above")


def together(run: Run, end: float) -> Iterator[Row]:
    """Several cells at once, without MPS; benchmarks.cells_at_once has it with MPS too."""
    from benchmarks.cells_at_once import COUNTS, measure, to_one
    from benchmarks.throughput import spread

    counts, rounds = (COUNTS if run.cuda else COUNTS[:2]), min(5, run.setting.rounds)
    for place, model in enumerate(run.setting.models):
        seconds = (end - time.time()) / (len(run.setting.models) - place)
        deadline = time.time() + seconds
        block = min(run.setting.longest, max(0.1, seconds / 3 / (rounds * len(counts))))
        rates = measure(run.setting.case(model), "", run.setting.batches[0], block, deadline, counts, rounds)
        for count, found in rates.items():
            ratios = to_one(rates, count)
            said = f"{median(found):.0f} img/s, {spread(ratios)} / one"
            yield Row("together", f"{model}, {count} at once", MEASURED, said, {"rates": found, "ratios": ratios})
        if not rates:
            yield _late("together", f"{model}, or it failed: see above")


def study_cells(run: Run, end: float) -> Iterator[Row]:
    """Real cells, one after another; datasets that are in data/raw are used as they are."""
    project = Project(run.work / "cells", end)
    project.make((HERE / "params.yaml").read_text(encoding="utf-8"))
    raw = project.folder / "data" / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    for dataset in sorted({cell.dataset for cell in run.cells}):
        if (HERE / "data" / "raw" / dataset).is_dir() and not (raw / dataset).exists():
            (raw / dataset).symlink_to(HERE / "data" / "raw" / dataset)
    for cell in run.cells:
        yield study_cell(cell, project, run.out)


def _late(part: str, what: str) -> Row:
    return Row(part, what, LEFT_OUT, "the time is up")


PARTS: dict[str, Callable[[Run, float], Iterator[Row]]] = {
    "pixels": pixels, "exactness": trainings, "throughput": throughput, "together": together, "cells": study_cells
}  # fmt: skip

if __name__ == "__main__":
    try:
        console.run(main)
    except KeyboardInterrupt:
        sys.exit(130)
