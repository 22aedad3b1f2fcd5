"""For `memgate profile`: each test is traced in its second run, and nothing is judged.

Loaded by that command alone, with `-p`; what it is to do stands in an environment variable, since the code to be
profiled must be found where the command says before pytest loads any other plugin.
"""

import json
import os
from collections.abc import Generator
from contextlib import nullcontext
from pathlib import Path

import pytest

from pytest_memgate.measure.elsewhere import Elsewhere
from pytest_memgate.measure.environment import cannot_measure, here
from pytest_memgate.measure.places import Places
from pytest_memgate.measure.world import real_world
from pytest_memgate.model.codec import encode
from pytest_memgate.model.finding import Outcome
from pytest_memgate.model.profile import Profile, TestProfile, Unprofiled
from pytest_memgate.plugin.again import STATE, ItemState, Phase, brief, run_again
from pytest_memgate.plugin.items import line_of
from pytest_memgate.plugin.quiet import without_the_gate
from pytest_memgate.plugin.timing import is_benchmark, untimed
from pytest_memgate.plugin.tracer import Tracer, is_nested
from pytest_memgate.report.words.remarks import remark_text
from pytest_memgate.tasks.settle import remarks_on

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
    config.pluginmanager.register(Profiler(config.rootpath, Path(_ORDER["into"])), "memgate-profiler")


class Profiler(Tracer):
    """The hooks of the process that profiles."""

    def __init__(self, root: Path, into: Path) -> None:
        super().__init__(cannot_measure(), into.parent)
        self._into = into
        self._places = Places(root)
        self._profiles: dict[str, TestProfile] = {}
        self._whys: dict[str, str] = {}

    def _begin(self, item: pytest.Item, state: ItemState) -> None:
        state.why = self._why_untraced(item)
        state.outcome = Outcome.UNMEASURED if state.why else None
        state.tracked = state.untraced = True  # until its second run

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        state = item.stash.get(STATE, None)
        # A subtest has a report of its own, in the midst of the call.
        if state is None or state.inside or (call.when == "call" and state.phase is Phase.CALL):
            return report
        if not report.passed:
            self._whys[item.nodeid] = _why_not_passed(report, call)
        elif call.when == "call":
            with real_world():
                try:
                    self._profile(item, state)
                finally:
                    state.close()
        return report

    def _profile(self, item: pytest.Item, state: ItemState) -> None:
        state.untraced = False
        with untimed(item) if is_benchmark(item) else nullcontext():
            error = None if state.outcome else run_again(item, state)
        if error and is_nested(error):
            self._whys[item.nodeid] = "it uses memray itself, and a process has only one tracker"
        elif error:
            self._whys[item.nodeid] = f"it is profiled in its second run, which fails: {brief(error)}"
        elif state.outcome:
            self._whys[item.nodeid] = state.why
        elif not state.captures:
            self._whys[item.nodeid] = "its runner calls it past pytest_pyfunc_call, where memory is traced"
        elif state.captures[-1].fault:
            self._whys[item.nodeid] = state.captures[-1].fault
        else:
            self._profiles[item.nodeid] = self._read(item, state)

    def _read(self, item: pytest.Item, state: ItemState) -> TestProfile:
        from pytest_memgate.measure.profile import read_profile

        capture = state.captures[-1]
        name = getattr(item, "originalname", None) or item.name
        function = (name, str(item.path), line_of(item))
        return read_profile(
            capture.path, item.nodeid, function, self._places, tuple(map(remark_text, remarks_on(capture)))
        )

    def pytest_sessionfinish(self) -> None:
        """Write what was found; a test that did not end well is not profiled, whatever its run gave."""
        profile = Profile(
            environment=here(),
            tests=tuple(one for test, one in self._profiles.items() if test not in self._whys),
            unprofiled=tuple(Unprofiled(test=test, why=why) for test, why in self._whys.items()),
            foreign=_ELSEWHERE.foreign(self._places) if _ELSEWHERE else (),
        )
        self._into.write_text(json.dumps(encode(profile)), encoding="utf-8")


def _why_not_passed(report: pytest.TestReport, call: pytest.CallInfo[None]) -> str:
    if hasattr(report, "wasxfail"):
        return "it is expected to fail"
    if report.skipped:
        said = report.longrepr[2].removeprefix("Skipped: ") if isinstance(report.longrepr, tuple) else ""
        return f"it is skipped: {said}" if said else "it is skipped"
    what = {"setup": "its setup fails", "call": "it fails", "teardown": "its teardown fails"}[call.when]
    return f"{what}: {brief(call.excinfo.value)}" if call.excinfo else what
