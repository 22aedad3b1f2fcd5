"""In a process that a test has started: a tracker of its own, from the first line of the program to its end.

`memgate_children.pth` calls `start` in each new interpreter whose environment names the gate's folder; a fork goes on
by a hook. Nothing of it may show in the program: no output, no error, no thread, nothing left in its namespaces.

A process that outlives a test, since a wider fixture has started it or multiprocessing forks from it, listens on a
socket: the gate asks it for a capture of its own for each test. So does a service; it is not traced until it is asked
to, and answers how much it holds.

Each allocation is recorded: such a file holds all that happened even if the process is killed, where one of sums stays
empty until the tracker stops.
"""

import _thread
import atexit
import gc
import os
import sys
import threading
import time
from contextlib import suppress
from typing import Any

VARIABLE = "MEMGATE_CHILDREN"  # the folder, then the owner of what is started
CAPTURE, ABOUT, OTHER = ".bin", ".txt", ".other"  # the files of a process; the last one says why it has no capture
SOCKET = ".sock"  # by which a process takes commands: `trace OWNER`, `stop` or `look`
DONE = "done"  # how each answer begins
WIDE = "wide-"  # how owners begin whose processes outlive a test
SERVICE = "service-"  # how owners begin whose processes are not traced until they are asked to
_FORK_SERVER = "multiprocessing.forkserver"
FORK = "(fork)"  # in place of a program's words
SEPARATOR = "\0"
_ATTRIBUTES = ("_name", "_ident", "_set_os_name")  # of threading.Thread: memray replaces them while a tracker is on

_tracker: Any = None  # of this process
_kind: Any = None  # memray's class of trackers
_folder = ""  # the gate's
_words = ""  # how this process was started
_owner = ""  # of what this process takes now
_is_wide = False  # True if this process outlives a test
_place = ""  # the files of its capture, without suffix
_own = {name: vars(threading.Thread).get(name) for name in _ATTRIBUTES}


def start() -> None:
    """Trace this interpreter if a test is running now that its processes are measured of."""
    global _folder, _words, _owner, _is_wide  # noqa: PLW0603  # as the process has one tracker
    folder, _, owner = os.environ.get(VARIABLE, "").rpartition(os.sep)
    if _folder or not owner:  # site reads some folders twice
        return
    _folder, _owner, _words = folder, owner, SEPARATOR.join(sys.orig_argv)
    _is_wide = owner.startswith((WIDE, SERVICE)) or _FORK_SERVER in _words
    if not owner.startswith(SERVICE):
        _begin(owner)
        _make_way_for_others()
    os.register_at_fork(after_in_child=_forked)
    atexit.register(_end)  # the first one, which runs last
    _listen()


def forked(folder: str, owner: str) -> None:
    """Trace this fork of the process that runs the tests."""
    global _folder, _owner  # as above
    if owner:
        _folder, _owner = folder, owner
        _forked()
        _make_way_for_others()


def _forked() -> None:
    """Trace this fork of a traced process."""
    global _words  # noqa: PLW0603  # as above
    _words = FORK
    if _owner and not _owner.startswith(SERVICE) and not _why_not():
        _begin(_owner)
    _listen()


def _begin(owner: str) -> None:
    """Start a tracker, or note why it does not start."""
    global _tracker, _kind, _place  # noqa: PLW0603  # as above
    try:
        own = os.path.join(_folder, owner)  # noqa: PTH118
        os.makedirs(own, exist_ok=True)  # noqa: PTH103
        _place = os.path.join(own, f"{os.getpid()}-{time.monotonic_ns()}")  # noqa: PTH118  # exec keeps the process's id
        _note(ABOUT, _words)
        _put_threads_back()
        import memray  # noqa: PLC0415  # only where it is used

        _kind = _kind or memray.Tracker
        _tracker = _kind(
            destination=memray.FileDestination(_place + CAPTURE, compress_on_exit=False),
            trace_python_allocators=os.environ.get("PYTHONMALLOC") != "malloc",
        )
    except Exception as error:  # noqa: BLE001  # whatever it is, it is not the program's
        _note(OTHER, f"memray could not start: {type(error).__name__}: {error}")
        return
    # memray leaves out as many outermost frames of a thread as there are where it starts: so not in one that goes on.
    starter = threading.Thread(target=_enter)
    starter.start()
    starter.join()


def _enter() -> None:
    try:
        _tracker.__enter__()
    except Exception as error:  # noqa: BLE001  # as above
        _note(OTHER, f"memray could not start: {type(error).__name__}: {error}")


def _listen() -> None:
    """Take commands from the gate, in a process that outlives a test."""
    if not _is_wide:
        return
    import socket  # noqa: PLC0415  # as above

    if _owner.startswith(SERVICE):
        from pytest_memgate.measure.children import gauge  # noqa: PLC0415  # as above

        gauge.watch_collections()
    with suppress(OSError):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(os.path.join(_folder, f"{os.getpid()}{SOCKET}"))  # noqa: PTH118
        listener.listen()
        _thread.start_new_thread(_serve, (listener,))


def _serve(listener: Any) -> None:
    while True:
        peer, _ = listener.accept()
        with suppress(Exception), peer:  # whatever it is, it is not the program's
            peer.sendall(f"{DONE}{_obey(*peer.recv(200).decode().partition(' ')[::2])}".encode())


def _obey(command: str, owner: str) -> str:
    """Carry out a command; return what is to be answered besides that it is done."""
    global _owner  # noqa: PLW0603  # as above
    from pytest_memgate.measure.children import gauge  # noqa: PLC0415  # as above

    if command == "look":
        return gauge.look()
    _owner = owner
    if not _why_not():
        gauge.collect()
        _stop()
        if command == "trace":
            _begin(owner)
    return ""


def _put_threads_back() -> None:
    """Undo what the tracker of the process that was forked has replaced: in the fork it is no longer on."""
    for name, value in _own.items():
        if name in vars(threading.Thread) and vars(threading.Thread)[name] is not value:
            if value is None:
                delattr(threading.Thread, name)
            else:
                setattr(threading.Thread, name, value)


def _end() -> None:
    """Stop as the program ends; what is alive then, after a collection, it has kept."""
    if not _why_not():
        gc.collect()
        _stop()


def _stop() -> None:
    global _tracker  # as above
    tracker, _tracker = _tracker, None
    with suppress(Exception):  # as above
        if tracker is not None:
            tracker.__exit__(None, None, None)


def _why_not() -> bool:
    """True if this process cannot be traced, or uses memray itself."""
    return os.path.exists(_place + OTHER)  # noqa: PTH110


def _note(suffix: str, text: str) -> None:
    with suppress(OSError), open(_place + suffix, "w", encoding="utf-8", errors="replace") as file:  # noqa: PTH123
        file.write(text)


def _make_way_for_others() -> None:
    """Let a program that uses memray itself do so: a process has only one tracker."""
    import memray  # noqa: PLC0415  # as above

    class Tracker(_kind):  # type: ignore[misc]  # it is Any
        """memray's own, which comes before the gate's."""

        def __enter__(self) -> Any:
            if not _why_not():
                _note(OTHER, "it uses memray itself, and a process has only one tracker")
                _stop()
            return super().__enter__()

    for module in (memray, memray._memray):  # noqa: SLF001
        module.Tracker = Tracker  # type: ignore[attr-defined]
