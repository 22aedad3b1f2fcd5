"""Values as rows of the tables, and back."""

import json
from dataclasses import replace
from typing import Any

from pytest_memgate.history.snapshot import Sites
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
