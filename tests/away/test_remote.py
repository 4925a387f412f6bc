"""What is asked of remotes before results are shared: no secret of any of them stands where git tracks it."""

import pytest
from clones import sh

from study.away import remote
from study.base.errors import StudyError


def test_a_secret_of_another_remote_than_the_default_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sh(tmp_path, "git", "init", "--quiet")
    sh(tmp_path, "dvc", "init", "--quiet")
    store = f"['remote \"store\"']\n    url = {tmp_path / 'store'}\n    verify = true\n"
    (tmp_path / ".dvc/config.local").write_text(f"[core]\n    remote = store\n{store}")
    assert remote.checked(writing=False) == "store"
    (tmp_path / ".dvc/config").write_text("['remote \"other\"']\n    url = ssh://me@host/x\n    password = secret\n")
    with pytest.raises(StudyError, match="which git tracks, holds password of the remote other"):
        remote.checked(writing=False)
