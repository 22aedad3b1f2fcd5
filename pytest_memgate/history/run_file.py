"""One stored run as a small JSON text: what the git ref carries, and what is moved from store to store.

Format 1: `id`, `content`, `commit`, `environment`, `machine`, `start`, `end`, `ci`, `versions`, `verdict`; `base`, the
id of an earlier run with the same chain, and what differs from it. Series that the base has are named by their number
among those, in the order of `order`; the numbers are written as differences to the one before. Without a base all
series are named. Fields of the run that are those of its base are left out. Sites stand apart, each name of them once.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import Any

from pytest_memgate.errors import HistoryError
from pytest_memgate.history.levels.snapshot import Sites
from pytest_memgate.model.codec import decode, encode
from pytest_memgate.model.history import Event, Level, RunRecord, Series

FORMAT = 1
_SHARED = ("environment", "machine", "versions", "ci", "verdict")  # fields that are mostly those of the base
_CHANGED = "it was changed or cut short"
_FIELDS = ("id", "commit", "start", "end", "seconds", "complete", *_SHARED)
_COLUMNS = ("value", "bound", "spread", "baseline", "anchor", "allowed", "limit", "reason")


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What a run says beyond its base: the levels that changed, and the series that are gone."""

    levels: Mapping[Series, Level]
    sites: Mapping[Series, Sites]
    gone: Sequence[Series] = ()


class Known:
    """The levels after a run, and their series in the order by which a later run's text numbers them."""

    def __init__(self, levels: dict[Series, Level]) -> None:
        self.levels: Mapping[Series, Level] = levels
        self._levels = levels
        self._order: list[Series] | None = None

    def order(self) -> list[Series]:
        """Return the series as they are numbered."""
        if self._order is None:
            self._order = order(self._levels)
        return self._order

    def apply(self, new: Difference) -> None:
        """Become the levels after a run that differs by `new`."""
        if new.gone or any(series not in self._levels for series in new.levels):
            self._order = None
        self._levels.update(new.levels)
        for series in new.gone:
            del self._levels[series]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A run's text, read: `base` is the id of the run that it differs from, empty if it needs none."""

    id: str
    base: str
    chain: str
    content: str
    data: Mapping[str, Any]


def write_run(
    record: RunRecord, content: str, chain: str, base: RunRecord | None, known: Known, new: Difference
) -> str:
    """Return the text of a run; `known` are the levels after its base."""
    like = base or RunRecord(id="", environment="")
    fields = {
        name: encode(getattr(record, name))
        for name in _FIELDS
        if name not in _SHARED or getattr(record, name) != getattr(like, name)
    }
    numbers = {series: number for number, series in enumerate(known.order())}
    old = sorted((series for series in new.levels if series in numbers), key=numbers.__getitem__)
    named = order([series for series in new.levels if series not in numbers])
    head = {"format": FORMAT, "content": content} | ({"base": base.id} if base else {"chain": chain}) | fields
    changes = {
        "gone": _gaps(sorted(numbers[series] for series in new.gone)),
        "at": _gaps([numbers[series] for series in old]),
        "levels": _columns([new.levels[series] for series in old], [known.levels[series] for series in old]),
        "named": [_name(series) for series in named],
        "named_levels": _columns([new.levels[series] for series in named], [Level()] * len(named)),
        "sites": _site_columns(
            [(number, new.sites[series]) for number, series in enumerate(old + named) if series in new.sites]
        ),
    }
    return json.dumps(head | {key: value for key, value in changes.items() if value}, **_COMPACT) + "\n"


def read_head(text: str, where: str) -> Stored:
    """Read who a run is and what it needs; raises HistoryError for a text that is not a run of this format."""
    try:
        data = json.loads(text, parse_constant=_refused)
        version = data["format"]
        if version != FORMAT:
            raise HistoryError(f"{where}: format {version} is newer than this memgate reads", hint="upgrade")
        return Stored(
            id=data["id"], base=data.get("base", ""), chain=data.get("chain", ""), content=data["content"], data=data
        )
    except (ValueError, KeyError, TypeError) as error:
        raise HistoryError(f"{where}: not a run of a history: {error}", hint=_CHANGED) from error


def read_run(stored: Stored, where: str, base: RunRecord | None, known: Known) -> tuple[RunRecord, Difference]:
    """Read a run whole, given its base and the levels after that; raises HistoryError for a text that does not fit."""
    data = stored.data
    shared = {name: encode(getattr(base, name)) for name in _SHARED} if base else {}
    try:
        record = decode(RunRecord, shared | {name: value for name, value in data.items() if name in _FIELDS})
        there = known.order()
        old = [there[number] for number in _sums(data.get("at", []))]
        gone = [there[number] for number in _sums(data.get("gone", []))]
        named = [_series(entry) for entry in data.get("named", [])]
        levels = _rows(data.get("levels", {}), [known.levels[series] for series in old])
        levels += _rows(data.get("named_levels", {}), [Level()] * len(named))
        series = old + named
        sites = {series[number]: amounts for number, amounts in _site_rows(data.get("sites", {}))}
        new = Difference(levels=dict(zip(series, levels, strict=True)), sites=sites, gone=gone)
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise HistoryError(f"{where}: {error}", hint=_CHANGED) from error
    return record, new


