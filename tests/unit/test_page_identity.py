"""What a page showed, and when it is another one than in its baseline."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_memgate.errors import MeasureError
from pytest_memgate.measure.lighthouse.lhr import Load, read_lhr
from pytest_memgate.measure.lighthouse.seen import check_expected, read_seen
from pytest_memgate.probes.page.identity import check_identity

REPORTS = Path(__file__).parent.parent / "data" / "lhr"
PAGE = "http://127.0.0.1:8000/cart"
SEEN = {"body > img": "largest", "/data answered 404": "failed", "an old error": "error"}


def report(requests: list[dict[str, Any]], errors: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "audits": {
            "network-requests": {"details": {"items": requests}},
            "errors-in-console": {"details": {"items": errors}},
            "lcp-breakdown-insight": {"details": {"items": [{"type": "node", "selector": "main > h1"}]}},
        }
    }


def load(seen: Mapping[str, str], size: float = 100_000) -> Load:
    known = read_lhr(REPORTS / "still-13.json")
    return replace(known, seen=seen, values={**known.values, "bytes": size})


def test_errors_failed_requests_and_the_largest_element_are_seen() -> None:
    own = [
        {"url": f"{PAGE}?id=1", "statusCode": 200, "resourceType": "Document"},
        {"url": "http://127.0.0.1:8000/api/items-4f2a91c0.json", "statusCode": 500, "resourceType": "Fetch"},
        {"url": "http://127.0.0.1:8000/favicon.ico", "statusCode": 404, "resourceType": "Other"},
        {"url": "http://127.0.0.1:8000/main.js", "statusCode": 404, "resourceType": "Script"},
        {"url": "http://ads.example/x", "statusCode": 500, "resourceType": "Fetch"},
    ]
    errors: list[dict[str, Any]] = [
        {"source": "exception", "description": "TypeError: a is null\n    at http://127.0.0.1:8000/main-BRBmoGS9.js:1"},
        {"source": "console.error", "description": "no answer from http://127.0.0.1:8000/api/x after 12345 ms"},
        {"source": "network", "description": "Failed to load resource"},
        {"source": "exception", "description": "not ours", "sourceLocation": {"url": "http://ads.example/x.js"}},
    ]
    assert read_seen(report(own, errors), PAGE) == {
        "/api/items-*.json answered 500": "failed",
        "TypeError: a is null": "error",
        "no answer from /api/x after # ms": "error",
        "main > h1": "largest",
    }


def test_the_same_page_is_the_same() -> None:
    check_identity(PAGE, [load(SEEN), load({**SEEN, "body > h1": "largest"})], SEEN, 100_000)
    check_identity(PAGE, [load({"body > h1": "largest"}, 60_000)], SEEN, 100_000)  # lighter, with another largest one
    check_identity(PAGE, [load({"body > img": "largest"}, 10_000)], SEEN, 100_000)  # far lighter, and shows the same
    check_identity(PAGE, [load({"anything": "error"}, 10)], {}, None)  # made before it was stored


def test_what_only_some_loads_show_is_by_chance() -> None:
    check_identity(PAGE, [load({**SEEN, "a new error": "error"}), load(SEEN)], SEEN, 100_000)


@pytest.mark.parametrize(
    ("seen", "size", "why"),
    [
        ({**SEEN, "TypeError: x": "error"}, 1e5, "'TypeError: x' in the console, which its baseline does not have"),
        ({**SEEN, "/x answered 500": "failed", "/y answered 500": "failed"}, 1e5, "/x answered 500 and 1 more, which"),
        ({"body > form": "largest"}, 4e4, r"body > img, its largest element, is gone \(body > form .*60 KB of 100 KB"),
    ],
)
def test_another_page_is_no_answer(seen: dict[str, str], size: float, why: str) -> None:
    with pytest.raises(MeasureError, match=f"{why}.*; see the page in a browser; if it is meant: memgate baseline up"):
        check_identity(PAGE, [load(seen, size)] * 3, SEEN, 100_000)


@pytest.mark.parametrize(
    ("found", "why"),
    [
        ({"there": False, "shown": False}, r"'#cart', which it must show, is not there"),
        ({"there": True, "shown": False}, r"'#cart', which it must show, is there, but not to be seen"),
        ({"error": "not a valid selector"}, r"expect '#cart' is no CSS selector: not a valid selector"),
        ({}, r"is not there"),
    ],
)
def test_what_must_be_shown_and_is_not_is_no_answer(found: dict[str, Any], why: str) -> None:
    with pytest.raises(MeasureError, match=why):
        check_expected({"audits": {"memgate-expect": {"details": found}}}, PAGE, "#cart")


def test_what_must_be_shown_and_is_shown_is_right() -> None:
    check_expected({"audits": {"memgate-expect": {"details": {"there": True, "shown": True}}}}, PAGE, "#cart")
