"""Which consecutive tests are measured together, by one shared tracker that gives a bound for each of them.

The tests of a group share all fixtures wider than a function. So a test that the group's peak leaves open can be
measured again, with fresh fixtures of its own, before the wider ones are torn down. A test that is measured on its own
is a group of one.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from pytest_memgate.plugin.items import subject_of
from pytest_memgate.plugin.loop.benchmarks import is_benchmark
from pytest_memgate.plugin.loop.runs import home, other_protocols
from pytest_memgate.plugin.loop.tracing import Tracing
from pytest_memgate.plugin.test import Test
from pytest_memgate.tasks.judge.gate import Gate
from pytest_memgate.tasks.judge.room import known
from pytest_memgate.tasks.plans.grouping import Known, Outlook

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_memgate.measure.memory.shared_tracker import Share, Span


@dataclass(slots=True, eq=False)
class Member:
    """A test of a group; if there are several, its share of the tracker, and its baseline in bytes."""

    test: Test
    share: "Share | None" = None
    known: Known | None = None

    @property
    def is_left_open(self) -> bool:
        """True if its bound is known and proves nothing."""
        share = self.share
        was_traced = share is not None and self.test.first.capture is share
        return bool(was_traced and share and not share.fault and not self.is_settled_by(share))

    def is_settled_by(self, share: "Share") -> bool:
        """True if a bound proves that the test is within its budget."""
        known = self.known
        return bool(known and not share.fault and share.peak <= known.room and share.retained <= known.held_room)


@dataclass(slots=True, eq=False)
class Group:
    """Tests that are judged together, under one tracker if there are several; repeats have other trackers (`again`)."""

    scope: object
    span: "Span | None" = None
    members: list[Member] = field(default_factory=list)
    again: "list[Span]" = field(default_factory=list)

    @property
    def tests(self) -> list[Known]:
        """The baselines of its tests that may be in a group, in bytes."""
        return [member.known for member in self.members if member.known]

    def close(self) -> None:
        """Close the trackers, and the captures of the tests."""
        for span in (self.span, *self.again):
            if span:
                span.close()
        for member in self.members:
            member.test.close()


class Grouping:
    """Decides from the baselines which tests form a group."""

    def __init__(self, gate: Gate, tracing: Tracing) -> None:
        self._gate = gate
        self._tracing = tracing
        self.outlook = Outlook()
        self._known: dict[pytest.Item, Known | None] = {}
        self._starting: set[object] = set()  # functions that start processes

    def known(self, item: pytest.Item) -> Known | None:
        """Return the baseline of a test, in bytes; None for a test that is measured on its own."""
        if item not in self._known:
            self._known[item] = None if self._is_alone(item) else known(self._gate, subject_of(item, self._gate.root))
        alone = _function(item) in self._starting or _sets_up_wider_fixtures(item)
        return None if alone else self._known[item]

    def forget(self, item: pytest.Item) -> None:
        """Forget a test that has been reported."""
        self._known.pop(item, None)

    def starts_processes(self, item: pytest.Item) -> None:
        """Remember that a test's function starts processes: no bound covers their memory."""
        self._starting.add(_function(item))

    def begins(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool:
        """True if a shared tracker is worth its price for a test and the next one."""
        test = self.known(item)
        following = self.known(nextitem) if nextitem and test and scope(nextitem) == scope(item) else None
        return bool(test and following and self.outlook.settles([test, following]))

    def following(self, group: Group, test: Known, nextitem: pytest.Item | None) -> list[Known]:
        """Return the baseline of the next test in a list of one, or nothing if it is not to join the group."""
        if nextitem is None or scope(nextitem) != group.scope:
            return []
        following = self.known(nextitem)
        return [following] if following and self.outlook.settles([*group.tests, test, following]) else []

    def probe_size(self, tests: list[Known], number: int) -> int:
        """Return the bytes to map at the end of a test: see `Outlook.probe_size`."""
        recorder = self._tracing.recorder
        return self.outlook.probe_size(tests, number) if recorder and recorder.sees_all else 0

    def _is_alone(self, item: pytest.Item) -> bool:
        """True if a test is measured on its own, whatever its baseline says."""
        if not isinstance(item, (pytest.Function, pytest.DoctestItem)) or any(item.iter_markers("memgate")):
            return True
        measures = "memgate" in getattr(item, "fixturenames", ()) or is_benchmark(item)
        tracked = self._gate.config.tracks(subject_of(item, self._gate.root))
        return measures or tracked or bool(self._tracing.why_untraced(item)) or _is_run_by_another(item)


def scope(item: pytest.Item) -> object:
    """Return a key that is equal for two tests if they share their wider fixtures."""
    call = getattr(item, "callspec", None)
    if call is None:
        return (home(item),)
    wider = ((name, call.indices[name]) for name, scope in call._arg2scope.items() if scope.value != "function")
    return home(item), *wider


def _sets_up_wider_fixtures(item: pytest.Item) -> bool:
    """True if a test is the first to need a fixture of its class, module or session."""
    fixtures = getattr(item, "_fixtureinfo", None)
    found = fixtures.name2fixturedefs.values() if fixtures else ()
    return any(one[-1].scope != "function" and one[-1].cached_result is None for one in found)


def _function(item: pytest.Item) -> object:
    return item.parent, getattr(item, "originalname", item.name)


def _is_run_by_another(item: pytest.Item) -> bool:
    """True if another plugin runs the test in its own way, for example repeats it."""
    for one in other_protocols(item):
        reruns: Callable[[pytest.Item], object] | None = getattr(one.plugin, "get_reruns_count", None)
        # pytest-rerunfailures runs only what has a number of reruns.
        if reruns is None or reruns(item) is not None:
            return True
    return False
