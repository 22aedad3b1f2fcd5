"""Runs a Python program that tells what it holds: `python -m pytest_memgate.live [--port N] PROGRAM …`."""

import argparse
import runpy
import shutil
import sys
from pathlib import Path

_MISSING = 'pytest_memgate.live needs prometheus-client: pip install "pytest-memgate[services]"'


def main() -> None:
    """Start the server, then be the program. Exits with 2 for a program that is none, or a port that is taken."""
    parser = argparse.ArgumentParser(
        prog="python -m pytest_memgate.live",
        description="Run a Python program, and tell Prometheus what it holds.",
        usage="%(prog)s [--port N] [--heap] (PROGRAM | -m MODULE) [ARGUMENT …]",
    )
    parser.add_argument("--port", type=int, help="on 127.0.0.1; by default 9464")
    parser.add_argument("--heap", action="store_true", help="tell at /heap who holds what; slower")
    parser.add_argument("-m", dest="module", action="store_true", help="the program is a module")
    parser.add_argument("program", help="a file, a command of this environment or, with -m, a module")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    given = parser.parse_args()
    try:
        from pytest_memgate.live.server import PORT, start  # noqa: PLC0415  # it is an extra
    except ImportError:
        parser.error(_MISSING)
    file = "" if given.module else _file(given.program)
    if not given.module and not file:
        parser.error(f"{given.program!r} is neither a file nor a command of this environment that Python runs")
    try:
        port = start(PORT if given.port is None else given.port, heap=given.heap)
    except (OSError, OverflowError) as error:
        parser.error(f"port {PORT if given.port is None else given.port}: {error}")
    sys.stderr.write(f"memgate: what it holds is told at http://127.0.0.1:{port}/metrics\n")
    sys.stderr.flush()
    sys.argv = [file or given.program, *given.arguments]
    if given.module:
        sys.path.insert(0, "")
        runpy.run_module(given.program, run_name="__main__", alter_sys=True)
    else:
        sys.path.insert(0, str(Path(file).resolve().parent))
        runpy.run_path(file, run_name="__main__")


def _file(program: str) -> str:
    """Return the Python file of a program, empty if it is none."""
    if Path(program).is_file():
        return program
    found = shutil.which(program, path=str(Path(sys.executable).parent)) or ""
    if found and not Path(found).read_bytes().startswith(b"#!"):
        return ""
    return found


if __name__ == "__main__":
    main()
