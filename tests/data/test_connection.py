"""Whatever a server does, a transfer ends in the right bytes or in one sentence, within its time and its size."""

import time
from itertools import count, repeat

import pytest
from liars import CONTENT, answer, answering, get, limits_of_a_test  # noqa: F401 (a fixture)

from study.base.errors import StudyError
from study.data import connection

pytestmark = pytest.mark.usefixtures("limits_of_a_test")


def slowly(parts, seconds=0.05):
    for part in parts:
        time.sleep(seconds)
        yield part


LENGTH = f"Content-Length: {len(CONTENT)}"
WRONG = {
    "a length that is no number": (repeat(answer("Content-Length: many")), "says that its length is 'many'"),
    "a length below nothing": (repeat(answer("Content-Length: -5")), "says that its length is '-5'"),
    "a length of a universe": (repeat(answer(f"Content-Length: {10**30}")), "says that its length is"),
    "a length beyond the disk": (repeat(answer(f"Content-Length: {10**17}")), "more than the .* that fit here"),
    "a part that was not asked for": (
        repeat(answer("Content-Range: bytes 100-199/5120", "Content-Length: 100", status="206 Partial Content")),
        "sent another part than was asked for",
    ),
    "a part without its place": (repeat(answer(LENGTH, status="206 Partial Content")), "sent another part"),
    "only the beginning, as a part": (
        repeat(answer("Content-Range: bytes 0-99/5120", status="206 Partial Content", content=CONTENT[:100])),
        "the connection closed after 100 of 5,120 bytes",
    ),
    "no content": (repeat(answer(status="204 No Content", content=b"")), "answered 204, which is no file"),
    "a range that nobody asked for is wrong": (
        repeat(answer("Content-Range: bytes */0", "Content-Length: 0", status="416 No", content=b"")),
        "answered 416 No",
    ),
    "a redirect without end": (
        repeat(answer("Location: /data.bin", "Content-Length: 0", status="302 Found", content=b"")),
        "answered 302 .*infinite loop",
    ),
    "a redirect to a file": (
        repeat(answer("Location: file:///etc/passwd", "Content-Length: 0", status="302 Found", content=b"")),
        "answered 302 .*not allowed",
    ),
    "packed content": (repeat(answer(LENGTH, "Content-Encoding: gzip")), "sends it packed"),
    "another file": (repeat(answer("Content-Length: 3", content=b"abc")), "instead of"),
    "no HTTP": (repeat(b"SSH-2.0-OpenSSH_9.2\r\n"), "could not be fetched: SSH-2.0"),
    "nothing at all": (repeat(b""), "could not be fetched: Remote end closed"),
    "broken chunks": (
        repeat(answer("Transfer-Encoding: chunked", content=b"zz\r\n")),
        "could not be fetched|instead of",
    ),
    "other lengths each time": (
        (answer(LENGTH, "Accept-Ranges: none", content=CONTENT[: 100 + 10 * (number % 7)]) for number in count()),
        "the connection closed after",
    ),
    "a stream without end": (repeat(repeat(answer(content=CONTENT))), "goes on after 100,000 bytes"),
    "a byte now and then": (
        (slowly([answer(LENGTH, content=b""), *repeat(b"x", 500)]) for _ in count()),
        "less than 1000 bytes",
    ),
    "headers a byte at a time": ((slowly(repeat(b"H", 500)) for _ in count()), "no whole answer within"),
    "silence": ((slowly([b"x"], 60) for _ in count()), "timed out|no whole answer"),
    "a version that is no header": (
        repeat(answer(LENGTH, 'ETag: "a\x01b"', content=CONTENT[:50])),
        "the connection closed after 50 of 5,120 bytes",
    ),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_server_that_lies_or_stalls_is_one_sentence_in_time(kind, tmp_path):
    answers, sentence = WRONG[kind]
    begun = time.monotonic()
    with answering(answers) as url, pytest.raises(StudyError, match=sentence) as caught:
        get(url, tmp_path, largest=100_000)
    assert time.monotonic() - begun < 20
    assert str(caught.value).endswith("look elsewhere.") and "\n" not in str(caught.value)
    assert all(path.stat().st_size <= 200_000 for path in tmp_path.iterdir())


RIGHT = {
    "no length": answer(),
    "chunks": answer("Transfer-Encoding: chunked", content=b"%x\r\n%s\r\n0\r\n\r\n" % (len(CONTENT), CONTENT)),
    "an unasked part that is all of it": answer(
        LENGTH, f"Content-Range: bytes 0-{len(CONTENT) - 1}/{len(CONTENT)}", status="206 Partial Content"
    ),
}


@pytest.mark.parametrize("kind", RIGHT)
def test_unusual_answers_that_are_whole_are_taken(kind, tmp_path):
    with answering(repeat(RIGHT[kind])) as url:
        assert get(url, tmp_path) == CONTENT


def test_a_part_shorter_than_the_file_is_gone_on_with(tmp_path):
    """Not taken for the whole where no checksum can tell."""
    version, total = 'ETag: "1"', len(CONTENT)
    first = answer(version, f"Content-Range: bytes 0-99/{total}", status="206 Partial Content", content=CONTENT[:100])
    rest = answer(version, f"Content-Range: bytes 100-{total - 1}/{total}", status="206 Partial Content", content=CONTENT[100:])
    with answering([first, rest]) as url:
        assert get(url, tmp_path, expected=None) == CONTENT


@pytest.mark.parametrize("name", connection.BUNDLES[:2])
def test_a_companys_certificates_are_trusted_by_the_usual_variables(name, tmp_path, monkeypatch):
    for each in connection.BUNDLES:
        monkeypatch.delenv(each, raising=False)
    monkeypatch.setenv(name, str(tmp_path / "absent.pem"))
    with pytest.raises(StudyError, match=r"the certificates in .*absent\.pem cannot be read"):
        connection.trust()
    import certifi

    monkeypatch.setenv(name, certifi.where())
    assert connection.trust().get_ca_certs()
