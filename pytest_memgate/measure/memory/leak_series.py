"""Calls one after another under one tracker, and which of them allocated the memory that is alive at the end.

Each block of calls runs below a frame whose file is `<block 3>`, so that memray's stacks tell the block of every
surviving allocation. Memray adds up the allocations of one stack while it traces: nothing is written for each.
"""

import inspect
import re
import sys
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Self, TypeVar

from pytest_memgate.errors import CaptureError, UsageError
from pytest_memgate.measure.memory.capture import Capture, new_tracker
from pytest_memgate.measure.memory.coroutines import is_async
from pytest_memgate.measure.memory.reading import reading
from pytest_memgate.measure.memory.starting import Hooks, is_taken, why_not_started
from pytest_memgate.measure.python.gc_freeze import collect
from pytest_memgate.measure.stacks.call_sites import Frame, read_sites
from pytest_memgate.measure.stacks.import_hook import IMPORT_SYSTEM
from pytest_memgate.measure.stacks.marker_frames import marked
from pytest_memgate.measure.stacks.source_paths import Places
from pytest_memgate.model.leak import Held, Step
from pytest_memgate.model.site import Site

_BLOCK = re.compile(r"<block (\d+)>")
_WARM_UP = "<warm-up>"
_MESSAGES = "execnet/"  # xdist's own threads
_TAKEN = "a memray tracker is active, and a process has only one"
_SWEEPS = 3  # collections: a finalizer may leave garbage of its own; chosen
T = TypeVar("T")
Plan = Generator[Step, Mapping[str, Held], T]
Call = Callable[[], Any]


def below(label: str, function: Callable[..., Any], *, fenced: bool = False) -> Callable[..., Any]:
    """Return `function` called below a frame whose file is `label`, with its result dropped there.

    Python keeps some freed objects for later use, unseen by memray: a leak may take objects that other code freed, and
    the reverse. With `fenced`, a collection gives these back before and after the call.
    """
    template: Any = _await if is_async(function) else _call
    fence = collect if fenced else int  # int() does nothing, without a frame
    call: Callable[..., Any] = marked(template, label, "<call>", called=function, fence=fence, refuse=_refuse)
    return call


# The names that these use are in the globals that their copies are given.
def _call(*args: Any, **kwargs: Any) -> None:
    fence()  # type: ignore[name-defined]  # noqa: F821
    result = called(*args, **kwargs)  # type: ignore[name-defined]  # noqa: F821
    if hasattr(result, "__await__"):
        refuse(result)  # type: ignore[name-defined]  # noqa: F821
    del result
    fence()  # type: ignore[name-defined]  # noqa: F821


async def _await(*args: Any, **kwargs: Any) -> None:
    fence()  # type: ignore[name-defined]  # noqa: F821
    await called(*args, **kwargs)  # type: ignore[name-defined]  # noqa: F821
    fence()  # type: ignore[name-defined]  # noqa: F821


