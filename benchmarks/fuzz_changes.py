"""How a file is broken: text by bytes and lines, JSON by its structure too, and files that are none."""

import json
import os
import random
import re
from pathlib import Path
from typing import Any

import yaml

from pytest_memgate.compare.verdict import verdict
from pytest_memgate.model.codec import decode
from pytest_memgate.model.run import Run

_PIECES = [
    b"\0",
    b"\x1b[31m",
    b"\xff",
    b"\xed\xa0\x80",
    "\ufeff".encode(),
    "\u2028".encode(),
    "\u202e".encode(),
    b"\\ud800",
    b'"\\udfff"',
    b"NaN",
    b"-Infinity",
    b"1e999",
    b"-1",
    b"9" * 5000,
    b"1e308",
    b"1e-320",
    b"0x10",
    b"null",
    b"true",
    b"{}",
    b"[]",
    b"[" * 100_000,
    b'{"a":' * 5000,
    b"- " * 20_000,
    b"x" * 200_000,
    b"\r\n",
    b"\t",
    b"/*",
    b"../../../etc/passwd",
    b"<script>",
    b"::error::x",
]
_YAML_LINES = [
    "<<: *a",
    "a: &a [x]",
    "b: [*a,*a,*a]",
    "? [a, b]\n: c",
    "!!python/object/apply:os.system [id]",
    "c: !!binary aGk=",
    "%TAG ! tag:x,2000:",
    "--- ",
    "...",
    "<<<<<<< HEAD",
    "=======",
    "tests: []",
    "format: 99",
    "- null",
    "overrides: [null]",
    "waivers: [{}]",
    "pages: {x: {url: 5}}",
    "bundles: {x: null}",
    "imports: [1, a.b]",
    "budgets: []",
    "memory.peak: {growth: 1e999%}",
    "memory.peak: {limit: -1}",
    "memory.peak: 5",
    '"\\uD800": 1',
]
_YAML_SCALARS = ["&a x", "*a", "! x", "|", ">", "@"]
_VALUES: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    1,
    1e308,
    -1e308,
    1e18,
    -1e18,
    1e-320,
    1e-90,
    2**53 + 1,
    10**25,
    0.1,
    "",
    " ",
    "x",
    "\0",
    "\n\n",
    "\x1b[2J",
    "\ud800",
    "☃" * 50,
    "a" * 100_001,
    "../../x",
    "/etc/passwd",
    "tests/test_export.py",
    "memory.peak",
    "bundle.initial.raw[x]",
    "custom.",
    "web.lcp",
    "first-use",
    "passed",
    "failed",
    "regressed",
    "no answer",
    "bound",
    "samples",
    "slope",
    "ms",
    "rows",
    [],
    [[]],
    {},
    {"": None},
    [None],
    [0],
    ["x"],
]


def changed_json(data: bytes, dice: random.Random) -> bytes:
    """Return a JSON file, changed in its structure or as text."""
    if dice.random() < 0.35:
        return _changed_text(data, dice)
    parsed = json.loads(data)
    for _ in range(dice.choice([1, 1, 2, 5])):
        parsed = _changed_structure(parsed, dice)
    if dice.random() < 0.7:
        _agree(parsed)
    text = json.dumps(parsed, indent=1, ensure_ascii=dice.random() < 0.5)
    changed = text.encode("utf-8", "surrogatepass")
    return _repeated_key(changed, dice) if dice.random() < 0.05 else changed


def changed_yaml(data: bytes, dice: random.Random) -> bytes:
    """Return a YAML file, changed line by line or as text."""
    kind = dice.random()
    if kind < 0.3:
        return _changed_text(data, dice)
    if kind < 0.7:  # what is JSON is YAML, too
        parsed = yaml.load(data, Loader=yaml.BaseLoader)  # gives texts only
        for _ in range(dice.choice([1, 1, 2, 3])):
            parsed = _changed_structure(parsed, dice)
        return json.dumps(parsed, indent=1, ensure_ascii=dice.random() < 0.5).encode("utf-8", "surrogatepass")
    lines = data.decode().split("\n")
    for _ in range(dice.choice([1, 1, 2, 4])):
        lines = _changed_lines(lines, dice)
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def changed_toml(data: bytes, dice: random.Random) -> bytes:
    """Return a TOML file, changed as text."""
    if dice.random() < 0.3:
        more = ["x = " + "[" * 5000, "budgets = 5", "a." * 3000 + "b = 1", "missing = 1979-05-27", "x = " + "9" * 5000]
        return data + dice.choice(more).encode() + b"\n"
    return _changed_text(data, dice)


