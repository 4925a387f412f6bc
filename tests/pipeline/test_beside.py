"""Other commands of DVC beside a study that runs: no cell fails for them."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from benchmarks.stubbed import OURS, Stubbed
from study.pipeline import process


@pytest.mark.parametrize("line", [process.command("repro"), OURS], ids=["dvc repro", "tools.repro"])
def test_dvc_status_again_and_again_fails_no_cell(tmp_path, monkeypatch, line):
    """As an editor's extension for DVC does."""
    study = Stubbed(tmp_path / "study", 4)
    monkeypatch.chdir(study.folder)
    monkeypatch.setenv("PATH", study.path)
    with (tmp_path / "log").open("w+") as log, subprocess.Popen(line, stdout=log, stderr=subprocess.STDOUT) as running:
        looking = [sys.executable, "-m", "dvc", "status", "--quiet"]

        def look(_: int) -> int:
            looked = 0
            while running.poll() is None:
                subprocess.run(looking, capture_output=True, check=False)
                looked += 1
            return looked

        with ThreadPoolExecutor(3) as editors:
            looked = sum(editors.map(look, range(3)))
        log.seek(0)
        assert running.returncode == 0, log.read()
    assert looked >= 3
    lock = study.read_lock()
    assert all(f"{stage}@{cell}" in str(lock) for cell in study.cells for stage in ("train", "evaluate"))
