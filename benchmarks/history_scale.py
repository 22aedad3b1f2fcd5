"""A history of 10,000 tests, three metrics each, over 300 commits: what adding a run, one chart and the git ref cost.

In each commit half a percent of the values move by 2 to 6 %, up or down. Baselines stay. The first run and the last
three are real run files, whose peaks also sway by up to 400 bytes, stored by `memgate history add` in processes of
their own; those between them are stored by the same code in one go, without files. Then all runs are published to a
bare remote, five in each push, and its objects are packed. Prints each figure beside its bound; exits with 1 where one
is missed.
"""

import argparse
import random
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from bench_common import project, say, title

from pytest_memgate.history.git.ref import REF, HistoryRef
from pytest_memgate.history.levels.from_run import snapshot_of
from pytest_memgate.history.levels.snapshot import Sites, Snapshot
from pytest_memgate.history.read import read_past
from pytest_memgate.measure.python.environment import here
from pytest_memgate.model.history import LineCommit
from pytest_memgate.model.judgement.budget import BudgetRule, RuleKind
from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.model.measurement import Basis, Measurement
from pytest_memgate.model.provenance import Commit, Machine, Provenance
from pytest_memgate.model.run import Extent, Run, Verdict
from pytest_memgate.model.site import Site
from pytest_memgate.model.subject import Subject
from pytest_memgate.tasks.history.opened import Opened, open_history
from pytest_memgate.tasks.run.file import write_run

ADD_S, CHART_S, STORE_MB, REF_MB = 2.0, 0.050, 100.0, 1.0
_FILES, _SITES, _PER_PUSH, _RUNS_A_MONTH = 100, 6, 5, 600
_METRICS = ("memory.peak", "memory.allocated", "memory.allocations")
_MOVING = 0.005  # of the values in each commit


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tests", type=int, default=10_000)
    parser.add_argument("--commits", type=int, default=300)
    arguments = parser.parse_args()
    title(f"a history of {arguments.tests} tests x {len(_METRICS)} metrics x {arguments.commits} commits")
    with project() as folder:
        _make_commits(folder, arguments.commits)
        opened = open_history(folder, environ={})
        added = _fill(opened, _Suite(arguments.tests))
        figures = [("add of one run", added, ADD_S, "s"), *_reading(opened), *_sizes(opened, arguments.commits)]
    for name, figure, most, unit in figures:
        say(f"{name:<34} {figure:8.3f} {unit} (at most {most:g})")
    return int(any(figure > most for _, figure, most, _ in figures))


class _Suite:
    """The tests of a project, whose values move from commit to commit."""

    def __init__(self, tests: int) -> None:
        self._random = random.Random(23)
        files = [f"tests/part_{number % 10}/test_module_{number:03}.py" for number in range(_FILES)]
        subjects = [Subject(files[number % _FILES], f"test_case_{number // _FILES:03}") for number in range(tests)]
        self._keys = [(subject, metric) for subject in subjects for metric in _METRICS]
        self._places = {key: at for at, key in enumerate(self._keys)}
        self._first = [float(self._random.randrange(200_000, 5_000_000)) for _ in self._keys]
        self._now = list(self._first)
        self._environment = here()

    def run(self, number: int, commit: LineCommit) -> Run:
        """Return the run of the next commit."""
        if number:
            self._move()
        at = f"2026-{1 + number // 200:02}-{1 + number % 200 // 20:02}T{number % 20:02}:00"
        return Run(
            environment=self._environment,
            verdict=Verdict.PASSED,
            findings=tuple(self._findings()),
            extent=Extent(everything=True),
            provenance=Provenance(
                id=f"{self._random.getrandbits(128):032x}",
                commit=Commit(id=commit.id, tree=commit.tree, branch="main"),
                start=f"{at}:00Z",
                end=f"{at}:59Z",
                ci=f"https://ci.example.org/runs/{number}",
                machine=Machine(cpu="a processor", cores=4, memory=1 << 34),
                versions={"python": "3.13.5", "memray": "1.19.1", "pytest": "9.0.1"},
            ),
        )

    def snapshots(self, first: Snapshot, commits: Iterable[LineCommit]) -> Iterator[Snapshot]:
        """Yield the runs of further commits as they are stored."""
        levels, series = dict(first.levels), list(first.levels)
        for commit in commits:
            name = f"{self._random.getrandbits(128):032x}"
            moved = [series[at] for at in self._move()]
            levels |= {
                one: replace(levels[one], value=_kept(self._now[self._places[one.subject, one.metric]]))
                for one in moved
            }
            record = replace(first.record, id=name, commit=Commit(id=commit.id, tree=commit.tree, branch="main"))
            record = replace(record, ci=f"https://ci.example.org/runs/{commit.position}")
            sites = {one: _swayed(first.sites[one], self._random) for one in moved if one in first.sites}
            yield Snapshot(record=record, content=name, levels=levels, sites=sites)

    def _move(self) -> list[int]:
        """Move some values; return which."""
        moved = self._random.sample(range(len(self._now)), int(len(self._now) * _MOVING))
        for at in moved:
            sign = self._random.choice((-1, 1))
            self._now[at] = float(round(self._now[at] * (1 + sign * self._random.uniform(0.02, 0.06))))
        return moved

    def _findings(self) -> Iterator[Finding]:
        rule = (BudgetRule(rule=RuleKind.GROWTH, amount=200_000),)
        for (subject, metric), now, first in zip(self._keys, self._now, self._first, strict=True):
            value = now + (self._random.randrange(400) if metric == _METRICS[0] else 0)
            yield Finding(
                subject=subject,
                metric=metric,
                unit="B" if metric != _METRICS[2] else "",
                outcome=Outcome.PASSED,
                measurement=_measured(value, metric, subject),
                baseline=first,
                anchor=first,
                allowed=200_000,
                rules=rule,
            )


