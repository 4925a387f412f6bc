"""Labels that are several in one: `cat|dog` beside cat and dog. Several labels for an image are another task.

A name may have such a sign in it, or two words: it is refused where its parts are labels too, not for its form.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from study.base.errors import StudyError, listed
from study.data.walk import in_bytes

_MARKS = ("|", ";", ",", None)  # what may stand between labels; None: spaces
_FEW = 2  # labels that give a table away where one may be a name: red wine beside red and wine


def refuse_several(place: object, labels: Iterable[str]) -> None:
    """Raise StudyError where some of ``labels``, read from ``place``, are made of others or of one another's parts."""
    names = set(labels)
    for mark in _MARKS:
        parts = {name: [part.strip() for part in name.split(mark) if part.strip()] for name in names}
        joined = {name: parts[name] for name in sorted(names, key=in_bytes) if len(set(parts[name])) > 1}
        whole = [name for name, pieces in joined.items() if names.issuperset(pieces)]
        if whole if mark else len(whole) >= max(_FEW, len(joined) / 2):  # ImageNet has mask, ski and ski mask too
            said = f"the label {whole[0]!r} besides {' and '.join(joined[whole[0]])}"
            if whole[1:]:
                said += f", and so {listed([repr(name) for name in whole[1:]])}"
        elif mark and (mixed := _mixed(parts, joined)):
            said = f"labels of one another's parts: {listed([repr(name) for name in mixed])}"
        else:
            continue
        between = f"{mark!r}" if mark else "spaces"
        raise StudyError(
            f"{place} has {said}: several labels for an image are another task; give each image one, or write names without "
            f"{between} in them."
        )


def _mixed(parts: Mapping[str, Sequence[str]], joined: Mapping[str, Sequence[str]]) -> list[str]:
    """Those of ``joined`` all of whose parts recur in other labels; none where each part keeps its place.

    Names in two ranks (red|square, red|circle, blue|square) keep it; labels that are put together do not.
    """
    count = Counter(part for pieces in parts.values() for part in set(pieces))
    mixed = [name for name, pieces in joined.items() if all(count[part] > 1 for part in pieces)]
    places = {(part, place) for name in mixed for place, part in enumerate(joined[name])}
    moved = any(number > 1 for number in Counter(part for part, _ in places).values())
    return mixed if len(mixed) >= _FEW and moved else []
