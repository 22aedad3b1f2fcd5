"""A page put together: text, style, scripts and data in one document that loads nothing and runs nothing else."""

import base64
import hashlib
import importlib.resources
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import Environment, StrictUndefined

from pytest_memgate import __version__
from pytest_memgate.report.html.embed import script_json


def assemble(
    template: str, words: Mapping[str, Any], *, scripts: Sequence[str], data: Any, charts: str, styles: Sequence[str]
) -> str:
    """Return a whole page; `charts` is the source of plotly.js, which stays packed until a chart is shown."""
    style, app = "".join(_file(f"{name}.css") for name in styles), _app(scripts)
    page = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    text = page.from_string(_file(f"{template}.html.j2")).render(
        words,
        version=__version__,
        policy=_policy(style, app, charts),
        style=style,
        app=app,
        data=script_json(data),
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


def _app(scripts: Sequence[str]) -> str:
    """Return the page's own script: its files, in a scope of their own."""
    body = "\n".join(_file(f"{name}.js") for name in scripts)
    return f'(() => {{\n"use strict";\n{body}}})();'


def _file(name: str) -> str:
    text = importlib.resources.files("pytest_memgate.report.html").joinpath(name).read_text(encoding="utf-8")
    return text.replace("\r\n", "\n")
