"""A small repository with a store beside it, for tests of the history."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pytest_memgate.history.git.line import default_branch, first_parents
from pytest_memgate.history.levels.snapshot import Snapshot
from pytest_memgate.history.read import read_past
from pytest_memgate.history.store import Store, open_store
from pytest_memgate.model.history import Chart, Level, Past, Precision, RunRecord, Series
from pytest_memgate.model.provenance import Commit
from pytest_memgate.model.subject import Subject

MB = 1_000_000.0


def series(name: str = "test_one", metric: str = "memory.peak", *, unit: str = "B", machine: str = "") -> Series:
    """A series of tests/test_a.py; one with a machine is noisy."""
    precision = Precision.NOISY if machine else Precision.NEAR_EXACT
    return Series(
        subject=Subject("tests/test_a.py", name),
        metric=metric,
        unit=unit,
        environment="linux",
        machine=machine,
        precision=precision,
    )


PEAK = series()


@dataclass
class HistoryProject:
    """A repository; `store` is its history."""

    root: Path
    store: Store = field(init=False)
    url: str = ""
    runs: int = 0

    def __post_init__(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", "main")
        self.git("config", "user.name", "Ann")
        self.git("config", "user.email", "ann@example.org")
        self.url = self.url or f"sqlite:///{self.root / '.git' / 'history.sqlite'}"
        self.store = open_store(self.url)

    def git(self, *args: str) -> str:
        done = subprocess.run(["git", *args], cwd=self.root, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def commit(self, title: str, content: str = "") -> Commit:
        """Commit one changed file, and return the commit."""
        (self.root / "code.py").write_text(content or title, encoding="utf-8")
        self.git("add", "code.py")
        self.git("commit", "-qm", title)
        return self.head()

    def head(self) -> Commit:
        return Commit(
            id=self.git("rev-parse", "HEAD"),
            tree=self.git("rev-parse", "HEAD^{tree}"),
            branch=self.git("branch", "--show-current"),
        )

    def snapshot(
        self,
        commit: Commit,
        levels: Mapping[Series, Level] | float,
        *,
        machine: str = "",
        complete: bool = True,
        run: str = "",
    ) -> Snapshot:
        """A run of a commit; a number is the peak of the one test."""
        self.runs += 1
        name = run or f"run-{self.runs}"
        given = {PEAK: Level(value=levels)} if isinstance(levels, (int, float)) else levels
        start = f"2026-11-29T10:{self.runs // 60:02}:{self.runs % 60:02}Z"
        record = RunRecord(
            id=name, environment="linux", machine=machine, commit=commit, complete=complete, start=start, end=start
        )
        return Snapshot(record=record, content=f"content of {name}", levels=given)

    def measure(self, commit: Commit, levels: Mapping[Series, Level] | float, *, complete: bool = True) -> None:
        self.store.add(self.snapshot(commit, levels, complete=complete))

    def past(self) -> Past:
        branch = default_branch(self.root)
        line = first_parents(self.root, branch)
        self.store.put_line(branch, line)
        return read_past(self.store, (branch, line))

    def chart(self, wanted: Series = PEAK) -> Chart:
        return next(chart for chart in self.past().charts if chart.series == wanted)


def values(chart: Chart) -> dict[int, float | None]:
    """The value at each measured position."""
    return {position: level.value for position, level in chart.levels()}
