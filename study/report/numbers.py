"""Numbers as people read them: one decimal of a percent or point, a real minus sign, intervals in brackets."""

import math
from collections.abc import Callable

from study.statistics.estimate import Estimate

NONE = "–"


def percent(share: float | None, digits: int = 1) -> str:
    """``0.1042`` as ``10.4``; a dash where there is no number."""
    return NONE if share is None or math.isnan(share) else f"{100 * share:.{digits}f}"


def signed(value: float, digits: int = 1) -> str:
    """With a plus or a minus sign; what rounds to nothing has neither."""
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    text = f"{value:+.{digits}f}"
    return text.lstrip("+-") if float(text) == 0 else text.replace("-", "−")


def points(difference: float) -> str:
    """``-0.0612`` as ``−6.1``."""
    return signed(100 * difference)


def points_end(difference: float) -> str:
    """``points`` of an interval's end, which keeps its sign where it rounds to nothing: the interval may hold 0 or not."""
    text = points(difference)
    return text if difference == 0 or text[0] in "+−" else f"{'+' if difference > 0 else '−'}{text}"


def percent_with_interval(estimate: Estimate | None) -> str:
    """``10.4 [9.8, 11.0]``."""
    return with_interval(estimate, percent)


def points_with_interval(estimate: Estimate | None) -> str:
    """``−6.1 [−6.7, −5.5]``."""
    return with_interval(estimate, points, points_end)


def with_unit(estimate: Estimate | None, unit: str) -> str:
    """An effect in points, or a difference of variances in squared points."""
    return points_with_interval(estimate) if unit == "points" else with_interval(estimate, lambda value: signed(1e4 * value, 2))


def with_interval(estimate: Estimate | None, form: Callable[[float], str], end: Callable[[float], str] | None = None) -> str:
    """Value and interval, each in ``form``; the interval's ends in ``end``, if that is another."""
    end = end or form
    return NONE if estimate is None else f"{form(estimate.value)} [{end(estimate.low)}, {end(estimate.high)}]"


def between(bounds: tuple[float, float] | None) -> str:
    """A range of effects in points: ``−58.7 to +20.0``."""
    return NONE if bounds is None else f"{points(bounds[0])} to {points(bounds[1])}"


def two_digits(value: float) -> str:
    """Two significant digits at least: ``1,300``, ``0.032``, ``2.8``."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "∞"
    digits = 1 - math.floor(math.log10(abs(value)))
    return f"{round(value, digits):,.{max(digits, 0)}f}"


def yes(value: bool) -> str:
    """``yes`` or ``no``."""
    return "yes" if value else "no"
