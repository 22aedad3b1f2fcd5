"""How often the gate goes red on a real public suite that has not changed.

One baseline, then runs of the same code: in order, in random orders, reversed, and on two workers. An alarm is a run
that does not end with 0, whose findings hold anything but a pass, or that measured another number of tests.
Prints the alarms last; exits with 1 if there is one.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from bench_common import OUTCOMES_THAT_ALARM, findings, only, project, run_pytest, say, title

SUITE = (
    "networkx.tests",
    "networkx.linalg",
    "networkx.utils",
    "networkx.algorithms.shortest_paths",
    "networkx.algorithms.bipartite",
)
_REVERSE = """\
def pytest_collection_modifyitems(items):
    items.reverse()
"""
_IN_ORDER = ("-p", "no:randomly")
_WORKERS = ("-n", "2")
_PLUGINS = ("memgate", "randomly", "xdist", "xdist.looponfail")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suite", nargs="*", default=SUITE, help="importable test packages")
    parser.add_argument("--runs", type=int, default=20)
    arguments = parser.parse_args()
    title(f"unchanged runs of {' '.join(arguments.suite)}")
    common = [*only(*_PLUGINS), "--pyargs", *arguments.suite]
    with project() as folder:
        (folder / "reverse_order.py").write_text(_REVERSE, encoding="utf-8")
        made = run_pytest(folder, *common, *_IN_ORDER, "--memgate", *_report("base"), "--memgate-update").expect(0)
        tests = _measured(folder, "base")
        say(f"baseline made: {made.summary()}, {tests} measured")
        alarms = 0
        for number, (name, options) in zip(range(1, arguments.runs + 1), _orders(), strict=False):
            done = run_pytest(folder, *common, *options, "--memgate", *_report("run"))
            alarm, said = _look(folder, done.code, tests)
            alarms += alarm
            say(f"run {number:<3} {name:<28} {done.seconds:6.1f} s  {'ALARM' if alarm else 'quiet'}  {said}")
            if alarm:
                say(_gate_section(done.output))
            (folder / "run.json").unlink(missing_ok=True)
    say(f"{alarms} alarms in {arguments.runs} runs of {tests} tests")
    return int(alarms > 0)


def _orders() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the ways to run, over and over, each random one with a seed of its own."""
    seed = 0
    while True:
        seed += 2
        yield "same order", _IN_ORDER
        yield f"random {seed}", (f"--randomly-seed={seed}",)
        yield "two workers", (*_IN_ORDER, *_WORKERS)
        yield f"two workers, random {seed + 1}", (f"--randomly-seed={seed + 1}", *_WORKERS)
        yield "reversed", (*_IN_ORDER, "-p", "reverse_order")


def _report(name: str) -> tuple[str, str]:
    return ("--memgate-report", f"{name}.json")


def _measured(folder: Path, name: str) -> int:
    """Return how many tests have a value; of other metrics there is a finding only where there is something to say."""
    found = findings(folder / f"{name}.json")
    return sum("measurement" in finding for finding in found if finding["metric"] == "memory.peak")


def _look(folder: Path, code: int, tests: int) -> tuple[bool, str]:
    """Return whether a run is an alarm, and what it found."""
    if not (folder / "run.json").exists():
        return True, f"exit {code}, no report"
    found = findings(folder / "run.json")
    outcomes = Counter(finding["outcome"] for finding in found)
    measured = _measured(folder, "run")
    again = sum(bool(finding.get("measurement", {}).get("warm")) for finding in found)
    alarm = code != 0 or measured != tests or any(outcomes[outcome] for outcome in OUTCOMES_THAT_ALARM)
    counts = ", ".join(f"{number} {outcome}" for outcome, number in sorted(outcomes.items()))
    return alarm, f"exit {code}: {counts}; {measured} measured, {again} run again"


def _gate_section(output: str) -> str:
    """Return the gate's summary, or the end of the output where there is none."""
    before, found, after = output.rpartition(" memgate ===")
    return f"memgate ==={after}" if found else before[-2000:] or output[-2000:]


if __name__ == "__main__":
    sys.exit(main())
