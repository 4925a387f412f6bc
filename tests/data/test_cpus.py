"""Processors that may be used: affinity, and the quota of a container in either form."""

import os

import pytest

from study.data import cpus


@pytest.fixture(autouse=True)
def eight(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)


@pytest.mark.parametrize(
    ("content", "expected"), [("max 100000", 8), ("250000 100000", 2), ("50000 100000", 1), ("9900000 100000", 8), ("odd", 8)]
)
def test_quota_of_control_groups_v2(content, expected, tmp_path):
    (tmp_path / "cpu.max").write_text(f"{content}\n")
    assert cpus.usable(tmp_path) == expected


@pytest.mark.parametrize(("quota", "expected"), [("-1", 8), ("300000", 3)])
def test_quota_of_control_groups_v1(quota, expected, tmp_path):
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu/cpu.cfs_quota_us").write_text(f"{quota}\n")
    (tmp_path / "cpu/cpu.cfs_period_us").write_text("100000\n")
    assert cpus.usable(tmp_path) == expected


def test_no_control_groups(tmp_path):
    assert cpus.usable(tmp_path) == 8
