"""What people read of a history, kept as files beside this one and compared to the letter; see test_texts.py."""

import os
import re
from datetime import date
from pathlib import Path

import pytest
from history_samples import BUNDLE, ORDER, past

from pytest_memgate import __version__
from pytest_memgate.budget.waiver import Waiver
from pytest_memgate.model.history import Series
from pytest_memgate.report.history.digest.facts import Digest, digest
from pytest_memgate.report.history.digest.html import html
from pytest_memgate.report.history.digest.markdown import markdown
from pytest_memgate.report.history.digest.period import of_day, of_month
from pytest_memgate.report.history.row import Order
from pytest_memgate.report.history.show import show

HERE = Path(__file__).parent
PAST = past()
WAIVER = Waiver(
    test="tests/test_shop.py::test_order",
    metric="memory.peak",
    ceiling=3_000_000,
    until=date(2026, 12, 12),
    reason="until the cache is shared",
    unit="B",
    source="memgate.yml:9",
)
RENAME = ("tests/test_cart.py::test_total", "tests/test_basket.py::test_total")


def check(name: str, text: str) -> None:
    path = HERE / name
    if os.environ.get("MEMGATE_GOLDEN") == "write":
        path.write_text(text, encoding="utf-8", newline="\n")
        pytest.fail(f"wrote {path.name}: review it", pytrace=False)
    assert text == path.read_text(encoding="utf-8")


def november() -> Digest:
    return digest(PAST, of_month(PAST, "2026-11"), [WAIVER], date(2026, 11, 30), [RENAME])


def test_the_digest_of_a_month_as_markdown() -> None:
    check("history-digest-month.md", markdown(november()))


def test_the_digest_of_a_month_as_html() -> None:
    text = html(november())
    text = re.sub(r"<style>.*</style>|content=\"default-src[^>]*", "", text, flags=re.DOTALL)
    check("history-digest-month.html", text.replace(__version__, "VERSION"))


def test_the_digest_of_a_day_has_no_agenda() -> None:
    text = markdown(digest(PAST, of_day(PAST, "2026-11-15"), [], date(2026, 11, 30)))
    assert "Agenda" not in text
    check("history-digest-day.md", text)


@pytest.mark.parametrize("width", [60, 80, 140])
def test_a_list_of_series(width: int) -> None:
    lines = show(PAST, PAST.charts, width=width, start=0, order=Order.NEWEST, number=20)
    check(f"history-show-{width}.txt", "\n".join(lines) + "\n")


@pytest.mark.parametrize(("series", "name"), [(ORDER, "order"), (BUNDLE, "bundle")])
def test_one_series_at_length(series: Series, name: str) -> None:
    charts = [chart for chart in PAST.charts if chart.series == series]
    lines = show(PAST, charts, width=90, start=0, order=Order.NEWEST, number=20)
    check(f"history-show-{name}.txt", "\n".join(lines) + "\n")
