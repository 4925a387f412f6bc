"""Every part of H1 to H3 on every scale: its sign in points, log error, log odds corrected for chance and accuracy kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from study.statistics.estimate import Estimate
from study.statistics.evidence import Evidence
from study.statistics.hypotheses import HYPOTHESES, Finding
from study.statistics.parts import Part
from study.statistics.scales import POINTS, SCALES


@dataclass(frozen=True)
class Reading:
    """One part on all scales. An estimate is None where infinity would be subtracted from infinity."""

    key: str
    part: Part
    estimates: Mapping[str, Estimate | None]

    @property
    def signs(self) -> dict[str, int]:
        """1, 0 or -1 for each scale: above 0, interval holds 0 (or undefined), below 0."""
        return {key: 0 if estimate is None else estimate.sign for key, estimate in self.estimates.items()}

    @property
    def against(self) -> tuple[str, ...]:
        """Scales whose interval lies on the other side of 0 than that of points: they disagree, and both are certain.

        Where the interval of points holds 0, than that of the first scale whose interval does not.
        """
        signs = self.signs
        side = signs[POINTS.key] or next(filter(None, signs.values()), 0)
        return tuple(key for key, sign in signs.items() if sign * side < 0)

    @property
    def leaning(self) -> tuple[str, ...]:
        """Scales whose effect has another sign than that in points, certain or not."""
        points = self.estimates[POINTS.key]
        return tuple(
            key
            for key, each in self.estimates.items()
            if each is not None and points is not None and each.value * points.value < 0
        )


def readings(findings: Sequence[Finding], evidence: Evidence) -> tuple[Reading, ...]:
    """Of every tested part of H1 to H3. A part that compares errors, not losses, has the same sign on all scales."""
    return tuple(
        Reading(finding.key, part, {scale.key: evidence.estimate(part.question.effect, scale) for scale in SCALES})
        for finding in findings
        if finding.key in HYPOTHESES
        for part in finding.parts
        if part.estimate is not None and part.question is not None
    )
