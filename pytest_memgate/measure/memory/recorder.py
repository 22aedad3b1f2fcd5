"""Traces blocks of code in this process, one at a time or several under one tracker."""

import functools
import inspect
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pytest_memgate.errors import CaptureError
from pytest_memgate.measure.compiling.bytecode import traced_imports
from pytest_memgate.measure.memory.capture import Capture, new_tracker, nothing, show
from pytest_memgate.measure.memory.reading import reading
from pytest_memgate.measure.memory.shared_tracker import Span
from pytest_memgate.measure.memory.starting import Hooks, stop, why_not_started
from pytest_memgate.measure.python.gc_freeze import collect, freeze, is_frozen, thaw
from pytest_memgate.measure.python.original_functions import real_world
from pytest_memgate.measure.python.standard import Standard
from pytest_memgate.measure.resources.child_processes import ProcessWatch
from pytest_memgate.measure.resources.threads import names_of_others

_SHOWN = 10_000_000  # bytes mapped in the first trace, to see whether memray sees memory that no allocator took
_GRACE = 0.3  # seconds for threads that are just ending; chosen: docs/memory.md, "Retained"
_NAP = 0.002  # seconds
_SHARE = 20  # times what it takes to walk all objects passes before that is done again; chosen: 5 % of a run
# above 2/3 of 2**17, where a dict doubles (USABLE_FRACTION, Objects/dictobject.c): room for as many, in 6 MB
_NAMES = 90_000
_time, _threading = Standard(time), Standard(threading)


class Recorder:
    """Traces blocks of code in this process, one at a time."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._processes = ProcessWatch()
        self._due = 0.0  # when all objects are walked again
        _grow_names()
        self.rest()
        # The first trace of a process imports what memray needs: not in a test.
        captures: list[Capture] = []
        self.traced(lambda: show(_SHOWN), captures.append, lambda _: None)()
        self.sees_all = any(capture.peak >= _SHOWN for capture in captures)  # also what is not from an allocator
        for capture in captures:
            capture.close()

    def span(self) -> Span | None:
        """Return a shared tracker for several tests, None if no descriptor is free for it."""
        try:
            return Span(self._processes, self.collect)
        except OSError:
            return None

    def rest(self) -> None:
        """Between two tests, collect garbage and hide all living objects from the collector (gc.freeze).

        A collection precedes every trace, and its cost is that of the heap it walks: pytest, the collected tests and
        the reports so far need not be walked each time. Now and then all are, since an object may die while it is
        hidden.
        """
        start = _time.perf_counter()
        is_due = start >= self._due
        if is_due:
            thaw()
        collect(2 if is_due or is_frozen() else 1)  # if a test has unfrozen the heap, the young objects only
        freeze()
        if is_due:
            end = _time.perf_counter()
            self._due = end + _SHARE * (end - start)

    def collect(self) -> None:
        """Collect garbage before a trace, so that none of an earlier test is freed, or counted, in this one.

        It is also done before the end of a trace, so that the memory still alive is what the test retains. The
        collection is a full one, which alone gives back what the interpreter keeps of freed tuples and the like.
        """
        collect()

    def traced(
        self,
        function: Callable[..., Any],
        keep: Callable[[Capture], None],
        refused: Callable[[str], None],
        *,
        every: bool = False,
        bound: bool = False,
    ) -> Callable[..., Any]:
        """Return `function` traced: `keep` gets the capture of each call, with its numbers once the call has ended.

        With `every`, each allocation is recorded, so that they can be counted; the collector is watched then, too. With
        `bound`, an upper bound of the retained bytes is enough: threads that the call has started are not waited for.

        If the tracker cannot start, `refused` gets the reason and the function runs untraced. The tracker starts in the
        very frame that calls the function: memray loses the callers above its own start.
        """
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def call_async(*args: Any, **kwargs: Any) -> Any:
                trace, why = self._new_trace(every=every, bound=bound)
                if trace:
                    try:
                        trace.tracker.__enter__()
                    except Exception as error:  # noqa: BLE001  # whatever it is, it is not the test's
                        why = trace.given_up(error)
                        trace = None
                if trace is None:
                    refused(why)
                    return await function(*args, **kwargs)
                keep(trace.capture)
                trace.begin()
                try:
                    return await function(*args, **kwargs)
                finally:
                    trace.capture.end()

            return call_async

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            trace, why = self._new_trace(every=every, bound=bound)
            if trace:
                try:
                    trace.tracker.__enter__()
                except Exception as error:  # noqa: BLE001  # whatever it is, it is not the test's
                    why = trace.given_up(error)
                    trace = None
            if trace is None:
                refused(why)
                return function(*args, **kwargs)
            keep(trace.capture)
            trace.begin()
            try:
                return function(*args, **kwargs)
            finally:
                trace.capture.end()

        return call

    def begun(self) -> Capture | None:
        """Start a trace here and return its capture, for the caller to end; None if the tracker cannot start.

        Of its stacks, as many of the outermost frames are missing as there are below the caller's own.
        """
        trace, _ = self._new_trace(every=False, bound=True)
        if trace is None:
            return None
        try:
            trace.tracker.__enter__()
        except Exception as error:  # noqa: BLE001  # whatever it is, it is not the test's
            trace.given_up(error)
            return None
        return trace.capture

    def _new_trace(self, *, every: bool, bound: bool) -> "tuple[_Trace | None, str]":
        """Return a trace that is ready to be started, or None and the reason."""
        try:
            with real_world():
                trace = _Trace(self._processes, self.collect, self._folder, every=every, bound=bound)
        except Exception as error:  # noqa: BLE001  # as of a tracker that cannot start
            return None, why_not_started(error)
        self.collect()
        trace.names.__enter__()
        return trace, ""


def _grow_names() -> None:
    """Let the interpreter's table of names grow now: each doubling is paid by the code that adds a name."""
    names = [sys.intern(f"memgate {number}") for number in range(_NAMES)]
    names.clear()


