"""Eight writers of one history at once, of which one is killed again and again: no acknowledged run is lost or doubled.

Three kinds of stores: a clone with a store of its own for each writer, which syncs by the git ref of one bare remote;
one SQLite file for all; one PostgreSQL database, where its programs are installed. Each writer stores run after run,
and says so after each. Twenty times, a random one that has done so since it was started is killed at a random moment,
and started again: it takes up at the first run that it has not acknowledged. A git command that it was waiting for
ends by itself, as on a server. At the end, every acknowledged run has to be there, none twice, and all texts have to be
readable in a new store. Exits with 1 otherwise.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench_common import project, say, title

from pytest_memgate.history.store import Store, open_store
from pytest_memgate.tasks.history.opened import open_history
from pytest_memgate.tasks.history.runs.sync import sync

TESTS = Path(__file__).parents[1] / "tests"
_PATIENCE = 60  # seconds; chosen
_WRITER = """
import sys
from itertools import count
from pathlib import Path

from pytest_memgate.history.levels.snapshot import Snapshot
from pytest_memgate.model.history import Level, RunRecord, Series
from pytest_memgate.model.provenance import Commit
from pytest_memgate.model.subject import Subject
from pytest_memgate.tasks.history.opened import open_history
from pytest_memgate.tasks.history.runs.sync import sync

root, url, stop, writer, first = sys.argv[1:]
opened = open_history(Path(root), url=url, environ={})
series = [Series(subject=Subject("tests/test_a.py", f"test_{n}"), metric="memory.peak") for n in range(50)]
for number in count(int(first)):
    if Path(stop).exists():
        break
    commit = opened.line[number % len(opened.line)]
    start = "2026-11-29T10:00:00Z"
    record = RunRecord(id=f"{int(writer):016x}{number:016x}", environment="linux", start=start, end=start,
                       commit=Commit(id=commit.id, tree=commit.tree))
    levels = {one: Level(value=1e6 + 1e5 * ((number + at) % 7)) for at, one in enumerate(series)}
    opened.store.add(Snapshot(record=record, content=record.id, levels=levels))
    if not url:
        sync(opened)
    print(number, flush=True)
