"""A part of a hypothesis: one effect that must lie above 0, what could have come out of it, and its verdict."""

from dataclasses import dataclass

from study.statistics import verdicts
from study.statistics.contrasts import Arm, Contrast, minus, plus
from study.statistics.estimate import Estimate, clean, least
from study.statistics.evidence import Evidence


@dataclass(frozen=True)
class Where:
    """What a part is about, as data: a report makes its label of it.

    ``models`` are two, first the one that is said to be worse. ``kind`` is ``scratch`` or ``pre-trained`` where both are.
    ``fractions`` are the ones compared, or the one at which all is read. ``loss`` is ``less`` or ``harder`` in claims about
    both losses. ``step`` is the letter of a part's group in H2. ``against`` are the rivals of C4.
    """

    datasets: tuple[str, ...]
    models: tuple[str, ...]
    fractions: tuple[float, ...]
    kind: str = ""
    loss: str = ""
    step: str = ""
    against: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The same as one word for files: ``a/digits/vit_scratch+cnn_scratch/0.1``."""
        places = ("+".join(each) for each in (self.datasets, self.models, map(str, self.fractions), self.against))
        return "/".join(filter(None, (self.step, self.loss, *places)))


@dataclass(frozen=True)
class Question:
    """``first`` - ``second`` > 0? ``falls`` is the arm whose fall to guessing, or to no error, bounds what can come out.

    With ``rival``, the effect must exceed the rival difference whatever the sign of that is.
    """

    where: Where
    first: Contrast
    second: Contrast
    falls: Arm
    rival: Contrast | None = None

    @property
    def effect(self) -> Contrast:
        """The difference of the two sides."""
        return minus(self.first, self.second)

    @property
    def contrasts(self) -> tuple[Contrast, ...]:
        """The contrasts that must all lie above 0."""
        if self.rival is None:
            return (self.effect,)
        return (minus(self.effect, self.rival), plus(self.effect, self.rival))

    @property
    def arms(self) -> tuple[Arm, ...]:
        """All arms that it needs, sorted."""
        return tuple(sorted({arm for side in (self.first, self.second, self.rival or {}) for arm in side}))


@dataclass(frozen=True)
class Part:
    """The answer to a question. ``estimate`` is in shares of 1 (0.01 is a point), None where the question was not tested.

    With a rival it is the smaller of effect - rival and effect + rival. ``attainable`` is the range of estimates that could
    have come out, from no error of the arm that falls to the error of guessing, with all other arms as they are; None where
    there is no such arm. ``unit`` is ``points``, or ``variance`` for differences of variances (0.0001 is a point squared).
    """

    where: Where
    estimate: Estimate | None
    attainable: tuple[float, float] | None
    arms: tuple[Arm, ...]
    missing: tuple[Arm, ...] = ()
    question: Question | None = None
    unit: str = "points"

    @property
    def verdict(self) -> str:
        """A word of verdicts.PARTS."""
        return verdicts.of_part(self.estimate, self.attainable)


def answer(question: Question, evidence: Evidence) -> Part:
    """The part that ``evidence`` gives as an answer; without an estimate where an arm is missing."""
    missing = evidence.missing(question.arms)
    estimates = [evidence.estimate(contrast) for contrast in question.contrasts]
    found = [estimate for estimate in estimates if estimate is not None]
    if missing or len(found) < len(estimates):
        return Part(question.where, None, None, question.arms, missing, question=question)
    seen, guessing = evidence.error(question.falls), evidence.guessing(question.falls.dataset)
    # No model has to do worse than guessing, but one that does has come out: what was seen is attainable.
    weights = [contrast.get(question.falls, 0) for contrast in question.contrasts]
    low, high = (
        clean(min(each.value + step * weight for each, weight in zip(found, weights, strict=True)))
        for step in (-seen, max(guessing - seen, 0.0))
    )
    return Part(question.where, least(found), (low, high), question.arms, question=question)
