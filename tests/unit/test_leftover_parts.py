"""What is alive, what of it was not there before, and where it was started."""

import asyncio
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from samples import FILE, OTHER_HEADER, SUBJECT, budget, commit_all, exact, known, make_gate, put_baseline, site

from pytest_memgate.compare.judge import judge
from pytest_memgate.measure.resources.asyncio_tasks import let_end, on_closing, pending
from pytest_memgate.measure.resources.origins import Origins, described, sites
from pytest_memgate.measure.resources.snapshot import OWN_FILES, Left, alive, changed, left, settled, unseen
from pytest_memgate.measure.stacks.source_paths import Places
from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.model.judgement.reference import Reference
from pytest_memgate.model.run import ChangeKind
from pytest_memgate.report.lines import failure_text
from pytest_memgate.report.words.contributions import growth_lines
from pytest_memgate.tasks.baseline.update import Order, update
from pytest_memgate.units import PLAIN

ROOT = Path(__file__).parents[1]
listed = pytest.mark.skipif(bool(unseen()), reason="this system does not list files and children")


@pytest.fixture
def places() -> Places:
    return Places(ROOT)


@pytest.fixture
def thread() -> Iterator[threading.Thread]:
    end = threading.Event()
    thread = threading.Thread(target=end.wait, name="poller", daemon=True)
    yield thread
    end.set()
    thread.join()


def test_a_thread_that_was_not_there_is_left(thread: threading.Thread) -> None:
    before = alive()
    thread.start()
    found = left(before, alive())
    assert found.new["threads"] == (thread.native_id,)
    assert [found.count(kind) for kind in ("threads", "tasks", "processes", "files")] == [1, 0, 0, 0]


