"""Where threads, tasks, processes and files were started: recorded while a test runs once more, and named afterwards.

The functions that start them are replaced for that time. (An audit hook would see more, but memray crashes beside one.)
"""

import builtins
import contextlib
import functools
import io
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from pytest_memgate.measure.resources.asyncio_tasks import coroutine_name
from pytest_memgate.measure.stacks.call_sites import Frame, callers_of
from pytest_memgate.measure.stacks.owners import package_of
from pytest_memgate.measure.stacks.source_paths import Places
from pytest_memgate.model.site import Site

if TYPE_CHECKING:
    from asyncio import Task

_DEEPEST = 100  # frames of a stack that are kept; chosen
_CALLERS = 3  # callers that a site names; chosen to be read at a glance
_NAMED = 3  # of several that one line started
_DESCRIPTORS = ("open", "dup", "pipe", "memfd_create")
_ONE = {"threads": "thread", "tasks": "task", "processes": "process", "files": "file"}

Stack = tuple[Frame, ...]


class Origins:
    """The things started while `recording()`, by identity, each with its stack, innermost frame first."""

    def __init__(self) -> None:
        self._tasks: WeakKeyDictionary[Task[Any], Stack] = WeakKeyDictionary()
        self._numbers: dict[tuple[str, int], Stack] = {}  # of a kind

    @contextlib.contextmanager
    def recording(self) -> Iterator[None]:
        """Record, for a while, where threads, tasks, processes and files are started."""
        with contextlib.ExitStack() as patches:
            for owner, name, note in self._starts():
                if owner is not None and hasattr(owner, name):
                    original = getattr(owner, name)
                    setattr(owner, name, _noting(original, note))
                    patches.callback(setattr, owner, name, original)
            yield

    def stack(self, kind: str, one: Any) -> Stack:
        """Return the stack from which one of them was started, empty if it was not recorded."""
        if kind == "tasks":
            return self._tasks.get(one) or _defined(one)
        return self._numbers.get((kind, one), ())

    def _starts(self) -> Iterator[tuple[Any, str, Callable[[Any, Any], None]]]:
        yield threading.Thread, "start", lambda thread, _: self._note("threads", thread.native_id)
        yield _loaded("subprocess", "Popen"), "__init__", self._note_process
        yield _loaded("multiprocessing.process", "BaseProcess"), "start", self._note_process
        yield os, "fork", lambda _, pid: self._note("processes", pid)
        yield _loaded("socket", "socket"), "__init__", lambda made, _: self._note_file(made)
        for owner, name in ((builtins, "open"), (io, "open"), *((os, name) for name in _DESCRIPTORS)):
            yield owner, name, lambda _, made: self._note_file(made)
        yield _loaded("asyncio.base_events", "BaseEventLoop"), "create_task", lambda _, task: self._note_task(task)

    def _note_process(self, process: Any, _: object) -> None:
        self._note("processes", process.pid)

    def _note_task(self, task: "Task[Any]") -> None:
        self._tasks[task] = _stack()

    def _note_file(self, made: Any) -> None:
        for one in made if isinstance(made, tuple) else (made,):
            self._note("files", one if isinstance(one, int) else one.fileno())

    def _note(self, kind: str, number: int) -> None:
        self._numbers[kind, number] = _stack()


def sites(kind: str, found: Iterable[Any], origins: Origins, places: Places) -> tuple[Site, ...]:
    """Return the places where each of `found` was started, the most first; `what` describes them."""
    by_key: dict[str, list[tuple[Site, str]]] = {}
    for one in found:
        stack = origins.stack(kind, one)
        site = _site(stack, places) or Site(path=f"a {_ONE[kind]}", size=0)
        between = _between(stack, places)
        what = described(kind, one, places)
        by_key.setdefault(site.key, []).append((site, f"{what}, started in {between}" if between else what))
    made = [_together(several) for several in by_key.values()]
    return tuple(sorted(made, key=lambda site: (-site.size, site.key)))


def described(kind: str, one: Any, places: Places) -> str:
    """Return a living thread, task, process or file in a few words: `daemon thread "poller"`."""
    if kind == "threads":
        thread = next((thread for thread in threading.enumerate() if thread.native_id == one), None)
        return f'{"daemon " if thread.daemon else ""}thread "{thread.name}"' if thread else "a thread"
    if kind == "tasks":
        return f"task {coroutine_name(one)}()"
    return _process(one) if kind == "processes" else _file(one, places)


