"""Every kind of remote in docs/remotes.md against a real server: push, pull, records of runs, a changed byte, credentials.

python -m trials.remotes                 all of them
python -m trials.remotes ssh seaweed_s3  some of them

Ends with 1 where something does not hold; a server that is not installed is named and passed over.
"""

import tempfile
from pathlib import Path

from tests.clones import sh
from trials import servers, study
from trials.servers import NotInstalledError, Server
from trials.study import Verdict

WRITABLE = ("path", "ssh", "apache", "rclone_webdav", "rclone_s3", "seaweed_s3")
ALL = (*WRITABLE, "http_only")
DAMAGED = "data/predictions/digits-cnn_scratch-0.5-0"
DAMAGE = """
import json, sys
from dvc.repo import Repo
from study.base import yaml12
from pathlib import Path

(md5,) = [
    out["md5"] for stage in yaml12.load(Path("dvc.lock").read_text())["stages"].values()
    for out in stage["outs"] if out["path"] == sys.argv[1]
]
with Repo() as repo:
    listing = json.loads(Path(repo.cache.local.path, md5[:2], md5[2:]).read_text())
    (md5,) = [entry["md5"] for entry in listing if entry["relpath"] == "metrics.json"]
    remote = repo.cloud.get_remote()
    path = remote.fs.join(remote.path, "files", "md5", md5[:2], md5[2:])
    content = bytearray(remote.fs.cat_file(path))
    content[len(content) // 2] ^= 1
    remote.fs.rm_file(path)
    remote.fs.pipe_file(path, bytes(content))
    assert remote.fs.cat_file(path) == content
"""


def main() -> None:
    names = study.chosen(__doc__, "remotes", ALL)
    verdict = Verdict()
    with tempfile.TemporaryDirectory(prefix="remotes-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # Apache serves as another user
        (folder / "run").mkdir()
        unrun = study.make(folder / "study", epochs=1, models="cnn_scratch")
        trained = study.serial(unrun, folder / "trained")
        sh(trained, "git", "add", "--all")
        sh(trained, "git", "commit", "-qm", "trained")
        verdict.check(len(study.entries(trained)) > 10, "a small study was run", f"{len(study.entries(trained))} stages")
        for each in names:
            place = folder / each
            place.mkdir()
            try:
                with getattr(servers, each)(place) as server:
                    (reading if each == "http_only" else writing)(verdict, server, trained, place)
            except NotInstalledError as error:
                print(f"        not tried: {each}: {error}", flush=True)
    verdict.end()


def clone_of(origin: Path, target: Path, server: Server) -> Path:
    """A fresh clone with an empty cache and the server as its remote, as docs/remotes.md sets it up."""
    sh(target.parent, "git", "clone", "-q", str(origin), target.name)
    configure(target, server)
    return target


def configure(clone: Path, server: Server) -> None:
    sh(clone, "dvc", "remote", "add", "--force", "--default", "store", server.url)
    sh(clone, "dvc", "remote", "modify", "store", "verify", "true")
    for option, value in server.options.items():
        sh(clone, "dvc", "remote", "modify", "--local", "store", option, value)


def writing(verdict: Verdict, server: Server, trained: Path, place: Path) -> None:
    """All that a remote can do which takes pushes."""
    env = server.environment
    pushing = study.copy(trained, place / "pushing")
    configure(pushing, server)
    sh(pushing, "dvc", "push", **env)
    output = sh(pushing, "dvc", "push", "--run-cache", **env)
    verdict.check("failed" not in output, f"{server.name}: push of data and records")
    pulls(verdict, server, trained, place)
    bare = clone_of(trained, place / "bare", server)
    (bare / "dvc.lock").unlink()
    output = sh(bare, "python", "-m", "tools.away", "collect", **env)
    verdict.check(
        "Running stage 'train" not in output and not study.differences(trained, bare),
        f"{server.name}: without dvc.lock, collect makes it again from the records",
    )
    sh(pushing, "python", "-c", DAMAGE, DAMAGED, **env, PYTHONPATH=str(pushing))
    damaged(verdict, server, trained, place)
    tracked = sh(pushing, "git", "ls-files", "-z").split("\0")
    secret = [name for name in filter(None, tracked) if servers.PASSWORD.encode() in (pushing / name).read_bytes()]
    new = sh(pushing, "git", "status", "--porcelain", "--untracked-files=all").split()
    verdict.check(
        [name for name in secret if not name.startswith("trials/")] == [] and ".dvc/config.local" not in new,
        f"{server.name}: no credentials in a file that git tracks",
    )


def reading(verdict: Verdict, server: Server, trained: Path, place: Path) -> None:
    """What is left of it over HTTP. The store is filled as a path."""
    pushing = study.copy(trained, place / "pushing")
    configure(pushing, Server("a path", str(place / "store")))
    sh(pushing, "dvc", "push")
    pulls(verdict, server, trained, place)
    clone = clone_of(trained, place / "refused", server)
    output = sh(clone, "python", "-m", "tools.away", "collect", fails=True)
    verdict.check("is http, which DVC only reads" in output, f"{server.name}: collect refuses it with one sentence")
    sh(pushing, "python", "-c", DAMAGE, DAMAGED, PYTHONPATH=str(pushing))
    damaged(verdict, server, trained, place)


def pulls(verdict: Verdict, server: Server, trained: Path, place: Path) -> None:
    pulling = clone_of(trained, place / "pulling", server)
    sh(pulling, "dvc", "pull", **server.environment)
    differences = study.differences(trained, pulling)
    verdict.check(
        study.nothing_left(pulling) and not differences,
        f"{server.name}: a fresh clone pulls, then dvc repro runs nothing",
        ", ".join(differences[:3]),
    )


def damaged(verdict: Verdict, server: Server, trained: Path, place: Path) -> None:
    clone = clone_of(trained, place / "damaged", server)
    output = sh(clone, "dvc", "pull", fails=True, **server.environment)
    verdict.check(
        DAMAGED in output and not (clone / DAMAGED / "metrics.json").exists(),
        f"{server.name}: one changed byte is refused and named",
    )


if __name__ == "__main__":
    main()
