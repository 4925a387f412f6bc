"""A study whose errors are known, and its findings."""

from simulated import CLASSES, Grid, Wrong

from study.statistics.contrasts import Arm
from study.statistics.hypotheses import Finding, findings
from study.statistics.roles import Roles
from study.statistics.sample import Sample

TABLE = {
    ("easy", "cnn_scratch"): (0.20, 0.28, 0.50),
    ("easy", "cnn_glyphs"): (0.10, 0.12, 0.20),
    ("easy", "vit_scratch"): (0.30, 0.45, 0.65),
    ("easy", "vit_glyphs"): (0.15, 0.16, 0.18),
    ("hard", "cnn_scratch"): (0.40, 0.48, 0.60),
    ("hard", "cnn_glyphs"): (0.25, 0.30, 0.50),
    ("hard", "vit_scratch"): (0.60, 0.70, 0.75),
    ("hard", "vit_glyphs"): (0.35, 0.36, 0.45),
}


def rate(arm: Arm) -> float:
    return TABLE[arm.dataset, arm.model][Grid().ladder.index(arm.fraction)]


def asked(wrong: Wrong, grid: Grid | None = None, compare: tuple[str, str] = ("cnn", "vit")) -> dict[str, Finding]:
    grid = grid or Grid()
    return {finding.key: finding for finding in findings(Roles(grid, compare), Sample(wrong, CLASSES))}


def values(finding: Finding) -> dict[str, float]:
    return {part.where.key: round(part.estimate.value, 9) for part in finding.parts if part.estimate}
