"""A Slurm cluster on this one machine: munge, a controller and several nodes in a temporary folder, started and stopped.

It wants Debian's packages slurm-wlm and munge, and root; no systemd, no accounting database. Each node has one processor
and one GPU as far as Slurm can tell.
"""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from trials.servers import free_port

DAEMONS = ("munged", "slurmctld", "slurmd")
ARRAY = 3  # jobs that one array may have: few, so that a study of eight cells needs several
SETTINGS = """\
ClusterName=trial
SlurmctldHost={host}
SlurmctldPort={port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool.%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
MpiDefault=none
ReturnToService=2
KillWait=20
MaxArraySize={largest}
SlurmdTimeout=60
GresTypes=gpu
"""


def missing() -> list[str]:
    """What this machine lacks for a cluster."""
    return [name for name in (*DAEMONS, "srun", "sbatch") if _find(name) is None] + (["root"] if os.getuid() else [])


@contextmanager
def cluster(folder: Path, nodes: Sequence[str]) -> Iterator[None]:
    """A cluster whose files lie in ``folder``; SLURM_CONF names it within the block."""
    folder.mkdir(parents=True)
    folder.chmod(0o755)
    host = socket.gethostname()
    ports = [free_port() for _ in range(len(nodes) + 1)]
    lines = [SETTINGS.format(host=host, port=ports[0], folder=folder, largest=ARRAY + 1)]
    for name, port in zip(nodes, ports[1:], strict=True):
        lines.append(f"NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs=1 Gres=gpu:1 State=UNKNOWN\n")
    lines.append(f"PartitionName=gpu Nodes={','.join(nodes)} Default=YES MaxTime=INFINITE State=UP\n")
    (folder / "slurm.conf").write_text("".join(lines))
    (folder / "gres.conf").write_text(f"NodeName={','.join(nodes)} Name=gpu File=/dev/null\n")
    (folder / "munge.key").write_bytes(os.urandom(128))
    (folder / "munge.key").chmod(0o400)
    (folder / "state").mkdir()
    os.environ["SLURM_CONF"] = str(folder / "slurm.conf")
    daemons: list[subprocess.Popen[bytes]] = []
    try:
        with (folder / "daemons.log").open("ab") as log:
            munge = [
                f"--{key}={folder}/munge.{key.removesuffix('-file')}"
                for key in ("socket", "key-file", "pid-file", "log-file", "seed-file")
            ]
            commands = [["munged", "--foreground", "--force", *munge]]
            commands += [["slurmctld", "-D", "-f", str(folder / "slurm.conf")]]
            commands += [["slurmd", "-D", "-N", name, "-f", str(folder / "slurm.conf")] for name in nodes]
            for command in commands:
                program = str(_find(command[0]))
                daemons.append(subprocess.Popen([program, *command[1:]], stdout=log, stderr=log, start_new_session=True))
                time.sleep(1)
        _until(lambda: sinfo().count("idle") == len(nodes), folder)
        yield
    finally:
        subprocess.run(["scancel", "--me"], check=False)  # a step would outlive its daemon
        end = time.monotonic() + 30
        while subprocess.run(["squeue", "--noheader"], capture_output=True, check=False).stdout and time.monotonic() < end:
            time.sleep(0.5)
        for daemon in reversed(daemons):
            daemon.terminate()
        for daemon in daemons:
            try:
                daemon.wait(20)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        del os.environ["SLURM_CONF"]


def sinfo() -> list[str]:
    """The state of each node."""
    command = ["sinfo", "--noheader", "--Node", "--format=%T"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.split()


def _until(condition: Callable[[], bool], folder: Path) -> None:
    end = time.monotonic() + 60
    while not condition():
        if time.monotonic() > end:
            logs = "\n".join(f"{path.name}:\n{path.read_text()[-2000:]}" for path in sorted(folder.glob("*.log")))
            raise SystemExit(f"the cluster did not come up: {sinfo()}\n{logs}")
        time.sleep(0.5)


def _find(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
