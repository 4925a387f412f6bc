"""Tables of what verdicts hang on: the same parts on other scales, the same claims without doubtful test images."""

from collections.abc import Callable, Sequence

from study.report.analysis import Analysis
from study.report.columns import Column, Table, estimate
from study.report.numbers import points, signed
from study.report.part_names import called, called_safely, sampled
from study.report.text import escaped
from study.statistics import verdicts
from study.statistics.doubtful import LISTS
from study.statistics.estimate import Estimate
from study.statistics.hypotheses import HYPOTHESES, Finding
from study.statistics.readings import Reading
from study.statistics.scales import POINTS, SCALES

SIGNS = {1: "+", 0: "0", -1: "−"}


def scales(analysis: Analysis) -> Table | None:
    """The sign of every part of H1 to H3 on every scale; None where no part was tested."""
    readings = analysis.conclusions.readings
    if not readings:
        return None
    kept = {id(part) for key in HYPOTHESES for part in sampled([each.part for each in readings if each.key == key], 8)}
    shown = tuple(each for each in readings if id(each.part) in kept)
    return Table(
        "scales",
        "The parts of the hypotheses on four scales",
        (
            Column("", "key", lambda each: each.key),
            Column("Part", "", lambda each: f"{each.key}: {called_safely(analysis, each.key, each.part)}"),
            Column("", "part", lambda each: called(analysis, each.key, each.part)),
            *(_scale(scale.key, scale.title) for scale in SCALES),
            Column("Scales", "", _agreement),
            Column("", "against", lambda each: " ".join(each.against)),
        ),
        readings,
        (
            "+: the effect lies above 0 by its interval. −: below 0. 0: the interval holds 0. “Disagree”: two scales lie on "
            "different sides of 0, both by their intervals. “Lean apart”: their signs differ, but one interval holds 0.",
            *([f"{len(shown)} of {len(readings)} parts; the CSV has all."] if len(shown) < len(readings) else []),
        ),
        shown,
    )


def sensitivity(analysis: Analysis) -> Table | None:
    """The verdicts on the official test set and without doubtful test images; None where no list names the datasets."""
    sensitivities = analysis.conclusions.sensitivities
    if not sensitivities:
        return None
    removed = []
    for kind in sensitivities:
        counts = [f"{count:,} of {of:,} images of {escaped(name)}" for name, (count, of) in kind.removed.items()]
        removed.append(f"{LISTS[kind.kind]}: {', '.join(counts)}")
    return Table(
        "sensitivity",
        "Verdicts on the official test sets, and without doubtful test images",
        (
            Column("Hypothesis or claim", "key", lambda finding: finding.key),
            Column("Official test set", "official", lambda finding: finding.verdict),
            *(Column(LISTS[kind.kind].capitalize(), kind.kind, _verdict_in(kind.findings)) for kind in sensitivities),
        ),
        analysis.conclusions.findings,
        (f"Left out, {'; '.join(removed)}. Sources: data/reference.",),
    )


def _agreement(reading: Reading) -> str:
    if reading.part.verdict == verdicts.UNTELLABLE:
        return verdicts.UNTELLABLE
    return "**disagree**" if reading.against else "lean apart" if reading.leaning else "agree"


def _scale(key: str, title: str) -> Column:
    form = points if key == POINTS.key else (lambda value: signed(value, 2))

    def text(found: Estimate) -> str:
        return f"{SIGNS[found.sign]} ({form(found.value)})"

    return estimate(title.capitalize(), key, lambda each: each.estimates[key], text)


def _verdict_in(findings: Sequence[Finding]) -> Callable[[Finding], str]:
    found = {finding.key: finding.verdict for finding in findings}
    return lambda finding: found[finding.key]
