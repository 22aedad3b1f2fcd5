"""The processes that a test starts: what each of them held, by its own capture.

They belong to the run in which they were started. A process that a wider fixture has started writes one capture for
each run of a test, of what it takes meanwhile.
"""

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from pytest_memgate.errors import BaselineError
from pytest_memgate.measure.children.boot import WIDE
from pytest_memgate.measure.resources.child_processes import ProcessWatch
from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.model.metric import CHILDREN_PEAK, CHILDREN_RETAINED
from pytest_memgate.plugin.items import is_declared
from pytest_memgate.plugin.loop.observers.observer import Observer
from pytest_memgate.plugin.marker import children_of
from pytest_memgate.plugin.test import Run, RunAgain, Test, brief
from pytest_memgate.tasks.judge.children import judge_children
from pytest_memgate.tasks.judge.gate import Gate
from pytest_memgate.tasks.plans.repeats import Again, carry_out

if TYPE_CHECKING:
    from pytest_memgate.measure.children.folder import ChildFolder, Children
    from pytest_memgate.measure.children.resident import Resident, ResidentWatch

_FAMILY = "children"
_TRACED = {CHILDREN_PEAK.name, CHILDREN_RETAINED.name}
_UNSEEN = "they are no Python with pytest-memgate, or have an environment of their own"
_MUTE = "a process that outlives the test did not answer in time, so nobody knows what it took"
_LEFT = "children: note"


@dataclass(slots=True, eq=False)
class _Started:
    """The processes of the runs of one test.

    `owner` and, for what wider fixtures have started in it, `wide` own the processes of the run that goes on.
    `is_wanted` is True while a run goes on whose processes are measured. `has_begun` is True if the first run started
    processes, `is_unwatched` if nobody looked at their sizes. `is_mute` is True if a process that outlives the test did
    not answer.
    """

    mode: str
    owner: str = ""
    wide: list[str] = field(default_factory=list)
    mark: tuple[object, ...] = ()
    runs: list["Children | None"] = field(default_factory=list)
    is_wanted: bool = True
    has_begun: bool = False
    is_unwatched: bool = False
    is_mute: bool = False


_STARTED = pytest.StashKey[_Started]()


