"""Whether 100 injected growths of 250 KB are all found, and the function that grew named.

A generated project has 200 functions, a test each. It is measured as it is; then every other function grows by 250 KB
in one of five ways, and the gate judges. A growth is found if its test is red, and named if the first site of the
finding and the first line under "what grew" of the failure text are the function that was changed. Prints the counts
last; exits with 1 unless all are found and named, and no other test is red.
"""

import argparse
import ast
import importlib
import inspect
import re
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench_common import findings, only, project, run_pytest, say, title

SIZE = 250_000
_EACH = 20  # functions of a kind that grow; as many beside them do not


def _many(one: str, size: int) -> str:
    """Return a list of enough objects, each written as `one` with `i` in it and of about `size` bytes, for SIZE."""
    return f"[{one} for i in range({SIZE // (size + 8)})]"  # 8 for the list's own pointer


_OBJECTS = (
    _many("float(i)", sys.getsizeof(1.0)),
    _many("f'row {i:06d}'", sys.getsizeof("row 000000")),
    _many("(i, i)", sys.getsizeof((1, 1)) + 16),  # with the collector's header
    _many("{'id': i}", sys.getsizeof({"id": 1}) + 16),
    _many("bytes([i % 256]) * 90", sys.getsizeof(bytes(90))),
)
_BUFFERS = (
    f"bytearray({SIZE})",
    f"b'x' * {SIZE}",
    f"array.array('d', bytes({SIZE}))",
    f"io.BytesIO(bytes({SIZE}))",
    f"'é' * {SIZE}",
)
_NATIVE = (
    f"numpy.zeros({SIZE // 8})",
    "zlib.compressobj(9, zlib.DEFLATED, 15, 8)",  # its window and hash tables: 268 KB
    f"numpy.arange({SIZE // 4}, dtype='int32')",
    f"sqlite3.connect(':memory:').execute('create table t as select zeroblob({SIZE}) as b').connection",
    "lzma.LZMACompressor(preset=0)",  # a few MB: sizes as libraries have them
)
# By kind: what the functions allocate, turn by turn, and whether they free it before they return.
_KINDS = {
    "small_objects": (_OBJECTS, False),
    "one_buffer": (_BUFFERS, False),
    "transient": (_OBJECTS + _BUFFERS, True),
    "native": (_NATIVE, False),
}
_IMPORTS = "import array\nimport io\nimport lzma\nimport sqlite3\nimport zlib\n\nimport numpy\n"
_FUNCTION = """

def {name}(rows={rows}):
    held = [row * 7 for row in range(rows)]
    extra = {extra}
    return held, extra
"""
_SERVICE = """\
def call(function):
    return function()
"""

# Calls of standard library functions that do not call one another: copies of their modules are the library that grows.
_LIBRARY = {
    "calendar": ("isleap(2024)", "leapdays(1, 2024)", "weekday(2024, 1, 1)"),
    "colorsys": (
        "hls_to_rgb(.1, .2, .3)",
        "hsv_to_rgb(.1, .2, .3)",
        "rgb_to_hls(.1, .2, .3)",
        "rgb_to_hsv(.1, .2, .3)",
        "rgb_to_yiq(.1, .2, .3)",
        "yiq_to_rgb(.1, .2, .3)",
    ),
    "posixpath": (
        "basename('a/b')",
        "commonpath(['a/b', 'a/c'])",
        "dirname('a/b')",
        "isabs('a/b')",
        "join('a', 'b')",
        "splitdrive('a/b')",
    ),
    "textwrap": (
        "dedent('  a\\n  b')",
        "fill('a b c ' * 40)",
        "indent('a\\nb', '> ')",
        "shorten('a b c ' * 40, 20)",
        "wrap('a b c ' * 40)",
    ),
}
_GROWS, _STAYS = "vendored", "untouched"  # two copies of the library, of which the first grows

Named = tuple[str, str]  # a function: its file's place, its name


def main() -> int:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    title(f"injected growth of {SIZE // 1000} KB")
    with project() as folder:
        library = folder.parent / "library"
        options = only("memgate")
        write_project(folder, library, grown=False)
        done = run_pytest(folder, *options, "--memgate", "--memgate-update", path=library).expect(0)
        say(f"baseline made: {done.summary()}")
        expected = write_project(folder, library, grown=True)
        outputs = ("--memgate-report", "run.json", "--junitxml", "run.xml")
        done = run_pytest(folder, *options, "--memgate", *outputs, path=library).expect(0, 1)
        say(f"after {len(expected)} injections: {done.summary()}")
        red = _red(folder / "run.xml")
        named = {test: _first_sites(finding, red.get(test, "")) for test, finding in _by_test(folder / "run.json")}
    return _count(expected, red, named)


