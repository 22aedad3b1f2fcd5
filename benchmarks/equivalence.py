"""Whether the verdicts by bounds are those of each test measured on its own.

A real public suite is measured once. Then a plugin lets one test in ten grow by 0.5 to 2 times its budget, in what it
holds for a moment or in what it leaves behind. The same growths are judged by bounds, and each test on its own: in
order, in random order and on two workers. A bound proves that a test is within its budget and does not say how far:
passed and improved are one verdict. Prints the tests whose verdicts differ last; exits with 1 if there is one.
"""

import argparse
import sys
from collections import Counter
from pathlib import Path

from bench_common import findings, only, project, run_pytest, say, title

SUITE = ("networkx.classes", "networkx.utils")
_GROWS = "grows"
# A test is known by its name alone, so that it grows by the same in any order; each run of it does.
_PLUGIN = """\
import functools
import zlib

import pytest

SHARES = (0.5, 0.7, 0.9, 0.95, 1.05, 1.1, 1.5, 2.0)
KEPT = []


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item):
    number = zlib.crc32(item.nodeid.rpartition("/")[2].encode())
    if not isinstance(item, pytest.Function) or number % 10:
        return (yield)
    number //= 10
    original = item.obj
    item.obj = grown(original, SHARES[number % len(SHARES)], keeps=number // len(SHARES) % 2)
    try:
        return (yield)
    finally:
        item.obj = original


def grown(function, share, *, keeps):
    @functools.wraps(function)
    def call(*args, **kwargs):
        size = share * (64_000 if keeps else 200_000)
        held = [bytes(967) for _ in range(int(size) // 1008)]  # 1,000 bytes each, and 8 to point there
        if keeps:
            KEPT.append(held)
        return function(*args, **kwargs)

    return call
"""
_IN_ORDER = ("-p", "no:randomly")
_ORDERS = {
    "in order": _IN_ORDER,
    "random order": ("--randomly-seed=7",),
    "two workers": (*_IN_ORDER, "-n", "2"),
    "two workers, random order": ("--randomly-seed=11", "-n", "2"),
}
_SAME = {"improved": "passed"}

Verdicts = dict[tuple[str, str], str]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suite", nargs="*", default=SUITE, help="importable test packages")
    arguments = parser.parse_args()
    title(f"verdicts on {' '.join(arguments.suite)}, by bounds and each")
    common = [*only("memgate", "randomly", "xdist", "xdist.looponfail"), "--pyargs", *arguments.suite]
    differences = 0
    with project() as folder:
        (folder / f"{_GROWS}.py").write_text(_PLUGIN, encoding="utf-8")
        made = run_pytest(folder, *common, *_IN_ORDER, "--memgate", "--memgate-update").expect(0)
        say(f"baseline made: {made.summary()}")
        for name, order in _ORDERS.items():
            each, by_bound = (_verdicts(folder, mode, *common, *order) for mode in ("each", "bound"))
            counts = Counter(outcome for (_, metric), outcome in each.items() if metric == "memory.peak")
            told = ", ".join(f"{number} {outcome}" for outcome, number in sorted(counts.items()))
            held = sum(metric == "memory.retained" and outcome == "regressed" for (_, metric), outcome in each.items())
            say(f"{name:<26} {told} of memory.peak, {held} regressed of memory.retained")
            for key in sorted(each.keys() | by_bound.keys()):
                one, other = (verdicts.get(key, "passed") for verdicts in (each, by_bound))
                if _SAME.get(one, one) != _SAME.get(other, other):
                    differences += 1
                    say(f"    {' '.join(key)}: {one} on its own, {other} by bounds")
            if not held or not counts["regressed"]:
                say("no answer: nothing regressed")
                return 2
    say(f"{differences} verdicts differ in {len(_ORDERS)} orders")
    return int(differences > 0)


def _verdicts(folder: Path, mode: str, *options: str) -> Verdicts:
    """Return the outcomes by test and metric; of a metric that a test has no finding of, there is nothing to say."""
    report = folder / "run.json"
    report.unlink(missing_ok=True)
    more = ("-p", _GROWS, "--memgate", f"--memgate-measure={mode}", "--memgate-report", report.name)
    run_pytest(folder, *options, *more, path=folder).expect(0, 1)
    return {(one["test"], one["metric"]): one["outcome"] for one in findings(report)}


if __name__ == "__main__":
    sys.exit(main())