class ChildProcesses(Observer):
    """Judges the processes of a test. `settle` asks for values that can be stored, where bounds would do."""

    family = _FAMILY

    def __init__(self, gate: Gate, *, cannot: str, settle: bool) -> None:
        self._gate = gate
        self._settle = settle
        self._folder = None if cannot else _opened(gate)
        self._watch = ProcessWatch()
        self._sizes = None if cannot else _size_watch()
        self._number = 0
        self._started: _Started | None = None  # of the run that goes on
        self._has_wide = False  # True once a process outlives a test

    def pytest_unconfigure(self) -> None:
        """Remove all captures."""
        if self._folder:
            self._folder.close()
        if self._sizes:
            self._sizes.close()

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Generator[None, object, object]:
        """Let what a wider fixture starts outlive the test."""
        __tracebackhide__ = True
        started = self._started if fixturedef.scope != "function" else None
        if started is None or not started.owner or self._folder is None:
            return (yield)
        self._number += 1
        wide, before = f"{WIDE}{self._number}", self._watch.mark()
        self._folder.owned_by(wide)
        try:
            return (yield)
        finally:
            self._folder.owned_by(started.owner)
            if self._watch.mark() != before:
                self._has_wide = True
                started.wide.append(wide)
                started.is_mute |= not self._folder.turn_to(started.owner)

    def before(self, test: Test) -> None:
        """Let processes that are started from now on belong to this run."""
        if not test.run.is_repeat:
            test.item.stash[_STARTED] = _Started(mode=self._mode(test))
        started = test.item.stash.get(_STARTED, None)
        if self._folder is None or started is None or started.mode == "off" or not started.is_wanted:
            return
        if started.mode == "measure":
            self._number += 1
            started.owner = str(self._number)
            self._folder.owned_by(started.owner)
            if self._has_wide:
                started.is_mute |= not self._folder.turn_to(started.owner)
            if self._sizes:
                self._sizes.begin()
        self._started = started
        started.mark = self._watch.mark()

    def after(self, test: Test) -> None:
        """Keep what the run has started."""
        started = test.item.stash.get(_STARTED, None)
        if self._folder is None or started is None or not started.mark:
            return
        has_started = self._watch.mark() != started.mark
        others = self._others(has_started=has_started) if started.owner else ()
        children = self._folder.of(started.owner, started.wide, others or ()) if started.owner else None
        if started.owner:
            self._folder.owned_by("")
            self._has_wide = self._has_wide or (children is not None and self._folder.listens())
            if self._has_wide:
                started.is_mute |= not self._folder.turn_to("")
        if not started.runs and not test.run.is_repeat:
            started.has_begun = has_started
            started.is_unwatched = has_started and others is None
        started.runs.append(children)
        started.owner, started.wide, started.mark, started.is_wanted = "", [], (), False
        self._started = None

    def _others(self, *, has_started: bool) -> "tuple[Resident, ...] | None":
        """Return the processes of a run that were watched, None if nobody has watched; from now on somebody does."""
        if self._sizes is None:
            return None
        if not has_started:
            self._sizes.stop()
            return ()
        others = self._sizes.told()
        if others is None:
            self._sizes.start()
        return others

    def findings(self, test: Test, run_again: RunAgain) -> list[Finding]:
        """Return the findings on the processes of a test, none for a test that starts none."""
        started = test.item.stash.get(_STARTED, None)
        if started is None or not started.runs or test.probed:
            return []
        try:
            return self._findings(test, started, run_again)
        except BaselineError:
            return []  # the finding on its memory says it
        finally:
            for children in started.runs:
                if children:
                    children.close()

    def _findings(self, test: Test, started: _Started, run_again: RunAgain) -> list[Finding]:
        assert self._folder  # noqa: S101  # it has runs
        stored = self._gate.baselines.stored(test.subject, _FAMILY)
        first = started.runs[0]
        if started.mode == "note":
            return [_left(test, _LEFT)] if started.has_begun else []
        nobodys = self._folder.nobodys()

        def again() -> "Again[Children]":
            run = Run()
            started.is_wanted = True
            run_again(test, run)
            started.is_wanted = False
            if run.failure:
                return Again(None, brief(run.failure))
            children = started.runs[-1] or nobodys
            return Again(None, children.fault) if children.fault else Again(children)

        is_watched = not started.is_unwatched
        is_first = started.is_unwatched and self._sizes and self._sizes.runs  # of all tests that start processes
        if is_first and (children := again().capture) is not None:
            first, is_watched = children, True
        is_traced = bool(first and first.has_captures)
        if started.has_begun and not is_traced and (not is_watched or _TRACED & stored):
            why = _UNSEEN
        else:
            why = _MUTE if started.is_mute else first.fault if first else ""
        if why:
            return [_left(test, why, Outcome.UNMEASURED if stored else Outcome.NOT_GATED)]
        if not (stored or first):
            return []
        plan = judge_children(self._gate, test.subject, test.rules, first or nobodys, settle=self._settle)
        return carry_out(plan, again)

    def _mode(self, test: Test) -> str:
        if is_declared(test.item) or test.outcome is Outcome.SKIPPED:
            return "off"
        return children_of(test.item) or self._gate.config.children(test.subject)


def _left(test: Test, why: str, outcome: Outcome = Outcome.NOT_GATED) -> Finding:
    return Finding(subject=test.subject, metric=_FAMILY, outcome=outcome, why=why)


def _size_watch() -> "ResidentWatch":
    from pytest_memgate.measure.children.resident import ResidentWatch

    return ResidentWatch()


def _opened(gate: Gate) -> "ChildFolder":
    """Import what needs memray only where that can be imported."""
    from pytest_memgate.measure.children.folder import ChildFolder

    return ChildFolder(gate.root)
