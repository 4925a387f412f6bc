"""The hypotheses and further claims as data: key, claim, what they need, and their parts. What evidence says of them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from study.statistics import further, questions, verdicts
from study.statistics.evidence import Evidence
from study.statistics.parts import Part, Question, answer
from study.statistics.roles import Roles
from study.statistics.variability import less_variable

HYPOTHESES = ("H1", "H2", "H3")


@dataclass(frozen=True)
class Hypothesis:
    """``claim`` and ``needs`` name the families by {first} and {second}. ``needs`` is what a study must have to test it."""

    key: str
    claim: str
    needs: str
    parts: Callable[[Roles, Evidence], Iterable[Part]]


def _asking(ask: Callable[[Roles], Iterable[Question]]) -> Callable[[Roles, Evidence], Iterable[Part]]:
    return lambda roles, evidence: (answer(question, evidence) for question in ask(roles))


_PAIR = "a pre-trained model with its scratch partner"
_BOTH = "one {first} and one {second}, each pre-trained and from scratch"

ALL = (
    Hypothesis(
        "H1",
        "Pre-training softens the loss of accuracy as training data shrinks",
        f"{_PAIR}, fraction 1.0 and a smaller one",
        _asking(questions.softened),
    ),
    Hypothesis(
        "H2",
        "Without pre-training, the {second} is the more fragile of the two with little data",
        "one {first} and one {second} from scratch, and a fraction below 1.0",
        _asking(questions.fragile),
    ),
    Hypothesis(
        "H3",
        "As the dataset gets harder, the {second} loses more than the {first}",
        "two datasets or more, one {first} and one {second}, both from scratch or both pre-trained, and fraction 1.0",
        _asking(questions.harder),
    ),
    Hypothesis(
        "C1", "The gain from pre-training grows as data shrinks", f"{_PAIR}, and two fractions", _asking(further.gain_grows)
    ),
    Hypothesis(
        "C2",
        "Pre-training lowers the penalty of the harder dataset",
        f"two datasets or more, {_PAIR}, and fraction 1.0",
        _asking(further.penalty_lowered),
    ),
    Hypothesis(
        "C3",
        "A pre-trained {second} on the smallest fraction beats the {first} from scratch on all data",
        "a pre-trained {second}, one {first} from scratch, fraction 1.0 and a smaller one",
        _asking(further.less_data_beats_scratch),
    ),
    Hypothesis(
        "C4",
        "For robustness, pre-training matters more than architecture",
        f"{_BOTH}, fraction 1.0, and a smaller one or a second dataset",
        _asking(further.matters_more),
    ),
    Hypothesis(
        "C5",
        "Pre-training also reduces variability over seeds",
        f"{_PAIR}, and three seeds or more",
        less_variable,
    ),
    Hypothesis("C6", "Pre-trained is better than scratch at every fraction", _PAIR, _asking(further.better_everywhere)),
    Hypothesis("C7", "The {second} depends more on pre-training than the {first}", _BOTH, _asking(further.depends_more)),
    Hypothesis(
        "C8",
        "The {first} is the more robust overall: it loses less with less data and with harder data",
        "one {first} and one {second}, both from scratch or both pre-trained, fraction 1.0, and a smaller one or two datasets",
        _asking(questions.less_robust),
    ),
)


@dataclass(frozen=True)
class Finding:
    """A hypothesis or claim with its parts. ``worth`` follows the verdict: what it holds for."""

    key: str
    claim: str
    needs: str
    parts: tuple[Part, ...]
    worth: str

    @property
    def verdict(self) -> str:
        """The word, by verdicts.of_hypothesis: ``supported in 3 of 4``."""
        return verdicts.of_hypothesis([part.verdict for part in self.parts])

    def with_verdict(self, verdict: str) -> tuple[Part, ...]:
        """The parts of that verdict, in order."""
        return tuple(part for part in self.parts if part.verdict == verdict)


def worth(evidence: Evidence) -> str:
    """What verdicts hold for, in a few words: these trainings alone, or, from three seeds, the recipe (nothing to add)."""
    if not evidence.measured:
        return "in the published runs"
    return "" if evidence.over_trainings else "in these trainings"


def findings(roles: Roles, evidence: Evidence) -> tuple[Finding, ...]:
    """H1 to H3, then C1 to C8."""
    names = {"first": roles.first, "second": roles.second}
    return tuple(
        Finding(
            each.key,
            each.claim.format(**names),
            each.needs.format(**names),
            tuple(each.parts(roles, evidence)),
            worth(evidence),
        )
        for each in ALL
    )
