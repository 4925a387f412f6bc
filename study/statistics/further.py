"""The questions of the claims C1 to C4, C6 and C7. C5, on variability, is in variability.py; C8 in questions.py."""

import itertools
from collections.abc import Iterator
from dataclasses import replace

from study.statistics.contrasts import Arm, Contrast, degradation, error, gain, minus, penalty
from study.statistics.parts import Question, Where
from study.statistics.questions import KINDS
from study.statistics.roles import Roles


def gain_grows(roles: Roles) -> Iterator[Question]:
    """C1, from each fraction to the next smaller one: gain(less) - gain(more)."""
    for dataset in roles.grid.datasets:
        for scratch, pretrained in roles.pairs():
            for more, less in itertools.pairwise(roles.ladder):
                yield Question(
                    Where((dataset,), (scratch, pretrained), (more, less)),
                    gain(dataset, scratch, pretrained, less),
                    gain(dataset, scratch, pretrained, more),
                    falls=Arm(dataset, scratch, less),
                )


def penalty_lowered(roles: Roles) -> Iterator[Question]:
    """C2, at fraction 1.0: penalty(scratch) - penalty(pre-trained)."""
    for datasets in roles.harder:
        for fraction in roles.full:
            for scratch, pretrained in roles.pairs():
                yield Question(
                    Where(datasets, (scratch, pretrained), (fraction,)),
                    penalty(datasets, scratch, fraction),
                    penalty(datasets, pretrained, fraction),
                    falls=Arm(datasets[1], scratch, fraction),
                )


def less_data_beats_scratch(roles: Roles) -> Iterator[Question]:
    """C3: error(first family, scratch, 1.0) - error(second family, pre-trained, smallest fraction)."""
    for dataset in roles.grid.datasets:
        for fraction in roles.smallest:
            for pretrained in roles.family(roles.compare[1], pretrained=True):
                for scratch in roles.family(roles.compare[0], pretrained=False):
                    yield Question(
                        Where((dataset,), (scratch, pretrained), (1.0, fraction)),
                        error(dataset, scratch, 1.0),
                        error(dataset, pretrained, fraction),
                        falls=Arm(dataset, scratch, 1.0),
                    )


def matters_more(roles: Roles) -> Iterator[Question]:
    """C4: the reduction of a loss by pre-training exceeds the difference of that loss between architectures, of either sign.

    For less data at the smallest fraction, and for harder data at 1.0; each pair of a family that is compared against the
    difference of the families from scratch and pre-trained.
    """
    for dataset in roles.grid.datasets:
        for fraction in roles.smallest:
            losses = {model: degradation(dataset, model, fraction) for model in _models(roles)}
            yield from _matters_more(roles, losses, Where((dataset,), (), (1.0, fraction), loss="less"))
    for datasets in roles.harder:
        for fraction in roles.full:
            losses = {model: penalty(datasets, model, fraction) for model in _models(roles)}
            yield from _matters_more(roles, losses, Where(datasets, (), (fraction,), loss="harder"))


def better_everywhere(roles: Roles) -> Iterator[Question]:
    """C6, at every fraction: gain > 0."""
    for dataset in roles.grid.datasets:
        for scratch, pretrained in roles.pairs():
            for fraction in roles.ladder:
                yield Question(
                    Where((dataset,), (scratch, pretrained), (fraction,)),
                    error(dataset, scratch, fraction),
                    error(dataset, pretrained, fraction),
                    falls=Arm(dataset, scratch, fraction),
                )


def depends_more(roles: Roles) -> Iterator[Question]:
    """C7, at every fraction: gain(second family) - gain(first family)."""
    for dataset in roles.grid.datasets:
        for first, second in roles.both():
            for fraction in roles.ladder:
                yield Question(
                    Where((dataset,), (second[1], first[1]), (fraction,)),
                    gain(dataset, *second, fraction),
                    gain(dataset, *first, fraction),
                    falls=Arm(dataset, second[0], fraction),
                )


def _models(roles: Roles) -> list[str]:
    return [model.name for model in roles.grid.models]


def _matters_more(roles: Roles, losses: dict[str, Contrast], where: Where) -> Iterator[Question]:
    """C4 for one loss. ``losses`` is that loss of each model; ``where`` has all but the models and their kind."""
    compared = [pair for both in roles.both() for pair in both]
    for scratch, pretrained in dict.fromkeys(compared):
        for kind in (False, True):
            for first, second in roles.counterparts(kind):
                yield Question(
                    replace(where, models=(scratch, pretrained), kind=KINDS[kind], against=(second, first)),
                    losses[scratch],
                    losses[pretrained],
                    falls=Arm(where.datasets[-1], scratch, where.fractions[-1]),
                    rival=minus(losses[second], losses[first]),
                )
