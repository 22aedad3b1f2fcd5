"""How long a gated run takes against pytest-memray's, on a real public suite.

The sides run in turn, each round in another order, with the same plugins loaded. The gated side judges against a
baseline made beforehand. Prints the ratio of the medians last; exits with 1 where it is above the bound.
"""

import argparse
import statistics
import sys
from pathlib import Path

from bench_common import Done, findings, only, project, run_pytest, say, title

BOUND = 1.0
_MEMRAY = ("--memray", "--trace-python-allocators")
_GATED = "--memgate"
_AS_USERS_HAVE_IT = "--memray"
SIDES = {
    _GATED: ("--memgate", "--memgate-report", "run.json"),
    _AS_USERS_HAVE_IT: _MEMRAY,
    "--memray, its summary hidden": (*_MEMRAY, "--hide-memray-summary"),
    "neither": (),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suite", nargs="*", default=["networkx.classes"], help="importable test packages")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    common = [*only("memgate", "memray"), "--pyargs", *arguments.suite]
    title(f"whole runs of {' '.join(arguments.suite)}, {arguments.rounds} rounds")
    with project() as folder:
        made = run_pytest(folder, *common, "--memgate", "--memgate-update").expect(0)
        say(f"baseline made: {made.summary()}")
        runs = _rounds(folder, common, arguments.rounds)
    middle = {side: statistics.median(one.seconds for one in done) for side, done in runs.items()}
    cpu = {side: statistics.median(one.cpu_seconds for one in done) for side, done in runs.items()}
    for side in SIDES:
        say(f"{side:<30} median {middle[side]:7.2f} s, {cpu[side]:7.2f} s processor")
    for side in SIDES:
        if side not in {_GATED, _AS_USERS_HAVE_IT}:
            say(f"--memgate against {side}: {middle[_GATED] / middle[side]:.2f}")
    say(f"--memgate against {' '.join(_MEMRAY)}, processor time: {cpu[_GATED] / cpu[_AS_USERS_HAVE_IT]:.2f}")
    ratio = middle[_GATED] / middle[_AS_USERS_HAVE_IT]
    say(f"--memgate against {' '.join(_MEMRAY)}: {ratio:.2f} (at most {BOUND})")
    return int(ratio > BOUND)


def _rounds(folder: Path, common: list[str], rounds: int) -> dict[str, list[Done]]:
    runs: dict[str, list[Done]] = {side: [] for side in SIDES}
    sides = list(SIDES)
    for number in range(rounds):
        turn = number % len(sides)
        for side in sides[turn:] + sides[:turn]:
            done = run_pytest(folder, *common, *SIDES[side]).expect(0)
            runs[side].append(done)
            said = _measured(folder, side, done.summary())
            say(f"round {number + 1}  {side:<30} {done.seconds:7.2f} s, {done.cpu_seconds:7.2f} s processor   {said}")
    return runs


def _measured(folder: Path, side: str, summary: str) -> str:
    """Return what a run says of itself: a gate that measured nothing would be quick."""
    if side != _GATED:
        return summary
    measured = [finding["measurement"] for finding in findings(folder / "run.json") if "measurement" in finding]
    again = sum(bool(measurement.get("warm")) for measurement in measured)
    return f"{summary}; {len(measured)} measured, {again} of them run again"


if __name__ == "__main__":
    sys.exit(main())
