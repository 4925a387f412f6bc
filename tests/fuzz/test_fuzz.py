"""A minute of changed files and lying servers: one sentence or a right result, never anything else. trials/fuzz.py goes on."""

import os
import random
import subprocess
import sys
import time
from itertools import repeat

import pytest
from liars import CONTENT, answer, answering, get, limits_of_a_test  # noqa: F401 (a fixture)
from mutations import of_bytes

from study.base.errors import StudyError

SEED, SECONDS = int(os.environ.get("FUZZ_SEED", "0")), float(os.environ.get("FUZZ_SECONDS", "60"))


def test_changed_files_are_one_sentence_or_a_right_result(root, tmp_path):
    command = [sys.executable, root / "tests" / "fuzz" / "fuzzing.py", root, str(SEED), str(SECONDS * 0.7)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=SECONDS + 600)
    assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["project"]


@pytest.mark.usefixtures("limits_of_a_test")
def test_changed_answers_of_a_server_are_one_sentence_or_the_right_bytes(tmp_path):
    total, end = len(CONTENT), time.monotonic() + SECONDS * 0.3
    good = [
        answer(f"Content-Length: {total}", 'ETag: "1"'),
        answer("Transfer-Encoding: chunked", content=b"%x\r\n%s\r\n0\r\n\r\n" % (total, CONTENT)),
        answer(f"Content-Range: bytes 0-{total - 1}/{total}", status="206 Partial Content"),
        answer("Location: /other", "Content-Length: 0", status="302 Found", content=b""),
    ]
    number = 0
    while time.monotonic() < end:
        number += 1
        dice = random.Random(f"{SEED}/{number}")
        whole = dice.choice(good)
        head, rest = whole[: whole.index(b"\r\n\r\n") + 4], whole[whole.index(b"\r\n\r\n") + 4 :]
        lie = of_bytes(dice, head) + (of_bytes(dice, rest) if dice.random() < 0.3 else rest)
        begun = time.monotonic()
        with answering(repeat(lie)) as url:
            try:
                assert get(url, tmp_path / "new", largest=100_000) == CONTENT, f"case {number}: {lie[:300]!r}"
            except StudyError as error:
                assert str(error).isprintable(), f"case {number}: {lie[:300]!r}: {str(error)!r}"
        assert time.monotonic() - begun < 15, f"case {number}: {lie[:300]!r}"
    assert [path.name for path in tmp_path.iterdir()] == ["new"]
