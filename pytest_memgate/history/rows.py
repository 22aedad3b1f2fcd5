"""Values as rows of the tables, and back."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from pytest_memgate.history.levels.snapshot import Sites
from pytest_memgate.history.tables import POINTS, SERIES
from pytest_memgate.model.codec import decode, encode
from pytest_memgate.model.history import Level, LineCommit, Precision, RunRecord, Series
from pytest_memgate.model.subject import Subject

StoredRow = Any  # a row of SQLAlchemy with the columns of its tables


def series_of(row: StoredRow) -> Series:
    """Return the series of a row that has its columns."""
    return Series(
        subject=Subject(row.file, row.name),
        metric=row.metric,
        unit=row.unit,
        environment=row.environment,
        machine=row.machine,
        precision=Precision(row.precision),
    )


def level_of(row: StoredRow) -> Level:
    """Return the level of a row that has the columns of a point."""
    return Level(
        value=row.value,
        bound=row.bound,
        spread=row.spread,
        baseline=row.baseline,
        anchor=row.anchor,
        allowed=row.allowed,
        limit=row.most,
        reason=row.reason,
    )


# The columns of a series and of what holds for it: all that is needed to tell whether a run says anything new.
HELD = (
    *(SERIES.c[name] for name in ("file", "name", "metric", "unit", "environment", "machine", "precision")),
    *(POINTS.c[name] for name in ("value", "bound", "spread", "baseline", "anchor", "allowed", "most", "reason")),
)
_PRECISIONS = {one.value: one for one in Precision}


def held_levels(rows: Iterable[Sequence[Any]]) -> dict[Series, Level]:
    """Return the levels of rows of the columns `HELD`, which are read by their places: a store has many thousands."""
    subjects: dict[tuple[str, str], Subject] = {}
    levels: dict[Series, Level] = {}
    for file, name, metric, unit, environment, machine, precision, *amounts in rows:
        if (subject := subjects.get((file, name))) is None:
            subject = subjects[file, name] = Subject(file, name)
        series = Series(
            subject=subject,
            metric=metric,
            unit=unit,
            environment=environment,
            machine=machine,
            precision=_PRECISIONS[precision],
        )
        value, bound, spread, baseline, anchor, allowed, limit, reason = amounts
        levels[series] = Level(
            value=value,
            bound=bound,
            spread=spread,
            baseline=baseline,
            anchor=anchor,
            allowed=allowed,
            limit=limit,
            reason=reason,
        )
    return levels


def sites_of(row: StoredRow) -> Sites:
    """Return the sites of a row that has the columns of a point."""
    sites: Sites = json.loads(row.sites) if row.sites else {}
    return sites


def point_row(series: int, run: int, level: Level, sites: Sites) -> dict[str, Any]:
    """Return a level as a row of the table of points."""
    return {
        "series": series,
        "run": run,
        "value": level.value,
        "bound": level.bound,
        "spread": level.spread,
        "baseline": level.baseline,
        "anchor": level.anchor,
        "allowed": level.allowed,
        "most": level.limit,
        "reason": level.reason,
        "sites": json.dumps(dict(sites)) if sites else "",
    }


def series_row(series: Series) -> dict[str, Any]:
    """Return a series as a row of its table."""
    return {
        "key": series.id,
        "file": series.subject.file,
        "name": series.subject.name,
        "metric": series.metric,
        "unit": series.unit,
        "environment": series.environment,
        "machine": series.machine,
        "precision": series.precision.value,
    }


def line_row(commit: LineCommit) -> dict[str, Any]:
    """Return a commit of the line as a row of its table."""
    return {name: getattr(commit, name) for name in ("position", "id", "tree", "author", "time", "title")}


def record_text(record: RunRecord) -> str:
    """Return where a run comes from as JSON."""
    return json.dumps(encode(replace(record, positions=())))


def record_of(text: str) -> RunRecord:
    """Return what `record_text` wrote."""
    return decode(RunRecord, json.loads(text))


def line_commit(row: StoredRow) -> LineCommit:
    """Return the commit of a row of the line."""
    return LineCommit(
        position=row.position, id=row.id, tree=row.tree, author=row.author, time=row.time, title=row.title
    )
