"""The default branch as the board draws it: commits, marks, and where the machine or the tools changed."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from pytest_memgate.model.history import EventKind, Past, RunRecord
from pytest_memgate.report.html.embed import shown

_MOST_BANDS = 40  # more are a pool of machines, and no picture


def commits(past: Past) -> list[list[str]]:
    """Return the id, the author, the time and the title of each commit."""
    return [[one.id[:12], shown(one.author), one.time, shown(one.title)] for one in past.line]


def marks(past: Past) -> list[list[Any]]:
    """Return the position and the name of each mark whose commit is on the line, in order."""
    at = {one.id: one.position for one in past.line}
    found = [event for event in past.events if event.kind is EventKind.MARK and event.commit in at]
    return sorted([at[event.commit], shown(event.text)] for event in found)


class Bands:
    """Where the runs of an environment, or of one machine class in it, moved to another machine or other versions."""

    def __init__(self, runs: Iterable[RunRecord]) -> None:
        self._runs: dict[str, list[tuple[int, RunRecord]]] = defaultdict(list)
        for run in runs:
            for position in run.positions:
                self._runs[run.environment].append((position, run))
        for some in self._runs.values():
            some.sort(key=lambda item: (item[0], item[1].end, item[1].id))

    def of(self, environment: str, machine: str) -> list[list[Any]] | int:
        """Return each change as a position and words; only their number where there are too many to draw."""
        found: list[list[Any]] = []
        before: RunRecord | None = None
        for position, run in self._runs.get(environment, ()):
            if machine and run.machine != machine:
                continue
            if before and (words := _difference(before, run)):
                found.append([position, shown(words)])
            before = run
        return found if len(found) <= _MOST_BANDS else len(found)


def _difference(before: RunRecord, after: RunRecord) -> str:
    words = [f"machine {before.machine or '?'} → {after.machine or '?'}"] if before.machine != after.machine else []
    for name in sorted(before.versions.keys() | after.versions.keys()):
        old, new = before.versions.get(name, "none"), after.versions.get(name, "none")
        words += [f"{name} {old} → {new}"] if old != new else []
    return ", ".join(words)


class Beside:
    """Where a run off the line is drawn: at its parent, or else where the branch stood when the run started."""

    def __init__(self, past: Past) -> None:
        self._at: Mapping[str, int] = {one.id: one.position for one in past.line}
        self._times = sorted((one.time, one.position) for one in past.line)

    def position(self, run: RunRecord) -> int:
        """Return the position to draw at."""
        for known in (run.commit.parent, run.commit.id):
            if known in self._at:
                return self._at[known]
        later = bisect_right(self._times, (run.start or "9", len(self._times)))
        return self._times[later - 1][1] if later else 0