def _together(several: list[tuple[Site, str]]) -> Site:
    first = several[0][0]
    names = list(dict.fromkeys(what for _, what in several))
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    what = f"{', '.join(sorted(names)[:_NAMED])}{more}"
    return Site(path=first.path, function=first.function, line=first.line, via=first.via, size=len(several), what=what)


def _site(stack: Stack, places: Places) -> Site | None:
    """Return the project's innermost frame as a site, with its callers.

    Things that another thread started have no caller in the test: for them, the innermost frame, of a package if there
    is one.
    """
    inner = _of_the_test(stack, places)
    own = [frame for frame in inner if places.place(frame[1]).project]
    own = own or [frame for frame in inner if _package(frame[1], places)][:1] or [*inner[:1]]
    if not own:
        return None
    function, path, line = own[0]
    callers = dict.fromkeys((places.place(path).path, line, function) for function, path, line in own[1:])
    return Site(
        path=places.place(path).path,
        function=function,
        line=line,
        size=1,
        via=callers_of(tuple(callers)[:_CALLERS]),
    )


def _between(stack: Stack, places: Places) -> str:
    """Return the innermost frame of an installed package that the project's own code called, empty if there is none."""
    inner = _of_the_test(stack, places)
    outer = next((index for index, (_, path, _) in enumerate(inner) if places.place(path).project), 0)
    for function, path, line in inner[:outer]:
        if _package(path, places):
            return f"{places.place(path).path}:{line} in {function}"
    return ""


def _of_the_test(stack: Stack, places: Places) -> Stack:
    """Return the frames from the start out to the test."""
    ends = (index for index, (_, path, _) in enumerate(stack) if places.is_harness(path))
    return stack[: next(ends, len(stack))]


def _package(path: str, places: Places) -> str:
    """Return the installed package of a file, empty for the standard library and the project."""
    place = places.place(path)
    package = package_of(place.path)
    return "" if place.project or path.startswith("<") or package in sys.stdlib_module_names else package


def _process(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:  # noqa: PTH123
            name, _, state = file.read().partition("(")[2].rpartition(")")
    except OSError:
        return f"process {pid}"
    return f'process "{name}"{", ended and not waited for" if state.split()[:1] == ["Z"] else ""}'


def _file(descriptor: int, places: Places) -> str:
    try:
        target = str(Path(f"/proc/self/fd/{descriptor}").readlink())
    except OSError:
        return f"descriptor {descriptor}"
    if target.startswith("/"):
        place = places.place(target.removesuffix(" (deleted)"))
        return f"file {place.path if place.project else target}"
    return target.partition(":")[0] if not target.startswith("anon_inode") else target.partition(":")[2].strip("[]")


def _defined(task: "Task[Any]") -> Stack:
    """Return the definition of a task's coroutine, for a task made before the recording or by a loop written in C."""
    code = getattr(task.get_coro(), "cr_code", None)
    return ((code.co_qualname, code.co_filename, code.co_firstlineno),) if code else ()


def _loaded(module: str, name: str) -> Any:
    """Return a name of a module, None if nobody has imported the module: the first run would have."""
    return getattr(sys.modules.get(module), name, None)


def _noting(original: Callable[..., Any], note: Callable[[Any, Any], None]) -> Callable[..., Any]:
    @functools.wraps(original)
    def start(*args: Any, **kwargs: Any) -> Any:
        result = original(*args, **kwargs)
        # What cannot be asked for its number, such as a stand-in of a test's own, is not what is left in the end.
        with contextlib.suppress(AttributeError, OSError, TypeError, ValueError):
            note(args[0] if args else None, result)
        return result

    return start


def _stack() -> Stack:
    frame = sys._getframe(2)  # noqa: SLF001  # traceback.extract_stack() reads the source of each
    found: list[Frame] = []
    while frame is not None and len(found) < _DEEPEST:
        if frame.f_code.co_filename != __file__:
            found.append((frame.f_code.co_name, frame.f_code.co_filename, frame.f_lineno))
        frame = frame.f_back  # type: ignore[assignment]
    return tuple(found)
