"""The words for what parts and hypotheses come to, and the rules that choose them."""

from collections.abc import Sequence

from study.statistics.estimate import Estimate

SUPPORTED, REFUTED, NOT_TESTED = "supported", "refuted", "not tested"
TOO_SMALL, UNTELLABLE = "too small to tell", "cannot be told"  # of parts
MIXED, UNDECIDED = "mixed", "undecided"  # of hypotheses
PARTS = (SUPPORTED, REFUTED, TOO_SMALL, UNTELLABLE, NOT_TESTED)


def of_part(estimate: Estimate | None, attainable: tuple[float, float] | None) -> str:
    """The verdict on an effect that must lie above 0, of which only values in ``attainable`` could have come out."""
    if estimate is None:
        return NOT_TESTED
    if attainable is not None and (attainable[0] > 0 or attainable[1] < 0):
        return UNTELLABLE
    return {1: SUPPORTED, -1: REFUTED, 0: TOO_SMALL}[estimate.sign]


def of_hypothesis(parts: Sequence[str]) -> str:
    """The verdict on a hypothesis with these verdicts on its parts.

    Parts that cannot be told or were not tested have no say. Undecided where the others are all too small to tell, or where
    no tested part can be told.
    """
    told = [part for part in parts if part not in (UNTELLABLE, NOT_TESTED)]
    supported, refuted = told.count(SUPPORTED), told.count(REFUTED)
    if supported and refuted:
        return MIXED
    if supported or refuted:
        word, count = (SUPPORTED, supported) if supported else (REFUTED, refuted)
        return word if count == len(told) else f"{word} in {count} of {len(told)}"
    return UNDECIDED if told or UNTELLABLE in parts else NOT_TESTED
