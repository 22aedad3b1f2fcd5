"""The reason why a tracker cannot start or stop, and the repair of what it changed before it failed."""

import sys
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import memray

NESTED = "more than one Tracker"  # memray's own words for it (memray/_memray.pyx)
_TAKEN = "a fixture or plugin holds a memray tracker, and a process has only one"
_ATTRIBUTES = ("_name", "_ident", "_set_os_name")  # of threading.Thread
_MISSING = object()


def is_taken(error: BaseException) -> bool:
    """True if a tracker could not start because the process has one already."""
    return isinstance(error, RuntimeError) and NESTED in str(error)


def why_not_started(error: BaseException) -> str:
    """Return the reason in one line."""
    if is_taken(error):
        return _TAKEN
    return _said("start", error)


def stop(tracker: "memray.Tracker", hooks: "Hooks") -> str:
    """Stop a tracker; return why it could not, empty if it did: a test can take away what memray wants to take off."""
    try:
        tracker.__exit__(None, None, None)
    except Exception as error:  # noqa: BLE001  # whatever it is, it is not the test's
        hooks.put_back()
        return _said("stop", error)
    return ""


def _said(what: str, error: BaseException) -> str:
    text = (str(error).strip().splitlines() or [""])[0]
    return f"memray could not {what}: {type(error).__name__}{': ' if text else ''}{text}"[:300]


class Hooks:
    """The functions and hooks of this process that a tracker replaces when it starts.

    A tracker that fails half-way leaves its own hooks behind. The next one would not start because of them, and each
    thread would call them.
    """

    def __init__(self) -> None:
        self._thread = threading.Thread
        self._attributes = {name: vars(self._thread).get(name, _MISSING) for name in _ATTRIBUTES}
        self._profile: Any = sys.getprofile()
        self._thread_profile: Any = threading.getprofile()

    def put_back(self) -> None:
        """Put everything back as it was."""
        for name, value in self._attributes.items():
            if value is not _MISSING:
                setattr(self._thread, name, value)
            elif name in vars(self._thread):
                delattr(self._thread, name)
        if self._profile is None or callable(self._profile):  # older releases of memray show theirs, which is neither
            sys.setprofile(self._profile)
        threading.setprofile(self._thread_profile)