def put_strange_file(path: Path, dice: random.Random) -> None:
    """Put something in a file's place that is no file of its kind."""
    path.unlink(missing_ok=True)
    kind = dice.choice(["pipe", "folder", "zero", "random", "nowhere", "itself", "empty", "huge", "deep", "binary"])
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind in {"zero", "random"}:
        path.symlink_to(f"/dev/{'zero' if kind == 'zero' else 'urandom'}")
    elif kind == "nowhere":
        path.symlink_to(path.parent / "nowhere")
    elif kind == "itself":
        path.symlink_to(path)
    elif kind == "huge":
        with path.open("wb") as file:
            file.truncate(100_000_000)
    else:
        path.write_bytes({"empty": b"", "deep": b"[" * 100_000, "binary": dice.randbytes(5000)}[kind])


def _changed_text(data: bytes, dice: random.Random) -> bytes:
    for _ in range(dice.choice([1, 1, 2, 8])):
        at = dice.randrange(len(data) + 1)
        to = min(len(data), at + dice.choice([1, 3, 40, 400]))
        kind = dice.randrange(7)
        if kind == 0:
            data = data[:at] + bytes([dice.randrange(256)]) + data[at + 1 :]
        elif kind == 1:
            data = data[:at]
        elif kind == 2:
            data = data[:at] + data[to:]
        elif kind == 3:
            data = data[:to] + data[at:to] * dice.choice([1, 50]) + data[to:]
        elif kind == 4:
            data = data[:at] + dice.choice(_PIECES) + data[at:]
        elif kind == 5:
            numbers = list(re.finditer(rb"\d+", data))
            if numbers:
                number = dice.choice(numbers)
                data = data[: number.start()] + dice.choice(_PIECES) + data[number.end() :]
        else:
            data = data[to:] + data[:at]
    return data


def _changed_structure(parsed: Any, dice: random.Random) -> Any:
    places = _places(parsed)
    if not places:
        return dice.choice(_VALUES)
    owner, key = dice.choice(places)
    kind = dice.choice([0, 1, 2, 3, 4, 4, 4, 4, 5])
    if kind == 0:
        del owner[key]
    elif kind == 1:
        other, there = dice.choice(places)
        owner[key] = json.loads(json.dumps(other[there]))
    elif kind == 2 and isinstance(owner, list):
        owner += [owner[key]] * dice.choice([1, 3, 300])
    elif kind == 3 and isinstance(owner, dict):
        owner[dice.choice(["value", "bound", "basis", "unit", "x", "", "warm", "samples"])] = owner[key]
    else:
        alike = [value for value in _VALUES if _is_alike(value, owner[key])]
        owner[key] = dice.choice(alike if alike and kind == 4 else _VALUES)
    return parsed


def _is_alike(value: Any, other: Any) -> bool:
    return type(value) is type(other) or {type(value), type(other)} == {int, float}


def _agree(parsed: Any) -> None:
    """Let a run have the verdict that follows from its findings: others are not read any further."""
    try:
        run = decode(Run, parsed)
    except ValueError:
        return
    parsed["verdict"] = str(verdict(() if run.update else run.findings, run.problems))


def _places(parsed: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    left = [parsed]
    while left:
        owner = left.pop()
        keys = list(owner) if isinstance(owner, dict) else range(len(owner)) if isinstance(owner, list) else []
        found += [(owner, key) for key in keys]
        left += [owner[key] for key in keys]
    return found


def _repeated_key(data: bytes, dice: random.Random) -> bytes:
    keys = list(re.finditer(rb'^ *"\w+": [^\[{\n]*,\n', data, re.MULTILINE))
    if not keys:
        return data
    one = dice.choice(keys)
    return data[: one.start()] + one[0] + data[one.start() :]


def _changed_lines(lines: list[str], dice: random.Random) -> list[str]:
    at = dice.randrange(len(lines))
    indent = " " * dice.choice([0, 2, 4, 6, 8])
    kind = dice.randrange(7)
    if kind == 0:
        return lines[:at] + lines[at + 1 :]
    if kind == 1:
        return [*lines[: at + 1], *lines[at : at + dice.choice([1, 4, 20])], *lines[at + 1 :]]
    if kind == 2:
        return [*lines[:at], indent + dice.choice(_YAML_LINES), *lines[at:]]
    key, colon, _ = lines[at].partition(":")
    if kind == 3 or not colon:
        line = indent + lines[at].lstrip()
    elif kind == 4:
        line = f"{key}: {_scalar(dice)}"
    elif kind == 5:
        line = f"{' ' * (len(key) - len(key.lstrip()))}{_scalar(dice)}: 1"
    else:
        line = dice.choice(lines)
    return [*lines[:at], line, *lines[at + 1 :]]


def _scalar(dice: random.Random) -> str:
    return json.dumps(dice.choice(_VALUES)) if dice.random() < 0.7 else dice.choice(_YAML_SCALARS)
