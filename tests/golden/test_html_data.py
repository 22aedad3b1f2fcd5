"""The data that the HTML report's page reads, kept as a file beside this one and compared to the letter."""

import json
import os
from pathlib import Path

import pytest
from html_runs import every_kind, history_of

from pytest_memgate.report.html.data import page_data

FILE = Path(__file__).with_name("html-data.json")


def test_the_data_of_the_page() -> None:
    run = every_kind()
    text = json.dumps(page_data(run, history_of(run)), indent=1, ensure_ascii=False) + "\n"
    if os.environ.get("MEMGATE_GOLDEN") == "write":
        FILE.write_text(text, encoding="utf-8", newline="\n")
        pytest.fail(f"wrote {FILE.name}: review it", pytrace=False)
    assert text == FILE.read_text(encoding="utf-8")
