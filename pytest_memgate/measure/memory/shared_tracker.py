"""One tracker over the calls of several tests: its peak is an upper bound for each of them.

At any moment, the memory allocated since a test began that is alive is part of the memory allocated since the tracker
started that is alive. So the peak of the whole tracker is no less than that of any call under it.

The memory that a call retains is part of the memory alive at its end, which the peak bounds, too, but not closely. So
at that moment a block of known size is mapped, and unmapped at once: the memory alive then is no more than the peak
less that size. What the tracker still holds of a call at its own end bounds nothing: a fixture's teardown, or a later
test, may have freed memory that the call had left behind. But memory that it still holds of the tests before a call was
alive all through that call, and the call has not allocated it: the peak less that memory is its bound, too. So memory
that pytest keeps from test to test does not add up.

The interpreter keeps some freed objects to use them again, tuples above all, which no tracker sees: a call would reuse
objects allocated before it. A full collection gives them back, so one precedes each call, and another is made at its
end, where the tracker sees it: they are not retained.

Between two calls small objects are not traced, and an arena that Python's allocator maps for them then looks like a
block of its own. It makes the bound larger, which is safe; it counts as nobody's first use, and as retained by nobody.
"""

import functools
import inspect
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from itertools import accumulate
from typing import Any, ParamSpec, TypeVar

import memray

from pytest_memgate.errors import CaptureError
from pytest_memgate.measure.compiling.bytecode import traced_imports
from pytest_memgate.measure.memory.allocator_hooks import Pause, can_pause
from pytest_memgate.measure.memory.capture import Capture, new_tracker, show
from pytest_memgate.measure.memory.reading import reading
from pytest_memgate.measure.memory.starting import Hooks, stop
from pytest_memgate.measure.python.environment import is_profiled
from pytest_memgate.measure.resources.child_processes import ProcessWatch
from pytest_memgate.measure.resources.reserved import touched
from pytest_memgate.measure.resources.snapshot import OWN_FILES, open_files
from pytest_memgate.measure.resources.threads import names_of_others
from pytest_memgate.measure.stacks.call_sites import Frame, Sites, read_sites
from pytest_memgate.measure.stacks.import_hook import module_of
from pytest_memgate.measure.stacks.marker_frames import marked
from pytest_memgate.measure.stacks.owners import FirstUse, read_owners
from pytest_memgate.measure.stacks.source_paths import Places

# Bytes: a block in the largest size class that pymalloc serves itself (512, Objects/obmalloc.c); of all blocks, chosen.
_BLOCK, _ROOM = 470, 1_000_000
_ARENA = 1 << 20  # bytes: ARENA_SIZE of CPython's obmalloc on 64-bit platforms, from 3.10 on
_PINNED: list[bytes] = []
_P = ParamSpec("_P")
_T = TypeVar("_T")
# Files of frames by which a stack shows where it passed; they are of the harness, for whoever reads it.
_CALL, _TEST = "<memgate call ", "<memgate test "


