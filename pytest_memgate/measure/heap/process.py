"""The page on which a running process tells its heap, by the ports that it listens on."""

import os
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from pytest_memgate.errors import MeasureError, UsageError

if TYPE_CHECKING:
    import psutil

_EXTRA = 'pip install "pytest-memgate[services]"'
_START = "start it with python -m pytest_memgate.live --heap (Python) or with net/http/pprof (Go)"
_ALL = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104  # nothing is bound here
_NAMED = 5  # processes
_WORDS = 60  # characters of a program's words that are shown; chosen to fit a line


def addresses(program: str) -> list[str]:
    """Return where a process listens, as `http://127.0.0.1:6060`, and those below it.

    `program` is its id, or a part of its command line. Raises UsageError where no or several processes have that, and
    MeasureError where it listens nowhere.
    """
    try:
        import psutil  # noqa: PLC0415  # it is an extra
    except ImportError as error:
        raise UsageError("a process is found by psutil, which is not installed", hint=_EXTRA) from error
    process = _process(program)
    found: dict[str, None] = {}
    with suppress(psutil.NoSuchProcess):
        for one in (process, *process.children(recursive=True)):
            found.update(dict.fromkeys(_listening(one)))
    if not found:
        raise MeasureError(f"process {process.pid} listens on no port, so it has no page of its heap", hint=_START)
    return list(found)


def _process(program: str) -> "psutil.Process":
    import psutil  # noqa: PLC0415  # as above

    if program.isdigit():
        try:
            return psutil.Process(int(program))
        except (psutil.NoSuchProcess, OverflowError) as error:
            raise UsageError(f"no process has the id {program}") from error
    own = {os.getpid(), *(one.pid for one in psutil.Process().parents())}
    found = {}
    for one in psutil.process_iter(["cmdline", "ppid"]):
        words = " ".join(one.info["cmdline"] or ())
        if program in words and one.pid not in own:
            found[one] = words
    ids = {one.pid for one in found}
    first = [one for one in found if one.info["ppid"] not in ids]  # not the workers of another
    if not first:
        raise UsageError(f"{program!r} is no URL, and no process has it in its command line", hint=_START)
    if len(first) > 1:
        told = ", ".join(f"{one.pid} ({found[one][:_WORDS]})" for one in first[:_NAMED])
        raise UsageError(f"{len(first)} processes have {program!r} in their command lines: {told}", hint="give an id")
    return first[0]


def _listening(process: "psutil.Process") -> Iterator[str]:
    import psutil  # noqa: PLC0415  # as above

    try:
        connections = process.net_connections(kind="tcp")
    except psutil.AccessDenied as error:
        raise MeasureError(
            f"process {process.pid} belongs to another user: its ports are not told", hint="give its URL"
        ) from error
    for one in connections:
        if one.status == psutil.CONN_LISTEN:
            yield f"http://{_ALL.get(one.laddr.ip, one.laddr.ip)}:{one.laddr.port}"
