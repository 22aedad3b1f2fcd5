"""The board with the chart library that is installed."""

import importlib.metadata
from collections.abc import Sequence

from pytest_memgate.model.history import Past
from pytest_memgate.model.history_change import HistoryChange
from pytest_memgate.report.html.render import check_libraries

_PLOTLY = "plotly.js, Copyright Plotly, Inc., under the MIT license\n"


def board_files(past: Past, changes: Sequence[HistoryChange] = ()) -> dict[str, str]:
    """Return the files of the board by their paths. The same history gives the same files.

    Raises UsageError if Plotly or Jinja2 is not installed.
    """
    check_libraries("the board")
    from plotly.offline import get_plotlyjs

    from pytest_memgate.report.board.site import board

    return board(past, changes, charts=get_plotlyjs(), licence=_licence())


def _licence() -> str:
    """Return the licence that the package of plotly.js brings."""
    found = [one for one in importlib.metadata.files("plotly") or () if one.name.upper().startswith("LICENSE")]
    text = found[0].read_text(encoding="utf-8") if found else ""
    return f"{_PLOTLY}\n{text}"
