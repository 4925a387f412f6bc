"""Whatever stands in params.yaml: right values, or one sentence; never a traceback. The same inputs in every run."""

import copy
import datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from study.base import yaml12
from study.base.errors import StudyError
from study.settings import plain, studies
from study.settings.params import Params

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "params.yaml").read_text()
SECTIONS = yaml12.load(TEXT)
ODD = [
    None,
    True,
    0,
    -1,
    1,
    2**62,
    2**63,
    10**400,
    0.5,
    1e308,
    float("nan"),
    float("inf"),
    "",
    " ",
    "x" * 5000,
    "${fraction}",
    "../a",
]
ODD += [
    "<b>",
    "a|b",
    "\u202e",
    "\0",
    b"x",
    datetime.date(2020, 1, 1),
    {1},
    [],
    [[]],
    {},
    {"": 0},
    {5: 6},
    {"name": []},
    [None],
    ["cnn"],
]
VALUES = st.recursive(
    st.sampled_from(ODD),
    lambda inside: st.lists(inside, max_size=2) | st.dictionaries(st.sampled_from(["cell", "name", "format"]), inside),
)
settings.register_profile("same", max_examples=300, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
same = settings.get_profile("same")


def places(value, path=()):
    """The path of every value inside ``value``."""
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        yield (*path, key)
        if isinstance(item, dict | list):
            yield from places(item, (*path, key))


def one_sentence(action):
    try:
        action()
    except StudyError as error:
        assert "\n" not in str(error) and len(str(error)) < 6000


def check(sections):
    plain.check(sections, "params.yaml")
    params = Params(sections)
    params.check_all()


@same
@given(st.sampled_from(sorted(places(SECTIONS), key=str)), VALUES, st.sampled_from(["replace", "delete", "add"]))
def test_any_value_anywhere(path, value, how):
    changed = copy.deepcopy(SECTIONS)
    place = changed
    for key in path[:-1]:
        place = place[key]
    if how == "replace":
        place[path[-1]] = value
    elif how == "delete":
        del place[path[-1]]
    elif isinstance(place, list):
        place.append(value)
    else:
        place[str(value)[:10]] = value
    one_sentence(lambda: check(changed))


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz") / "params.yaml"


@same
@given(
    st.integers(0, len(TEXT) - 1),
    st.integers(0, 30),
    st.binary(max_size=4)
    | st.sampled_from(
        [b"\t", b"&a ", b"*a", b"!!int ", b"[", b"{", b"- ", b": ", b"\n\n", b"'", b'"', b"\xff", b"%", b"<<: ", b"? "]
    ),
)
def test_any_damage_of_the_text(file, start, length, new):
    old = TEXT.encode()
    file.write_bytes(old[:start] + new + old[start + length :])
    one_sentence(lambda: Params.load(file).check_all())
    try:
        text = file.read_bytes().decode()
    except UnicodeDecodeError:
        return
    one_sentence(lambda: studies.put(studies.named("digits", ROOT / "studies.yaml"), text))
