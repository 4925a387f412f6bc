"""Set the verdicts of two reports side by side, part by part: the same study at two learning rates, for example.

python -m tools.compare cifar32 cifar32_lr                  two reports in this workspace
python -m tools.compare main:cifar32 my-branch:cifar32_lr   at revisions: branches, tags, commits, DVC experiments
"""

import csv
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from study.base.console import parser, run, say
from study.base.errors import UNREADABLE, StudyError, one_line, plain
from study.design import cells
from study.report.numbers import NONE, with_unit
from study.statistics.estimate import Estimate
from study.statistics.hypotheses import HYPOTHESES

NUMBERS = {"effect", "effect_low", "effect_high"}
PART, VERDICT = {"part", "unit", "verdict", *NUMBERS}, {"key", "claim", "verdict"}


@dataclass(frozen=True)
class Report:
    """A study's report, in the workspace where ``revision`` is empty."""

    revision: str
    study: str

    @classmethod
    def parse(cls, text: str) -> "Report":
        """The report named ``STUDY`` or ``REVISION:STUDY``. Raises StudyError."""
        revision, _, study = text.rpartition(":")
        if not cells.NAME.fullmatch(study):
            raise StudyError(f"{text!r} names no report; write STUDY or REVISION:STUDY, such as cifar32 or main:cifar32.")
        return cls(revision, study)

    def __str__(self) -> str:
        return f"{self.study} at {self.revision}" if self.revision else self.study

    def rows(self, table: str) -> list[dict[str, str]]:
        """The rows of a table's CSV; none where the report has no such table."""
        path = cells.report(self.study) / "tables" / f"{table}.csv"
        try:
            if self.revision:
                shown = _git("show", f"{_commit(self.revision)}:./{path.as_posix()}")
                text = shown.stdout if shown.returncode == 0 else ""
            else:
                text = path.read_text(encoding="utf-8") if path.is_file() else ""
            rows = list(csv.DictReader(text.splitlines(), strict=True))
            for row in rows:
                _check(row)
        except UNREADABLE as error:
            raise StudyError(f"{path} of {self} is damaged ({one_line(error)}); dvc repro makes it anew.") from None
        return rows


def main() -> None:
    """Command line: python -m tools.compare [REVISION:]STUDY [REVISION:]STUDY."""
    arguments = parser(__doc__, "compare", "tools")
    arguments.add_argument("first", metavar="[REVISION:]STUDY")
    arguments.add_argument("second", metavar="[REVISION:]STUDY")
    given = arguments.parse_args()
    reports = Report.parse(given.first), Report.parse(given.second)
    verdicts = [{row["key"]: row for row in report.rows("verdicts")} for report in reports]
    for report, found in zip(reports, verdicts, strict=True):
        if not found:
            raise StudyError(f"there is no report of {report}; dvc repro makes it, dvc exp list names the experiments.")
    say(_aligned(("Hypothesis or claim", *map(str, reports)), _claims(*verdicts)))
    for key in HYPOTHESES:
        parts = [{row.get("key", row["part"]): row for row in report.rows(f"parts_{key.lower()}")} for report in reports]
        parts[1] = _paired(*parts)
        names = {name: row["part"] for found in reversed(parts) for name, row in found.items()}
        if names:
            rows = [(names[name], *(_part(found.get(name)) for found in parts)) for name in names]
            say("\n" + _aligned((key, *map(str, reports)), rows))


def _check(row: dict[str, str]) -> None:
    """Raise one of UNREADABLE where ``row`` is not of a table of verdicts or of parts."""
    names = PART if "part" in row else VERDICT
    if None in row or any(row[name] is None for name in names):
        raise ValueError("its rows are not of one length")
    for name in NUMBERS & row.keys():
        float(row[name] or "nan")


def _paired(first: dict[str, dict[str, str]], second: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """The rows of ``second`` under the keys of ``first``: the same models, or else the same words (models of other names)."""
    worded = {row["part"]: key for key, row in first.items() if key not in second}
    return {key if key in first else worded.pop(row["part"], key): row for key, row in second.items()}


def _claims(first: dict[str, dict[str, str]], second: dict[str, dict[str, str]]) -> list[tuple[str, ...]]:
    """A row of each claim. Reports that compare other families have other claims under the same key: a row of each."""
    rows: dict[tuple[str, str], list[str]] = {}
    for key in (*first, *(key for key in second if key not in first)):
        for place, found in enumerate((first, second)):
            if key in found:
                words = f"{found[key]['verdict']} {found[key].get('worth') or ''}".rstrip()
                rows.setdefault((key, found[key]["claim"]), [NONE, NONE])[place] = words
    return [(f"{key}: {claim}", *verdicts) for (key, claim), verdicts in rows.items()]


def _part(row: dict[str, str] | None) -> str:
    """``+3.1 [+1.0, +5.2] supported``, in points. Older reports may lack an interval."""
    if row is None or not row["effect"]:
        return NONE
    effect, low, high = (float(row[name] or "nan") for name in ("effect", "effect_low", "effect_high"))
    text = with_unit(Estimate(effect, low, high), row["unit"])
    return f"{text.partition(' ')[0] if low != low else text} {row['verdict']}"


def _aligned(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns of equal width, two spaces apart."""
    widths = [max(len(row[place]) for row in (header, *rows)) for place in range(len(header))]
    lines = [header, ["-" * width for width in widths], *rows]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def _commit(revision: str) -> str:
    """A commit that git knows by ``revision``, or the DVC experiment of that name."""
    found = _git("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    if found.returncode == 0:
        return revision
    if found.stderr:  # of a revision that is not there it says nothing
        raise StudyError(f"git cannot look for {revision} ({plain(found.stderr)}); run this in a clone of the project.")
    named = _git("for-each-ref", "--format=%(refname)", f"refs/exps/*/*/{revision}").stdout.split()
    if len(named) != 1:
        raise StudyError(f"{revision} is no revision and no single experiment here; git branch and dvc exp list name them.")
    return named[0]


def _git(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["git", *arguments], capture_output=True, encoding="utf-8", check=False)


if __name__ == "__main__":
    run(main)
