"""Processors and memory that may be used: affinity, and the limits of a container or a job in either form."""

import os

import pytest

from study.base import machine

GIB = 2**30
PAGES = {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 16 * GIB // 4096}


@pytest.fixture(autouse=True)
def eight_processors_and_16_gib(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.setattr(os, "sysconf", PAGES.__getitem__)


@pytest.fixture
def groups(tmp_path):
    """Writes files below where control groups are, and answers with the arguments that look there."""

    def write(own="", **files):
        (tmp_path / "own").write_text(own)
        for name, content in files.items():
            file = tmp_path / name.replace("__", "/").replace("_DOT_", ".")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"{content}\n")
        return tmp_path, tmp_path / "own"

    return write


@pytest.mark.parametrize(
    ("content", "expected"), [("max 100000", 8), ("250000 100000", 2), ("50000 100000", 1), ("9900000 100000", 8), ("odd", 8)]
)
def test_quota_of_version_2(content, expected, groups):
    assert machine.processors(*groups(cpu_DOT_max=content)) == expected


@pytest.mark.parametrize(("quota", "expected"), [("-1", 8), ("300000", 3)])
def test_quota_of_version_1(quota, expected, groups):
    where = groups(cpu__cpu_DOT_cfs_quota_us=quota, cpu__cpu_DOT_cfs_period_us="100000")
    assert machine.processors(*where) == expected


@pytest.mark.parametrize(("content", "expected"), [("max", 16), (str(3 * GIB), 3), (str(64 * GIB), 16), ("", 16)])
def test_memory_of_version_2(content, expected, groups):
    assert machine.memory(*groups(memory_DOT_max=content)) == expected * GIB


def test_memory_of_version_1(groups):
    """Where there is no limit, that version has a number larger than any machine."""
    assert machine.memory(*groups(memory__memory_DOT_limit_in_bytes=2**63 - 4096)) == 16 * GIB
    assert machine.memory(*groups(memory__memory_DOT_limit_in_bytes=2 * GIB)) == 2 * GIB


@pytest.mark.parametrize(
    ("own", "tree"), [("0::/slurm/job_7/step_0", ""), ("3:cpuset:/\n5:cpu,memory:/slurm/job_7/step_0", "memory__")]
)
def test_the_limit_of_a_job_around_this_process(own, tree, groups):
    """Outside a container the root has no limit; that of a Slurm job stands further down."""
    name = "memory_DOT_limit_in_bytes" if tree else "memory_DOT_max"
    where = groups(own, **{f"{tree}slurm__job_7__{name}": 5 * GIB, f"{tree}slurm__job_7__step_0__{name}": 2**63 - 4096})
    assert machine.memory(*where) == 5 * GIB


def test_no_control_groups(groups):
    assert machine.processors(*groups()) == 8
    assert machine.memory(*groups()) == 16 * GIB
