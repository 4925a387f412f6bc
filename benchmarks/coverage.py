"""How often 95 % intervals hold the truth, and how wide they are, by simulation: ``python -m benchmarks.coverage``.

The generator is this file's own. An image has a difficulty, normal, shared by all cells on its dataset. A training has a
quality, normal. A cell errs on an image where difficulty, quality and chance together fall below a threshold, which is
set so that the error rate over images and trainings is the one asked for. With fewer than three seeds the truth is the
effect of these trained models over images; from three on it is the effect of the recipe over images and trainings.

Prints a line per scenario and the table of docs/statistics.md at the end. 400 replications of all scenarios take about 25
minutes on two cores; ``--replications 40`` gives an impression.
"""

import argparse
import itertools
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from study.statistics.contrasts import Arm, Contrast, degradation, error, gain, minus, penalty
from study.statistics.sample import Sample

SEEDS = (1, 2, 3, 5)
IMAGES = (300, 600, 10_000)
RATES = (0.003, 0.01, 0.05, 0.3, 0.7, 0.95)
SHARED = 0.7  # correlation of two cells' errors, before the threshold, on one image
SPREAD = {"agree": 0.0, "vary": 0.1}  # standard deviation of a training's quality; images have 1
MODELS = ("a", "b")
FRACTIONS = (1.0, 0.1)


@dataclass(frozen=True)
class Scenario:
    """What is simulated. ``rate`` is the error of the better model on the easier dataset with all data."""

    seeds: int
    images: int
    rate: float
    spread: str


@dataclass(frozen=True)
class Outcome:
    """Of one kind of effect: share of intervals that hold the truth, mean width against the ideal, intervals of width zero."""

    coverage: float
    width: float
    empty: int


def kinds() -> dict[str, Contrast]:
    """The five kinds of effect."""
    return {
        "error": error("easy", "a", 1.0),
        "gain": gain("easy", "b", "a", 1.0),
        "degradation": degradation("easy", "b", 0.1),
        "difference of degradations": minus(degradation("easy", "b", 0.1), degradation("easy", "a", 0.1)),
        "difference of penalties": minus(penalty(("easy", "hard"), "b", 1.0), penalty(("easy", "hard"), "a", 1.0)),
    }


def rates(rate: float) -> dict[Arm, float]:
    """The error of every arm: the second model, a tenth of the data and the hard dataset each make it somewhat worse."""
    base = float(ndtri(rate))
    return {
        Arm(dataset, model, fraction): float(
            ndtr(base + 0.15 * (model == "b") + 0.2 * (fraction < 1) + 0.3 * (dataset == "hard"))
        )
        for dataset, model, fraction in itertools.product(("easy", "hard"), MODELS, FRACTIONS)
    }


def study(scenario: Scenario, generator: np.random.Generator) -> tuple[dict[Arm, list[NDArray[np.bool_]]], dict[Arm, float]]:
    """One simulated study: which images are wrong, and the true errors that its intervals are for."""
    spread = SPREAD[scenario.spread]
    total = np.sqrt(1 + spread**2)
    wrong, truth = {}, {}
    difficulty = {
        dataset: np.sqrt(SHARED) * generator.standard_normal(scenario.images, dtype=np.float32) for dataset in ("easy", "hard")
    }
    for arm, rate in rates(scenario.rate).items():
        quality = spread * generator.standard_normal(scenario.seeds)
        threshold = ndtri(rate) * total
        wrong[arm] = [
            difficulty[arm.dataset]
            + np.float32(np.sqrt(1 - SHARED)) * generator.standard_normal(scenario.images, dtype=np.float32)
            < np.float32(threshold - own)
            for own in quality
        ]
        truth[arm] = rate if scenario.seeds >= 3 else float(np.mean(ndtr(threshold - quality)))
    return wrong, truth


def simulate(scenario: Scenario, replications: int, generator: np.random.Generator) -> dict[str, Outcome]:
    """Coverage and width of each kind of effect in one scenario.

    The ideal width is that of a normal interval that knows the standard deviation of the estimate, taken from the
    replications themselves.
    """
    hits: dict[str, list[bool]] = defaultdict(list)
    widths: dict[str, list[float]] = defaultdict(list)
    misses: dict[str, list[float]] = defaultdict(list)
    for sample, names, truths in _samples(scenario, replications, generator):
        for own, truth in zip(names, truths, strict=True):
            for kind, contrast in kinds().items():
                found = sample.estimate({own[arm]: weight for arm, weight in contrast.items()})
                assert found is not None
                value = sum(weight * truth[arm] for arm, weight in contrast.items())
                hits[kind].append(found.low <= value + 1e-12 and value - 1e-12 <= found.high)
                widths[kind].append(found.high - found.low)
                misses[kind].append(found.value - value)
    return {
        kind: Outcome(
            float(np.mean(hits[kind])),
            float(np.mean(widths[kind]) / (2 * ndtri(0.975) * np.std(misses[kind]))) if np.std(misses[kind]) else np.nan,
            sum(width <= 0 for width in widths[kind]),
        )
        for kind in kinds()
    }


def _samples(
    scenario: Scenario, replications: int, generator: np.random.Generator
) -> Iterator[tuple[Sample, list[dict[Arm, Arm]], list[dict[Arm, float]]]]:
    """Studies, many in one sample where draws are made (a study's number is in its models' names), else one by one."""
    together = 100 if scenario.seeds < 3 else 1
    for start in range(0, replications, together):
        wrong: dict[Arm, list[NDArray[np.bool_]]] = {}
        names, truths = [], []
        for number in range(min(together, replications - start)):
            cells, truth = study(scenario, generator)
            names.append({arm: Arm(arm.dataset, f"{arm.model}{number}", arm.fraction) for arm in cells})
            truths.append(truth)
            wrong.update({names[-1][arm]: cell for arm, cell in cells.items()})
        yield Sample(wrong, {"easy": 10, "hard": 10}), names, truths


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--replications", type=int, default=400)
    arguments.add_argument("--images", type=int, nargs="*", default=IMAGES)
    arguments.add_argument("--seeds", type=int, nargs="*", default=SEEDS)
    given = arguments.parse_args()
    table: dict[tuple[int, int, float], list[tuple[Scenario, str, Outcome]]] = defaultdict(list)
    for seeds, images, rate, spread in itertools.product(given.seeds, given.images, RATES, SPREAD):
        scenario = Scenario(seeds, images, rate, spread)
        number = [SEEDS.index(seeds), IMAGES.index(images), RATES.index(rate), list(SPREAD).index(spread)]
        outcomes = simulate(scenario, given.replications, np.random.default_rng([2026, *number]))
        table[seeds, images, rate] += [(scenario, kind, outcome) for kind, outcome in outcomes.items()]
        shown = ", ".join(f"{kind} {100 * each.coverage:.1f} ({each.width:.2f})" for kind, each in outcomes.items())
        print(f"{scenario}: {shown}", file=sys.stderr, flush=True)
    print("| seeds | images | error | lowest coverage | mean coverage | mean width / ideal | widest | width zero |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for (seeds, images, rate), rows in table.items():
        coverage = [100 * outcome.coverage for _, _, outcome in rows]
        width = [outcome.width for _, _, outcome in rows if np.isfinite(outcome.width)]
        print(
            f"| {seeds} | {images:,} | {100 * rate:g} % | {min(coverage):.1f} | {np.mean(coverage):.1f} | "
            f"{np.mean(width):.2f} | {max(width):.2f} | {sum(outcome.empty for _, _, outcome in rows)} |"
        )


if __name__ == "__main__":
    main()
