"""How long a baseline of 10,000 tests takes to load and judge, and to update when nothing has changed.

100 test files with 100 tests each and six call sites a test. Each measurement runs in a process of its own, five times;
the quickest counts, as another process can only slow it down. Imports are not in it: a gated run has them anyway.
Prints both times last; exits with 1 where one is above its bound, and where the update that changes nothing changes a
byte.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bench_common import project, say, title

from pytest_memgate.measure.python.environment import here
from pytest_memgate.model.judgement.budget import BudgetRule, RuleKind
from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.model.measurement import Basis, Measurement
from pytest_memgate.model.metric import MEMORY_PEAK
from pytest_memgate.model.site import Site
from pytest_memgate.model.subject import Subject
from pytest_memgate.tasks.baseline.update import Order, update
from pytest_memgate.tasks.judge.gate import Gate, open_gate

JUDGE_S, UPDATE_S = 1.0, 3.0
_FILES, _TESTS, _SITES, _REPEATS = 100, 100, 6, 5
_METRIC = MEMORY_PEAK.name


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="?", choices=sorted(_PARTS), help="one measurement alone, in --folder")
    parser.add_argument("--folder", type=Path)
    arguments = parser.parse_args()
    if arguments.part:
        say(str(_PARTS[arguments.part](arguments.folder)))
        return 0
    title(f"a baseline of {_FILES * _TESTS} tests in {_FILES} files, {_SITES} call sites each")
    with project() as folder:
        say(f"made in {_make(folder):.2f} s")
        before = _files(folder)
        say(f"{len(before)} files, {sum(map(len, before.values())) / 1e6:.1f} MB")
        judged, updated = _quickest("judge", folder), _quickest("update", folder)
        same = _files(folder) == before
    say(f"the update that changes nothing: {'no byte changed' if same else 'BYTES CHANGED'}")
    say(f"load and judge {judged:.2f} s (at most {JUDGE_S}), no-op update {updated:.2f} s (at most {UPDATE_S})")
    return int(judged > JUDGE_S or updated > UPDATE_S or not same)


def _quickest(part: str, folder: Path) -> float:
    command = [sys.executable, __file__, part, "--folder", str(folder)]
    times = [
        float(subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout)
        for _ in range(_REPEATS)
    ]
    say(f"{part:<7} {', '.join(f'{seconds:.2f}' for seconds in times)} s")
    return min(times)


def _make(folder: Path) -> float:
    """Write the baselines, as an update of a whole project does; return the seconds."""
    gate = open_gate(folder, here())
    found = list(_found())
    start = time.perf_counter()
    update(folder, gate.baselines.head, gate.environment.header, found, Order())
    return time.perf_counter() - start


def _judge(folder: Path) -> float:
    """Load the baselines and judge each test by a first run within its budget; return the seconds."""
    known = [(one.subject, _bound(one.measurement)) for one in _found() if one.measurement]
    start = time.perf_counter()
    gate = open_gate(folder, here())
    outcomes = {_judged(gate, subject, measurement).outcome for subject, measurement in known}
    seconds = time.perf_counter() - start
    if outcomes != {Outcome.PASSED}:
        sys.exit(f"no answer: a test within its budget is {outcomes}")
    return seconds


def _judged(gate: Gate, subject: Subject, measurement: Measurement) -> Finding:
    bar = gate.baselines.bar(subject, _METRIC)
    return gate.judge(subject, _METRIC, measurement, gate.config.budget(subject, _METRIC), bar)


def _update(folder: Path) -> float:
    """Update the baselines from values that are as they were; return the seconds."""
    found = list(_found())
    names: dict[str, set[str]] = {}
    for one in found:
        names.setdefault(one.subject.file, set()).add(one.subject.name)
    order = Order(collected={file: frozenset(tests) for file, tests in names.items()})
    start = time.perf_counter()
    gate = open_gate(folder, here())
    done = update(folder, gate.baselines.head, gate.environment.header, found, order)
    seconds = time.perf_counter() - start
    if done.changes or done.problems or done.unreasoned:
        sys.exit(f"no answer: the update was to change nothing, but did {len(done.changes)} changes")
    return seconds


_PARTS: dict[str, Callable[[Path], float]] = {"judge": _judge, "update": _update}


def _found() -> Iterator[Finding]:
    """Yield a settled finding for each test, the same each time."""
    for file in range(_FILES):
        for test in range(_TESTS):
            subject = Subject(f"tests/part_{file % 10}/test_module_{file:03}.py", f"test_case_{test:03}[value-{test}]")
            value = 100_000 + 1_000 * test + file
            yield Finding(
                subject=subject,
                metric=_METRIC,
                outcome=Outcome.PASSED,
                measurement=_settled(value, file),
                allowed=200_000,
                rules=(BudgetRule(rule=RuleKind.GROWTH, amount=200_000),),
            )


def _settled(value: int, file: int) -> Measurement:
    sites = tuple(
        Site(path=f"shop/part_{file % 10}/module_{place}.py", function=f"function_{place}", size=value // _SITES)
        for place in range(_SITES)
    )
    return Measurement(value=value, basis=Basis.WARM, cold=value, warm=(value, value), settled=True, sites=sites)


def _bound(measurement: Measurement) -> Measurement:
    cold = measurement.value + 20_000
    return Measurement(value=cold, basis=Basis.BOUND, cold=cold)


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*.yaml"))}


if __name__ == "__main__":
    sys.exit(main())