def against(now: Known, then: Known, new: Difference) -> Difference:
    """Return what a run says beyond the levels `now`, given what it says beyond those of `then`."""
    gone = set(new.gone)
    levels = {**{series: level for series, level in then.levels.items() if series not in gone}, **new.levels}
    return Difference(
        levels={series: level for series, level in levels.items() if now.levels.get(series) != level},
        sites=new.sites,
        gone=[series for series in now.levels if series not in levels],
    )


def write_event(event: Event) -> str:
    """Return the text of an event."""
    return json.dumps({"format": FORMAT, **encode(event)}, **_COMPACT) + "\n"


def read_event(text: str, where: str) -> Event:
    """Read an event; raises HistoryError for a text that is none."""
    try:
        data = json.loads(text, parse_constant=_refused)
        if data.pop("format") != FORMAT:
            raise HistoryError(f"{where}: a format that is newer than this memgate reads", hint="upgrade")
        return decode(Event, data)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise HistoryError(f"{where}: not an event of a history: {error}", hint=_CHANGED) from error


def order(series: Mapping[Series, Any] | Sequence[Series]) -> list[Series]:
    """Return series in the order by which they are numbered."""
    return sorted(series, key=lambda one: _name(one)[:-1])


_COMPACT: Any = {"separators": (",", ":"), "ensure_ascii": False, "allow_nan": False}


def _refused(constant: str) -> None:
    raise ValueError(f"{constant} is no number")


def _name(series: Series) -> list[str]:
    return [
        series.subject.file,
        series.subject.name,
        series.metric,
        series.unit,
        series.environment,
        series.machine,
        series.precision.value,
    ]


def _series(entry: Sequence[str]) -> Series:
    file, name, metric, unit, environment, machine, precision = entry
    subject = {"file": file, "name": name}
    return decode(
        Series,
        {
            "subject": subject,
            "metric": metric,
            "unit": unit,
            "environment": environment,
            "machine": machine,
            "precision": precision,
        },
    )


def _gaps(numbers: Sequence[int]) -> list[int]:
    return [after - before for before, after in pairwise([0, *numbers])]


def _sums(gaps: Sequence[int]) -> list[int]:
    if any(gap < 0 for gap in gaps):
        raise ValueError("a number below 0")
    return list(accumulate(gaps))


def _columns(levels: Sequence[Level], before: Sequence[Level]) -> dict[str, Any]:
    """Return a list for each field that differs from the level before: values for all of `levels`, None for the same.

    A field that most levels change is a plain list; one that few change is a list of pairs, number and value.
    """
    columns: dict[str, Any] = {}
    for name in _COLUMNS:
        changed = [
            (number, getattr(level, name))
            for number, (level, old) in enumerate(zip(levels, before, strict=True))
            if getattr(level, name) != getattr(old, name)
        ]
        if len(changed) == len(levels) and changed:
            columns[name] = [_short(value) for _, value in changed]
        elif changed:
            columns[name] = {
                "at": _gaps([number for number, _ in changed]),
                "is": [_short(value) for _, value in changed],
            }
    return columns


def _site_columns(sites: Sequence[tuple[int, Sites]]) -> dict[str, Any]:
    """Return the sites of numbered series, each name once: tests of one project hold memory in the same places."""
    names = {name: number for number, name in enumerate(sorted({name for _, amounts in sites for name in amounts}))}
    if not names:
        return {}
    return {
        "names": list(names),
        "at": _gaps([number for number, _ in sites]),
        "of": [[names[name] for name in amounts] for _, amounts in sites],
        "is": [_short(amount) for _, amounts in sites for amount in amounts.values()],
    }


def _site_rows(columns: Mapping[str, Any]) -> Iterator[tuple[int, Sites]]:
    if not columns:
        return
    names, amounts, start = columns["names"], columns["is"], 0
    if not all(isinstance(amount, (int, float)) for amount in amounts):
        raise ValueError("an amount that is no number")
    for at, numbers in zip(_sums(columns["at"]), columns["of"], strict=True):
        of_it = amounts[start : start + len(numbers)]
        yield at, {str(names[number]): float(amount) for number, amount in zip(numbers, of_it, strict=True)}
        start += len(numbers)


def _short(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _rows(columns: Mapping[str, Any], before: Sequence[Level]) -> list[Level]:
    rows: list[dict[str, Any]] = [{} for _ in before]
    for name, column in columns.items():
        if name not in _COLUMNS:
            raise ValueError(f"unknown column {name!r}")
        numbers = range(len(before)) if isinstance(column, list) else _sums(column["at"])
        for number, value in zip(numbers, column if isinstance(column, list) else column["is"], strict=True):
            rows[number][name] = value
    return [replace(level, **_checked(row)) if row else level for level, row in zip(before, rows, strict=True)]


def _checked(row: dict[str, Any]) -> dict[str, Any]:
    for name, value in row.items():
        right = isinstance(value, str) if name == "reason" else value is None or isinstance(value, (int, float))
        if not right or isinstance(value, bool):
            raise ValueError(f"{name} is {value!r:.40}")
    return row
