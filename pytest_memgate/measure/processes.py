"""Whether a test started processes: memray does not see into them."""

import os
import resource

from pytest_memgate.measure.leftover import children
from pytest_memgate.measure.private import Private

_resource = Private(resource)


class ProcessWatch:
    """Tells whether this process had new children between two looks.

    An audit hook would see every start, but one written in Python crashes the interpreter when memray stops beside
    other threads. So three signs are read: forks, the page faults of children waited for, and the children alive.
    """

    def __init__(self) -> None:
        self._forks = 0
        os.register_at_fork(before=self._count)

    def _count(self) -> None:
        self._forks += 1

    def mark(self) -> tuple[object, ...]:
        """Return a value that differs from an earlier one if a process was started in between."""
        return self._forks, _resource.getrusage(_resource.RUSAGE_CHILDREN).ru_minflt, children()