def _count(expected: dict[str, Named], red: dict[str, str], named: dict[str, tuple[str, str]]) -> int:
    found = expected.keys() & red.keys()
    right = {test for test in found if set(named.get(test, ())) == {" in ".join(expected[test])}}
    others = sorted(red.keys() - expected.keys())
    for test in sorted(expected.keys() - right):
        say(f"{'misnamed' if test in found else 'missed'}: {test} is {expected[test]}, named {named.get(test)}")
    for test in others:
        say(f"red without cause: {test}: {red[test]}")
    for kind, number in Counter(test.rpartition("test_")[0] for test in expected).items():
        hits = [test for test in right if test.startswith(kind)]
        say(f"{kind.removeprefix('tests/test_').partition('.')[0]:<14} {len(hits)} of {number} found and named")
    say(f"{len(found)} of {len(expected)} found, {len(right)} named, {len(others)} others red")
    return int(len(right) != len(expected) or bool(others))


def write_project(folder: Path, library: Path, *, grown: bool) -> dict[str, Named]:
    """Write the project and its library; return for each test that is to go red the function that makes it."""
    expected: dict[str, Named] = {}
    for name in ("shop", "tests"):
        (folder / name).mkdir(exist_ok=True)
    (folder / "shop" / "service.py").write_text(_SERVICE, encoding="utf-8")
    for kind, (extras, freed) in _KINDS.items():
        functions, tests = [_IMPORTS], [f"from shop import {kind}, service\n"]
        for number in range(2 * _EACH):
            name = f"make_{number:02}"
            grows = number % 2 == 0
            extra = "None"
            if grows:
                expected[f"tests/test_{kind}.py::test_{name}"] = (f"shop/{kind}.py", name)
                extra = extras[number // 2 % len(extras)] if grown else extra
            if freed and extra != "None":
                extra = f"{extra}\n    extra = None"
            functions.append(_FUNCTION.format(name=name, rows=number * 137 % 4000, extra=extra))
            called = f"{kind}.{name}()" if number % 4 else f"service.call({kind}.{name})"
            tests.append(f"\n\ndef test_{name}():\n    assert {called}\n")
        (folder / "shop" / f"{kind}.py").write_text("".join(functions), encoding="utf-8")
        (folder / "tests" / f"test_{kind}.py").write_text("".join(tests), encoding="utf-8")
    return expected | _write_library(folder, library, grown=grown)


def _write_library(folder: Path, library: Path, *, grown: bool) -> dict[str, Named]:
    expected: dict[str, Named] = {}
    tests = [f"import {copy}.{module}\n" for copy in (_GROWS, _STAYS) for module in _LIBRARY]
    extras = _OBJECTS + _BUFFERS[:2]  # what needs no import
    turn = 0
    for module, calls in _LIBRARY.items():
        source = inspect.getsource(importlib.import_module(module))
        _put(library / _STAYS / f"{module}.py", source)
        for call in calls:
            function = call.partition("(")[0]
            expected[f"tests/test_library.py::test_{_GROWS}_{function}"] = (f"{_GROWS}/{module}.py", function)
            tests += [f"\n\ndef test_{copy}_{function}():\n    {copy}.{module}.{call}\n" for copy in (_GROWS, _STAYS)]
            if grown:
                source = inject(source, function, f"grown_by_benchmark = {extras[turn % len(extras)]}")
            turn += 1
        _put(library / _GROWS / f"{module}.py", source)
    _put(folder / "tests" / "test_library.py", "".join(tests))
    return expected


def _put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def inject(source: str, function: str, statement: str) -> str:
    """Return the source with a statement put first into a function, after its docstring."""
    lines = source.splitlines(keepends=True)
    node = next(n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.FunctionDef) and n.name == function)
    first = next(one for one in node.body if not isinstance(getattr(one, "value", None), ast.Constant))
    lines.insert(first.lineno - 1, f"{' ' * first.col_offset}{statement}\n")
    return "".join(lines)


def _red(junit: Path) -> dict[str, str]:
    """Return the tests that failed, with their failure text, as CI sees them."""
    return {
        f"{case.get('classname', '').replace('.', '/')}.py::{case.get('name')}": trouble.text or ""
        for case in ET.parse(junit).iter("testcase")
        for trouble in (*case.iterfind("failure"), *case.iterfind("error"))
    }


def _by_test(report: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    return ((finding["test"], finding) for finding in findings(report))


def _first_sites(finding: dict[str, Any], text: str) -> tuple[str, str]:
    """Return the function that the finding names first, and the one that the failure text names first."""
    contributions: list[dict[str, Any]] = finding.get("growth_by_site", [])
    site = (contributions[0].get("site") if contributions else None) or {}
    told = re.search(r"what grew:\nE? +\+[\d.]+ \w+  (\S+):\d+ in (\w+)", text)
    return f"{site.get('path')} in {site.get('function')}", " in ".join(told.groups()) if told else ""


if __name__ == "__main__":
    sys.exit(main())
