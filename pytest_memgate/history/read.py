"""A whole history out of a store, in the order of the commits of the default branch."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

from sqlalchemy import Connection, select

from pytest_memgate.history.levels.silence import from_silence
from pytest_memgate.history.levels.snapshot import PART, VALUES
from pytest_memgate.history.rows import StoredRow, level_of, record_of, series_of, sites_of
from pytest_memgate.history.store import Store
from pytest_memgate.history.tables import CHAINS, POINTS, RUNS, SERIES
from pytest_memgate.model.codec import uncollected
from pytest_memgate.model.history import Chart, Level, LineCommit, OffLine, Past, RunRecord, Series, Step
from pytest_memgate.model.metric import metric

_ByChain = Mapping[int, Sequence[StoredRow]]
Line = tuple[str, tuple[LineCommit, ...]]


def read_past(store: Store, line: Line | None = None, *, only: Collection[str] | None = None) -> Past:
    """Return all that is stored, or only the charts of some series, by their ids: no more than a few hundred.

    `line` is the default branch with its commits, where the repository is at hand; otherwise it is the stored one.
    """
    branch, commits = line or store.line()
    with uncollected(), store.reading() as connection:
        places = _Places(commits)
        rows = connection.execute(
            select(RUNS.c.id, RUNS.c.key, RUNS.c.chain, RUNS.c.record, CHAINS.c.name)
            .join(CHAINS, CHAINS.c.id == RUNS.c.chain)
            .order_by(RUNS.c.id)
        ).all()
        runs = {row.id: places.placed(record_of(row.record)) for row in rows}
        order = _Order(rows, runs, places)
        chosen, points = select(SERIES), select(POINTS).order_by(POINTS.c.series, POINTS.c.run)
        if only is not None:
            chosen = chosen.where(SERIES.c.id.in_(_with_siblings(connection, only)))
            points = points.where(POINTS.c.series.in_(chosen.with_only_columns(SERIES.c.id)))
        series = {row.id: series_of(row) for row in connection.execute(chosen)}
        found = groupby(connection.execute(points), key=lambda row: row.series)
        charts = from_silence([order.chart(series[number], list(some)) for number, some in found])
        charts = [chart for chart in charts if only is None or chart.series.id in only]
    return Past(
        branch=branch,
        line=commits,
        runs={run.id: run for run in runs.values()},
        charts=tuple(sorted(charts, key=lambda chart: chart.series)),
        events=store.events(),
    )


def _with_siblings(connection: Connection, only: Collection[str]) -> list[int]:
    """Return the numbers of series, and of those of the same subjects where silence tells their first values."""
    wanted = connection.execute(select(SERIES).where(SERIES.c.key.in_(only))).all()
    silent = {(row.file, row.name) for row in wanted if metric(row.metric).absent is not None}
    named = select(SERIES.c.id, SERIES.c.file, SERIES.c.name).where(SERIES.c.name.in_({name for _, name in silent}))
    siblings = [row.id for row in connection.execute(named) if (row.file, row.name) in silent]
    return [*(row.id for row in wanted), *siblings]


class _Places:
    """Which commits of the line have the tree that a run measured."""

    def __init__(self, line: Sequence[LineCommit]) -> None:
        self._by_id = {commit.id: commit.position for commit in line}
        self._by_tree: dict[str, list[int]] = defaultdict(list)
        for commit in line:
            self._by_tree[commit.tree].append(commit.position)

    def own_position(self, run: RunRecord) -> int | None:
        """Return the position of the very commit that a run measured, None if it is not on the line."""
        return self._by_id.get(run.commit.id) if run.positions else None

    def placed(self, run: RunRecord) -> RunRecord:
        """Return a run with its positions; a dirty tree and a fork have none."""
        commit = run.commit
        if commit.dirty or commit.fork:
            return run
        at = {self._by_id[commit.id]} if commit.id in self._by_id else set()
        return replace(run, positions=tuple(sorted(at | set(self._by_tree.get(commit.tree, ())))))


@dataclass(frozen=True, slots=True)
class _Chain:
    """The runs of one chain on the line, by position; the newest one of each."""

    positions: tuple[int, ...]
    runs: tuple[int, ...]
    in_order: bool  # True if they were added in the order of their positions


class _Order:
    """The runs of the line in the order of their positions, chain by chain."""

    def __init__(self, rows: Sequence[StoredRow], runs: Mapping[int, RunRecord], places: "_Places") -> None:
        self._runs = runs
        self._chain_of = {row.id: row.chain for row in rows}
        self._kinds = {row.chain: row.name.rpartition("\n")[2] for row in rows}
        at: dict[int, dict[int, int]] = defaultdict(dict)
        ours: dict[int, set[int]] = defaultdict(set)
        for row in rows:
            own = places.own_position(runs[row.id])
            for position in runs[row.id].positions:
                # A run of the commit itself counts before one of another commit with the same files.
                if position == own or position not in ours[row.chain]:
                    at[row.chain][position] = row.id
            if own is not None:
                ours[row.chain].add(own)
        self._chains = {chain: _chain(found) for chain, found in at.items()}
        self._turns: dict[frozenset[int], list[tuple[int, int, int]]] = {}

    def chart(self, series: Series, points: Sequence[StoredRow]) -> Chart:
        """Return the chart of a series from its rows, the oldest run first."""
        by_chain: dict[int, list[StoredRow]] = defaultdict(list)
        for row in points:
            by_chain[self._chain_of[row.run]].append(row)
        steps, measured = self._on_line(by_chain)
        return Chart(series=series, steps=tuple(steps), measured=measured, lanes=self._lanes(points))

    def _on_line(self, by_chain: "_ByChain") -> tuple[list[Step], tuple[int, ...]]:
        there = {chain: rows for chain, rows in by_chain.items() if chain in self._chains}
        if (len(there) > 1 or self._is_part(*there)) and any(self._is_missing(*item) for item in there.items()):
            return self._best(there)
        steps: list[Step] = []
        measured: list[tuple[int, ...]] = []
        for chain, start, end in self._turns_of(frozenset(there)):
            for step in self._steps(chain, there[chain], start, end):
                is_new = steps[-1].level != step.level if steps else not step.level.is_gone
                steps += [step] if is_new else []
            if steps:
                own = self._chains[chain].positions
                measured.append(own[bisect_left(own, steps[0].position, start, end) : end])
        return steps, measured[0] if len(measured) == 1 else tuple(at for part in measured for at in part)

    def _is_part(self, *chains: int) -> bool:
        return any(self._kinds[chain].endswith(PART) for chain in chains)

    def _claim(self, chain: int, run: int) -> tuple[bool, bool, int]:
        """Return how much the word of a run counts: the largest one counts."""
        return self._kinds[chain].startswith(VALUES), not self._is_part(chain), run

    def _is_missing(self, chain: int, rows: Sequence[StoredRow]) -> bool:
        """True if some runs of a chain do not have the series."""
        is_late = rows[0].run > min(self._chains[chain].runs)
        return is_late or any(row.value is None and row.bound is None for row in rows)

    def _steps(self, chain: int, rows: Sequence[StoredRow], start: int, end: int) -> Iterator[Step]:
        """Yield the levels of one chain; a run from before the first row does not have the series."""
        own, before = self._chains[chain], False
        for at, row in _changes(own, [row.run for row in rows], start, end):
            if row >= 0 or before:
                yield self._step(own.positions[at], own.runs[at], rows[row] if row >= 0 else None)
                before = True

    def _step(self, position: int, run: int, row: StoredRow | None) -> Step:
        sites = {} if row is None else sites_of(row)
        level = Level() if row is None else level_of(row)
        return Step(position=position, run=self._runs[run].id, level=level, sites=sites)

    def _best(self, there: "_ByChain") -> tuple[list[Step], tuple[int, ...]]:
        """Return the steps where only some chains have the series: at each position, one that has it counts."""
        best: dict[int, tuple[tuple[object, ...], Step]] = {}
        for chain, rows in there.items():
            own = self._chains[chain]
            steps = {step.position: step for step in self._steps(chain, rows, 0, len(own.positions))}
            step = None
            for position, run in zip(own.positions, own.runs, strict=True):
                step = steps.get(position, step)
                if step is not None and not (step.level.is_gone and self._is_part(chain)):
                    claim = (not step.level.is_gone, *self._claim(chain, run))
                    if position not in best or claim > best[position][0]:
                        best[position] = (claim, replace(step, position=position))
        return _joined(best[position][1] for position in sorted(best))

    def _turns_of(self, chains: frozenset[int]) -> list[tuple[int, int, int]]:
        """Return which chain tells what holds at which positions: `(chain, start, end)`, as indices into its own.

        At a position that several have, values count before bounds, then whole runs before parts, then the latest run.
        """
        if chains not in self._turns:
            winner: dict[int, tuple[tuple[bool, bool, int], int]] = {}
            for chain in chains & self._chains.keys():
                own = self._chains[chain]
                for position, run in zip(own.positions, own.runs, strict=True):
                    claim = (self._claim(chain, run), chain)
                    winner[position] = max(winner.get(position, claim), claim)
            turns = []
            for chain, some in groupby(sorted(winner.items()), key=lambda item: item[1][1]):
                at = [position for position, _ in some]
                turns += [(chain, start, end) for start, end in _ranges(self._chains[chain].positions, at)]
            self._turns[chains] = turns
        return self._turns[chains]

    def _lanes(self, points: Sequence[StoredRow]) -> dict[str, tuple[OffLine, ...]]:
        lanes: dict[str, list[OffLine]] = defaultdict(list)
        for row in points:
            run = self._runs[row.run]
            level = level_of(row)
            if run.lane and not level.is_gone:
                lanes[run.lane].append(OffLine(run=run.id, level=level))
        return {lane: tuple(levels) for lane, levels in lanes.items()}


def _joined(levels: Iterable[Step]) -> tuple[list[Step], tuple[int, ...]]:
    """Return the steps of levels, one for each position in order, and the positions from the first one on."""
    steps: list[Step] = []
    measured: list[int] = []
    for step in levels:
        if not steps and step.level.is_gone:
            continue
        measured.append(step.position)
        if not steps or steps[-1].level != step.level:
            steps.append(step)
    return steps, tuple(measured)


def _chain(found: Mapping[int, int]) -> _Chain:
    positions = tuple(sorted(found))
    runs = tuple(found[position] for position in positions)
    return _Chain(positions, runs, all(a <= b for a, b in pairwise(runs)))


def _changes(chain: _Chain, points: Sequence[int], start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield where the row that holds changes: the index of a run of the chain, and that of the row, -1 for none."""
    before = -2
    if chain.in_order:
        at = start
        while at < end:
            row = bisect_right(points, chain.runs[at]) - 1
            if row != before:
                yield at, row
                before = row
            at = bisect_left(chain.runs, points[row + 1], at, end) if row + 1 < len(points) else end
        return
    for at in range(start, end):
        row = bisect_right(points, chain.runs[at]) - 1
        if row != before:
            yield at, row
            before = row


def _ranges(positions: Sequence[int], wanted: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield the ranges of indices of `positions` that `wanted`, some of them in order, is made of."""
    start = bisect_left(positions, wanted[0])
    end = start
    for position in wanted:
        if end < len(positions) and positions[end] == position:
            end += 1
            continue
        yield start, end
        start = bisect_left(positions, position)
        end = start + 1
    yield start, end
