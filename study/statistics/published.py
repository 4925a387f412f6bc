"""The published top-1 errors, in data/reference with their source: one run a cell, three decimals, no intervals."""

from dataclasses import dataclass
from pathlib import Path

from study.base.errors import StudyError
from study.design.cells import DATA, NAME, parse_fraction
from study.settings.grid import Grid
from study.settings.params import Params
from study.statistics.contrasts import Arm
from study.statistics.differences import read_rows

COLUMNS = ["dataset", "model", "fraction", "top1_error", "source"]
CLASSES = {"cifar10": 10, "cifar100": 100}


@dataclass(frozen=True)
class Published:
    """Errors in [0, 1] by arm, in the order of the file, and where they come from."""

    errors: dict[Arm, float]
    sources: tuple[str, ...]

    @classmethod
    def read(cls, path: Path = DATA / "reference" / "published.csv") -> "Published":
        """Read ``path``; StudyError names the line that is wrong."""
        rows = read_rows(path, COLUMNS)
        if not rows:
            raise StudyError(f"{path} holds no numbers; git checkout {path} brings them back.")
        errors: dict[Arm, float] = {}
        for number, row in rows:
            where = f"{path}, line {number}"
            try:
                arm = Arm(row["dataset"], row["model"], parse_fraction(row["fraction"]))
                value = float(row["top1_error"])
            except (StudyError, TypeError, ValueError) as error:
                raise StudyError(f"{where}: {error}") from None
            if arm.dataset not in CLASSES:
                raise StudyError(f"{where}: the classes of {arm.dataset} are not known, only those of {', '.join(CLASSES)}.")
            if not NAME.fullmatch(arm.model) or arm in errors or not 0.0 < value < 1.0:  # scales of logarithms lack 0 and 1
                raise StudyError(f"{where}: names a cell twice or wrongly, or its top1_error does not lie between 0 and 1.")
            errors[arm] = value
        return cls(errors, tuple(dict.fromkeys(row["source"] for _, row in rows)))

    def grid(self, params: Params) -> Grid:
        """The published cells as a grid: its fractions are the ladder, the largest is the operating point."""
        fractions = tuple(sorted({arm.fraction for arm in self.errors}, reverse=True))
        models = tuple(params.model(name) for name in dict.fromkeys(arm.model for arm in self.errors))
        return Grid(
            "published", tuple(dict.fromkeys(arm.dataset for arm in self.errors)), models, fractions, fractions[0], (0,)
        )
