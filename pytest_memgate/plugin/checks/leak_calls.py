"""Repeated calls, of a function that a test hands over or of the test itself, and the memory they leave behind."""

import contextlib
import inspect
import io
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from _pytest.logging import LogCaptureHandler

from pytest_memgate.errors import CaptureError
from pytest_memgate.measure.memory.coroutines import is_async
from pytest_memgate.measure.python.environment import PROFILED, is_profiled
from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.plugin.test import Test
from pytest_memgate.tasks.judge.leak import LeakCheck

if TYPE_CHECKING:
    from pytest_memgate.measure.memory.leak_series import Series


class Calls:
    """Calls of one function with its arguments."""

    def __init__(self, check: LeakCheck, test: Test, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self._check = check
        self._test = test
        self._function = function
        self._args = args

    def run(self, rounds: int, warmup: int) -> Finding:
        """Return the finding on calling the function; an async function is called in a loop of its own."""
        if is_async(self._function):
            import asyncio

            return asyncio.run(self.run_async(rounds, warmup))
        if left_out := self._left_out():
            return left_out
        plan = self._check.plan(rounds, warmup)
        try:
            with _unheard():
                return self._check.finding(self._series().run(plan))
        except CaptureError as error:
            return self._check.left_out(Outcome.UNMEASURED, str(error))

    async def run_async(self, rounds: int, warmup: int) -> Finding:
        """Return the finding on calling the function in the running loop."""
        if left_out := self._left_out():
            return left_out
        plan = self._check.plan(rounds, warmup)
        try:
            with _unheard():
                return self._check.finding(await self._series().run_async(plan))
        except CaptureError as error:
            return self._check.left_out(Outcome.UNMEASURED, str(error))

    def _left_out(self) -> Finding | None:
        """End the trace of the test itself; return a finding if there can be no other trace."""
        for capture in self._test.captures:
            capture.end()
        if self._test.outcome:
            return self._check.left_out(self._test.outcome, self._test.why)
        return self._check.left_out(Outcome.UNMEASURED, PROFILED) if is_profiled() else None

    def _series(self) -> "Series":
        from pytest_memgate.measure.memory.leak_series import Series, below
        from pytest_memgate.measure.stacks.source_paths import Places

        def labelled(label: str) -> Callable[[], Any]:
            return partial(below(label, self._function), *self._args)

        name = getattr(self._function, "__qualname__", type(self._function).__qualname__)
        return Series(name=name, labelled=labelled, places=Places(self._check.gate.root))


def is_awaited(function: object, caller: FrameType | None) -> bool:
    """True if `leak(function)` has to be awaited: an async function, called from a running loop."""
    if not is_async(function):
        return False
    return bool(caller and caller.f_code.co_flags & inspect.CO_COROUTINE) or _has_loop()


def _has_loop() -> bool:
    asyncio = sys.modules.get("asyncio")
    return asyncio is not None and asyncio._get_running_loop() is not None


def wrong_argument(function: object, warmup: object, rounds: object, name: object) -> str:
    """Return what is wrong with the arguments of `leak()`, empty if nothing is."""
    if not callable(function):
        return f"something to call is expected, not {function!r}"
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        return "a generator does nothing until it is iterated: pass a function that does so, such as lambda: list(f())"
    if not isinstance(rounds, int) or isinstance(rounds, bool) or rounds < 1:
        return f"rounds is a whole number from 1 on, not {rounds!r}"
    if not isinstance(warmup, int) or isinstance(warmup, bool) or warmup < 0:
        return f"warmup is a whole number from 0 on, not {warmup!r}"
    if not isinstance(name, str) or "[" in name or "]" in name:
        return f"name is a text without brackets, not {name!r}"
    return ""


@contextmanager
def _unheard() -> Iterator[None]:
    """Keep printed and logged text from pytest, which would store it: the function does not leak that.

    The handlers are replaced, not removed: without any, logging prints.
    """
    root = logging.getLogger()
    handlers = list(root.handlers)
    root.handlers[:] = [logging.NullHandler() if isinstance(one, LogCaptureHandler) else one for one in handlers]
    with Path(os.devnull).open("wb", buffering=0) as sink:
        nowhere = io.TextIOWrapper(sink, encoding="utf-8", write_through=True)  # what is buffered would be left behind
        try:
            with contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
                yield
        finally:
            root.handlers[:] = handlers
