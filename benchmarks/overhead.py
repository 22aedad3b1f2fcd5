"""How long a gated run takes against pytest-memray's at equal precision, and what it adds, on a real public suite.

The suite runs as it is, and with scipy and pandas loaded, whose many libraries make each start of a tracker slow. The
sides run in turn, each round in another order, with the same plugins loaded. The gated sides judge against a baseline
made beforehand: by bounds, and each test on its own. Prints the ratios of the medians last: of wall times against
pytest-memray's, of processor times against the suite alone, the update's too. Exits with 1 where one of those by bounds
against pytest-memray is above its own bound.
"""

import argparse
import importlib.util
import statistics
import sys
from collections import Counter
from pathlib import Path

from bench_common import Done, findings, only, project, run_pytest, say, title

SCENES = {"plain": ((), 0.6), "with scipy and pandas loaded": (("scipy.stats", "pandas"), 0.4)}
_BY_BOUND = "--memgate"
_EACH = "--memgate --memgate-measure=each"
_MEMRAY = "--memray --trace-python-allocators"
_REPORT = ("--memgate-report", "run.json")
SIDES = {
    _BY_BOUND: ("--memgate", "--memgate-measure=bound", *_REPORT),
    _EACH: ("--memgate", "--memgate-measure=each", *_REPORT),
    _MEMRAY: tuple(_MEMRAY.split()),
    "neither": (),
}
_LOADED = "loaded"  # a plugin that imports


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suite", nargs="*", default=["networkx.classes"], help="importable test packages")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    title(f"whole runs of {' '.join(arguments.suite)}, {arguments.rounds} rounds")
    results = [
        _compare(scene, modules, bound, arguments.suite, arguments.rounds) for scene, (modules, bound) in SCENES.items()
    ]
    for line, _ in results:
        say(line)
    return int(not all(holds for _, holds in results))


def _compare(scene: str, modules: tuple[str, ...], bound: float, suite: list[str], rounds: int) -> tuple[str, bool]:
    """Return what is to be said of a scene, and whether its bound holds."""
    if missing := [name for name in modules if importlib.util.find_spec(name.partition(".")[0]) is None]:
        say(f"no answer: this benchmark needs {', '.join(missing)} (pip install -r benchmarks/requirements.txt)")
        sys.exit(2)
    say(f"-- {scene}")
    common = [*only("memgate", "memray"), "-p", _LOADED, "--pyargs", *suite]
    with project() as folder:
        (folder / f"{_LOADED}.py").write_text("".join(f"import {name}\n" for name in modules), encoding="utf-8")
        made = run_pytest(folder, *common, "--memgate", "--memgate-update", path=folder).expect(0)
        say(f"baseline made: {made.cpu_seconds:.1f} s processor   {made.summary()}")
        runs = _rounds(folder, common, rounds)
    middle = {side: statistics.median(one.seconds for one in done) for side, done in runs.items()}
    cpu = {side: statistics.median(one.cpu_seconds for one in done) for side, done in runs.items()}
    for side in SIDES:
        say(f"{side:<36} median {middle[side]:7.2f} s, {cpu[side]:7.2f} s processor")
    each, by_bound = (middle[side] / middle[_MEMRAY] for side in (_EACH, _BY_BOUND))
    told = f"by bounds {by_bound:.2f} (at most {bound}), each {each:.2f}"
    gate, update = (seconds / cpu["neither"] for seconds in (cpu[_BY_BOUND], made.cpu_seconds))
    added = f"by bounds {gate:.1f}, an update {update:.1f}"
    return f"{scene}: against {_MEMRAY}, {told}; against neither, processor time, {added}", by_bound <= bound


def _rounds(folder: Path, common: list[str], rounds: int) -> dict[str, list[Done]]:
    runs: dict[str, list[Done]] = {side: [] for side in SIDES}
    sides = list(SIDES)
    for number in range(rounds):
        turn = number % len(sides)
        for side in sides[turn:] + sides[:turn]:
            done = run_pytest(folder, *common, *SIDES[side], path=folder).expect(0)
            runs[side].append(done)
            said = _measured(folder, side, done.summary())
            say(f"round {number + 1}  {side:<36} {done.seconds:7.2f} s, {done.cpu_seconds:7.2f} s processor   {said}")
    return runs


def _measured(folder: Path, side: str, summary: str) -> str:
    """Return what a run says of itself: a gate that measured nothing would be quick."""
    if side not in {_BY_BOUND, _EACH}:
        return summary
    peaks = [found["measurement"] for found in findings(folder / "run.json") if found["metric"] == "memory.peak"]
    count = Counter(
        "run again" if one.get("warm") else "settled together" if one.get("together", 1) > 1 else "settled alone"
        for one in peaks
    )
    told = ", ".join(f"{number / len(peaks):.1%} {what}" for what, number in sorted(count.items()))
    return f"{summary}; {len(peaks)} measured: {told}"


if __name__ == "__main__":
    sys.exit(main())
