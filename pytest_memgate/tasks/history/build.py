"""`memgate history build`: the board as files, written whole or not at all."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from pytest_memgate.compare.history.changes import changes_of
from pytest_memgate.errors import UsageError
from pytest_memgate.model.history import Past
from pytest_memgate.model.history_change import HistoryChange
from pytest_memgate.report.board.render import board_files
from pytest_memgate.tasks.history.opened import Opened
from pytest_memgate.tasks.history.window import past_of

_MARK = "data/index.js"  # by which a board is known


def read_board(opened: Opened) -> tuple[Past, Sequence[HistoryChange]]:
    """Return what the board shows: the whole history, and its changes. Raises HistoryError if nothing is stored."""
    past = past_of(opened)
    return past, changes_of(past)


def build(past: Past, changes: Sequence[HistoryChange], folder: Path) -> int:
    """Write the board to a folder, in place of the board that is there; return the number of its files.

    Raises UsageError if the folder holds anything else, or cannot be written.
    """
    files = board_files(past, changes)
    folder = folder.resolve()
    _check_replaceable(folder, files)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as name:
            new = Path(name, "new")
            _write(new, files)
            _swap(folder, new, Path(name, "old"))
    except OSError as error:
        raise UsageError(f"{folder}: cannot be written: {error.strerror or error}", hint="name another one") from None
    return len(files)


def _check_replaceable(folder: Path, files: Mapping[str, str]) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise UsageError(f"{folder}: is not a folder", hint="name another one")
    there = sorted(one.name for one in folder.iterdir())
    ours = {path.split("/")[0] for path in files} if (folder / _MARK).is_file() else set()
    if foreign := [name for name in there if name not in ours]:
        raise UsageError(f"{folder}: holds {foreign[0]}, which is not of a board", hint="name a folder of its own")


def _write(folder: Path, files: Mapping[str, str]) -> None:
    for path, text in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="\n")


def _swap(folder: Path, new: Path, old: Path) -> None:
    """Put a folder in the place of another one, which is put back if that fails."""
    was_there = folder.exists()
    if was_there:
        folder.rename(old)
    try:
        new.rename(folder)
    except OSError:
        if was_there:
            old.rename(folder)
        raise
