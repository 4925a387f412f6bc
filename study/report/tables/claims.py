"""Tables of hypotheses and claims: their verdicts and their parts."""

from collections.abc import Callable

from study.report.absent import absent
from study.report.analysis import Analysis
from study.report.columns import Column, Table, estimate
from study.report.numbers import NONE, between, percent, points, with_unit
from study.report.part_names import called, called_safely, sampled
from study.report.text import escaped
from study.statistics import verdicts
from study.statistics.hypotheses import Finding

HEADS = {
    verdicts.SUPPORTED: "For",
    verdicts.REFUTED: "Against",
    verdicts.TOO_SMALL: "Too small to tell",
    verdicts.UNTELLABLE: "Cannot be told",
    verdicts.NOT_TESTED: "Not tested",
}


def hypotheses(analysis: Analysis) -> Table:
    """H1 to H3: the verdict, and what speaks for and against it."""
    return _verdicts("hypotheses", "Hypotheses", analysis.conclusions.hypotheses)


def claims(analysis: Analysis) -> Table:
    """C1 to C8 in the same form."""
    return _verdicts("claims", "Further claims", analysis.conclusions.claims)


def verdicts_of_all(analysis: Analysis) -> Table:
    """Every hypothesis and claim with its verdict and how many parts say so, for machines and for tools/compare.py."""
    return Table(
        "verdicts",
        "Verdicts",
        (
            Column("Hypothesis or claim", "key", lambda finding: finding.key),
            Column("Claim", "claim", lambda finding: finding.claim, escaped),
            Column("Verdict", "verdict", lambda finding: finding.verdict),
            Column("", "worth", lambda finding: finding.worth),
            *(Column(HEADS[word], word.replace(" ", "_"), _counter(word)) for word in verdicts.PARTS),
        ),
        analysis.conclusions.findings,
    )


def parts(analysis: Analysis, finding: Finding) -> Table:
    """The parts of a finding that has some: effect, what could have come out, what could have been told, verdict."""
    unit = finding.parts[0].unit
    shown = sampled(finding.parts)
    lacking = {arm for part in finding.parts for arm in part.missing}
    cut = f"{len(shown)} of {len(finding.parts)} parts, from the lowest effect to the highest; the CSV has all."
    return Table(
        f"parts_{finding.key.lower()}",
        f"{finding.key}: {escaped(finding.claim)}",
        (
            Column("Part", "", lambda part: called_safely(analysis, finding.key, part)),
            Column("", "part", lambda part: called(analysis, finding.key, part)),
            Column("", "key", lambda part: part.where.key),
            Column("", "unit", lambda part: part.unit),
            estimate(
                "Effect, points" if unit == "points" else "Difference of variances, points²",
                "effect",
                lambda part: part.estimate,
                lambda value: with_unit(value, unit),
            ),
            Column("Verdict", "verdict", lambda part: part.verdict),
            *(
                (
                    Column("Could have come out", "", lambda part: part.attainable, between),
                    Column("", "attainable_low", lambda part: part.attainable and part.attainable[0]),
                    Column("", "attainable_high", lambda part: part.attainable and part.attainable[1]),
                    Column(
                        "Smallest that could be told",
                        "tellable",
                        lambda part: part.estimate and part.estimate.tellable,
                        percent,
                    ),
                )
                if unit == "points"
                else ()
            ),
            Column("", "missing", lambda part: " ".join(map(str, part.missing))),
        ),
        finding.parts,
        (*([cut] if len(shown) < len(finding.parts) else []), *absent(analysis, analysis.lacking(lacking))),
        shown,
    )


def _verdicts(name: str, title: str, found: tuple[Finding, ...]) -> Table:
    untested = any(finding.with_verdict(verdicts.NOT_TESTED) for finding in found)
    words = [word for word in verdicts.PARTS if untested or word != verdicts.NOT_TESTED]
    return Table(
        name,
        title,
        (
            Column("", "key", lambda finding: finding.key),
            Column("Claim", "", lambda finding: f"**{finding.key}** {escaped(finding.claim)}"),
            Column("Verdict", "", _worded),
            Column("", "verdict", lambda finding: finding.verdict),
            *(Column(HEADS[word], "", _range_of(word)) for word in words),
        ),
        found,
    )


def _worded(finding: Finding) -> str:
    """The verdict with what it holds for: **supported** in these trainings."""
    worth = "" if finding.verdict == verdicts.NOT_TESTED else f" {finding.worth}"
    return f"**{finding.verdict}**{worth}".rstrip()


def _range_of(word: str) -> Callable[[Finding], str]:
    """How many parts have that verdict and, where it says something, their smallest and largest effect."""

    def text(finding: Finding) -> str:
        own = finding.with_verdict(word)
        if not own:
            return NONE
        if word not in (verdicts.SUPPORTED, verdicts.REFUTED) or own[0].unit != "points":
            return str(len(own))
        effects = sorted(part.estimate.value for part in own if part.estimate)
        ends = list(dict.fromkeys((points(effects[0]), points(effects[-1]))))
        return f"{len(effects)}: {' to '.join(ends)}"

    return text


def _counter(word: str) -> Callable[[Finding], int]:
    return lambda finding: len(finding.with_verdict(word))