def _refuse(result: object) -> None:
    if inspect.iscoroutine(result):
        result.close()
        raise UsageError("leak(): it gave a coroutine, which nobody awaits: pass the async function itself")


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Runs the series that a plan asks for. `labelled` returns a call that happens below a frame of the given name.

    `name` names the called function. `among_others` is True if pytest runs in between, whose memory is not to be
    counted.
    """

    name: str
    labelled: Callable[[str], Call]
    places: Places
    among_others: bool = False

    def run(self, plan: Plan[T]) -> T:
        """Return the result of the plan. Raises CaptureError, and any error of a call."""
        step = next(plan)
        while True:
            calls = self._calls(step)
            with _Room() as room:
                try:
                    room.tracker.__enter__()  # in the very frame that calls: see `Recorder.traced`
                except Exception as error:
                    raise room.given_up(error) from error
                try:
                    for call in calls:
                        call()
                        room.warned.clear()
                    _sweep()
                finally:
                    room.tracker.__exit__(None, None, None)
                held = self._held(room.capture, step.blocks)
            try:
                step = plan.send(held)
            except StopIteration as done:
                return done.value  # type: ignore[no-any-return]  # a generator's value has no type of its own

    async def run_async(self, plan: Plan[T]) -> T:
        """Return the result of the plan, with awaited calls. Raises CaptureError, and any error of a call."""
        step = next(plan)
        while True:
            calls = self._calls(step)
            with _Room() as room:
                try:
                    room.tracker.__enter__()
                except Exception as error:
                    raise room.given_up(error) from error
                try:
                    for call in calls:
                        await call()
                        room.warned.clear()
                    await _let_others_end()
                    _sweep()
                finally:
                    room.tracker.__exit__(None, None, None)
                held = self._held(room.capture, step.blocks)
            try:
                step = plan.send(held)
            except StopIteration as done:
                return done.value  # type: ignore[no-any-return]  # as above

    def _calls(self, step: Step) -> list[Call]:
        """Return all calls of a step, made before its tracker starts."""
        warm_up = self.labelled(_WARM_UP)
        blocks = [self.labelled(f"<block {block}>") for block in range(step.blocks)]
        return [warm_up] * step.warmup + [blocks[call * step.blocks // step.calls] for call in range(step.calls)]

    def _held(self, capture: Capture, blocks: int) -> dict[str, Held]:
        """Return the surviving memory, by the key of its call site."""
        with reading(capture.path) as reader:
            parts = list(self._parts(reader.get_leaked_allocation_records(merge_threads=True)))
        counts = self._sizes(replace(part, size=part.count) for part in parts)
        by_block = [self._sizes(part for part in parts if part.block == block) for block in range(blocks)]
        loose = self._sizes(part for part in parts if part.block is None)
        held: dict[str, Held] = {}
        for key, site in self._sizes(parts).items():
            sizes = tuple(one[key].size if key in one else 0 for one in by_block)
            held[key] = Held(site=site, count=int(counts[key].size), blocks=() if key in loose else sizes)
        return held

    def _sizes(self, parts: "Iterable[_Part]") -> dict[str, Site]:
        return {site.key: site for site in read_sites(parts, self.places).sites}

    def _parts(self, records: Iterable[Any]) -> "Iterator[_Part]":
        """Yield the records that belong to the calls, each with its stack from the call on."""
        for record in records:
            stack = record.stack_trace()
            label, place = next(((path, place) for place, (_, path, _) in enumerate(stack) if _is_label(path)), ("", 0))
            if label == _WARM_UP:
                continue
            if label:
                inner = stack[:place] or [(self.name, "<built-in>", 0)]
                yield _Part(record.size, record.n_allocations, inner, int(_BLOCK.sub(r"\1", label)))
            elif self._is_of_another(stack):
                yield _Part(record.size, record.n_allocations, stack, None)

    def _is_of_another(self, stack: list[Frame]) -> bool:
        """True if memory outside of all calls was allocated by a thread or task that a call may have started."""
        own = [path for _, path, _ in stack if not path.startswith(IMPORT_SYSTEM)]
        if not own or any(_MESSAGES in path for path in own):
            return False
        return not any(map(self.places.is_harness, own if self.among_others else own[:1]))


@dataclass(frozen=True, slots=True)
class _Part:
    """A record of memray, cut off at its call; `block` is None if the call is not known."""

    size: int
    count: int
    stack: list[Frame]
    block: int | None

    def stack_trace(self) -> list[Frame]:
        """Return the frames from the allocation out to the call."""
        return self.stack


def _is_label(path: str) -> bool:
    return path == _WARM_UP or _BLOCK.fullmatch(path) is not None


class _Room:
    """The surroundings of one series: a file, a tracker, and a listener for warnings, which pytest would keep."""

    def __init__(self) -> None:
        self.capture = _capture()
        try:
            self.tracker = new_tracker(self.capture)
        except Exception as error:
            self.capture.close()
            raise CaptureError(why_not_started(error)) from error
        self._hooks = Hooks()
        self.warned: list[warnings.WarningMessage] = []
        self._catch = warnings.catch_warnings(record=True)

    def __enter__(self) -> Self:
        collect()
        self.warned = self._catch.__enter__() or []
        return self

    def given_up(self, error: Exception) -> CaptureError:
        """Undo the changes of a tracker that could not start; return the reason."""
        self._hooks.put_back()
        return CaptureError(_TAKEN if is_taken(error) else why_not_started(error))

    def __exit__(self, *_: object) -> None:
        self._catch.__exit__(None, None, None)
        self.capture.close()


def _capture() -> Capture:
    try:
        return Capture()
    except OSError as error:
        raise CaptureError(why_not_started(error)) from error


def _sweep() -> None:
    """Collect garbage, so that cycles are not taken for leaks; this empties Python's free lists, too.

    Python's cache of attributes keeps the names of look-ups: names made up on each call, as in `getattr(self,
    f"visit_{name}")`, stay until it is full.
    """
    with suppress(AttributeError, DeprecationWarning):
        sys._clear_type_cache()  # noqa: SLF001  # documented, in spite of its name
    for _ in range(_SWEEPS):
        if not collect():
            return


async def _let_others_end() -> None:
    """Let asyncio run the callbacks that wait, such as the end of a task that is done."""
    asyncio = sys.modules.get("asyncio")
    try:
        if asyncio:
            asyncio.get_running_loop()
            for _ in range(_SWEEPS):
                await asyncio.sleep(0)
    except RuntimeError:
        return  # another library's loop