class Span:
    """A shared tracker: one over several calls.

    It has to start in a frame further out than those of the calls: memray knows the frames of a stack only down from
    the level on which it was started.
    """

    def __init__(self, processes: ProcessWatch, collect: Callable[[], None]) -> None:
        self.active = False
        self.peak = 0
        self.processes = processes
        self.capture = Capture()
        self._opened: frozenset[int] = frozenset()  # by the tracker
        self.shares: list[Share] = []
        self.collect = collect
        self._modules = set(sys.modules)

    def share(self, probe: int) -> "Share":
        """Return the share of one more call, at whose end `probe` bytes are mapped."""
        share = Share(self, len(self.shares), probe)
        self.shares.append(share)
        return share

    def start(self) -> bool:
        """Start the tracker; return False, and close, if it cannot start or a profiler has its place."""
        if is_profiled():
            self.close()
            return False
        self.collect()
        _make_room()
        self._pause = Pause() if can_pause() else None
        self._names, self._hooks = traced_imports(), Hooks()
        before = open_files()
        self._names.__enter__()
        try:
            self._tracker = new_tracker(self.capture)
            self._tracker.__enter__()
        except Exception:  # noqa: BLE001  # whatever it is, it is not the tests'
            self._names.__exit__(None, None, None)
            self._hooks.put_back()
            self.close()
            return False
        self.active = True
        if self._pause:
            self._pause.started()
            self._pause.begin()
        self._opened = open_files() - before
        OWN_FILES.update(self._opened)
        return True

    def stop(self) -> None:
        """Stop the tracker, if it runs, and give each share the peak as its bound."""
        if not self.active:
            return
        self.active = False
        why = stop(self._tracker, self._hooks)
        OWN_FILES.difference_update(self._opened)
        self._names.__exit__(None, None, None)
        try:
            with reading(self.capture.path) as reader:
                self.peak = reader.metadata.peak_memory
        except CaptureError as error:
            why = why or str(error)
        if why:
            self._cannot_tell(why)
        for share in self.shares:
            share.peak, share.together = self.peak, len(self.shares)

    def tighten(self, is_enough: Callable[[], bool]) -> None:
        """Take from each share's bound what the tests before it left until the end.

        The largest blocks come first, since every one has its price, and no more are read once the bounds are enough.
        """
        if not self.peak or is_enough():
            return
        try:
            _ = self.left
        except CaptureError as error:
            self._cannot_tell(str(error))
            return
        kept = [0] * len(self.shares)
        for portion in _portions(self.left):
            for one in portion:
                if one.test:
                    kept[int(one.test[len(_TEST) : -1])] += one.size
            for share, earlier in zip(self.shares, accumulate(kept, initial=0), strict=False):
                share.peak = self.peak - earlier
            if is_enough():
                return

    def _cannot_tell(self, why: str) -> None:
        for share in self.shares:
            share.fault = why

    @cached_property
    def left(self) -> "list[_Left]":
        """The memory still held at the end, largest first."""
        with reading(self.capture.path) as reader:
            left = [_Left(record) for record in reader.get_leaked_allocation_records(merge_threads=True)]
        return sorted(left, key=lambda one: one.size, reverse=True)

    @cached_property
    def causes(self) -> "Mapping[str, list[_Left]]":
        """The memory still held, by the module that was being loaded, else by the file of its call's frame, if any."""
        found = defaultdict(list)
        for one in self.left:
            if not one.is_arena:
                found[one.cause].append(one)
        return found

    def resume(self) -> bool:
        """Trace all memory again, as a call begins; return True if that worked."""
        return self.active and (self._pause is None or self._pause.end())

    def pause(self) -> None:
        """Trace large blocks only, as a call has ended."""
        if self._pause and self.active:
            self._pause.begin()

    def new_modules(self) -> tuple[str, ...]:
        """Return the modules that were loaded since the last time."""
        if sys.modules.keys() == self._modules:
            return ()
        new = sys.modules.keys() - self._modules
        self._modules = set(sys.modules)
        return tuple(sorted(new))

    def close(self) -> None:
        """Stop the tracker and remove its file."""
        self.stop()
        self.capture.close()


class Share(Capture):
    """One call under a shared tracker, in place of a capture of its own: it has bounds of its values."""

    def __init__(self, span: Span, number: int, probe: int) -> None:
        super().__init__(of=span.capture)
        self._probe = probe
        self._span = span
        self._file = f"{_CALL}{number}>"
        self._number = number
        self.is_last = False

    @property
    def span(self) -> Span:
        """The shared tracker."""
        return self._span

    @property
    def is_open(self) -> bool:
        """True if its tracker runs."""
        return self._span.active

    def lose(self) -> None:
        """Stop its tracker, as a profiler has taken the place by which memray knows Python's stack."""
        self._span.stop()

    @property
    def retained(self) -> int:
        """A bound of the bytes that the call retains: the peak less the block mapped at its end."""
        return self.peak - self._probe

    def running(self, test: Callable[_P, _T]) -> Callable[_P, _T]:
        """Return a function that runs all phases of this share's test below a frame that marks them in stacks."""
        return _below(test, f"{_TEST}{self._number}>")

    def sites(self, metric: str, places: Places) -> Sites:  # noqa: ARG002  # nobody's alone
        """Return no call sites: those of a shared tracker belong to no single test."""
        return Sites(sites=(), imports=0)

    def at_peak(self, places: Places) -> Sites:
        """Return the call sites of what this call held at the peak of all of them."""
        with reading(self._span.capture.path) as reader:
            records = map(_Left, reader.get_high_watermark_allocation_records(merge_threads=True))
            return read_sites(touched([one for one in records if one.is_of_call(self._file)]), places)

    def owners(self, places: Places) -> FirstUse:
        """Return the memory still held of this call, or of the modules that it loaded, by package or file."""
        causes = self._span.causes
        own = [one for cause in (self._file, *self.modules) for one in causes.get(cause, ())]
        return read_owners(touched(own), places)

    def loose(self, places: Places) -> FirstUse:
        """Return the memory of other threads; memory of the harness between two tests belongs to nobody."""
        return read_owners([one for one in self._span.causes.get("", ()) if not one.is_of_harness(places)], places)

    def close(self) -> None:
        """Leave the file to the shared tracker."""

    def traced(self, function: Callable[..., Any], keep: Callable[[Capture], None]) -> Callable[..., Any]:
        """Return `function` under the tracker; the last call, or one that fails, stops it; `keep` gets this share."""
        marked = _below(function, self._file)
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def call_async(*args: Any, **kwargs: Any) -> Any:
                self._begin(keep)
                try:
                    result = await marked(*args, **kwargs)
                except BaseException:
                    self._stop(failed=True)
                    raise
                self._stop(failed=False)
                return result

            return call_async

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            # No context manager: what it is made of would be freed unseen.
            self._begin(keep)
            try:
                result = marked(*args, **kwargs)
            except BaseException:
                self._stop(failed=True)
                raise
            self._stop(failed=False)
            return result

        return call

    def _begin(self, keep: Callable[[Capture], None]) -> None:
        keep(self)
        self._started = self._span.processes.mark()
        self.threads = names_of_others()
        self._span.new_modules()
        self._is_traced = self._span.resume()
        self._span.collect()

    def _stop(self, *, failed: bool) -> None:
        if not failed:
            self._span.collect()
            show(self._probe)
        if failed or self.is_last:
            self._span.stop()
        self._span.pause()
        self.modules = self._span.new_modules()
        self.started_processes = self._span.processes.mark() != self._started
        if not self._is_traced:
            self.fault = "its tracker had stopped, or Python's allocators been exchanged, before it was called"


