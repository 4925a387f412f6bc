"""Seeded changes of good files: bytes, JSON values, lines of YAML, heads of arrays."""

import copy
import io
import json
import random
import zipfile
from typing import Any

import numpy as np

ODD: list[Any] = [
    None, True, False, 0, -1, 1, 3, 2**31, 2**63, 10**400, 0.5, -0.0, 1e308, float("nan"), float("inf"), "", "x", "0", "..",
    "../../outside", "/etc/passwd", "a\nb", "\x1b[31m", "\x00", "\ud800", "x" * 10_000, [], [[]], {}, [None], {"": None},
]  # fmt: skip
SCALARS = (
    "", "~", "yes", "no", "010", "1:20", "1e5", ".inf", ".nan", "-1", "0", "1", "0x1F", "1_000", "9" * 400, "2001-99-99",
    "!!int abc", "!!python/object:os.system x", "!!binary x", "*x", "&x [*x]", "[x", "{a: b", "{}", "[]", "[x]", "- a", "'",
    "\t", "\x01", "\ufeff", "ü", "../../x", "@", "%", "? [a]", "<<: {a: 1}", "x: y: z", "[" * 2000, "{a: " * 2000,
)  # fmt: skip
SHAPES = [(10**12,), (10**13,), (2**62, 4), (0,), (), (3, 0), (-1,), (1, 1, 1, 1, 1)]
KINDS = ["<i8", "<f8", "|b1", "|O", "<U3", "|S4", "|V8", "<M8[s]", "<c16", "|V0", "<i2", "|u1", "junk"]


def of_bytes(dice: random.Random, content: bytes) -> bytes:
    """``content`` with a few places changed, cut off, doubled or filled with noise."""
    changed = bytearray(content)
    for _ in range(dice.choice((1, 1, 2, 8))):
        place = dice.randrange(len(changed) + 1)
        length = dice.choice((1, 1, 4, 50, len(changed)))
        match dice.randrange(5):
            case 0:
                changed[place : place + length] = b""
            case 1:
                changed[place:place] = dice.randbytes(min(length, 64))
            case 2:
                changed[place : place + length] = dice.randbytes(min(length, 64))
            case 3:
                changed[place:place] = changed[place : place + length]
            case 4 if place < len(changed):
                changed[place] ^= 1 << dice.randrange(8)
    return bytes(changed)


def of_json(dice: random.Random, content: bytes) -> bytes:
    """JSON with a value or a key exchanged, or its text damaged."""
    if dice.random() < 0.2:
        return of_bytes(dice, content)
    if dice.random() < 0.03:
        return b"[" * 100_000
    found = copy.deepcopy(json.loads(content))
    places = list(_places(found))
    for _ in range(dice.choice((1, 1, 2))):
        if not places:
            return json.dumps(dice.choice(ODD)).encode()
        holder, key = dice.choice(places)
        if dice.random() < 0.15 and isinstance(holder, dict):
            holder.pop(key, None)
        else:
            holder[key] = copy.deepcopy(dice.choice(ODD))
    return json.dumps(found if dice.random() < 0.95 else dice.choice(ODD)).encode()


def _places(value: Any) -> Any:
    """Where something stands in ``value``: holder and key."""
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from _places(value[key])


def of_yaml(dice: random.Random, content: bytes) -> bytes:
    """YAML with the value of a line exchanged, a line doubled, moved in or taken away, or its text damaged."""
    if dice.random() < 0.15:
        return of_bytes(dice, content)
    lines = content.decode().splitlines()
    for _ in range(dice.choice((1, 1, 3))):
        place = dice.randrange(len(lines))
        key, colon, _ = lines[place].partition(":")
        match dice.randrange(5):
            case 0 | 1 if colon:
                lines[place] = f"{key}: {dice.choice(SCALARS)}"
            case 2:
                lines.insert(dice.randrange(len(lines)), lines[place])
            case 3 if len(lines) > 1:
                del lines[place]
            case _:
                lines[place] = f"{' ' * dice.randrange(4)}{lines[place]}"
    return "\n".join(lines).encode("utf-8", "surrogateescape")


def of_array(dice: random.Random, content: bytes) -> bytes:
    """A .npy file with another array, another head before the same data, or damaged."""
    roll = dice.random()
    if roll < 0.3:
        return of_bytes(dice, content)
    array = np.load(io.BytesIO(content))
    if roll < 0.6 and array.ndim and array.dtype.kind in "iuf":
        with np.errstate(all="ignore"):
            choices = [
                array.astype(float),
                array[:0],
                array[None],
                array * 0,
                array - 1,
                array.astype(np.int64) + 10**6,
                array[::-1],
                array[:3],
            ]
        buffer = io.BytesIO()
        np.save(buffer, dice.choice(choices))
        return buffer.getvalue()
    head = f"{{'descr': '{dice.choice(KINDS)}', 'fortran_order': {dice.choice((True, False, 7))}, 'shape': {dice.choice(SHAPES)}, }}"
    text = head.encode() + b" " * dice.randrange(64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + content[128:]


def of_csv(dice: random.Random, content: bytes) -> bytes:
    """A table with a field exchanged, or its text damaged."""
    if dice.random() < 0.3:
        return of_bytes(dice, content)
    rows = [line.split(",") for line in content.decode().splitlines()]
    row = dice.choice(rows)
    row[dice.randrange(len(row))] = dice.choice(("", "nan", "inf", "-1", "1e400", "9" * 5000, '"', "x\ty", "1_0", "１", "0x1"))
    return "\n".join(map(",".join, rows)).encode()


def of_archive(dice: random.Random, content: bytes) -> bytes:
    """A .npz file with one array exchanged or left out, or damaged."""
    if dice.random() < 0.3:
        return of_bytes(dice, content)
    with zipfile.ZipFile(io.BytesIO(content)) as old:
        entries = {name: old.read(name) for name in old.namelist()}
    name = dice.choice(list(entries))
    entries[name] = of_array(dice, entries[name])
    if dice.random() < 0.1:
        del entries[name]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", dice.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2))) as new:
        for each, held in entries.items():
            new.writestr(each, held)
    return buffer.getvalue()


def of_safetensors(dice: random.Random, content: bytes) -> bytes:
    """A safetensors file with its head, or the record in it, changed as JSON is; or damaged."""
    roll = dice.random()
    if roll < 0.2:
        return of_bytes(dice, content)
    length = int.from_bytes(content[:8], "little")
    head, data = content[8 : 8 + length], content[8 + length :]
    if roll < 0.5:
        head = of_json(dice, head)
    else:
        found = json.loads(head)
        found["__metadata__"]["study"] = of_json(dice, found["__metadata__"]["study"].encode()).decode(errors="replace")
        head = json.dumps(found).encode()
    return len(head).to_bytes(8, "little") + head + data


def of_name(dice: random.Random, content: bytes) -> bytes:
    """The name of a cell with a part exchanged."""
    parts = content.decode().split("-")
    odd = (
        "",
        "..",
        "../..",
        "/",
        "0.20",
        "1",
        "1e-1",
        "nan",
        "inf",
        "-0.5",
        "٣",
        "²",
        "1_0",
        " 1",
        "01",
        "9" * 5000,
        "x\ny",
        "A",
        "ü",
    )
    parts[dice.randrange(len(parts))] = dice.choice(odd)
    if dice.random() < 0.2:
        parts.insert(dice.randrange(len(parts)), dice.choice(odd))
    return "-".join(parts).encode()
