"""The page put together: text, style, scripts and data in one document that loads nothing and runs nothing else."""

import base64
import hashlib
import importlib.resources
import zlib
from collections.abc import Sequence

from jinja2 import Environment, StrictUndefined

from pytest_memgate import __version__
from pytest_memgate.model.run import Run
from pytest_memgate.report.page.data import page_data
from pytest_memgate.report.page.embed import script_json
from pytest_memgate.report.page.overview import overview

_SCRIPTS = ("amounts", "elements", "parts", "figures", "profile", "charts", "plot", "table", "finding", "main")


def document(run: Run, history: Sequence[Run], *, charts: str) -> str:
    """Return the whole page; `charts` is the source of plotly.js, which stays packed until a chart is shown."""
    style, app = _file("page.css"), _app()
    page = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    text = page.from_string(_file("page.html.j2")).render(
        overview(run, history),
        version=__version__,
        policy=_policy(style, app, charts),
        style=style,
        app=app,
        data=script_json(page_data(run, history)),
        charts=base64.b64encode(zlib.compress(charts.encode(), 9)).decode(),
    )
    # A file name that is not text, in the system's eyes, has no place in one either.
    return text.encode("utf-8", "replace").decode()


def _policy(style: str, app: str, charts: str) -> str:
    """Return the Content-Security-Policy: these two scripts and this style, by their hashes, and no network at all.

    Plotly keeps its rules in style elements that it creates empty: hence the hash of the empty text.
    """
    parts = {
        "default-src": "'none'",
        "script-src": f"{_hash(app)} {_hash(charts)}",
        "style-src": f"{_hash(style)} {_hash('')}",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{name} {allowed}" for name, allowed in parts.items())


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _app() -> str:
    """Return the page's own script: its files, in a scope of their own."""
    body = "\n".join(_file(f"{name}.js") for name in _SCRIPTS)
    return f'(() => {{\n"use strict";\n{body}}})();'


def _file(name: str) -> str:
    text = importlib.resources.files("pytest_memgate.report.page").joinpath(name).read_text(encoding="utf-8")
    return text.replace("\r\n", "\n")
