"""What the installed plugin costs a pytest run that does not use it.

Runs pytest on a file without tests, with the plugin and with `-p no:memgate` in turn, all other plugins off, so that
none of them has imported what the gate would. Each start is a fork of one process that has imported pytest and nothing
of the gate: what both sides share, and its noise, is paid once. Processor time is taken, which for one thread that
reads from the disk cache is the wall time of an idle machine; other processes can only add to it, so the quickest start
of each side counts. Prints the difference last; exits with 1 where it is above the bound.
"""

import argparse
import gc
import importlib
import os
import statistics
import sys
import time
from pathlib import Path

import pytest
from _pytest.config import default_plugins
from bench_common import only, project, say, title

BOUND_MS = 5.0
sys.dont_write_bytecode = False  # as on a user's machine, where pytest keeps what it has compiled


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=200)
    rounds = parser.parse_args().rounds
    title(f"pytest start-up, {rounds} rounds")
    with project() as folder:
        ours, without = _starts(folder, rounds)
    for side, times in (("installed, idle", ours), ("-p no:memgate", without)):
        quick, middle, _ = statistics.quantiles(times, n=4)
        say(f"{side:<16} min {min(times):6.1f} ms   quartile {quick:6.1f} ms   median {middle:6.1f} ms")
    say(f"difference of the medians {statistics.median(ours) - statistics.median(without):+.1f} ms")
    difference = min(ours) - min(without)
    say(f"idle: {difference:+.1f} ms (at most {BOUND_MS:+.0f} ms)")
    return int(difference > BOUND_MS)


def _starts(folder: Path, rounds: int) -> tuple[list[float], list[float]]:
    """Return the milliseconds of the starts with the plugin and without it."""
    test = folder / "test_nothing.py"
    test.write_text("", encoding="utf-8")
    common = ["-q", "-p", "no:cacheprovider", "--rootdir", str(folder), str(test)]
    sides = {True: [*only("memgate"), *common], False: [*only(), *common]}
    for name in default_plugins:
        importlib.import_module(f"_pytest.{name}")
    gc.collect()
    gc.freeze()  # or each start collects, at its end, what the parent has imported
    times: dict[bool, list[float]] = {True: [], False: []}
    for number in range(rounds + 1):
        for side in sorted(sides, reverse=bool(number % 2)):
            milliseconds = _start(sides[side])
            if number:  # the first starts compile and fill the disk cache
                times[side].append(milliseconds)
    return times[True], times[False]


def _start(options: list[str]) -> float:
    """Run pytest in a fork of this process; return its milliseconds."""
    if "pytest_memgate" in sys.modules:
        sys.exit("no answer: the gate is imported already")
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        start = time.process_time()
        code = pytest.main(options)
        milliseconds = 1000 * (time.process_time() - start)
        os.write(writing, f"{int(code)} {milliseconds}".encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        code_of, _, milliseconds_of = answer.read().partition(" ")
    os.waitpid(child, 0)
    if code_of != str(int(pytest.ExitCode.NO_TESTS_COLLECTED)):
        sys.exit(f"no answer: pytest ended with exit code {code_of or 'none'}")
    return float(milliseconds_of)


if __name__ == "__main__":
    sys.exit(main())
