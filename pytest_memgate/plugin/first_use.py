"""What the first run of a test paid for everybody: held against the ledger, and confirmed in a fresh process."""

import os
import zlib
from collections import defaultdict
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_memgate.compare.first_use import Parts, is_module, only_first, payers
from pytest_memgate.measure.places import Places
from pytest_memgate.model.finding import Finding, Outcome
from pytest_memgate.model.metric import FIRST_USE, MEMORY_RETAINED
from pytest_memgate.model.reason import Doubt, DoubtKind
from pytest_memgate.model.subject import LEDGER, Subject
from pytest_memgate.plugin.again import ItemState
from pytest_memgate.plugin.fresh import FRESH, run_afresh
from pytest_memgate.plugin.items import subject_of
from pytest_memgate.plugin.recorder import answered
from pytest_memgate.tasks.first_use import Ledger, seen_afresh
from pytest_memgate.tasks.gate import Gate

if TYPE_CHECKING:
    from pytest_memgate.measure.capture import Capture  # it needs memray
    from pytest_memgate.measure.span import Span

CLAIMS = "memgate_claims"


class FirstUses:
    """The first uses that the tests of one process pay for."""

    def __init__(self, gate: Gate, config: pytest.Config, *, update: bool) -> None:
        self._gate = gate
        self._places = Places(gate.root)
        self._ledger = Ledger(gate)
        self._payments: dict[str, list[tuple[pytest.Item, Parts]]] = defaultdict(list)  # by owner
        self._unseen: dict[str, float] = {}  # bytes of an owner's growth that no fresh process showed
        self._update = update
        self._fresh = FRESH in os.environ
        self._claims = _Claims(config)
        self._told: set[str] = set()
        self._imported: set[str] = set()
        self._span: Span | None = None  # the last one
        self._together: list[pytest.Item] = []  # the tests that it left open
        self._asked: set[str] = set()  # owners of which these were asked together
        self._cleared: set[str] = set()  # those of them that none of these pays

    def found(self, item: pytest.Item, state: ItemState) -> list[Finding]:
        """Return the findings on what the first run of a test paid, once the test has run again.

        A run that settled the test by its bound paid too little to matter.
        """
        first = self._first(state.captures)
        loose = self._loose(state.captures)
        owners = sorted({*self._ledger.add(first), *loose})
        if self._fresh:
            told = [self._paid(self._ledger.told(owner), item) for owner in owners]
            return [one for one in told if FIRST_USE.keeps(one.value or 0)]
        if not self._update:
            for owner, parts in first.items():
                self._payments[owner].append((item, parts))
        found: list[Finding] = []
        for owner in owners:
            grown = None if self._update else self._grown(item, owner, anyway=owner in self._asked & {*loose})
            imports = self._imports(item, owner)
            paid = self._ledger.told(owner) if self._update else None
            if grown:
                paid = self._judged(item, *grown, seen_alone=bool(imports), loose=owner in loose)
            found += [*([paid] if paid and FIRST_USE.keeps(paid.value or 0) else ()), *imports]
        return found

    def together(self, items: list[pytest.Item]) -> None:
        """Take note of the tests, judged next, any of which may be the cause of what other threads paid meanwhile."""
        self._together, self._asked, self._cleared = items, set(), set()

    def _paid(self, finding: Finding, item: pytest.Item) -> Finding:
        return replace(finding, paid_by=(subject_of(item, self._gate.root),))

    def _first(self, captures: "list[Capture]") -> dict[str, dict[str, float]]:
        if not captures or captures[0].fault:
            return {}
        warm = next((one for one in reversed(captures[1:]) if not one.fault), None)
        if warm and warm.together == 1 and captures[0].retained - warm.retained <= MEMORY_RETAINED.noise:
            return {}
        if warm:
            return only_first(captures[0].owners(self._places), warm.owners(self._places))
        if not captures[0].modules:
            return {}
        # It cannot run twice. What it imported it paid for everybody, all the same.
        cold = captures[0].owners(self._places)
        return {owner: {part: size for part, size in parts.items() if is_module(part)} for owner, parts in cold.items()}

    def _loose(self, captures: "list[Capture]") -> list[str]:
        """Return whom other threads paid while tests were measured together, once for all of these.

        Which test was the cause nobody knows: if it may be one of those that their bound left open, each of these is
        held to be it, until one is seen to be.
        """
        first = captures[0] if captures else None
        warm = next((one for one in reversed(captures[1:]) if not one.fault), None)
        if first is None or first.span is None or first.fault or warm is None:
            return []
        known = {**warm.owners(self._places), **warm.loose(self._places)}
        loose = only_first(first.loose(self._places), known)
        if first.span is not self._span:
            self._span = first.span
            self._ledger.add(loose)
        return sorted(loose.keys() - self._cleared)

    def _imports(self, item: pytest.Item, owner: str) -> list[Finding]:
        """Return what an update stores of importing a package alone, or what there is against it, once a process."""
        if owner in self._imported:
            return []
        claim = self._claims.make(f"import {owner}", item)
        subject = Subject(LEDGER, owner)
        measure = partial(self._ledger.imports, owner, anyway=self._update)
        found = answered(subject, "import", measure) if claim.holds() else []
        if not found or not claim.holds():
            return []
        self._imported.add(owner)
        if self._update:
            return [finding for finding in found if finding.measurement]
        return [self._paid(finding, item) for finding in found if finding.outcome.fails_gate]

    def _grown(self, item: pytest.Item, owner: str, *, anyway: bool) -> "tuple[Finding, _Claim] | None":
        """Return a finding where there is something to say, once a process, and the claim on it.

        What no fresh process showed is not said again with the little that came since, if not `anyway`.
        Other workers know of it from now on: it takes long to confirm, and as long for those that pay as well.
        """
        finding = self._ledger.finding(owner)
        says = finding.outcome.fails_gate or (finding.outcome is Outcome.NEW and _matters(finding))
        if finding.outcome is Outcome.REGRESSED and owner in self._unseen and not anyway:
            says = (finding.growth or 0) - self._unseen[owner] > (finding.allowed or 0)
        if owner in self._told or not says:
            return None
        self._told.add(owner)
        return self._paid(finding, item), self._claims.make(owner, item)

    def _judged(
        self, item: pytest.Item, finding: Finding, claim: "_Claim", *, seen_alone: bool, loose: bool
    ) -> Finding | None:
        """Return the finding, confirmed where it is against a package, None where another worker tells of it.

        What is `seen_alone`, in an interpreter that only imports the package, needs no other confirmation.
        """
        if finding.outcome.fails_gate and claim.holds() and not seen_alone:
            finding = (self._nobodys(finding) if loose else None) or self._confirmed(item, finding)
            if finding.outcome is Outcome.PASSED:
                self._told.discard(finding.subject.name)  # another test may pay for more
                claim.withdraw()
                return finding
        return finding if claim.holds() else None

    def _nobodys(self, finding: Finding) -> Finding | None:
        """Return the finding as not seen, if a fresh process with all tests that may be its cause does not show it."""
        owner = finding.subject.name
        if owner in self._asked or len(self._together) < 2:  # one is asked anyway
            return None
        self._asked.add(owner)
        found = self._afresh(self._together, finding)
        if found.outcome is not Outcome.PASSED:
            return None
        self._cleared.add(owner)
        return found

    def _confirmed(self, item: pytest.Item, finding: Finding) -> Finding:
        """Return the finding as a fresh process shows it, where all the tests run that seem to have paid for it."""
        return self._afresh(self._payers(item, finding), finding)

    def _afresh(self, tests: list[pytest.Item], finding: Finding) -> Finding:
        done = run_afresh(tests)
        seen, unseen = seen_afresh(self._gate, finding, done.run.findings if done.run else (), len(tests))
        if done.why_useless and not seen.outcome.fails_gate:
            doubt = Doubt(kind=DoubtKind.FRESH_PROCESS, why=done.why_useless)
            return replace(finding, outcome=Outcome.UNSTABLE, doubt=doubt)
        self._unseen[finding.subject.name] = unseen
        return seen

    def _payers(self, item: pytest.Item, finding: Finding) -> list[pytest.Item]:
        owner = finding.subject.name
        payments = self._payments[owner]
        chosen = payers([parts for _, parts in payments], self._ledger.known(owner), 2 * (finding.allowed or 0))
        tests = dict.fromkeys(payments[number][0] for number in chosen)
        return [*(test for test in tests if test is not item), item]


def _matters(finding: Finding) -> bool:
    return (finding.value or 0) > (finding.allowed or 0)


class _Claims:
    """Which worker tells of a package that several of them pay for: the one whose test comes first in the suite."""

    def __init__(self, config: pytest.Config) -> None:
        folder = getattr(config, "workerinput", {}).get(CLAIMS)
        self._folder = Path(folder) if folder else None

    def make(self, owner: str, item: pytest.Item) -> "_Claim":
        place = item.session.items.index(item) if self._folder else 0
        return _Claim(self._folder, f"{zlib.crc32(owner.encode()):08x}", place)


class _Claim:
    """One worker's claim on a package; it holds while no test that comes earlier has one."""

    def __init__(self, folder: Path | None, name: str, place: int) -> None:
        self._folder = folder
        self._name = name
        self._place = place
        if folder:
            (folder / f"{name}-{place}").touch()

    def holds(self) -> bool:
        if self._folder is None:
            return True
        others = [int(path.name.partition("-")[2]) for path in self._folder.glob(f"{self._name}-*")]
        return min(others) == self._place

    def withdraw(self) -> None:
        if self._folder:
            (self._folder / f"{self._name}-{self._place}").unlink()
