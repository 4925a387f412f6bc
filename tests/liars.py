"""Servers that give any bytes for an answer, and a transfer from them with the limits of a test."""

import hashlib
import socket
import threading
from contextlib import contextmanager

import pytest

from study.data import connection, transfer
from study.data.transfer import Checksum, fetched

CONTENT = bytes(range(256)) * 20  # 5,120 bytes
MD5 = Checksum("md5", hashlib.md5(CONTENT).hexdigest())


@pytest.fixture
def limits_of_a_test(monkeypatch, no_waiting):
    """Tenths of a second instead of half minutes."""
    monkeypatch.setattr(transfer, "WINDOW", 0.2)
    monkeypatch.setattr(transfer, "SLOWEST", 1000)
    monkeypatch.setattr(transfer, "ATTEMPTS", 3)
    monkeypatch.setattr(connection, "TIMEOUT", 0.3)
    monkeypatch.setattr(connection, "PATIENCE", 0.5)


@contextmanager
def answering(answers):
    """The address of a server that gives the next of ``answers``, byte strings or iterables of them, to each request."""
    server = socket.create_server(("127.0.0.1", 0))
    answers = iter(answers)

    def serve():
        while True:
            try:
                asking, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=reply, args=(asking, next(answers)), daemon=True).start()

    def reply(asking, answer):
        with asking:
            try:
                asking.recv(65536)
                for part in [answer] if isinstance(answer, bytes) else answer:
                    asking.sendall(part)
            except OSError:
                pass  # the client has gone

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/data.bin"
    finally:
        server.close()


def answer(*headers, status="200 OK", content=CONTENT):
    return "\r\n".join([f"HTTP/1.1 {status}", "Connection: close", *headers, "", ""]).encode() + content


def get(url, folder, expected=MD5, **options):
    with fetched(url, folder, "data.bin", expected, "look elsewhere", **options) as file:
        return file.read_bytes()
