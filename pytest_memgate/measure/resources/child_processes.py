"""Whether a test started processes: memray does not see into them."""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager

from pytest_memgate.measure.python.standard import Standard
from pytest_memgate.measure.resources.snapshot import children

_resource = Standard(resource)

_own_faults = 0  # page faults of the children that the gate itself has started


@contextmanager
def uncounted() -> Iterator[None]:
    """Let the gate start a process of its own, and wait for it, without its counting as one of a test."""
    global _own_faults  # noqa: PLW0603  # as the children are the process's
    before = _faults()
    try:
        yield
    finally:
        _own_faults += _faults() - before


def _faults() -> int:
    return int(_resource.getrusage(_resource.RUSAGE_CHILDREN).ru_minflt)


class ProcessWatch:
    """Tells whether this process had new children between two moments.

    An audit hook would see every start, but one written in Python crashes the interpreter when memray stops beside
    other threads. So three signs are read: forks, the page faults of children waited for, and the living children.
    """

    def __init__(self) -> None:
        self._forks = 0
        os.register_at_fork(before=self._count)

    def _count(self) -> None:
        self._forks += 1

    def mark(self) -> tuple[object, ...]:
        """Return a value that differs from an earlier one if a process was started in between."""
        return self._forks, _faults() - _own_faults, children()
