"""The hypotheses and the further claims: which effects they are made of, and what the numbers say of each.

A part is supported when its interval lies above 0, refuted below, else inconclusive; not tested when its cells are not
there. The operating point never enters one.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from study.report.labels import Labels
from study.settings.grid import Grid
from study.settings.params import Model
from study.statistics.estimates import Arm, Contrast, Errors, Estimate, error, log_sd_ratio, minus

SUPPORTED, REFUTED, INCONCLUSIVE, NOT_TESTED, MIXED = "supported", "refuted", "inconclusive", "not tested", "mixed"
HYPOTHESES = ("H1", "H2", "H3")


@dataclass(frozen=True)
class Part:
    """One effect that must lie above 0.

    ``sides`` are the two losses (degradations or penalties) whose difference it is, where it is one: their relative
    growth may say otherwise. ``unit`` is ``points`` (an effect on errors in [0, 1]) or ``log ratio``.
    """

    label: str
    arms: tuple[Arm, ...]
    estimate: Estimate | None
    missing: tuple[Arm, ...] = ()
    sides: tuple[Contrast, Contrast] | None = None
    unit: str = "points"

    @property
    def verdict(self) -> str:
        """Without an interval (published numbers) the sign alone speaks."""
        if self.estimate is None:
            return NOT_TESTED
        low = self.estimate.value if self.estimate.low is None else self.estimate.low
        high = self.estimate.value if self.estimate.high is None else self.estimate.high
        return SUPPORTED if low > 0 else REFUTED if high < 0 else INCONCLUSIVE


@dataclass(frozen=True)
class Finding:
    """A hypothesis or claim with its parts; ``without`` says what the study would need where there are none."""

    key: str
    claim: str
    parts: tuple[Part, ...]
    without: str

    @property
    def verdict(self) -> str:
        """Supported or refuted if all tested parts are, not tested if none is, else mixed."""
        verdicts = {part.verdict for part in self.parts} - {NOT_TESTED}
        if not verdicts:
            return NOT_TESTED
        return verdicts.pop() if verdicts in ({SUPPORTED}, {REFUTED}) else MIXED

    def with_verdict(self, verdict: str) -> list[Part]:
        """The parts of that verdict, in order."""
        return [part for part in self.parts if part.verdict == verdict]


def findings(grid: Grid, labels: Labels, errors: Errors) -> list[Finding]:
    """H1 to H3, then the further claims, tested on ``errors``."""
    tests = _Tests(grid, labels, errors)
    return [
        Finding(
            "H1",
            "Pre-training softens the loss of accuracy as training data shrinks",
            tests.softened(),
            "a pre-trained model with its scratch partner, fraction 1.0 and a smaller one",
        ),
        Finding(
            "H2",
            "Without pre-training, the ViT is the more fragile of the two with little data",
            (*tests.worse_with_less(), *tests.loses_more_with_less()),
            "a CNN and a ViT from scratch, and a fraction below 1.0",
        ),
        Finding(
            "H3",
            "As the dataset gets harder, the ViT loses more than the CNN",
            tests.loses_more_when_harder(),
            "exactly two datasets, a CNN and a ViT, both from scratch or both pre-trained, and fraction 1.0",
        ),
        Finding(
            "C1",
            "The gain from pre-training grows as data shrinks",
            tests.gain_grows(),
            "a pre-trained model with its scratch partner, and two fractions",
        ),
        Finding(
            "C2",
            "Pre-training lowers the penalty of the harder dataset",
            tests.penalty_lowered(),
            "exactly two datasets, a pre-trained model with its scratch partner, and fraction 1.0",
        ),
        Finding(
            "C3",
            "A pre-trained ViT on the smallest fraction beats a CNN from scratch on all data",
            tests.less_data_beats_scratch(),
            "a pre-trained ViT, a CNN from scratch, fraction 1.0 and a smaller one",
        ),
        Finding(
            "C4",
            "Pre-training matters more than architecture",
            tests.matters_more_than_architecture(),
            "a pre-trained model with its scratch partner, and a CNN and a ViT of one kind",
        ),
        Finding(
            "C5",
            "Pre-training also reduces variability over seeds",
            tests.less_variable(),
            "a pre-trained model with its scratch partner, and three seeds or more",
        ),
    ]


def gain(dataset: str, pair: tuple[Model, Model], fraction: float) -> Contrast:
    """error(scratch) - error(pre-trained)."""
    return minus(error(dataset, pair[0].name, fraction), error(dataset, pair[1].name, fraction))


def degradation(dataset: str, model: Model, fraction: float) -> Contrast:
    """error(fraction) - error(1.0)."""
    return minus(error(dataset, model.name, fraction), error(dataset, model.name, 1.0))


def penalty(datasets: Sequence[str], model: Model, fraction: float) -> Contrast:
    """error(hard) - error(easy), for two datasets, the easy one first."""
    return minus(error(datasets[1], model.name, fraction), error(datasets[0], model.name, fraction))


class _Tests:
    def __init__(self, grid: Grid, labels: Labels, errors: Errors) -> None:
        self._grid, self._labels, self._errors = grid, labels, errors
        full = 1.0 in grid.ladder
        self._smallest = grid.reduced[-1:] if full else ()
        self._full = (1.0,) if full else ()
        self._two = (grid.datasets,) if len(grid.datasets) == 2 else ()

    def softened(self) -> tuple[Part, ...]:
        return tuple(
            self._difference(
                f"{dataset}, {self._pair(pair)}, 1.0 → {fraction}", *(degradation(dataset, model, fraction) for model in pair)
            )
            for dataset in self._grid.datasets
            for pair in self._grid.pairs()
            for fraction in self._smallest
        )

    def worse_with_less(self) -> tuple[Part, ...]:
        return tuple(
            self._part(
                f"(a) {dataset}, {self._versus(cnn, vit)}, at {fraction}", self._architectures(dataset, cnn, vit, fraction)
            )
            for dataset in self._grid.datasets
            for cnn, vit in self._grid.counterparts(pretrained=False)
            for fraction in self._grid.reduced
        )

    def loses_more_with_less(self) -> tuple[Part, ...]:
        return tuple(
            self._difference(
                f"(b) {dataset}, {self._versus(cnn, vit)}, 1.0 → {fraction}",
                degradation(dataset, vit, fraction),
                degradation(dataset, cnn, fraction),
            )
            for dataset in self._grid.datasets
            for cnn, vit in self._grid.counterparts(pretrained=False)
            for fraction in self._smallest
        )

    def loses_more_when_harder(self) -> tuple[Part, ...]:
        return tuple(
            self._difference(
                f"{self._harder(datasets)}, {self._versus(cnn, vit)}, {'pre-trained' if pretrained else 'scratch'}",
                penalty(datasets, vit, fraction),
                penalty(datasets, cnn, fraction),
            )
            for datasets in self._two
            for fraction in self._full
            for pretrained in (False, True)
            for cnn, vit in self._grid.counterparts(pretrained)
        )

    def gain_grows(self) -> tuple[Part, ...]:
        ladder = self._grid.ladder
        return tuple(
            self._part(
                f"{dataset}, {self._pair(pair)}, {more} → {less}", minus(gain(dataset, pair, less), gain(dataset, pair, more))
            )
            for dataset in self._grid.datasets
            for pair in self._grid.pairs()
            for more, less in itertools.pairwise(ladder)
        )

    def penalty_lowered(self) -> tuple[Part, ...]:
        return tuple(
            self._difference(
                f"{self._harder(datasets)}, {self._pair(pair)}", *(penalty(datasets, model, fraction) for model in pair)
            )
            for datasets in self._two
            for fraction in self._full
            for pair in self._grid.pairs()
        )

    def less_data_beats_scratch(self) -> tuple[Part, ...]:
        models = self._grid.models
        return tuple(
            self._part(
                f"{dataset}, {self._labels.model(vit)}, at {fraction} against {self._labels.model(cnn)}, at 1.0",
                minus(error(dataset, cnn.name, 1.0), error(dataset, vit.name, fraction)),
            )
            for dataset in self._grid.datasets
            for fraction in self._smallest
            for vit in models
            if vit.family == "vit" and vit.weights is not None
            for cnn in models
            if cnn.family == "cnn" and cnn.weights is None
        )

    def matters_more_than_architecture(self) -> tuple[Part, ...]:
        """Each gain against each difference of a CNN and a ViT of one kind, its sign taken off.

        Where one architecture is the better of both kinds, two of these are the same sum of errors: it counts once.
        """
        parts: dict[tuple[tuple[Arm, float], ...], Part] = {}
        for dataset in self._grid.datasets:
            for fraction in self._grid.ladder:
                for pair, pretrained in itertools.product(self._grid.pairs(), (False, True)):
                    for cnn, vit in self._grid.counterparts(pretrained):
                        difference = self._size(self._architectures(dataset, cnn, vit, fraction))
                        contrast = minus(gain(dataset, pair, fraction), difference)
                        label = (
                            f"{dataset}, gain of {self._pair(pair)} against {self._versus(cnn, vit)}, "
                            f"{'pre-trained' if pretrained else 'scratch'}, at {fraction}"
                        )
                        parts.setdefault(tuple(contrast.items()), self._part(label, contrast))
        return tuple(parts.values())

    def less_variable(self) -> tuple[Part, ...]:
        if len(self._grid.seeds) < 3:
            return ()
        parts = []
        for dataset in self._grid.datasets:
            for pair in self._grid.pairs():
                for fraction in self._grid.ladder:
                    arms = tuple(Arm(dataset, model.name, fraction) for model in pair)
                    missing = tuple(self._errors.missing(arms))
                    ratio = None if missing else log_sd_ratio(*([float(run) for run in self._errors.runs(arm)] for arm in arms))
                    label = f"{dataset}, {self._pair(pair)}, at {fraction}"
                    parts.append(Part(label, arms, ratio, missing, unit="log ratio"))
        return tuple(parts)

    def _part(self, label: str, contrast: Contrast, sides: tuple[Contrast, Contrast] | None = None) -> Part:
        missing = tuple(self._errors.missing(contrast))
        return Part(label, tuple(contrast), self._errors.estimate(contrast), missing, sides)

    def _difference(self, label: str, first: Contrast, second: Contrast) -> Part:
        return self._part(label, minus(first, second), (first, second))

    def _architectures(self, dataset: str, cnn: Model, vit: Model, fraction: float) -> Contrast:
        return minus(error(dataset, vit.name, fraction), error(dataset, cnn.name, fraction))

    def _size(self, contrast: Contrast) -> Contrast:
        """The contrast, turned so that its estimate is not negative."""
        estimate = self._errors.estimate(contrast)
        return minus({}, contrast) if estimate is not None and estimate.value < 0 else contrast

    def _pair(self, pair: tuple[Model, Model]) -> str:
        return self._labels.architecture(pair[1])

    def _versus(self, cnn: Model, vit: Model) -> str:
        return f"{self._labels.architecture(vit)} vs {self._labels.architecture(cnn)}"

    def _harder(self, datasets: Sequence[str]) -> str:
        return f"{datasets[0]} → {datasets[1]}"


@dataclass(frozen=True)
class Relative:
    """A difference of two losses in points, and the log ratio of their relative growths of error (above 0 where the first
    grows more), with the growth of either side."""

    key: str
    part: Part
    growths: tuple[float, float]
    log_ratio: Estimate

    @property
    def disagrees(self) -> bool:
        """Whether points and growth point to different sides."""
        return self.part.estimate is not None and self.part.estimate.value * self.log_ratio.value < 0

    @property
    def settled(self) -> bool:
        """Whether neither interval holds 0, so that both sides are certain."""
        return all(
            each is not None and each.low is not None and each.high is not None and each.low * each.high > 0
            for each in (self.part.estimate, self.log_ratio)
        )


def relatives(tested: Sequence[Finding], errors: Errors) -> list[Relative]:
    """The relative counterpart of every tested part of H1 to H3 that compares two losses."""
    found = []
    for finding in tested:
        for part in finding.parts if finding.key in HYPOTHESES else ():
            if part.sides is None or part.estimate is None:
                continue
            first, second = (errors.estimate(side, logarithm=True) for side in part.sides)
            ratio = errors.estimate(minus(*part.sides), logarithm=True)
            if first and second and ratio:
                found.append(Relative(finding.key, part, (math.exp(first.value), math.exp(second.value)), ratio))
    return found