class _Trace:
    """The trace of one call, and the state of the process before it."""

    def __init__(
        self,
        processes: ProcessWatch,
        collect: Callable[[], None],
        folder: Path | None,
        *,
        every: bool,
        bound: bool,
    ) -> None:
        self.capture = Capture(folder)
        self.capture.every = self._every = every
        self.names = traced_imports()
        self._collect = collect
        self._bound = bound
        self._processes = processes
        self._started = processes.mark()
        self._before = _threading.enumerate()
        self._threads = names_of_others(self._before)
        self._modules = set(sys.modules)
        try:
            self.tracker = new_tracker(self.capture, every=every)
        except BaseException:
            self.capture.close()
            raise
        self.capture.end = self._end
        self._hooks = Hooks()

    def given_up(self, error: Exception) -> str:
        """Undo the preparations for a tracker that could not start; return the reason."""
        self.names.__exit__(None, None, None)
        self._hooks.put_back()
        self.capture.close()
        return why_not_started(error)

    def begin(self) -> None:
        """Note that the call begins."""
        if self._every:
            self.capture.collector.start()

    def _end(self) -> None:
        """Stop the tracker and take the numbers, once; the test itself may have asked for it before."""
        self.capture.end = nothing
        if self._every:
            self.capture.collector.stop()
        if not self._bound:
            self._let_threads_end()
        self._collect()
        self.capture.fault = stop(self.tracker, self._hooks)
        self.names.__exit__(None, None, None)
        with real_world():
            self._finish()

    def _let_threads_end(self) -> None:
        """Give threads that the call has started a moment to end: their memory is then not retained."""
        end = _time.monotonic() + _GRACE
        while set(_threading.enumerate()) - set(self._before) and _time.monotonic() < end:
            _time.sleep(_NAP)

    def _finish(self) -> None:
        try:
            with reading(self.capture.path, every=self._every) as reader:
                self.capture.peak = reader.metadata.peak_memory
        except CaptureError as error:
            self.capture.fault = self.capture.fault or str(error)
        self.capture.threads = self._threads
        self.capture.modules = tuple(sorted(sys.modules.keys() - self._modules))
        self.capture.started_processes = self._processes.mark() != self._started
