"""Foreign text and data made fit for a page: on one line, of limited length, and never markup."""

import json
from typing import Any

from pytest_memgate.report.escape import one_line

_LONGEST = 400  # characters of a name or a reason: a parameter can be a whole file
_ESCAPES = {ord(mark): f"\\u{ord(mark):04x}" for mark in "<>&\u2028\u2029"}


def script_json(data: Any) -> str:
    """Return data as JSON that may stand in a script element: nothing in it can end the element, or open another."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).translate(_ESCAPES)


def shown(text: str) -> str:
    """Return a text on one line, the middle of an endless one left out."""
    line = one_line(text)
    half = _LONGEST // 2
    return line if len(line) <= _LONGEST else f"{line[:half]} … {line[-half:]}"
