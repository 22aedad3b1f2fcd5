"""The report as one HTML file that opens offline: words and a table, and a page with charts for each finding."""

from collections.abc import Sequence
from importlib.util import find_spec

from pytest_memgate.errors import UsageError
from pytest_memgate.model.run import Run


def html(run: Run, history: Sequence[Run] = ()) -> str:
    """Return the page of a run; `history` are earlier runs, the oldest first. The same runs give the same text.

    Raises UsageError if Plotly or Jinja2 is not installed.
    """
    check_libraries("the HTML report")
    from plotly.offline import get_plotlyjs

    from pytest_memgate.report.html.document import document

    return document(run, history, charts=get_plotlyjs())


def check_libraries(what: str) -> None:
    """Raise UsageError if Plotly or Jinja2, which `what` needs, is not installed."""
    for library, module in (("Plotly", "plotly"), ("Jinja2", "jinja2")):
        if find_spec(module) is None:
            raise UsageError(f"{what} needs {library}", hint='pip install "pytest-memgate[html]"')
