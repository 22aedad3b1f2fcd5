"""A digest as one HTML file that opens offline: text and tables, without a script."""

import base64
import hashlib
import importlib.resources
from importlib.util import find_spec

from pytest_memgate import __version__
from pytest_memgate.errors import UsageError
from pytest_memgate.report.history.digest.agenda import agenda
from pytest_memgate.report.history.digest.facts import Digest
from pytest_memgate.report.history.digest.sections import heading, sections, summary


def html(digest: Digest) -> str:
    """Return the page of a digest; raises UsageError if Jinja2 is not installed."""
    if find_spec("jinja2") is None:
        raise UsageError("a digest as HTML needs Jinja2", hint='pip install "pytest-memgate[html]"')
    from jinja2 import Environment, StrictUndefined

    style = _file("html", "page.css") + _file("history.digest", "page.css")
    page = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return page.from_string(_file("history.digest", "page.html.j2")).render(
        title=heading(digest),
        lines=summary(digest),
        points=agenda(digest) if digest.period.is_month else [],
        sections=sections(digest),
        style=style,
        policy=_policy(style),
        version=__version__,
    )


def _policy(style: str) -> str:
    """Return the Content-Security-Policy: this style by its hash, no script, and no network at all."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"


def _file(folder: str, name: str) -> str:
    text = importlib.resources.files(f"pytest_memgate.report.{folder}").joinpath(name).read_text(encoding="utf-8")
    return text.replace("\r\n", "\n")
