"""The page of a run."""

from collections.abc import Sequence

from pytest_memgate.model.run import Run
from pytest_memgate.report.html.assemble import assemble
from pytest_memgate.report.html.data import page_data
from pytest_memgate.report.html.overview import overview

_SCRIPTS = ("amounts", "elements", "parts", "figures", "profile", "charts", "plot", "table", "finding", "main")


def document(run: Run, history: Sequence[Run], *, charts: str) -> str:
    """Return the whole page; `charts` is the source of plotly.js."""
    return assemble(
        "page",
        overview(run, history),
        scripts=_SCRIPTS,
        styles=("page",),
        data=page_data(run, history),
        charts=charts,
    )