def _kept(value: float) -> float:
    """Return a value as a run's file is stored: with the digits that are no noise."""
    return float(f"{value:.4g}")


def _measured(value: float, metric: str, subject: Subject) -> Measurement:
    part = subject.file[11:12]
    sites = tuple(
        Site(path=f"shop/part_{part}/module_{place}.py", function=f"function_{place}", size=value // (place + 2))
        for place in range(_SITES if metric == _METRICS[0] else 0)
    )
    return Measurement(value=value, basis=Basis.WARM, cold=value, warm=(value, value), settled=True, sites=sites)


def _swayed(sites: Sites, rng: random.Random) -> Sites:
    return {key: float(f"{amount * rng.uniform(0.9, 1.1):.3g}") for key, amount in sites.items()}


def _make_commits(folder: Path, count: int) -> None:
    lines = []
    for number in range(count):
        lines += ["commit refs/heads/main", f"committer Ann <ann@example.org> {1_760_000_000 + number * 4_000} +0000"]
        lines += ["data 6", "change", "M 100644 inline code.py", f"data {len(str(number))}", str(number), ""]
    _git(folder, "init", "-q", "-b", "main")
    subprocess.run(["git", "fast-import", "--quiet"], cwd=folder, input="\n".join(lines), text=True, check=True)


def _fill(opened: Opened, suite: _Suite) -> float:
    """Store a run of each commit; return the median seconds of the command for the last three."""
    by_command = [0, *range(len(opened.line) - 3, len(opened.line))]
    first = suite.run(0, opened.line[0])
    _by_command(opened.root, first, 0)
    start = time.perf_counter()
    opened.store.add_all(suite.snapshots(snapshot_of(first, "", ""), opened.line[1:-3]))
    say(f"{len(opened.line) - len(by_command)} runs in one go: {time.perf_counter() - start:.1f} s")
    return statistics.median(_by_command(opened.root, suite.run(at, opened.line[at]), at) for at in by_command[1:])


def _by_command(root: Path, run: Run, number: int) -> float:
    file = root / "run.json"
    write_run(run, file)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    command = [sys.executable, "-m", "pytest_memgate", "history", "add", str(file)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"no answer: {done.stderr}")
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    size = file.stat().st_size / 1e6
    say(f"memgate history add, run {number + 1} ({size:.0f} MB): {seconds:.2f} s, {used:.2f} s of processor time")
    return seconds


def _reading(opened: Opened) -> Iterator[tuple[str, float, float, str]]:
    line = (opened.branch, opened.line)
    start = time.perf_counter()
    past = read_past(opened.store, line)
    say(f"the whole history: {time.perf_counter() - start:.2f} s, {sum(len(one.steps) for one in past.charts)} steps")
    times = []
    for chart in past.charts[:: len(past.charts) // 20]:
        start = time.perf_counter()
        found = read_past(opened.store, line, only=[chart.series.id]).charts
        times.append(time.perf_counter() - start)
        if found != (chart,):
            sys.exit(f"no answer: the chart of {chart.series} alone is another one")
    yield "one chart", statistics.median(times), CHART_S, "s"


def _sizes(opened: Opened, commits: int) -> Iterator[tuple[str, float, float, str]]:
    files = (opened.root / ".git" / "memgate").glob("history.sqlite*")
    yield "the store", sum(file.stat().st_size for file in files) / 1e6, STORE_MB, "MB"
    remote = opened.root.parent / "remote.git"
    _git(opened.root, "init", "-q", "--bare", str(remote))
    _git(opened.root, "remote", "add", "bench", str(remote))
    ref = HistoryRef(opened.root, "bench")
    texts = [(f"runs/2026/{number // 20:03}/{run}.json", text) for number, (run, text) in enumerate(_texts(opened))]
    first = _published(ref, remote, dict(texts[:1]))
    for start in range(1, commits, _PER_PUSH):
        size = _published(ref, remote, dict(texts[start : start + _PER_PUSH]), pack=start + _PER_PUSH >= commits)
    runs = commits - 1
    say(f"the git ref {REF}: {first / 1e6:.2f} MB with the first run, {size / 1e6:.2f} MB with all {commits}")
    yield f"the git ref, of {_RUNS_A_MONTH} runs a month", (size - first) / runs * _RUNS_A_MONTH / 1e6, REF_MB, "MB"


def _texts(opened: Opened) -> Iterator[tuple[str, str]]:
    yield from opened.store.payloads()


def _published(ref: HistoryRef, remote: Path, files: dict[str, str], *, pack: bool = True) -> int:
    ref.publish(files)
    if pack:
        _git(remote, "gc", "-q", "--prune=now")
    return sum(file.stat().st_size for file in (remote / "objects").rglob("*") if file.is_file())


def _git(folder: Path, *args: str) -> None:
    subprocess.run(["git", *args], cwd=folder, check=True)


if __name__ == "__main__":
    sys.exit(main())
