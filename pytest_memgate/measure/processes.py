"""Whether a test started processes: memray does not see into them."""

import resource
import sys
from typing import Any

_EVENTS = frozenset({"subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.system"})


class ProcessWatch:
    """Counts the processes that this one starts, from the first look on.

    An audit hook cannot be taken away again, so there is one watch a process, made only where the gate is on.
    """

    def __init__(self) -> None:
        self._started = 0
        sys.addaudithook(self._hook)

    def _hook(self, event: str, _: Any) -> None:
        if event in _EVENTS:
            self._started += 1

    def mark(self) -> tuple[int, int]:
        """Return a value that differs from an earlier one if a process was started, or waited for, in between.

        multiprocessing's spawn raises no audit event; its children show in the page faults of those waited for.
        """
        return self._started, resource.getrusage(resource.RUSAGE_CHILDREN).ru_minflt
