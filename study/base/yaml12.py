"""YAML as DVC reads it: version 1.2 through ruamel, where ``010`` is ten, and ``yes`` and ``1:20`` are text.

ruamel comes with DVC. It may be missing where a stage runs by hand; then PyYAML reads, which knows version 1.1. There a
scalar that the two versions may take for different things is refused, so that the answer is DVC's or none. Duplicate keys
are refused by both.
"""

import re
from collections.abc import Hashable
from typing import Any, NoReturn

import yaml

from study.base.errors import one_line

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # in C where PyYAML was built with it
DEPTH = 100  # lists and mappings inside each other; the C parsers end the process at some ten thousand
TOO_DEEP = f"lists and mappings stand more than {DEPTH} deep inside each other"
INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
DECIMAL = re.compile(r"[-+]?(0|[1-9][0-9]*)(\.[0-9]*)?([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
CONSTANTS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
NULL = re.compile(r"~|null|Null|NULL|")
DOUBTFUL = re.compile(
    r"""[-+]?[0-9][0-9_]*                                     # 010, 1_000
      | [-+]?[0-9_]*\.[0-9_]*([eE][-+]?[0-9]*)?               # .5, 1_0.5, 01.5
      | [-+]?[0-9][0-9_]*[eE][-+]?[0-9]+                      # 01e5
      | [-+]?0[xob][0-9a-fA-F_]+                              # 0o10
      | [-+]?[0-9][0-9_]*(:[0-9]+)+(\.[0-9_]*)?               # 1:20
      | [0-9]{4}-[0-9][0-9]?-[0-9][0-9]?([Tt\s].*)?           # dates
      | yes|no|on|off|=""",
    re.VERBOSE | re.IGNORECASE,
)
SURPRISES = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    RecursionError,
)  # of both libraries' constructors


def load(text: str) -> Any:
    """``text`` as plain data. Raises yaml.YAMLError, whichever library reads and whatever it raises."""
    try:
        from ruamel.yaml import YAML
        from ruamel.yaml.error import YAMLError
    except ImportError:
        return load_without_ruamel(text)
    if _deep(text):
        raise yaml.YAMLError(TOO_DEEP)
    try:
        return YAML(typ="safe").load(text)
    except (YAMLError, *SURPRISES) as error:
        raise yaml.YAMLError(one_line(error)) from None


def load_lock(text: str) -> Any:
    """What ``load`` gives, in half the time: for dvc.lock, which DVC wrote, so that it holds nothing that DVC would refuse."""
    try:
        return load_without_ruamel(text)
    except yaml.YAMLError:  # or a scalar that PyYAML leaves to ruamel
        return load(text)


def load_without_ruamel(text: str) -> Any:
    """``text`` as plain data. Raises yaml.YAMLError, also for what YAML 1.1 and 1.2 may read as different things."""
    if _deep(text):
        raise yaml.YAMLError(TOO_DEEP)
    try:
        return yaml.load(text, _Strict)
    except SURPRISES as error:
        raise yaml.YAMLError(one_line(error)) from None


def _deep(text: str) -> bool:
    """Whether more lists and mappings stand inside each other than DEPTH; events are read one by one, without recursion."""
    # One inside another takes a bracket or stands further to the right, but for a list that may stand below its key.
    rightmost = max((len(line) - len(line.lstrip(" \t-?:")) for line in text.splitlines()), default=0)
    if 2 * rightmost + text.count("[") + text.count("{") + 2 <= DEPTH:
        return False
    depth = 0
    for event in yaml.parse(text, _Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEPTH:
            return True
    return False


class _Strict(_Loader):  # type: ignore[misc]
    """What YAML 1.1 and 1.2 agree on."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        if isinstance(node, yaml.MappingNode):
            seen = set()
            for key, _ in node.value:
                found = self.construct_object(key, deep=True) if key.tag != "tag:yaml.org,2002:merge" else "<<"
                if not isinstance(found, Hashable) or found in seen:
                    raise yaml.constructor.ConstructorError(None, None, f"found duplicate key {found!r}", key.start_mark)
                seen.add(found)
        return super().construct_mapping(node, deep)  # type: ignore[no-any-return]


def _constant(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> Any:
    if node.value not in CONSTANTS:
        _doubtful(loader, node)
    return CONSTANTS[node.value]


def _integer(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> int:
    if not INTEGER.fullmatch(node.value):
        _doubtful(loader, node)
    return int(node.value)


def _decimal(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> float:
    if not DECIMAL.fullmatch(node.value):
        _doubtful(loader, node)
    return float(node.value.replace(".inf", "inf").replace(".nan", "nan") if node.value[-1:].isalpha() else node.value)


def _doubtful(loader: yaml.SafeLoader, node: yaml.Node) -> NoReturn:
    written = node.value if isinstance(node, yaml.ScalarNode) else node.tag
    raise yaml.constructor.ConstructorError(
        None,
        None,
        f"{written} is not the same in all versions of YAML; write a plain number, true or false, or quotes",
        node.start_mark,
    )


for _tag, _pattern, _first in (
    ("null", NULL, "~nN\0"),
    ("bool", re.compile("|".join(CONSTANTS)), "tTfF"),
    ("merge", re.compile("<<"), "<"),
    ("int", INTEGER, "-+0123456789"),
    ("float", DECIMAL, "-+.0123456789"),
    ("doubtful", DOUBTFUL, "-+.0123456789yYnNoO="),
):
    _firsts: list[Any] = ["" if each == "\0" else each for each in _first]
    _Strict.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(f"(?:{_pattern.pattern})\\Z", _pattern.flags), _firsts
    )
for _tag, _make in (("bool", _constant), ("int", _integer), ("float", _decimal)):
    _Strict.add_constructor(f"tag:yaml.org,2002:{_tag}", _make)
for _tag in ("doubtful", "timestamp", "binary", "set", "omap", "pairs"):
    _Strict.add_constructor(f"tag:yaml.org,2002:{_tag}", _doubtful)
