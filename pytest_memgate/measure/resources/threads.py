"""The threads that run beside a test, without those of pytest's plugins, which wait most of the time."""

import threading
from collections.abc import Iterable

from pytest_memgate.measure.python.standard import Standard

_threading = Standard(threading)
_HARNESS = ("pytest", "_pytest", "xdist", "execnet")


def names_of_others(threads: Iterable[threading.Thread] | None = None) -> tuple[str, ...]:
    """Return the names of the given threads, or of all, without this thread and those of plugins."""
    found = _threading.enumerate() if threads is None else threads
    return tuple(one.name for one in found if one is not _threading.current_thread() and not _is_of_a_plugin(one))


def _is_of_a_plugin(thread: threading.Thread) -> bool:
    """True for a thread of a plugin, such as that of pytest-rerunfailures which serves counts to workers."""
    module = getattr(getattr(thread, "_target", None), "__module__", None) or type(thread).__module__
    return isinstance(module, str) and module.startswith(_HARNESS)
