"""The questions of H1 to H3: which effects must lie above 0, in a study with given roles."""

from collections.abc import Iterator
from dataclasses import replace

from study.statistics.contrasts import Arm, degradation, error, penalty
from study.statistics.parts import Question, Where
from study.statistics.roles import Roles

KINDS = {False: "scratch", True: "pre-trained"}


def softened(roles: Roles) -> Iterator[Question]:
    """H1, at the smallest fraction: degradation(scratch) - degradation(pre-trained)."""
    for dataset in roles.grid.datasets:
        for scratch, pretrained in roles.pairs():
            for fraction in roles.smallest:
                yield Question(
                    Where((dataset,), (scratch, pretrained), (1.0, fraction)),
                    degradation(dataset, scratch, fraction),
                    degradation(dataset, pretrained, fraction),
                    falls=Arm(dataset, scratch, fraction),
                )


def fragile(roles: Roles) -> Iterator[Question]:
    """H2: (a) worse at each reduced fraction, (b) loses more to the smallest; both from scratch, second family - first."""
    for dataset in roles.grid.datasets:
        for first, second in roles.counterparts(pretrained=False):
            for fraction in roles.reduced:
                yield Question(
                    Where((dataset,), (second, first), (fraction,), "scratch", step="a"),
                    error(dataset, second, fraction),
                    error(dataset, first, fraction),
                    falls=Arm(dataset, second, fraction),
                )
    for dataset in roles.grid.datasets:
        for first, second in roles.counterparts(pretrained=False):
            for fraction in roles.smallest:
                yield _loses_more_with_less(dataset, first, second, fraction, "scratch", step="b")


def harder(roles: Roles) -> Iterator[Question]:
    """H3, at fraction 1.0: penalty(second family) - penalty(first), both from scratch and both pre-trained."""
    for datasets in roles.harder:
        for fraction in roles.full:
            for pretrained in (False, True):
                for first, second in roles.counterparts(pretrained):
                    yield Question(
                        Where(datasets, (second, first), (fraction,), KINDS[pretrained]),
                        penalty(datasets, second, fraction),
                        penalty(datasets, first, fraction),
                        falls=Arm(datasets[1], second, fraction),
                    )


def less_robust(roles: Roles) -> Iterator[Question]:
    """C8: both losses of the second family exceed those of the first, from scratch and pre-trained."""
    for pretrained in (False, True):
        for dataset in roles.grid.datasets:
            for first, second in roles.counterparts(pretrained):
                for fraction in roles.smallest:
                    yield _loses_more_with_less(dataset, first, second, fraction, KINDS[pretrained], loss="less")
    for question in harder(roles):
        yield replace(question, where=replace(question.where, loss="harder"))


def _loses_more_with_less(
    dataset: str, first: str, second: str, fraction: float, kind: str, loss: str = "", step: str = ""
) -> Question:
    return Question(
        Where((dataset,), (second, first), (1.0, fraction), kind, loss, step),
        degradation(dataset, second, fraction),
        degradation(dataset, first, fraction),
        falls=Arm(dataset, second, fraction),
    )
