"""Everything that a report says of its numbers, computed once: the one object that pages, tables and figures are made of."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from study.statistics.contrasts import Arm
from study.statistics.differences import Difference
from study.statistics.equivalents import Equivalent, equivalents
from study.statistics.evidence import Evidence
from study.statistics.exponents import Exponent, exponents
from study.statistics.hypotheses import HYPOTHESES, Finding, findings
from study.statistics.publication import Publication
from study.statistics.readings import Reading, readings
from study.statistics.requirements import Requirement, requirements
from study.statistics.roles import GridLike, Roles
from study.statistics.sample import Sample
from study.statistics.sensitivity import Sensitivity, sensitivities

NEAR_GUESSING = 0.9  # of the error of guessing


@dataclass(frozen=True)
class Conclusions:
    """What a study's numbers say. ``evidence`` has the errors, ``findings`` are H1 to H3 and then C1 to C8."""

    roles: Roles
    evidence: Evidence
    findings: tuple[Finding, ...]
    readings: tuple[Reading, ...]
    equivalents: tuple[Equivalent, ...]
    exponents: tuple[Exponent, ...]
    sensitivities: tuple[Sensitivity, ...]

    @classmethod
    def of_cells(
        cls,
        grid: GridLike,
        wrong: Mapping[Arm, Sequence[NDArray[np.bool_]]],
        classes: Mapping[str, float],
        compare: tuple[str, str] = ("cnn", "vit"),
        doubtful: Mapping[str, Mapping[str, Collection[int]]] | None = None,
    ) -> "Conclusions":
        """``wrong``: which test images (images,) each seed of an arm gets wrong. Only arms with all their seeds are in it.

        ``classes``: as of Evidence; ``compare``: families of H2, H3 and the claims; ``doubtful``: doubtful.read_lists().
        """
        sample = Sample(wrong, classes)
        roles = Roles(grid, compare)
        return cls._of(roles, sample, sensitivities(roles, sample, doubtful or {}))

    @classmethod
    def of_published(
        cls,
        grid: GridLike,
        errors: Mapping[Arm, float],
        classes: Mapping[str, float],
        differences: Sequence[Difference] = (),
        compare: tuple[str, str] = ("cnn", "vit"),
    ) -> "Conclusions":
        """From published errors in [0, 1], and from published differences of them (differences.read_differences())."""
        return cls._of(Roles(grid, compare), Publication(errors, classes, differences), ())

    @classmethod
    def _of(cls, roles: Roles, evidence: Evidence, sensitivity: tuple[Sensitivity, ...]) -> "Conclusions":
        found = findings(roles, evidence)
        return cls(
            roles,
            evidence,
            found,
            readings(found, evidence),
            equivalents(roles, evidence),
            exponents(roles, evidence),
            sensitivity,
        )

    @property
    def hypotheses(self) -> tuple[Finding, ...]:
        """H1 to H3."""
        return tuple(finding for finding in self.findings if finding.key in HYPOTHESES)

    @property
    def claims(self) -> tuple[Finding, ...]:
        """C1 to C8."""
        return tuple(finding for finding in self.findings if finding.key not in HYPOTHESES)

    def finding(self, key: str) -> Finding:
        """``H1`` to ``C8``. KeyError for another key."""
        return {finding.key: finding for finding in self.findings}[key]

    def requirements(self, target: float, *datasets: str) -> tuple[Requirement, ...]:
        """How much data each model needs for a top-1 error of ``target``, in (0, 1), on all datasets or on ``datasets``."""
        return requirements(self.roles, self.evidence, target, *datasets)

    @property
    def near_guessing(self) -> tuple[Arm, ...]:
        """The arms that make at least nine tenths of the errors of guessing."""
        return tuple(
            arm for arm in self.evidence.arms if self.evidence.error(arm) >= NEAR_GUESSING * self.evidence.guessing(arm.dataset)
        )

    @property
    def disagreeing(self) -> tuple[Reading, ...]:
        """The parts of H1 to H3 that points and another scale put on different sides of 0, both by their intervals."""
        return tuple(reading for reading in self.readings if reading.against)
