"""The whole board: its files by their paths. The same history gives the same bytes."""

import importlib.resources
import re
from collections.abc import Sequence

from jinja2 import Environment, StrictUndefined

from pytest_memgate import __version__
from pytest_memgate.model.history import Past
from pytest_memgate.model.history_change import HistoryChange
from pytest_memgate.report.board.charts import shard_files
from pytest_memgate.report.board.encode import data_script
from pytest_memgate.report.board.facts import facts_of
from pytest_memgate.report.board.index import Index, moves_by_position
from pytest_memgate.report.board.overview import overview

_SHARED = ("amounts", "elements", "parts", "figures")
_OWN = ("data", "draw", "spark", "list", "chart", "series", "compare", "modules", "main")
# Nothing but the site's own files. Plotly keeps its rules in style elements that it creates empty: hence the hash.
_POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='",
    "img-src": "data:",
    "base-uri": "'none'",
    "form-action": "'none'",
}
_STYLE_NAMES = re.compile(r'getElementById\("([0-9a-f]{64})"\)')


def board(past: Past, changes: Sequence[HistoryChange] = (), *, charts: str, licence: str) -> dict[str, str]:
    """Return the files of the site by their paths; `charts` is the source of plotly.js, `licence` its licence."""
    facts = [facts_of(chart) for chart in past.charts]
    index = Index(past)
    files = {
        "index.html": _page(overview(past, facts, changes), charts),
        "board.css": _file("html", "page.css") + _file("board", "page/board.css"),
        "board.js": _script(),
        "plotly.min.js": charts,
        "plotly.LICENSE.txt": licence,
        "data/index.js": data_script("index", index.data(facts)),
        "data/moves.js": data_script("moves", moves_by_position(past.charts)),
        **shard_files(past, changes, index.measured),
    }
    # A file name that is not text, in the system's eyes, has no place in one either.
    return {path: text.encode("utf-8", "replace").decode() for path, text in files.items()}


def _page(words: dict[str, object], charts: str) -> str:
    page = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return page.from_string(_file("board", "page/index.html.j2")).render(
        words,
        version=__version__,
        policy="; ".join(f"{name} {allowed}" for name, allowed in _POLICY.items()),
        # The style of its maps is put in unless an element of this name is there. Here are no maps, and no room for it.
        style_names=sorted(set(_STYLE_NAMES.findall(charts))),
    )


def _script() -> str:
    """Return the page's script: its files, in a scope of their own."""
    parts = [_file("html", f"{name}.js") for name in _SHARED] + [_file("board", f"page/{name}.js") for name in _OWN]
    body = "\n".join(parts)
    return f'(() => {{\n"use strict";\n{body}}})();\n'


def _file(room: str, name: str) -> str:
    text = importlib.resources.files(f"pytest_memgate.report.{room}").joinpath(name).read_text(encoding="utf-8")
    return text.replace("\r\n", "\n")
