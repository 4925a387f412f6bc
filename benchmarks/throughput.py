"""How fast we train, beside other ways to train the same models: one table from one run.

    python benchmarks/throughput.py --minutes 15

Each way (benchmarks/ways.py) is a process of its own, so that no way inherits another's settings. All of them stay and take
turns, a block of steps each, round after round: what disturbs the machine disturbs all alike. Rates are the median of the
rounds, with the slowest and the fastest; a ratio is taken within each round, and its median, lowest and highest are shown.
"first step" is the time from the start of the process, alone on the machine, to the end of its first step.

Images are made up; no dataset file is needed. Without a CUDA device the same code runs small models at 64 pixels: a test
of the benchmark, not a result.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

START = time.time()
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.workers import FailedError, LateError, Worker, machine  # noqa: E402

WAYS = ("plain", "timm", "synthetic", "ours, step", "ours")
RIVALS = ("plain", "timm", "synthetic")
ROUNDS = 6
MODELS = {"cuda": ("resnet50", "vit_small_patch16_224"), "cpu": ("resnet10t", "test_vit")}
BATCHES = {"cuda": (64, 128, 256, 512), "cpu": (16, 32)}  # the study's, then candidates for the best


@dataclass(frozen=True)
class Result:
    """One line of the table. ``rates`` in img/s, one per round; ``memory`` in bytes, ``first_step`` in seconds."""

    model: str
    way: str
    batch: int
    rates: list[float]
    memory: int
    first_step: float | None
    flops: int

    @property
    def rate(self) -> float:
        return median(self.rates)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--minutes", type=float, default=15.0, help="time budget of the whole run")
    arguments.add_argument("--models", nargs="+", help="timm names, in place of the default ones")
    arguments.add_argument("--json", type=Path, help="write the measurements there as well")
    given = arguments.parse_args()
    deadline = START + given.minutes * 60
    kind, name, peak = machine(deadline)
    print(f"{name}: matrix products at {peak / 1e12:.2f} TFLOP/s at best; {time.strftime('%Y-%m-%d %H:%M')}")
    models = tuple(given.models or MODELS[kind])
    results: list[Result] = []
    for place, model in enumerate(models):
        share = START + given.minutes * 60 * (place + 1) / len(models)
        # A third of the time is for measuring, the rest for starting and compiling.
        seconds = given.minutes * 60 / 3 / (len(models) * 2 * len(WAYS) * ROUNDS)
        Comparison(model, BATCHES[kind], peak, seconds, share, results).run()
    if kind == "cuda":
        goals(results)
    if given.json:
        record = {"machine": name, "matrix_flops": peak, "results": [asdict(result) for result in results]}
        given.json.write_text(json.dumps(record, indent=1) + "\n")


class Comparison:
    """All ways of training one model, at the study's batch size and at the best one."""

    def __init__(
        self, model: str, batches: tuple[int, ...], peak: float, seconds: float, deadline: float, results: list[Result]
    ):
        self._model, self._batches, self._peak = model, batches, peak
        self._seconds, self._deadline, self._results = seconds, deadline, results
        self._workers: dict[str, Worker] = {}

    def run(self) -> None:
        """Measure and print until the time is up; what did not fit is said."""
        batch = self._batches[0]
        doing = f"batch {batch}"
        try:
            first: dict[str, float] = {}
            for way in WAYS:  # one after another: their first steps are timed
                doing = f"batch {batch}, from the way '{way}'"
                self._workers[way] = Worker(way, self._model)
                self._each([way], lambda way: first.update({way: self._workers[way].ask("batch", batch, self._deadline)}))
            self._flops = 0
            self._each(list(self._workers)[:1], self._count)
            doing = f"batch {batch}"
            self._table(batch, first)
            doing = "the best batch"
            batch = self._best()
            if batch != self._batches[0]:
                doing = f"batch {batch}"
                for worker in self._workers.values():  # all at once, this time
                    worker.tell("batch", batch)
                self._each(list(self._workers), lambda way: self._workers[way].answer(self._deadline))
                self._table(batch, {})
        except LateError:
            print(f"left out, the time is up: {self._model}, {doing}", flush=True)
        finally:
            for worker in self._workers.values():
                worker.close()

    def _count(self, way: str) -> None:
        self._flops = self._workers[way].ask("flops", 0, self._deadline)

    def _each(self, chosen: list[str], action: Callable[[str], Any]) -> None:
        """``action`` for each way; one that fails is named and does not go on."""
        for way in chosen:
            try:
                action(way)
            except FailedError as error:
                print(f"{self._model}, {way}: failed: {error}", flush=True)
                self._workers.pop(way).close()

    def _table(self, batch: int, first: Mapping[str, float]) -> None:
        """Let all ways take turns, then print their lines."""
        rates: dict[str, list[float]] = {way: [] for way in WAYS}
        for _ in range(ROUNDS):
            self._each(
                list(self._workers),
                lambda way: rates[way].append(self._workers[way].ask("block", self._seconds, self._deadline)),
            )
        lines = []
        for way, worker in self._workers.items():
            memory = worker.ask("memory", 0, self._deadline)
            lines.append(Result(self._model, way, batch, rates[way], memory, first.get(way), self._flops))
        self._results += lines
        print(f"\n{self._model}, batch {batch}")
        ratios = "".join(f"{'/ ' + rival:>21}" for rival in RIVALS)
        print(f"{'':11}{'img/s':>8}{'range':>15}{ratios}{'of matrix rate':>16}{'memory':>10}{'first step':>12}")
        for line in lines:
            print(self._line(line, lines), flush=True)

    def _line(self, result: Result, beside: list[Result]) -> str:
        span = f"{min(result.rates):.0f} to {max(result.rates):.0f}"
        ratios = "".join(f"{self._ratio(result, rival, beside):>21}" for rival in RIVALS)
        first = f"{result.first_step:.1f} s" if result.first_step else "-"
        return (
            f"{result.way:11}{result.rate:8.0f}{span:>15}{ratios}{result.rate * result.flops / self._peak:16.1%}"
            f"{result.memory / 2**30:6.1f} GiB{first:>12}"
        )

    @staticmethod
    def _ratio(result: Result, rival: str, beside: list[Result]) -> str:
        found = within_rounds(result, rival, beside)
        return f"{median(found):.2f} ({min(found):.2f} to {max(found):.2f})" if found else "-"

    def _best(self) -> int:
        """The batch size at which ours is fastest, of those that fit into memory."""
        ours = self._workers.get("ours")
        if ours is None:
            return self._batches[0]
        rates = {self._batches[0]: next(each.rate for each in reversed(self._results) if each.way == "ours")}
        for batch in self._batches[1:]:
            try:
                ours.ask("batch", batch, self._deadline)
                rates[batch] = median(ours.ask("block", self._seconds, self._deadline) for _ in range(3))
            except FailedError as error:
                print(f"{self._model}, batch {batch}: failed: {error}")
                break
        best = max(rates, key=lambda batch: rates[batch])
        told = ", ".join(f"{rate:.0f} at {batch}" for batch, rate in rates.items())
        print(f"ours by batch, img/s: {told}; the best is {best}", flush=True)
        return best


def within_rounds(result: Result, rival: str, beside: list[Result]) -> list[float]:
    """The ratio of ``result`` to the way ``rival`` in each round that both took part in."""
    other = next((each.rates for each in beside if each.way == rival and rival != result.way), [])
    return [ours / theirs for ours, theirs in zip(result.rates, other, strict=False)]


def goals(results: list[Result]) -> None:
    """Say which of the study's goals for one H200, at its own batch size, these results meet."""
    print("\ngoals at batch 64 (set for one H200)")
    for ours in results:
        if ours.way == "ours" and ours.batch == 64:
            beside = [each for each in results if (each.model, each.batch) == (ours.model, ours.batch)]
            plain, timm, synthetic = (median(within_rounds(ours, rival, beside) or [0.0]) for rival in RIVALS)
            for text, reached, goal in (
                ("img/s", ours.rate, 5000),
                ("times plain", plain, 3),
                ("times timm", timm, 1.3),
                ("of synthetic", synthetic, 0.97),
            ):
                print(f"{ours.model:24}{text:14}{reached:8.2f}  goal {goal:<6}{'met' if reached >= goal else 'missed'}")


if __name__ == "__main__":
    main()
