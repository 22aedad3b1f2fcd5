"""Times of a test on both sides of `memgate compare`, in turn: each side is a living process that waits in the test."""

import json
import secrets
import socket
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import pytest

from pytest_memgate.compare.pairs import Paired, measure_pairs
from pytest_memgate.measure.process.base_side import BaseSide
from pytest_memgate.measure.process.workspace import Job, Workspace
from pytest_memgate.measure.resources.child_processes import uncounted

_PLUGIN = ("-p", "pytest_memgate.plugin.child_runs.no_side_outputs", "-p", "pytest_memgate.plugin.child_runs.paired")
_VARIABLE = "MEMGATE_PAIRED"
_FRESH = 10  # pairs by the same two processes: a layout of memory is not the code; chosen
_CONTROLLED = 10  # one test in so many
_PADDING = 4096  # characters that the environment differs by, at most: it moves the stack
_TARGET = 0.05  # seconds of one time; chosen
_PATIENCE = 120.0  # seconds for an answer; chosen


_Start = tuple[list[str], Path, Mapping[str, str | None]]  # the command, its folder, and what its environment changes


class NoPairs(Exception):  # noqa: N818  # no error: the times are judged without
    """A side does not answer."""


class Pairs:
    """Measures pairs for the tests of one run."""

    def __init__(self, base: BaseSide) -> None:
        self._base = base
        self._number = secrets.randbelow(_CONTROLLED)
        self._dice = secrets.SystemRandom()

    @property
    def error(self) -> float:
        """The probability that one of all times of a run gets a wrong verdict."""
        return self._base.error

    def measure(self, item: pytest.Item, limit: float, error: float, *, of_itself: bool = False) -> Paired:
        """Return whether a test takes more than `limit` times as long as on the base, in ms; raises NoPairs.

        With `of_itself`, both sides are the base: the answer must be no.
        """
        plan = measure_pairs(limit, error)
        next(plan)
        with uncounted(), Workspace() as workspace:
            while True:
                with ExitStack() as stack:
                    base = stack.enter_context(_Side(workspace, self._command(item, self._base)))
                    head = stack.enter_context(_Side(workspace, self._command(item, self._base if of_itself else None)))
                    loops = base.ask(do="loops", seconds=_TARGET)["loops"]
                    head.ask(do="time", loops=loops)  # to warm it up
                    for _ in range(_FRESH):
                        first, second = self._dice.sample((base, head), 2)
                        times = {side: side.ask(do="time", loops=loops)["seconds"] * 1000 for side in (first, second)}
                        try:
                            plan.send((times[base], times[head]))
                        except StopIteration as end:
                            found: Paired = end.value
                            return found

    def is_controlled(self) -> bool:
        """True for one test in ten: its base is to be compared with itself, too."""
        self._number += 1
        return self._number % _CONTROLLED == 0

    def _command(self, item: pytest.Item, base: BaseSide | None) -> _Start:
        config = item.config

        def moved(path: Path) -> str:
            return str(base.there(path) if base else path.resolve())

        _, found, name = item.nodeid.partition("::")
        command = [
            *(base.python if base else sys.executable, "-m", "pytest", *_PLUGIN),
            f"--rootdir={moved(config.rootpath)}",
            *(("-c", moved(config.inipath)) if config.inipath else ()),
            *(("-n0",) if config.pluginmanager.hasplugin("xdist") else ()),
            f"{moved(item.path)}{found}{name}",
        ]
        env: dict[str, str | None] = {
            **(base.env if base else {}),
            "MEMGATE_PADDING": "x" * self._dice.randrange(_PADDING),
            "PYTHONHASHSEED": str(self._dice.randrange(1, 1 << 32)),
        }
        return command, Path(base.cwd) if base else config.invocation_params.dir, env


class _Side:
    """One living process."""

    def __init__(self, workspace: Workspace, start: "_Start") -> None:
        self._workspace = workspace
        self._command, self._cwd, self._env = start
        self._job: Job | None = None

    def __enter__(self) -> Self:
        token = secrets.token_hex(16)
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.settimeout(1.0)
            order = json.dumps({"port": server.getsockname()[1], "token": token})
            folder = self._workspace.place()
            self._job = self._workspace.start(
                [*self._command, "-o", f"cache_dir={folder / 'cache'}"],
                folder,
                cwd=self._cwd,
                env={**self._env, _VARIABLE: order, "COVERAGE_FILE": str(folder / "coverage")},
            )
            self._peer = self._accepted(server)
        self._peer.settimeout(_PATIENCE)
        self._way = self._peer.makefile("rw", encoding="utf-8")
        if self._told().get("token") != token:
            raise NoPairs("somebody else has answered")
        return self

    def __exit__(self, *_: object) -> None:
        self._way.close()
        self._peer.close()
        if self._job:
            self._job.wait(_PATIENCE, lambda: None)
            self._workspace.end(self._job)

    def ask(self, **what: object) -> dict[str, Any]:
        """Send a command, and return the answer."""
        try:
            self._way.write(json.dumps(what) + "\n")
            self._way.flush()
        except OSError as error:
            raise NoPairs(str(error)) from error
        return self._told()

    def _told(self) -> dict[str, Any]:
        try:
            told: dict[str, Any] = json.loads(self._way.readline() or "{}")
        except (OSError, ValueError) as error:
            raise NoPairs(str(error)) from error
        if not told:
            raise NoPairs("a side has ended")
        return told

    def _accepted(self, server: socket.socket) -> socket.socket:
        for _ in range(int(_PATIENCE)):
            try:
                return server.accept()[0]
            except TimeoutError:
                if self._job and self._job.code() is not None:
                    break
        raise NoPairs("a side did not come to the call")
