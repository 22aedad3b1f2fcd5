"""Tests that pytest-benchmark times: their times, further timed runs, and runs that are not timed."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from pytest_memgate.tasks.judge.times import Timing

_FIXTURES = ("benchmark", "benchmark_weave")


def is_benchmark(item: pytest.Item) -> bool:
    """True if a test uses pytest-benchmark's fixture, timed or not."""
    names = getattr(item, "fixturenames", ())
    return hasattr(item.config, "_benchmarksession") and any(name in names for name in _FIXTURES)


def is_timed(item: pytest.Item) -> bool:
    """True if pytest-benchmark will time a test; with workers or `--benchmark-disable`, it only calls it."""
    return is_benchmark(item) and not _session(item).disabled and not _session(item).skip


def was_timed(item: pytest.Item) -> bool:
    """True if pytest-benchmark has timed the item that has just run, whoever asked it to."""
    if not hasattr(item.config, "_benchmarksession"):
        return False
    last = _session(item).benchmarks[-1:]  # the item has just run
    return any(getattr(one, "fullname", "") == item.nodeid for one in last)


def why_not_timed(item: pytest.Item) -> str:
    """Return why a benchmark is not timed in this run."""
    if getattr(_session(item), "xdist_warning", False):
        return "pytest-benchmark does not time under xdist: run the timed tests without -n"
    return "pytest-benchmark is switched off: run without --benchmark-disable"


def timing_of(item: pytest.Item) -> Timing | None:
    """Return the times that pytest-benchmark took in the run that has just ended, None if it took none."""
    fixture = getattr(item, "funcargs", {}).get("benchmark")
    counted = getattr(getattr(fixture, "stats", None), "stats", None)
    rounds = getattr(counted, "data", None)
    if counted is None or not rounds:
        return None
    return Timing(
        min=counted.min,
        median=counted.median,
        mean=counted.mean,
        rounds=tuple(rounds),
        stats=getattr(fixture, "stats", None),
    )


def give_stats(item: pytest.Item, timing: Timing | None) -> None:
    """Let a run that is not timed see the times of one that was: the test may look at them."""
    fixture = getattr(item, "funcargs", {}).get("benchmark")
    if timing and fixture is not None and getattr(fixture, "stats", timing) is None:
        fixture.stats = timing.stats


@contextmanager
def untimed(item: pytest.Item) -> Iterator[None]:
    """Let pytest-benchmark only call its function, for a while."""
    session = _session(item)
    before, session.disabled = session.disabled, True
    try:
        yield
    finally:
        session.disabled = before


@contextmanager
def unlisted(item: pytest.Item) -> Iterator[None]:
    """Keep times taken meanwhile out of pytest-benchmark's own table, which lists the test already."""
    listed = _session(item).benchmarks
    known = len(listed)
    try:
        yield
    finally:
        del listed[known:]


def _session(item: pytest.Item) -> Any:
    return item.config._benchmarksession  # type: ignore[attr-defined]
