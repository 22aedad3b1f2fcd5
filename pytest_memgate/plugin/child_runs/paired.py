"""For `memgate compare`: a test that pytest-benchmark would time stays in its call, and times what it is asked to.

Loaded by the gate alone, with `-p`. It connects to the gate, at the place and with the token of an environment
variable, and takes commands, a line of JSON each:

- `{"do": "loops", "seconds": 0.05}`: how many calls take about so long; answers `{"loops": 120}`
- `{"do": "time", "loops": 120}`: time so many calls; answers `{"seconds": 0.0004}`, for each
- the end of the connection: go on with the test
"""

import gc
import json
import os
import socket
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any

import pytest

from pytest_memgate.plugin.child_runs.no_side_outputs import without_the_gate

VARIABLE = "MEMGATE_PAIRED"
_MOST = 1_000_000  # calls at once; chosen


@pytest.hookimpl(wrapper=True)
def pytest_cmdline_main(config: pytest.Config) -> Generator[None, object, object]:
    """Run in this process, without the gate, whatever the project's own options say."""
    without_the_gate(config)
    return (yield)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Put the commands in the place of pytest-benchmark's own rounds."""
    from pytest_benchmark.fixture import BenchmarkFixture

    def call(_: object, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return _served(lambda: (args, kwargs), function, has_setup=False)

    def pedantic(
        _: object,
        target: Callable[..., Any],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        setup: Callable[[], Any] | None = None,
        **__: object,
    ) -> Any:
        def arguments() -> tuple[Sequence[Any], Mapping[str, Any]]:
            return (setup() if setup else None) or (args, kwargs or {})

        return _served(arguments, target, has_setup=setup is not None)

    fixture: Any = BenchmarkFixture
    fixture.__call__, fixture.pedantic = call, pedantic
    if hasattr(config.option, "benchmark_disable"):
        config.option.benchmark_disable = False


def _served(
    arguments: Callable[[], tuple[Sequence[Any], Mapping[str, Any]]], function: Callable[..., Any], *, has_setup: bool
) -> Any:
    order = json.loads(os.environ[VARIABLE])

    def timed(loops: int) -> float:
        gc.collect()
        if has_setup:
            return sum(_timed(function, *arguments(), 1) for _ in range(loops))
        given, named = arguments()
        return _timed(function, given, named, loops)

    with socket.create_connection(("127.0.0.1", order["port"])) as peer, peer.makefile("rw", encoding="utf-8") as way:
        _say(way, token=order["token"])
        for line in way:
            told = json.loads(line)
            if told["do"] == "loops":
                _say(way, loops=_loops(timed, told["seconds"]))
            else:
                _say(way, seconds=timed(told["loops"]) / told["loops"])
    given, named = arguments()
    return function(*given, **named)


def _timed(function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], loops: int) -> float:
    calls = range(loops)
    start = time.perf_counter()
    for _ in calls:
        function(*args, **kwargs)
    return time.perf_counter() - start


def _loops(timed: Callable[[int], float], seconds: float) -> int:
    """Return how many calls take about so many seconds."""
    loops = 1
    while (took := timed(loops)) < seconds / 4 and loops < _MOST:
        loops = min(_MOST, max(2 * loops, int(loops * seconds / max(took, 1e-9))))
    return max(1, min(_MOST, round(loops * seconds / max(took, 1e-9))))


def _say(way: Any, **what: object) -> None:
    way.write(json.dumps(what) + "\n")
    way.flush()
