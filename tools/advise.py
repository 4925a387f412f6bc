"""How many labelled images does a target error need, and with which model? From the curves fitted to the study's cells.

python -m tools.advise digits --error 0.05     for a dataset of the study in params.yaml
"""

import math

from study.base.console import parser, run, say
from study.base.errors import StudyError
from study.report import gather
from study.report.analysis import Analysis
from study.report.tables.takeaway import required
from study.settings.params import Params
from study.statistics.requirements import Requirement


def main() -> None:
    """Command line: python -m tools.advise DATASET --error E."""
    arguments = parser(__doc__, "advise", "tools")
    arguments.add_argument("dataset", metavar="DATASET", help="a dataset of the study")
    arguments.add_argument("--error", type=float, required=True, metavar="E", help="the top-1 error to reach, such as 0.05")
    given = arguments.parse_args()
    if not 0 < given.error < 1:
        raise StudyError(f"--error is {given.error}; it must be above 0 and below 1, such as 0.05 for 5 %.")
    params = Params.load()
    name = params.study().name
    analysis = gather.of_study(params, name, incomplete=True)
    if given.dataset not in analysis.grid.datasets:
        raise StudyError(f"{given.dataset} is no dataset of study {name}; it has {', '.join(analysis.grid.datasets)}.")
    found = list(analysis.conclusions.requirements(given.error, given.dataset))
    if not found:
        raise StudyError(f"no model has three train fractions of {given.dataset} here; a curve needs three.")
    for line in advice(analysis, found):
        say(line)


def advice(analysis: Analysis, found: list[Requirement]) -> list[str]:
    """The models, the one that needs least data first, and what cannot be told."""
    dataset, target = found[0].dataset, found[0].target
    images = analysis.full_images(dataset)
    unit = "labelled train images" if images else "times the train images"
    ordered = sorted(found, key=lambda each: each.fraction)
    names = [analysis.labels.of(each.model) for each in ordered]
    width = max(map(len, names))
    lines = [f"An error of {100 * target:g} % on {dataset} needs, in {unit} (95 % interval):"]
    for name, each in zip(names, ordered, strict=True):
        off = f"the same law missed the error at {each.largest} by {each.backtest_percent:+.0f} %"
        lines.append(f"  {name:<{width}}  {required(each, images)}  ({off})")
    below = [name for name, each in zip(names, ordered, strict=True) if each.fraction <= each.smallest]
    if len(below) > 1:
        lines.append(f"Least data: {'; '.join(below)} need less than was measured; which of them needs least cannot be told.")
    elif math.isfinite(ordered[0].fraction):
        lines.append(f"Least data: {names[0]}. {_surely(ordered)}".rstrip())
    else:
        lines.append("No model reaches it by its curve, within 100 times the data that was measured.")
    if any(each.beyond and not each.under for each in found):
        lines.append("* lies beyond the fractions that were measured. Nobody can tell whether the curve holds there.")
    gone = [model for model in analysis.grid.models if model.name not in {each.model for each in found}]
    if gone:
        lines.append(f"Cannot be told, with fewer than three fractions: {', '.join(map(analysis.labels.model, gone))}.")
    return lines


def _surely(ordered: list[Requirement]) -> str:
    """Whether the first model needs less than all others by both intervals; nothing where there is no other."""
    first, others = ordered[0], ordered[1:]
    if not others:
        return ""
    if all(first.high < each.low for each in others):
        return "Its interval lies below those of all other models."
    return "Its interval overlaps with another model's: which of them needs less cannot be told."


if __name__ == "__main__":
    run(main)
