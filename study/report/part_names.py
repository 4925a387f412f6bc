"""What parts of hypotheses are called: one sentence each, in words that need no key."""

from collections.abc import Sequence

from study.report.analysis import Analysis
from study.report.text import escaped
from study.statistics.parts import Part

SHOWN = 16


def called(analysis: Analysis, key: str, part: Part) -> str:
    """What the part claims: ``digits at 0.1: ViT from scratch errs more than CNN from scratch``. Plain text, no markup.

    KeyError for a hypothesis that has no words here.
    """
    where, labels = part.where, analysis.labels
    place = " → ".join(where.datasets)
    first, second = map(labels.architecture_of, where.models)
    at = " → ".join(map(str, where.fractions))
    both = f", both {'from scratch' if where.kind == 'scratch' else where.kind}" if where.kind else ""
    if key == "H1":
        return f"{place}, {at}: {second} from scratch loses more than pre-trained"
    if key == "H2" and where.step == "a":
        return f"{place} at {at}: {first} errs more than {second}{both}"
    if key in ("H2", "H3", "C8"):
        return f"{place}, {at}: {first} loses more than {second}{both}"
    if key == "C1":
        return f"{place}, {second}: the gain at {where.fractions[1]} exceeds that at {where.fractions[0]}"
    if key == "C2":
        return f"{place} at {at}: {second} from scratch loses more than pre-trained"
    if key == "C3":
        return f"{place}: {first} from scratch at 1.0 errs more than {second} pre-trained at {where.fractions[-1]}"
    if key == "C4":
        others = " and ".join(labels.architecture_of(name) for name in where.against)
        loss = f"{place}, {at}" if where.loss == "less" else f"{place} at {at}"
        return f"{loss}: pre-training lowers the loss of {second} by more than {others} differ{both}"
    if key == "C5":
        return f"{place}: {second} varies more from scratch than pre-trained"
    if key == "C6":
        return f"{place} at {at}: {second} from scratch errs more than pre-trained"
    if key == "C7":
        return f"{place} at {at}: pre-training gains more for {first} than for {second}"
    raise KeyError(key)


def called_safely(analysis: Analysis, key: str, part: Part) -> str:
    """The same for pages: names in it are no markup."""
    return escaped(called(analysis, key, part))


def sampled(parts: Sequence[Part], most: int = SHOWN) -> tuple[Part, ...]:
    """At most ``most`` of them, in order: where there are more, those at equal steps from the lowest effect to the highest."""
    if len(parts) <= most:
        return tuple(parts)
    tested = [part for part in parts if part.estimate is not None] or parts
    ordered = sorted(tested, key=lambda part: part.estimate.value if part.estimate else 0.0)
    if len(ordered) > most:
        ordered = [ordered[round(step * (len(ordered) - 1) / (most - 1))] for step in range(most)]
    chosen = {id(part) for part in ordered}
    return tuple(part for part in parts if id(part) in chosen)
