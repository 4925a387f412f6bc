"""What users are promised of `dvc push` and `dvc pull`: a clone that pulls trains nothing, and no changed byte gets in."""

import hashlib

import pytest
from clones import copy, ran, sh
from servers import Folder, serving
from tiny_grid import report_bytes

from trials.remotes import clone_of, configure
from trials.servers import NotInstalledError, Server, ssh


@pytest.fixture(scope="session")
def pushed(finished, tmp_path_factory):
    """A folder to which the finished study was pushed."""
    remote = tmp_path_factory.mktemp("remote")
    push(copy(finished, tmp_path_factory.mktemp("pushing") / "clone"), Server("a folder", str(remote)))
    return remote


def push(clone, server):
    configure(clone, server)
    sh(clone, "dvc", "push", **server.environment)


def fresh_clone(finished, folder, url):
    return clone_of(finished, folder / "fresh", Server("a remote", url))


def pulls_and_trains_nothing(clone, finished, **env):
    sh(clone, "dvc", "pull", **env)
    assert ran(sh(clone, "dvc", "repro")) == set()
    sh(clone, "python", "-m", "stages.aggregate", "digits")
    assert report_bytes(clone) == report_bytes(finished)


def trained(output):
    return {stage for stage in ran(output) if stage.startswith("train@")}


def test_pull_from_a_local_path(finished, pushed, tmp_path):
    pulls_and_trains_nothing(fresh_clone(finished, tmp_path, str(pushed)), finished)


def test_repro_with_pull(finished, pushed, tmp_path):
    clone = fresh_clone(finished, tmp_path, str(pushed))
    assert not trained(sh(clone, "dvc", "repro", "--pull"))
    assert report_bytes(clone) == report_bytes(finished)
    assert not trained(sh(clone, "dvc", "exp", "run", "--pull", "-S", "fraction=0.2"))


def test_pull_over_http(finished, pushed, tmp_path):
    with serving(Folder(pushed)) as site:
        pulls_and_trains_nothing(fresh_clone(finished, tmp_path, site.url), finished)


def test_tampered_object_is_refused(finished, pushed, tmp_path):
    """One byte of one file; DVC does not verify its listings of folders, but what they lead to."""
    remote = copy(pushed, tmp_path / "remote")
    cell = "data/predictions/digits-cnn_scratch-1.0-0"
    md5 = hashlib.md5((finished / cell / "metrics.json").read_bytes()).hexdigest()
    target = remote / "files/md5" / md5[:2] / md5[2:]
    content = bytearray(target.read_bytes())
    content[20] ^= 1
    target.chmod(0o644)
    target.write_bytes(content)
    clone = fresh_clone(finished, tmp_path, str(remote))
    assert cell in sh(clone, "dvc", "pull", fails=True)
    assert not (clone / cell).exists()


@pytest.fixture
def ssh_server(tmp_path):
    """A real SSH server of our own, on this machine."""
    pytest.importorskip("dvc_ssh", reason="dvc[ssh] is not installed")
    try:
        with ssh(tmp_path) as server:
            yield server
    except NotInstalledError as missing:
        pytest.skip(str(missing))


def test_push_and_pull_over_ssh(finished, ssh_server, tmp_path):
    push(copy(finished, tmp_path / "pushing"), ssh_server)
    clone = clone_of(finished, tmp_path / "fresh", ssh_server)
    pulls_and_trains_nothing(clone, finished, **ssh_server.environment)
