"""How fast we train, beside other ways to train the same models: one table from one run.

    python -m benchmarks.throughput --minutes 15

Each way (benchmarks/ways.py) is a process of its own, so that no way inherits another's settings. All of them stay and take
turns, a block of steps each, round after round: what disturbs the machine disturbs all alike. Rates are the median of the
rounds, with the slowest and the fastest; a ratio is taken within each round, and its median, lowest and highest are shown.
"first step" is the time from the start of the process, alone on the machine, to the end of its first step.

Images are made up; no dataset file is needed. Without a CUDA device the models of cifar32 and of the small study are measured
at 32 pixels in fp32, in batches of 64 (the small study itself takes 32), with one thread, and every way begins with the same
uint8 images in memory. There "bf16" says whether bf16 would be faster on this processor; the recipe decides, nothing here
changes it.
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

from benchmarks.cases import SETTINGS, Case, Setting  # noqa: E402
from benchmarks.workers import FailedError, LateError, Worker, machine  # noqa: E402


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
    arguments.add_argument("--models", nargs="+", help="keys of params.yaml or timm's names, in place of the default ones")
    arguments.add_argument("--json", type=Path, help="write the measurements there as well, after each model")
    given = arguments.parse_args()
    kind, name, peak = machine(START + given.minutes * 60)
    setting = SETTINGS[kind]
    print(f"{name}: matrix products at {peak / 1e12:.2f} TFLOP/s at best; {time.strftime('%Y-%m-%d %H:%M')}")
    print(f"{setting.image_size} pixels, {setting.precision}", flush=True)
    results: list[Result] = []
    models = given.models or setting.models
    for place, model in enumerate(models):
        share = START + given.minutes * 60 * (place + 1) / len(models)
        Comparison(setting.case(model), setting, peak, given.minutes * 60 / len(models), share, results).run()
        if given.json:
            record = {"machine": name, "matrix_flops": peak, "results": [asdict(result) for result in results]}
            given.json.write_text(json.dumps(record, indent=1) + "\n")
    goals(results, setting)


class Comparison:
    """All ways of training one model, at the study's batch size and at the best one."""

    def __init__(self, case: Case, setting: Setting, peak: float, seconds: float, deadline: float, results: list[Result]):
        """``seconds`` are for all of it, and end at ``deadline``; ``results`` grows by a line for each way."""
        self._case, self._setting, self._peak = case, setting, peak
        self._model, self._batches = case.name, setting.batches
        # A third of the time is for measuring, the rest for starting and compiling.
        blocks = min(2, len(setting.batches)) * len(setting.ways) * setting.rounds
        self._seconds = min(setting.longest, seconds / 3 / blocks)
        self._deadline, self._results = deadline, results
        self._workers: dict[str, Worker] = {}

    def run(self) -> None:
        """Measure and print until the time is up; what did not fit is said."""
        batch = self._batches[0]
        doing = f"batch {batch}"
        try:
            first: dict[str, float] = {}
            for way in self._setting.ways:  # one after another: their first steps are timed
                doing = f"batch {batch}, from the way '{way}'"
                self._workers[way] = Worker(way, self._case)
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
        rates: dict[str, list[float]] = {way: [] for way in self._setting.ways}
        for _ in range(self._setting.rounds):
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
        ratios = "".join(f"{'/ ' + rival:>21}" for rival in self._setting.rivals)
        print(f"{'':13}{'img/s':>8}{'range':>15}{ratios}{'of matrix rate':>16}{'memory':>10}{'first step':>12}")
        for line in lines:
            print(self._line(line, lines), flush=True)

    def _line(self, result: Result, beside: list[Result]) -> str:
        span = f"{min(result.rates):.0f} to {max(result.rates):.0f}"
        ratios = "".join(f"{self._ratio(result, rival, beside):>21}" for rival in self._setting.rivals)
        first = f"{result.first_step:.1f} s" if result.first_step else "-"
        return (
            f"{result.way:13}{result.rate:8.0f}{span:>15}{ratios}{result.rate * result.flops / self._peak:16.1%}"
            f"{result.memory / 2**30:6.1f} GiB{first:>12}"
        )

    @staticmethod
    def _ratio(result: Result, rival: str, beside: list[Result]) -> str:
        found = within_rounds(result, rival, beside)
        return spread(found) if found else "-"

    def _best(self) -> int:
        """The batch size at which ours is fastest, of those that fit into memory."""
        ours = self._workers.get("ours")
        if ours is None or len(self._batches) == 1:
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


def spread(ratios: list[float]) -> str:
    """``1.87 (1.77 to 1.95)``: the median, the lowest and the highest."""
    return f"{median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


def goals(results: list[Result], setting: Setting) -> None:
    """Say which of the goals at batch 64 these results meet, and whether bf16 would be faster on a processor."""
    print("\nours at batch 64, and the goals")
    for ours in results:
        if ours.way != "ours" or ours.batch != 64:
            continue
        beside = [each for each in results if (each.model, each.batch) == (ours.model, ours.batch)]
        for rival, goal in setting.goals.items():
            found = ours.rates if rival == "img/s" else within_rounds(ours, rival, beside)
            if not found:
                continue
            text, reached = (rival if rival == "img/s" else f"times {rival}"), median(found)
            said = "" if goal is None else f"  goal {goal:<6}{'met' if reached >= goal else 'missed'}"
            print(f"{ours.model:24}{text:18}{spread(found):>26}{said}")
            if rival == "bf16":
                other = "slower: fp32 it should be" if reached > 1 else "faster: precision: bf16 in the recipe would use it"
                print(f"{'':24}bf16 on this processor is {1 / reached:.2f} times as fast as fp32, so {other}")


if __name__ == "__main__":
    main()
