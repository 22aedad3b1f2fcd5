"""Files that are written together: all of them or none, whatever ends the process."""

import contextlib
import os
import signal
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_PREFIX, _SUFFIX = ".memgate-", ".tmp"  # of a file that is being written, with the number of its process between


@dataclass(slots=True)
class Batch:
    """Files to be written and files to be removed; nothing is touched before `write`."""

    _texts: dict[Path, str] = field(default_factory=dict)
    _gone: list[Path] = field(default_factory=list)
    _staged: dict[Path, Path] = field(default_factory=dict)
    _folders: list[Path] = field(default_factory=list)

    def put(self, target: Path, text: str) -> None:
        """Plan to write a text to a file."""
        self._texts[target] = text

    def remove(self, target: Path) -> None:
        """Plan to remove a file."""
        self._gone.append(target)

    def write(self) -> None:
        """Write each file beside its old form, flush all to disk, then put all of them in their places.

        Raises OSError with the name of a file that cannot be written: then none is. After Ctrl-C it raises
        KeyboardInterrupt, which says what was written.
        """
        placed = 0
        try:
            with _ctrl_c_waits() as came:
                self._stage(came)
                for target, staged in self._staged.items():
                    staged.replace(target)
                for target in self._gone:
                    _remove(target)
                placed = len(self._staged) + len(self._gone)
                _raise_if(came)
        except KeyboardInterrupt as error:
            files = f"{placed} file{' was' if placed == 1 else 's were'} written, which is all of them"
            raise KeyboardInterrupt(files if placed else "nothing was written") from error

    def _stage(self, came: list[int]) -> None:
        mode = 0o666 & ~_umask()
        try:
            for target, text in self._texts.items():
                self._stage_one(target, text, mode)
                _raise_if(came)
        except BaseException:
            self._drop()
            raise

    def _stage_one(self, target: Path, text: str, mode: int) -> None:
        try:
            self._make_folder(target.parent)
            if target.is_dir():
                raise IsADirectoryError(None, "it is a folder")
            self._staged[target] = write_beside(target, text, mode)
        except OSError as error:
            raise OSError(error.errno, error.strerror or str(error), str(target)) from error

    def _make_folder(self, folder: Path) -> None:
        missing = [one for one in (folder, *folder.parents) if not one.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        self._folders += missing

    def _drop(self) -> None:
        for path in self._staged.values():
            path.unlink(missing_ok=True)
        for folder in self._folders:
            with contextlib.suppress(OSError):  # not empty: somebody else uses it by now
                folder.rmdir()


def _remove(target: Path) -> None:
    target.unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # not empty: other files live there
        target.parent.rmdir()


@contextlib.contextmanager
def _ctrl_c_waits() -> Iterator[list[int]]:
    """Note Ctrl-C in the list instead of raising KeyboardInterrupt, which may come between any two steps."""
    came: list[int] = []
    usual = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(usual):
        yield came  # it is raised in the main thread only, and only by a handler
        return
    signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    try:
        yield came
    finally:
        signal.signal(signal.SIGINT, usual)


def _raise_if(came: list[int]) -> None:
    if came:
        raise KeyboardInterrupt


def write_beside(target: Path, text: str, mode: int) -> Path:
    """Write a text to a new file in the folder of `target`, and return its path once it is on disk."""
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f"{_PREFIX}{os.getpid()}-", suffix=_SUFFIX)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(mode)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return Path(name)


def replace_text(target: Path, text: str) -> None:
    """Write a text file whole or not at all; raises OSError if that fails."""
    with _ctrl_c_waits() as came:
        staged = write_beside(target, text, 0o666 & ~_umask())
        try:
            staged.replace(target)
        except BaseException:
            staged.unlink(missing_ok=True)
            raise
        _raise_if(came)


def sweep(folder: Path) -> None:
    """Remove half-written files of killed processes below a folder."""
    for path in _left(folder):
        with contextlib.suppress(OSError):
            path.unlink()


def _left(folder: Path) -> Iterator[Path]:
    for path in folder.rglob(f"{_PREFIX}*{_SUFFIX}"):
        number = path.name.removeprefix(_PREFIX).partition("-")[0]
        if number.isdecimal() and not _runs(int(number)):
            yield path


def _runs(process: int) -> bool:
    if os.name == "nt":
        return True  # to ask there is to end it
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def _umask() -> int:
    umask = os.umask(0)
    os.umask(umask)
    return umask