@listed
def test_a_descriptor_that_a_waiting_thread_has_reserved_hides_no_other() -> None:
    """A thread that waits in accept() has the number of what it will return: that is neither free nor open."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        accepted: list[tuple[socket.socket, object]] = []
        waiting = threading.Thread(target=lambda: accepted.append(server.accept()))
        waiting.start()
        time.sleep(0.1)
        before = alive()
        made = [os.open(os.devnull, os.O_RDONLY) for _ in range(2)]
        found = left(before, alive())
        socket.create_connection(server.getsockname()).close()
        waiting.join()
        accepted[0][0].close()
    assert sorted(found.new["files"]) == sorted(made)
    for descriptor in made:
        os.close(descriptor)


@listed
def test_each_descriptor_counts_once_whatever_is_free_below_it() -> None:
    holes = [os.open(os.devnull, os.O_RDONLY) for _ in range(3)]
    os.close(holes.pop(1))
    before = alive()
    made = [os.open(os.devnull, os.O_RDONLY) for _ in range(2)]
    assert sorted(left(before, alive()).new["files"]) == sorted(made)
    OWN_FILES.update(made)
    assert left(before, alive()).count("files") == 0
    OWN_FILES.difference_update(made)
    for one in (*holes, *made):
        os.close(one)
    assert left(before, alive()).count("files") == 0


@listed
def test_an_ended_child_counts_until_it_is_waited_for(places: Places) -> None:
    before = alive()
    process = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert left(before, alive()).new["processes"] == (process.pid,)
    assert described("processes", process.pid, places).endswith(", ended and not waited for")
    process.wait()
    assert left(before, alive()).count("processes") == 0


def test_what_was_replaced_has_not_grown() -> None:
    before = {"threads": frozenset({1}), "processes": frozenset({7}), "files": frozenset({3, 4})}
    after = {"threads": frozenset({2}), "processes": frozenset({7, 8}), "files": frozenset({5, 6, 9})}
    found = left(before, after)
    assert {kind: found.count(kind) for kind in after} == {"threads": 0, "processes": 1, "files": 1}


def test_what_a_wider_fixture_starts_and_ends_is_not_the_tests() -> None:
    def look(*threads: int) -> dict[str, frozenset[int]]:
        return {"threads": frozenset(threads)}

    known = changed(look(1, 2), look(1, 2, 3), look(1, 3, 4))
    assert known == look(1, 4)


def test_a_pool_that_was_there_may_hold_more_workers() -> None:
    gate = threading.Event()
    with ThreadPoolExecutor(3) as pool:
        pool.submit(gate.wait)
        before = alive()
        pool.submit(gate.wait)
        after = alive()
        gate.set()
    assert len(after["threads"] - before["threads"]) == 1
    assert left(before, after).count("threads") == 0


def test_a_new_pool_is_left() -> None:
    before = alive()
    with ThreadPoolExecutor(2) as pool:
        pool.submit(abs, 1)
        found = left(before, alive())
    assert found.count("threads") == 1


def test_what_is_just_ending_is_waited_for() -> None:
    before = alive()
    threading.Timer(0.05, int).start()
    found = settled(lambda: left(before, alive()), lambda found: not found.count("threads"), 5)
    assert found.count("threads") == 0


def test_the_wait_ends_and_garbage_is_gone_by_then(thread: threading.Thread, tmp_path: Path) -> None:
    before = alive()
    thread.start()
    held: list[object] = [(tmp_path / "log").open("w")]
    held.append(held)
    del held
    start = time.monotonic()
    with pytest.warns(ResourceWarning):
        found = settled(lambda: left(before, alive()), lambda found: not found.count("threads"), 0.05)
    assert found.count("threads") == 1
    assert found.count("files") == 0
    assert time.monotonic() - start < 5


async def _poll() -> None:
    while True:  # noqa: ASYNC110  # what is left behind most often
        await asyncio.sleep(0.01)


def test_a_closing_loop_tells_of_the_tasks_that_it_cancels() -> None:
    seen: list[set[str]] = []

    def tell(loop: asyncio.AbstractEventLoop) -> None:
        short = {task for task in pending(loop) if "sleep" in str(task.get_coro())}
        let_end(loop, short, 5)
        seen.append({task.get_coro().__qualname__ for task in pending(loop)})  # type: ignore[union-attr]

    async def main() -> None:
        kept.update(asyncio.create_task(one) for one in (_poll(), asyncio.sleep(0.01)))

    kept: set[asyncio.Task[None]] = set()
    release = on_closing(tell)
    assert release is not None
    asyncio.run(main())
    release()
    asyncio.run(main())
    assert seen == [{"_poll"}]


def test_without_a_loop_nothing_is_pending() -> None:
    assert pending() == set()


@listed
def test_each_is_named_with_the_line_that_started_it(places: Places, thread: threading.Thread, tmp_path: Path) -> None:
    before, origins, started = alive(), Origins(), threading.Thread.start
    with origins.recording():
        thread.start()
        file = (tmp_path / "log").open("w")
        process = subprocess.Popen(["sleep", "60"])
        ends = os.pipe()
    assert threading.Thread.start is started
    found = left(before, alive())
    (by_thread,) = sites("threads", found.new["threads"], origins, places)
    (by_process,) = sites("processes", found.new["processes"], origins, places)
    by_file = sites("files", found.new["files"], origins, places)
    process.kill()
    process.wait()
    file.close()
    for end in ends:
        os.close(end)
    line = by_thread.line
    assert by_thread.label == f"unit/test_leftover_parts.py:{line} in test_each_is_named_with_the_line_that_started_it"
    assert by_thread.what == 'daemon thread "poller"'
    assert (by_process.line, by_process.what) == (line + 2, 'process "sleep"')
    assert [one.size for one in by_file] == [3]
    assert by_file[0].what == f"file {tmp_path}/log, pipe"


def test_a_task_is_named_by_its_coroutine_where_its_start_was_not_seen(places: Places) -> None:
    async def main() -> tuple[str, ...]:
        before, origins = asyncio.create_task(_poll()), Origins()
        with origins.recording():
            after = asyncio.create_task(_poll())
        found = sites("tasks", [before, after], origins, places)
        before.cancel()
        after.cancel()
        return tuple(sorted(f"{one.function}: {one.what}" for one in found))

    assert asyncio.run(main()) == ("_poll: task _poll()", "main: task _poll()")


def test_what_nobody_recorded_is_named_by_what_it_is(places: Places) -> None:
    (found,) = sites("files", [0], Origins(), places)
    assert found.path == "a file"
    assert found.what


def _finding(root: Path, value: int) -> Finding:
    sites = (site("start", value, line=12, what='thread "poller"'),) if value else ()
    measurement = exact(value, sites=sites)
    return make_gate(root).assess(SUBJECT, "leftover.threads", measurement, {})


def test_a_test_without_an_entry_is_held_against_nothing(tmp_path: Path) -> None:
    assert _finding(tmp_path, 1).outcome is Outcome.NO_BASELINE
    put_baseline(tmp_path, {"test_other": Reference(value=5)}, header=OTHER_HEADER)
    finding = _finding(tmp_path, 1)
    assert finding.outcome is Outcome.REGRESSED
    assert finding.baseline == 0
    assert growth_lines(finding) == ['       +1  shop/orders.py:12 in start  (thread "poller")']
    assert "leftover.threads 0 -> 1: +1 is over its budget of 0" in failure_text(finding)


def test_a_limit_and_a_growth_hold_for_counts() -> None:
    allowed = budget("1", unit=PLAIN)
    for value, outcome in ((1, Outcome.PASSED), (2, Outcome.REGRESSED)):
        found = judge(SUBJECT, "leftover.tasks", exact(value), allowed, known(Reference(value=0)))
        assert found.outcome is outcome


def test_an_entry_stands_only_for_what_is_left(tmp_path: Path) -> None:
    put_baseline(tmp_path, {SUBJECT.name: Reference(value=5)})
    whole = {FILE: frozenset({SUBJECT.name})}

    def updated(value: int, reason: str = "") -> list[tuple[ChangeKind, float | None, float | None]]:
        gate = make_gate(tmp_path)
        order = Order(reason=reason, collected=whole)
        peak = gate.assess(SUBJECT, "memory.peak", exact(5), {})
        findings = (peak, _finding(tmp_path, value))
        done = update(tmp_path, gate.baselines.head, gate.environment.header, findings, order)
        return [(change.kind, change.before, change.after) for change in (*done.changes, *done.unreasoned)]

    def text() -> str:
        (path,) = (tmp_path / ".memgate").rglob("*.yaml")
        return path.read_text(encoding="utf-8")

    before = text()
    assert updated(0) == []
    assert updated(1) == [(ChangeKind.RAISED, 0, 1)]
    assert text() == before
    assert updated(1, "it is meant") == [(ChangeKind.RAISED, 0, 1)]
    assert "leftover.threads:\n      value: 1\n      anchor: 0\n      reason: it is meant\n" in text()
    assert updated(1) == []
    assert updated(0) == [(ChangeKind.LOWERED, 1, 0)]
    assert text() == before


def test_a_change_cannot_bring_its_own_leftover_in_silence(tmp_path: Path) -> None:
    path = put_baseline(tmp_path, {SUBJECT.name: Reference(value=5)})
    commit_all(tmp_path)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("# end", "    leftover.threads:\n      value: 1\n\n# end"), encoding="utf-8")
    gate = make_gate(tmp_path, base="main")
    bar = gate.baselines.bar(SUBJECT, "leftover.threads")
    assert bar.reference == Reference(value=0)
    raised = next(gate.baselines.changes())
    assert (raised.kind, raised.before, raised.after, raised.reason) == (ChangeKind.RAISED, 0, 1, "")
    assert gate.baselines.stored(SUBJECT, "leftover") == {"leftover.threads"}


def test_nothing_is_left_by_default() -> None:
    assert Left().count("threads") == 0
