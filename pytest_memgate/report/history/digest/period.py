"""Which commits a digest is about: those of a month, of a day, or since a commit."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from pytest_memgate.errors import HistoryError, UsageError
from pytest_memgate.model.history import LineCommit, Past
from pytest_memgate.units import counted
from pytest_memgate.values import day, shown

_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """The commits from position `start` to `end`, both included; `name` says which they are: `November 2026`.

    `key` is the same in few characters: `2026-11`.
    """

    name: str
    key: str
    start: int
    end: int
    is_month: bool = False

    def __contains__(self, position: object) -> bool:
        return isinstance(position, int) and self.start <= position <= self.end

    @property
    def before(self) -> int:
        """The position of the commit that the period is held against."""
        return self.start - 1


def of_month(past: Past, month: str) -> Period:
    """Return the commits of a month, `2026-11`; raises UsageError for no month, HistoryError for one without any."""
    if not _MONTH.fullmatch(month):
        raise UsageError(f"not a month: {shown(month)}", hint="write it as 2026-11")
    name = date.fromisoformat(f"{month}-01").strftime("%B %Y")
    return _dated(past, month, name, is_month=True)


def of_day(past: Past, text: str) -> Period:
    """Return the commits of a day, `2026-11-30`, of the newest commit's if the text is empty."""
    if text:
        try:
            day(text)
        except ValueError as error:
            raise UsageError(str(error)) from error
    text = text or (past.line[-1].time[:10] if past.line else "")
    return _dated(past, text, text)


def since(past: Past, position: int, name: str) -> Period:
    """Return the commits after a position; `name` is what the user called it."""
    if position + 1 >= len(past.line):
        raise HistoryError(f"{past.branch} has no commit after {shown(name)}", hint="name an older one")
    return Period(name=f"since {name}", key=name, start=position + 1, end=len(past.line) - 1)


def _dated(past: Past, prefix: str, name: str, *, is_month: bool = False) -> Period:
    at = [commit.position for commit in past.line if prefix and commit.time.startswith(prefix)]
    if not at:
        raise HistoryError(
            f"{past.branch} has no commit of {name or 'any day'}", hint=f"its commits are {_span(past.line)}"
        )
    return Period(name=name, key=prefix, start=min(at), end=max(at), is_month=is_month)


def _span(line: Sequence[LineCommit]) -> str:
    if not line:
        return counted(0, "commit")
    return f"from {line[0].time[:10]} to {line[-1].time[:10]}"
