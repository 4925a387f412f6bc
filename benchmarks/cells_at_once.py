"""Whether one GPU trains several cells at once faster than one after another: 1, 2 and 4 processes, with and without MPS.

    python -m benchmarks.cells_at_once --minutes 6

Every process is the stage's training, data path included, on made-up images. All processes stay and take turns: in each round
one of them trains, then two at once, then four. Rates are images per second of all together, the median of the rounds with
lowest and highest; ratios are to one process, round by round. NVIDIA's MPS (nvidia-cuda-mps-control) is started for the
second half and stopped again, where it is installed; its files lie in a temporary folder.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median

START = time.time()
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.cases import SETTINGS, Case  # noqa: E402
from benchmarks.throughput import spread  # noqa: E402
from benchmarks.workers import FailedError, LateError, Worker, machine  # noqa: E402

COUNTS = (1, 2, 4)
ROUNDS = 5
CONTROL = "nvidia-cuda-mps-control"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--minutes", type=float, default=6.0, help="time budget of the whole run")
    arguments.add_argument("--models", nargs="+", help="keys of params.yaml or timm's names, in place of the default ones")
    given = arguments.parse_args()
    budget = given.minutes * 60
    kind, name, _ = machine(START + budget)
    print(f"{name}, {os.cpu_count()} processors; {time.strftime('%Y-%m-%d %H:%M')}")
    missing = "there is no CUDA device" if kind != "cuda" else None if shutil.which(CONTROL) else f"{CONTROL} is not installed"
    setting = SETTINGS[kind]
    models = tuple(given.models or setting.models)
    runs = [(model, served) for served in (False, True) for model in models if not (served and missing)]
    for place, (model, served) in enumerate(runs):
        end = START + budget * (place + 1) / len(runs)
        seconds = budget / len(runs) / 3 / (ROUNDS * len(COUNTS))
        if served:
            try:
                with mps():
                    measure(setting.case(model), "with MPS", setting.batches[0], seconds, end)
            except FailedError as error:
                missing = str(error)
        else:
            measure(setting.case(model), "without MPS", setting.batches[0], seconds, end)
    if missing:
        print(f"\nMPS was not tried: {missing}.")


def measure(
    case: Case, label: str, batch: int, seconds: float, end: float, counts: tuple[int, ...] = COUNTS, rounds: int = ROUNDS
) -> dict[int, list[float]]:
    """Print and return the rates in img/s of 1, 2 and 4 processes that train ``case``, one a round; none where it failed."""
    workers = [Worker("ours", case) for _ in range(max(counts))]
    try:
        for worker in workers:  # compiled code is made once and found by the others
            worker.ask("batch", batch, end)
        rates: dict[int, list[float]] = {count: [] for count in counts}
        for _ in range(rounds):
            for count in counts:
                for worker in workers[:count]:
                    worker.tell("images", seconds)
                rates[count].append(sum(worker.answer(end) for worker in workers[:count]))
    except LateError:
        print(f"left out, the time is up: {case.name} {label}", flush=True)
        return {}
    except FailedError as error:
        print(f"{case.name} {label}: failed: {error}", flush=True)
        return {}
    finally:
        for worker in workers:
            worker.close()
    print(f"\n{case.name}, batch {batch}, {label}\n{'processes':>9}{'img/s':>8}{'range':>15}{'/ one process':>22}")
    for count, found in rates.items():
        span = f"{min(found):.0f} to {max(found):.0f}"
        ratio = spread(to_one(rates, count)) if count > 1 else "-"
        print(f"{count:9}{median(found):8.0f}{span:>15}{ratio:>22}", flush=True)
    return rates


def to_one(rates: dict[int, list[float]], count: int) -> list[float]:
    """The rate of ``count`` processes against that of one, round by round."""
    return [several / one for several, one in zip(rates[count], rates[1], strict=True)]


@contextmanager
def mps() -> Iterator[None]:
    """MPS for the processes that are started within it."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"CUDA_MPS_PIPE_DIRECTORY": folder, "CUDA_MPS_LOG_DIRECTORY": folder}
        try:
            started = subprocess.run([CONTROL, "-d"], capture_output=True, text=True, check=False)
            if started.returncode:
                raise FailedError(f"{CONTROL} does not start: {started.stderr.strip() or started.stdout.strip()}")
            yield
        finally:
            with suppress(OSError, subprocess.SubprocessError):
                subprocess.run([CONTROL], input="quit\n", text=True, timeout=30, check=False)
            del os.environ["CUDA_MPS_PIPE_DIRECTORY"], os.environ["CUDA_MPS_LOG_DIRECTORY"]


if __name__ == "__main__":
    main()
