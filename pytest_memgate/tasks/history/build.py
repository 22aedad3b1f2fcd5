"""`memgate history build`: the board as files, written whole or not at all."""

import importlib.metadata
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from pytest_memgate.errors import UsageError
from pytest_memgate.model.history import Past
from pytest_memgate.model.history_change import HistoryChange
from pytest_memgate.report.html.render import check_libraries

_MARK = "data/index.js"  # by which a board is known
_PLOTLY_LICENCE = "plotly.js\nCopyright 2012-2026, Plotly, Inc.\nLicensed under the MIT license\n"


def board_files(past: Past, changes: Sequence[HistoryChange]) -> dict[str, str]:
    """Return the files of the board by their paths; raises UsageError if Plotly or Jinja2 is not installed."""
    check_libraries("the board")
    from plotly.offline import get_plotlyjs

    from pytest_memgate.report.board.site import board

    return board(past, changes, charts=get_plotlyjs(), licence=_licence())


def build(past: Past, changes: Sequence[HistoryChange], folder: Path) -> int:
    """Write the board to a folder, in place of the board that is there; return the number of its files.

    Raises UsageError if the folder holds anything else, or cannot be written.
    """
    files = board_files(past, changes)
    _check_replaceable(folder, files)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as name:
            new = Path(name, "new")
            _write(new, files)
            if folder.exists():
                folder.rename(Path(name, "old"))
            new.rename(folder)
    except OSError as error:
        raise UsageError(f"{folder}: cannot be written: {error.strerror or error}", hint="name another folder") from None
    return len(files)


def _check_replaceable(folder: Path, files: Mapping[str, str]) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise UsageError(f"{folder}: is not a folder", hint="name another one")
    ours = {path.split("/")[0] for path in files}
    if foreign := sorted(one.name for one in folder.iterdir() if one.name not in ours):
        raise UsageError(f"{folder}: holds {foreign[0]}, which is not of a board", hint="name a folder of its own")
    if any(folder.iterdir()) and not (folder / _MARK).is_file():
        raise UsageError(f"{folder}: holds files that are not of a board", hint="name a folder of its own")


def _write(folder: Path, files: Mapping[str, str]) -> None:
    for path, text in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="\n")


def _licence() -> str:
    """Return the licence that the package of plotly.js brings."""
    found = [one for one in importlib.metadata.files("plotly") or () if one.name.upper().startswith("LICENSE")]
    text = found[0].read_text(encoding="utf-8") if found else ""
    return f"{_PLOTLY_LICENCE}\n{text}"
