"""Records and listings on a remote may be anybody's: no name in them leads out of DVC's cache or of the project."""

import hashlib
import json
from types import SimpleNamespace

import pytest
from ruamel.yaml import YAML

pytest.importorskip("dvc")
from dvc.utils import dict_sha256

from study.away import run_cache
from study.pipeline.standing import Pipeline

MD5 = "0123456789abcdef" * 2


def store(folder, record):
    """``record`` as DVC keeps it in its run cache, called by its own sha256."""
    path = folder / "ab" / "abcd" / dict_sha256(record, exclude=["size", "nfiles"])
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        YAML(typ="safe").dump(record, file)


def record(md5=MD5, path="data/runs/x", cmd="python -m stages.train x"):
    return {"cmd": cmd, "outs": [{"path": path, "md5": md5}]}


@pytest.mark.parametrize(
    "forged",
    [
        record("..//somewhere/x.dir"),
        record("../../../x"),
        record(f"{MD5}.dirx"),
        record(MD5.upper()),
        record(f"{MD5}\n"),
        record(7),
        record(None),
        record(path=["x"]),
        record(cmd={"x": 1}),
        {"cmd": "python"},
        {"cmd": "python", "outs": [None]},
        {"cmd": "python", "outs": 5},
        {"cmd": "python", "outs": [], "params": ["x"]},
        {"cmd": "python", "outs": [], "params": {"params.yaml": ["x"]}},
        {"cmd": "python", "outs": [], "deps": [{"path": "x", "md5": "../x"}]},
    ],
)
def test_a_record_that_dvc_would_not_make_is_no_record(tmp_path, forged):
    store(tmp_path, forged)
    store(tmp_path, record())
    assert [each["outs"][0]["md5"] for each in run_cache._records(tmp_path)] == [MD5]


def test_a_date_in_a_record_makes_no_sum(tmp_path):
    path = tmp_path / "ab" / "abcd" / "name"
    path.parent.mkdir(parents=True)
    path.write_text(f"cmd: python\nouts:\n- path: data/runs/x\n  md5: {MD5}\nwhen: 2020-01-01\n")
    assert list(run_cache._records(tmp_path)) == []


def pipeline(cache):
    made = SimpleNamespace(cache=cache)
    for name in ("in_cache", "object_path"):
        setattr(made, name, getattr(Pipeline, name).__get__(made))
    return made


def put(cache, listing):
    content = json.dumps(listing).encode()
    md5 = hashlib.md5(content).hexdigest()
    (cache / md5[:2]).mkdir(parents=True, exist_ok=True)
    (cache / md5[:2] / f"{md5[2:]}.dir").write_bytes(content)
    return f"{md5}.dir"


def test_a_forged_md5_deletes_nothing(tmp_path):
    cache, outside = tmp_path / "cache", tmp_path / "somewhere"
    outside.mkdir()
    (outside / "x.dir").write_text("mine")
    with pytest.raises(ValueError, match="is no md5"):
        run_cache.broken(pipeline(cache), record("..//somewhere/x.dir"))
    assert (outside / "x.dir").read_text() == "mine"


@pytest.mark.parametrize("relpath", ["../../outside", "/etc/passwd", "a/../../b", "..", 7, None, "..\\x"])
def test_a_listing_whose_names_lead_out_of_its_folder_is_not_whole(tmp_path, relpath):
    cache = tmp_path / "cache"
    (cache / MD5[:2]).mkdir(parents=True)
    (cache / MD5[:2] / MD5[2:]).write_text("content")
    good = put(cache, [{"relpath": "a/b.npy", "md5": MD5}])
    bad = put(cache, [{"relpath": "a/b.npy", "md5": MD5}, {"relpath": relpath, "md5": MD5}])
    assert pipeline(cache).in_cache(good) and not pipeline(cache).in_cache(bad)
    assert run_cache.broken(pipeline(cache), record(bad)) == ["data/runs/x"]
    assert [path.name for path in tmp_path.iterdir()] == ["cache"]


def test_a_record_of_references_to_references_is_passed_over_before_it_is_written_out(tmp_path):
    path = tmp_path / "ab" / "abcd" / "name"
    path.parent.mkdir(parents=True)
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]" for level in range(1, 12)]
    path.write_text("\n".join([f"cmd: python\nouts:\n- path: data/runs/x\n  md5: {MD5}", *lines]))
    assert list(run_cache._records(tmp_path)) == []  # on the old code it would fill memory
