"""Small HTTP servers on 127.0.0.1: files with ranges that can break, and the part of the hub's protocol that is used."""

import hashlib
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Files:
    """What a server has (path -> bytes), what it shall do to the next answers, and what it was asked."""

    def __init__(self):
        self.files = {}
        self.statuses = []  # answered instead, one per request
        self.cuts = []  # bytes of the body after which the connection is closed, one per GET; None for the whole
        self.ranges = True
        self.etags = True
        self.requests = []  # (method, path, Range)
        self.url = ""

    def etag(self, content):
        return f'"{hashlib.md5(content).hexdigest()}"'

    def headers(self, path, content):
        return {"ETag": self.etag(content)} if self.etags else {}

    def find(self, path):
        """Content behind ``path``, None for 404, and headers of that 404."""
        return self.files.get(path), {}


class Folder(Files):
    """What lies below a folder at that moment; whole files alone, as from Python's own http.server."""

    def __init__(self, root):
        super().__init__()
        self.root = root
        self.ranges = False

    def find(self, path):
        file = self.root / urllib.parse.unquote(path).lstrip("/")
        return (file.read_bytes() if file.is_file() else None), {}


class Hub(Files):
    """Repositories (owner/name -> file name -> bytes) as the Hugging Face hub serves them; large files are .safetensors."""

    def __init__(self):
        super().__init__()
        self.repositories = {}
        self.revisions = {"main": COMMIT, COMMIT: COMMIT}

    def find(self, path):
        repository, _, rest = path.lstrip("/").partition("/resolve/")
        revision, _, name = rest.partition("/")
        if repository not in self.repositories:
            return None, {"X-Error-Code": "RepoNotFound"}
        if revision not in self.revisions:
            return None, {"X-Error-Code": "RevisionNotFound"}
        content = self.repositories[repository].get(name)
        return content, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT}

    def headers(self, path, content):
        headers = {"X-Repo-Commit": COMMIT, "ETag": f'"{hashlib.sha1(content).hexdigest()}"'}
        if path.endswith(".safetensors"):
            headers |= {"X-Linked-Etag": f'"{hashlib.sha256(content).hexdigest()}"', "X-Linked-Size": str(len(content))}
        return headers


@contextmanager
def serving(site) -> Iterator[Files]:
    """``site`` served on a free port for the length of the block; ``site.url`` is its address."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_HEAD(self):
            self.answer(body=False)

        def do_GET(self):
            self.answer(body=True)

        def answer(self, body):
            asked = self.headers.get("Range")
            site.requests.append((self.command, self.path, asked))
            if site.statuses and (status := site.statuses.pop(0)):
                return self.reply(status, {}, b"", body)
            content, missing = site.find(self.path)
            if content is None:
                return self.reply(404, missing, b"", body)
            headers = site.headers(self.path, content)
            condition = self.headers.get("If-Range")
            if site.ranges and asked and condition in (None, headers.get("ETag")):
                start = int(asked.removeprefix("bytes=").rstrip("-"))
                if start >= len(content):
                    return self.reply(416, {"Content-Range": f"bytes */{len(content)}"}, b"", body)
                headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
                return self.reply(206, headers, content[start:], body)
            return self.reply(200, headers, content, body)

        def reply(self, status, headers, content, body):
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if body:
                cut = site.cuts.pop(0) if site.cuts else None
                self.wfile.write(content[:cut])
            self.close_connection = True

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    site.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