"""


@dataclass
class Writer:
    """One writer, however often it is started again; `acknowledged` are the numbers of its runs."""

    number: int
    root: Path
    url: str
    stop: Path
    output: Path
    process: "subprocess.Popen[bytes] | None" = None
    acknowledged: set[int] = field(default_factory=set)
    first: int = 0

    @property
    def is_writing(self) -> bool:
        """True if it has acknowledged a run since it was started last."""
        return self.first in self.read()

    def start(self) -> None:
        self.first = first = max(self.read(), default=-1) + 1
        command = [
            sys.executable,
            "-c",
            _WRITER,
            str(self.root),
            self.url,
            str(self.stop),
            str(self.number),
            str(first),
        ]
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(command, stdout=output)

    def read(self) -> set[int]:
        """Return the numbers of the runs that it has acknowledged; what it was killed in is no whole line."""
        words = self.output.read_text(encoding="utf-8") if self.output.exists() else ""
        self.acknowledged = {int(line) for line in words.splitlines(keepends=True) if line.endswith("\n")}
        return self.acknowledged

    def kill(self) -> None:
        if self.process:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    def end(self) -> int:
        """Return the exit code of its last process."""
        code = self.process.wait() if self.process else 0
        self.read()
        return code


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=23)
    parser.add_argument("--only", choices=sorted(_KINDS))
    arguments = parser.parse_args()
    title(f"{arguments.writers} writers at once, {arguments.kills} kills for each kind of store, seed {arguments.seed}")
    say(f"{'store':<12} {'seconds':>8} {'kills':>6} {'acknowledged':>13} {'there':>6} {'lost':>5} {'twice':>6}")
    rng, wrong = random.Random(arguments.seed), 0
    for name in [arguments.only] if arguments.only else _KINDS:
        with project() as folder, _KINDS[name](folder, arguments.writers) as kind:
            wrong += _row(name, kind, arguments.kills, rng) if kind else 0
    say(f"runs lost, doubled or unreadable, and writers that gave up: {wrong} (at most 0)")
    return int(wrong > 0)


@dataclass(frozen=True)
class Kind:
    """The writers of one kind of store, and how to see all that they have stored."""

    writers: list[Writer]
    store: Callable[[], Store]


def _row(name: str, kind: Kind, kills: int, rng: random.Random) -> int:
    """Let the writers write, and print what came of it; return the number of wrongs."""
    start = time.perf_counter()
    for writer in kind.writers:
        writer.start()
    for _ in range(kills):
        victim = _one_that_writes(kind.writers, rng)
        time.sleep(rng.uniform(0, 0.3))
        victim.kill()
        victim.start()
    time.sleep(1)
    kind.writers[0].stop.touch()
    gave_up = sum(writer.end() != 0 for writer in kind.writers)
    seconds = time.perf_counter() - start
    wanted = {f"{writer.number:016x}{number:016x}" for writer in kind.writers for number in writer.acknowledged}
    store = kind.store()
    there = store.run_ids()
    lost, twice = wanted - set(there), len(there) - len(set(there))
    say(f"{name:<12} {seconds:8.1f} {kills:6} {len(wanted):13} {len(there):6} {len(lost):5} {twice:6}")
    copy = open_store(f"sqlite:///{kind.writers[0].stop.parent / 'copy.sqlite'}")
    unreadable = len(there) - copy.add_payloads((text, run) for run, text in store.payloads())
    return len(lost) + twice + gave_up + unreadable


def _one_that_writes(writers: list[Writer], rng: random.Random) -> Writer:
    end = time.monotonic() + _PATIENCE
    while not (some := [writer for writer in writers if writer.is_writing]):
        if time.monotonic() > end:
            sys.exit(f"no answer: no writer has stored a run within {_PATIENCE} s")
        time.sleep(0.05)
    return rng.choice(some)


def _writers(folder: Path, count: int, roots: list[Path], url: str) -> list[Writer]:
    return [
        Writer(number=number, root=root, url=url, stop=folder / "stop", output=folder / f"writer{number}.txt")
        for number, root in zip(range(count), roots, strict=True)
    ]


@contextmanager
def _by_git(folder: Path, count: int) -> Iterator[Kind]:
    root = _repository(folder)
    remote = folder / "remote.git"
    _git(folder, "clone", "-q", "--bare", str(root), str(remote))
    clones = [folder / f"clone{number}" for number in range(count + 1)]
    for clone in clones:
        _git(folder, "clone", "-q", str(remote), str(clone))

    def all_of_it() -> Store:
        opened = open_history(clones[-1], environ={})
        sync(opened)
        return opened.store

    yield Kind(_writers(folder, count, clones[:-1], ""), all_of_it)


@contextmanager
def _in_sqlite(folder: Path, count: int) -> Iterator[Kind]:
    url = f"sqlite:///{folder / 'history.sqlite'}"
    yield Kind(_writers(folder, count, [_repository(folder)] * count, url), lambda: open_store(url))


@contextmanager
def _in_postgres(folder: Path, count: int) -> Iterator[Kind | None]:
    sys.path.insert(0, str(TESTS))
    from postgres import running, server_programs

    programs = server_programs()
    if programs is None:
        say("postgresql   left out: no server (apt-get install postgresql)")
        yield None
        return
    with running(programs) as server:
        url = server.database()
        yield Kind(_writers(folder, count, [_repository(folder)] * count, url), lambda: open_store(url))


_KINDS = {"git ref": _by_git, "sqlite": _in_sqlite, "postgresql": _in_postgres}


def _repository(folder: Path) -> Path:
    root = folder / "root"
    root.mkdir()
    _git(root, "init", "-q", "-b", "main")
    for number in range(10):
        _git(root, "-c", "user.name=Ann", "-c", "user.email=a@b.c", "commit", "-q", "--allow-empty", "-m", str(number))
    return root


def _git(folder: Path, *args: str) -> None:
    subprocess.run(["git", *args], cwd=folder, check=True, env={**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null"})


if __name__ == "__main__":
    sys.exit(main())
