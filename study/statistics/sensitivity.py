"""Do verdicts hang on doubtful test images? The findings once more, without near-duplicates and without doubted labels."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from study.statistics.hypotheses import Finding, findings
from study.statistics.parts import Part
from study.statistics.roles import Roles
from study.statistics.sample import Sample


@dataclass(frozen=True)
class Sensitivity:
    """The findings without some test images. ``removed``: how many, of how many, for each dataset that has a list."""

    kind: str
    removed: Mapping[str, tuple[int, int]]
    findings: tuple[Finding, ...]

    def changed(self, official: Sequence[Finding]) -> tuple[tuple[str, Part, Part], ...]:
        """The parts whose verdict is another than on the official test set: (key of the finding, official, without)."""
        return tuple(
            (finding.key, before, after)
            for finding, again in zip(official, self.findings, strict=True)
            for before, after in zip(finding.parts, again.parts, strict=True)
            if before.verdict != after.verdict
        )


def sensitivities(roles: Roles, sample: Sample, lists: Mapping[str, Mapping[str, Collection[int]]]) -> tuple[Sensitivity, ...]:
    """One for each kind of list that names images of the study's datasets."""
    found = []
    for kind, indices in lists.items():
        own = {dataset: images for dataset, images in indices.items() if dataset in roles.grid.datasets and images}
        if own:
            removed = {dataset: (len(images), sample.images(dataset)) for dataset, images in own.items()}
            found.append(Sensitivity(kind, removed, findings(roles, sample.without(own))))
    return tuple(found)
