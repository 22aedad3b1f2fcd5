"""Files that are written together: all of them or none, whatever ends the process."""

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator
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
        try:
            self._stage()
        except KeyboardInterrupt as error:
            self._drop()
            raise KeyboardInterrupt("nothing was written") from error
        except BaseException:
            self._drop()
            raise
        steps = [*(self._placing(*pair) for pair in self._staged.items()), *map(_removing, self._gone)]
        if _finish(steps):
            number = len(steps)
            raise KeyboardInterrupt(f"{number} file{'' if number == 1 else 's'} were written, which is all of them")

    def _stage(self) -> None:
        mode = 0o666 & ~_umask()
        for target, text in self._texts.items():
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

    def _placing(self, target: Path, staged: Path) -> Callable[[], None]:
        def place() -> None:
            with contextlib.suppress(FileNotFoundError):  # it was in its place when Ctrl-C came
                staged.replace(target)

        return place


def _removing(target: Path) -> Callable[[], None]:
    def remove() -> None:
        target.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # not empty: other files live there
            target.parent.rmdir()

    return remove


def _finish(steps: list[Callable[[], None]]) -> bool:
    """Take all steps, even after Ctrl-C, as they are short; return True if it came."""
    interrupted = False
    number = 0
    while number < len(steps):
        try:
            steps[number]()
            number += 1
        except KeyboardInterrupt:
            interrupted = True
    return interrupted


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
    staged = write_beside(target, text, 0o666 & ~_umask())
    try:
        staged.replace(target)
    except BaseException:
        staged.unlink(missing_ok=True)
        raise


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
