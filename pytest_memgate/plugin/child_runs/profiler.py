"""For `memgate profile`: each test is traced in its second run, and nothing is judged.

Loaded by that command alone, with `-p`. Its orders stand in an environment variable: before pytest loads any other
plugin, the code to be profiled must be found where the command says.
"""

import json
import os
from collections.abc import Generator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_memgate.measure.process.import_redirect import Elsewhere
from pytest_memgate.measure.python.environment import cannot_measure, here
from pytest_memgate.measure.stacks.source_paths import Places
from pytest_memgate.model.codec import encode
from pytest_memgate.model.judgement.finding import Finding
from pytest_memgate.model.judgement.remark import Remark, RemarkKind
from pytest_memgate.model.profile import Profile, TestProfile, Unprofiled
from pytest_memgate.model.subject import Subject
from pytest_memgate.plugin.child_runs.no_side_outputs import without_the_gate
from pytest_memgate.plugin.items import line_of
from pytest_memgate.plugin.loop.benchmarks import is_benchmark, untimed
from pytest_memgate.plugin.loop.loop import Loop
from pytest_memgate.plugin.loop.tracing import Tracing, is_nested
from pytest_memgate.plugin.test import Around, Run, RunAgain, Test, brief
from pytest_memgate.report.words.remarks import remark_text
from pytest_memgate.tasks.judge.times import Timing
from pytest_memgate.tasks.plans.repeats import remarks_on

if TYPE_CHECKING:
    from pytest_memgate.measure.memory.shared_tracker import Share

_ORDER = json.loads(os.environ.pop("MEMGATE_PROFILE"))
_ELSEWHERE = Elsewhere(Path(_ORDER["from"]), Path(_ORDER["to"])) if "to" in _ORDER else None
if _ELSEWHERE:
    _ELSEWHERE.redirect()


@pytest.hookimpl(wrapper=True)
def pytest_cmdline_main(config: pytest.Config) -> Generator[None, object, object]:
    """Run in this process, without the gate, whatever the project's own options say."""
    without_the_gate(config)
    return (yield)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Register the loop with a profiler in place of the judge."""
    into = Path(_ORDER["into"])
    tracing = Tracing(cannot_measure(), into.parent)
    profiler = Profiler(config.rootpath, tracing, into)
    config.pluginmanager.register(profiler, "memgate-profiler")
    config.pluginmanager.register(Loop(config, profiler, tracing, None, update=True), "memgate-loop")


class Profiler:
    """Profiles each test in a run of its own, after its first one, and judges nothing."""

    def __init__(self, root: Path, tracing: Tracing, into: Path) -> None:
        self._tracing = tracing
        self._into = into
        self._places = Places(root)
        self._profiles: dict[str, TestProfile] = {}
        self._whys: dict[str, str] = {}

    def begin(self, item: pytest.Item) -> Test:
        """Return a test that is about to run for the first time."""
        test = Test(item, Subject("", item.nodeid), is_tracked=True)
        if why := self._tracing.why_untraced(item):
            test.leave_out(why)
        return test

    def first_run(self, test: Test, share: "Share | None") -> Run:  # noqa: ARG002  # nothing is measured in it
        """Return a run that is not traced: costs of the first run are not profiled."""
        return Run()

    def ready(self, items: Sequence[pytest.Item]) -> None:
        """Read nothing ahead: there are no baselines."""

    def begin_run(self, test: Test) -> None:
        """Look at nothing."""

    def end_run(self, test: Test) -> None:
        """Look at nothing."""

    def timing(self, test: Test) -> Timing | None:
        """Times do not matter here."""

    def early(self, test: Test, run_again: RunAgain) -> None:
        """Nothing has to be found before the next test."""

    def together(self, tests: Sequence[Test]) -> None:
        """Remember nothing: no tests are measured together."""

    def measure_anew(self, test: Test, why: str, run_again: RunAgain) -> None:
        """Do nothing: no tests are measured together."""

    def torn_down(self, test: Test) -> None:
        """Do nothing: only the test's call is profiled."""

    def watch(self, test: Test) -> Around:  # noqa: ARG002  # nothing is put there
        """Return the function as it is."""
        return lambda function: function

    def findings(self, test: Test, run_again: RunAgain) -> list[Finding]:
        """Profile a test that has passed, by one more run."""
        if not test.first.is_called or any(not report.passed for report in test.first.reports):
            self._whys[test.item.nodeid] = _why_not_passed(test.first)
            return []
        run = Run(is_repeat=True)
        self._tracing.traced(test, run)
        with untimed(test.item) if is_benchmark(test.item) else nullcontext():
            if not test.outcome:
                run_again(test, run)
        if why := _why_not_profiled(test, run):
            self._whys[test.item.nodeid] = why
        else:
            self._profiles[test.item.nodeid] = self._read(test.item, run)
        return []

    def _read(self, item: pytest.Item, run: Run) -> TestProfile:
        from pytest_memgate.measure.memory.profile import read_profile

        assert run.capture  # noqa: S101  # it is profiled
        name = getattr(item, "originalname", None) or item.name
        function = (name, str(item.path), line_of(item))
        children = (Remark(kind=RemarkKind.PROCESSES),) if run.capture.started_processes else ()
        notes = tuple(map(remark_text, (*children, *remarks_on(run.capture))))
        return read_profile(run.capture.path, item.nodeid, function, self._places, notes)

    def pytest_sessionfinish(self) -> None:
        """Write the profiles; a test that did not end well is not profiled, even if its run gave one."""
        profile = Profile(
            environment=here(),
            tests=tuple(one for test, one in self._profiles.items() if test not in self._whys),
            unprofiled=tuple(Unprofiled(test=test, why=why) for test, why in self._whys.items()),
            foreign=_ELSEWHERE.foreign(self._places) if _ELSEWHERE else (),
        )
        self._into.write_text(json.dumps(encode(profile)), encoding="utf-8")


def _why_not_profiled(test: Test, run: Run) -> str:
    """Return why the run for a profile gave none, empty if it gave one."""
    if test.outcome:
        return test.why
    if run.failure and is_nested(run.failure):
        return "it uses memray itself, and a process has only one tracker"
    if run.failure:
        return f"it is profiled in its second run, which fails: {brief(run.failure)}"
    if run.capture is None:
        return "its runner does not call the function that pytest has collected"
    return run.capture.fault


def _why_not_passed(run: Run) -> str:
    report = next(report for report in run.reports if not report.passed)
    if hasattr(report, "wasxfail"):
        return "it is expected to fail"
    if report.skipped:
        said = report.longrepr[2].removeprefix("Skipped: ") if isinstance(report.longrepr, tuple) else ""
        return f"it is skipped: {said}" if said else "it is skipped"
    what = {"setup": "its setup fails", "call": "it fails", "teardown": "its teardown fails"}[str(report.when)]
    return f"{what}: {brief(run.error)}" if run.error else what