class _Left:
    """Memory of one stack that a shared tracker holds, at its end or at its peak."""

    def __init__(self, record: memray.AllocationRecord) -> None:
        self.size = record.size
        self._record = record

    @cached_property
    def _stack(self) -> list[Frame]:
        return self._record.stack_trace()

    @cached_property
    def test(self) -> str:
        """The mark of the test that allocated it, from one of the outermost frames; empty if none did."""
        return next((path for _, path, _ in reversed(self._stack) if path.startswith(_TEST)), "")

    @property
    def cause(self) -> str:
        """The module that was being loaded, else the file of its call's frame, empty if there is neither."""
        files = [path for _, path, _ in self._stack if path.startswith("<")]
        return next(filter(None, map(module_of, files)), "") or self._call

    @property
    def is_arena(self) -> bool:
        """True if it may be an arena that Python's allocator took while small objects were not traced.

        Within a call they are traced, and any block that the call maps is its own.
        """
        is_mapped = self._record.allocator == memray.AllocatorType.MMAP
        return is_mapped and self.size == _ARENA * self._record.n_allocations and not self._call

    def is_of_harness(self, places: Places) -> bool:
        """True if the allocating thread runs the tests: neither a test's own thread nor one of the project."""
        return any(places.is_harness(path) for _, path, _ in self._stack)

    def is_of_call(self, file: str) -> bool:
        """True if the call of that frame's file allocated it."""
        return self._call == file

    @property
    def _call(self) -> str:
        """The file of its call's frame, empty if there is none."""
        return next((path for _, path, _ in self._stack if path.startswith(_CALL)), "")

    def stack_trace(self) -> list[Frame]:
        """Return the frames, innermost first."""
        return self._stack


def _portions(left: list[_Left]) -> Iterator[list[_Left]]:
    """Yield a sixteenth of the blocks, then as many again as before."""
    start, stop = 0, len(left) // 16 + 1
    while start < len(left):
        yield left[start:stop]
        start, stop = stop, 2 * stop


def _make_room() -> None:
    """Give Python's allocator free memory: an arena that it took between two calls would be seen."""
    blocks = [bytes(_BLOCK) for _ in range(_ROOM // _BLOCK)]
    _PINNED[:] = blocks[-1:]  # so that the arena of the last one is not given back


def _below(function: Callable[_P, _T], file: str) -> Callable[_P, _T]:
    """Return `function` called below a frame whose file is `file`, which marks it in stacks."""
    template = _call_async if inspect.iscoroutinefunction(function) else _call
    function_below: Callable[_P, _T] = marked(template, file, called=function)
    return function_below


def _call(*args: Any, **kwargs: Any) -> Any:
    return called(*args, **kwargs)  # type: ignore[name-defined]  # noqa: F821  # the copy has it


async def _call_async(*args: Any, **kwargs: Any) -> Any:
    return await called(*args, **kwargs)  # type: ignore[name-defined]  # noqa: F821  # the same
