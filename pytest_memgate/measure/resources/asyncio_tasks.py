"""The asyncio tasks that do not end by themselves: a loop that is closed cancels them, which hides them.

Asyncio is never imported for this: a process without it has no tasks.
"""

import contextlib
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Task

_RUNNERS = "asyncio.runners"
_CANCEL = "_cancel_all_tasks"  # what asyncio.run() and every Runner end with
_HARNESS = "TestRunner._run_tests_and_fixtures"  # anyio's own task, in which it runs the tests


def pending(loop: "AbstractEventLoop | None" = None) -> "set[Task[Any]]":
    """Return the unfinished tasks of a loop, or of the running one, without the present task."""
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:
        return set()
    try:
        tasks: set[Task[Any]] = asyncio.all_tasks(loop)
        own = None if loop else asyncio.current_task()
    except RuntimeError:  # no loop of asyncio runs here
        return set()
    return {task for task in tasks if task is not own and coroutine_name(task) != _HARNESS}


def on_closing(tell: "Callable[[AbstractEventLoop], object]") -> Callable[[], None] | None:
    """Call `tell` with each loop before its tasks are cancelled; return a function that ends that, or None.

    It is None in a process without asyncio.
    """
    runners = sys.modules.get(_RUNNERS)
    original: Callable[[AbstractEventLoop], object] | None = getattr(runners, _CANCEL, None)
    if original is None:
        return None

    def cancel(loop: "AbstractEventLoop") -> object:
        tell(loop)
        return original(loop)

    setattr(runners, _CANCEL, cancel)
    return lambda: setattr(runners, _CANCEL, original)


def let_end(loop: "AbstractEventLoop", tasks: "Iterable[Task[Any]]", seconds: float) -> None:
    """Give tasks that are just ending up to `seconds` to end, if their loop can run."""
    waiting = [task for task in tasks if not task.done()]
    if waiting and not loop.is_closed() and not loop.is_running():
        with contextlib.suppress(RuntimeError):  # another loop runs in this thread
            loop.run_until_complete(sys.modules["asyncio"].wait(waiting, timeout=seconds))


def coroutine_name(task: "Task[Any]") -> str:
    """Return the name of a task's coroutine."""
    return str(getattr(task.get_coro(), "__qualname__", ""))
