"""What each trick of a gated run buys: each is switched off in turn, on suites that are unchanged.

One is a real public suite, of small tests. The other one is written here: tests that hold 0.4 to 0.9 MB while they run,
three in a class. One baseline each, made as usual; then, in each round, the gate as it is and the gate without each
trick, in turn. Prints a row a trick: the processor time, as a multiple of the gate's as it is in the same round (the
median of the rounds), the share of tests that one tracker settled together, and the findings that would alarm. Exits
with 1 where the gate as it is alarms.
"""

import argparse
import statistics
import sys
from pathlib import Path

from bench_common import OUTCOMES_THAT_ALARM, findings, only, project, run_pytest, say, title

_AS_IT_IS = "as it is"
# What is done before the first test, with these modules imported: see `_PLUGIN`.
TRICKS = {
    _AS_IT_IS: "pass",
    "probe block": "groups.Grouping.probe_size = lambda *_: 0",
    "tighten": "tracker.Span.tighten = lambda *_: None",
    "halves": "loop.Loop._settle_together = lambda *_: None",
    "freeze": "recorder.freeze = lambda: None; recorder.is_frozen = lambda: True",
    "collections around a call": "recorder.Recorder.collect = lambda self: None",
    "arena room": "tracker._make_room = lambda: None",
    "pause between calls": "tracker.can_pause = lambda: False",
    "named imports": "tracker.traced_imports = recorder.traced_imports = contextlib.nullcontext",
    "groups across classes": "groups.home = runs.home = lambda item: item.parent",
}
_PLUGIN = """
import contextlib

import pytest


@pytest.hookimpl(trylast=True)
def pytest_configure(config):
    from pytest_memgate.measure.memory import recorder, shared_tracker as tracker
    from pytest_memgate.plugin.loop import groups, loop, runs

    {trick}
"""
_LARGER = """
import pytest

KEPT = []
{classes}
"""
_CLASS = """
class Test{first}:
    @pytest.mark.parametrize("n", range({first}, {first} + 3))
    def test_held(self, n):
        held = [str(i) * 3 for i in range(6000 + 50 * n)]
        KEPT.append("k" * 20 * n)
        assert held
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suite", nargs="*", default=["networkx.classes"], help="importable test packages")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    title(f"each trick switched off, {arguments.rounds} rounds")
    alarms = sum(
        _compare(name, args, arguments.rounds)
        for name, args in {
            " ".join(arguments.suite): ("--pyargs", *arguments.suite),
            "150 larger tests": ("test_larger.py",),
        }.items()
    )
    say(f"alarms of the gate as it is: {alarms} (at most 0)")
    return int(alarms > 0)


def _compare(suite: str, args: tuple[str, ...], rounds: int) -> int:
    """Print the rows of a suite; return the alarms of the gate as it is."""
    common = [*only("memgate"), *args]
    with project() as folder:
        classes = "".join(_CLASS.format(first=first) for first in range(0, 150, 3))
        (folder / "test_larger.py").write_text(_LARGER.format(classes=classes), encoding="utf-8")
        for number, trick in enumerate(TRICKS.values()):
            (folder / f"without_{number}.py").write_text(_PLUGIN.format(trick=trick), encoding="utf-8")
        run_pytest(folder, *common, "--memgate", "--memgate-update").expect(0)
        found = [_round(folder, common) for _ in range(rounds)]
    say(f"| {suite}, without | processor time | settled together | alarms |\n|---|---|---|---|")
    for name in TRICKS:
        ratio = statistics.median(one[name][0] / one[_AS_IT_IS][0] for one in found)
        together = statistics.median(one[name][1] for one in found)
        say(f"| {name} | {ratio:.2f} | {together:.1%} | {sum(one[name][2] for one in found)} |")
    return sum(one[_AS_IT_IS][2] for one in found)


def _round(folder: Path, common: list[str]) -> dict[str, tuple[float, float, int]]:
    """Return each side's processor seconds, its share of tests that were settled together, and its alarms."""
    found = {}
    for number, name in enumerate(TRICKS):
        done = run_pytest(
            folder, *common, "-p", f"without_{number}", "--memgate", "--memgate-report=run.json", path=folder
        ).expect(0, 1)
        told = findings(folder / "run.json")
        peaks = [one["measurement"] for one in told if one["metric"] == "memory.peak" and "measurement" in one]
        together = sum(one.get("together", 1) > 1 and not one.get("warm") for one in peaks)
        alarms = sum(one["outcome"] in OUTCOMES_THAT_ALARM for one in told)
        say(f"{name:<26} {done.cpu_seconds:6.2f} s processor   {done.summary()}")
        found[name] = (done.cpu_seconds, together / len(peaks), alarms)
    return found


if __name__ == "__main__":
    sys.exit(main())
