"""First use, judged at the end of a session from the payments of all tests, and confirmed in a fresh process."""

import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

import pytest

from pytest_memgate.compare.first_use import Payment, payers
from pytest_memgate.errors import MemgateError
from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.model.judgement.reason import Doubt, DoubtKind
from pytest_memgate.model.metric import FIRST_USE
from pytest_memgate.model.subject import LEDGER, Subject
from pytest_memgate.plugin.session.fresh_process import FRESH, run_afresh
from pytest_memgate.tasks.judge.answer import without_verdict
from pytest_memgate.tasks.judge.first_use import Ledger, seen_afresh
from pytest_memgate.tasks.judge.gate import Gate


class Payments:
    """The payments of the tests of one process, in their order."""

    def __init__(self, gate: Gate) -> None:
        self.ledger = Ledger(gate)
        self._payments: list[Payment] = []

    def add(self, payment: Payment) -> None:
        """Add the payment of a test."""
        self._payments.append(payment)
        self.ledger.add(payment.own)
        self.ledger.add(payment.shared)

    def owners(self) -> list[str]:
        """Return all packages and files that were paid for, sorted."""
        return sorted({owner for payment in self._payments for owner in (*payment.own, *payment.shared)})

    def of(self, owner: str) -> list[Payment]:
        """Return the payments for an owner, in their order."""
        return [one for one in self._payments if owner in one.own or owner in one.shared]

    def payers(self, finding: Finding) -> list[Payment]:
        """Return the payments that explain the growth, in their order."""
        owner = finding.subject.name
        paid = [one for one in self.of(owner) if owner in one.own]
        chosen = payers([one.own[owner] for one in paid], self.ledger.known(owner), 2 * (finding.allowed or 0))
        return [paid[number] for number in chosen]

    def causes(self, finding: Finding) -> list[str]:
        """Return all tests that may have caused the growth, in their order, as command-line arguments."""
        owner = finding.subject.name
        shared = (test for one in self.of(owner) if owner in one.shared for test in one.causes)
        return list(dict.fromkeys([*(one.argument for one in self.payers(finding)), *shared]))


class FirstUseReview:
    """Gathers the payments of all processes of a session, and judges them at its end."""

    def __init__(self, config: pytest.Config, gate: Gate, *, update: bool) -> None:
        self._config = config
        self._gate = gate
        self._update = update
        self._processes: dict[str, Payments] = defaultdict(lambda: Payments(gate))
        self._told: list[Finding] = []

    def add(self, process: str, payment: Payment) -> None:
        """Add the payment of a test of a process."""
        payments = self._processes[process]
        payments.add(payment)
        if FRESH in os.environ:
            owners = sorted({*payment.own, *payment.shared})
            self._told += [_paid_by(payments.ledger.told(owner), payment) for owner in owners]

    def findings(self) -> list[Finding]:
        """Return the findings on first use: for an update all that was paid, else growth and new owners."""
        if FRESH in os.environ:
            return [finding for finding in self._told if FIRST_USE.keeps(finding.value or 0)]
        try:
            if self._update:
                return [*self._imports(), *self._paid()]
            imports = self._imports()
            return [*self._against({finding.subject.name for finding in imports}), *imports]
        except MemgateError as error:
            return [without_verdict(Subject(LEDGER, ""), FIRST_USE.name, error)]

    def _paid(self) -> Iterator[Finding]:
        """Yield a finding on all that each process has paid."""
        for payments in self._processes.values():
            told = map(payments.ledger.told, payments.owners())
            yield from (finding for finding in told if FIRST_USE.keeps(finding.value or 0))

    def _imports(self) -> list[Finding]:
        """Return the findings on importing packages alone: for an update all of them, else the failing ones."""
        found: dict[str, list[Finding]] = {}
        for owner in self._owners():
            for payments in self._of(owner):
                first = payments.of(owner)[0]
                if owner in found or owner not in first.packages:
                    continue
                imports = self._imported(payments.ledger, owner)
                if imports:
                    told = (_paid_by(one, first) for one in imports)
                    found[owner] = imports if self._update else [one for one in told if one.outcome.fails_gate]
        return [finding for findings in found.values() for finding in findings]

    def _owners(self) -> list[str]:
        return sorted({owner for payments in self._processes.values() for owner in payments.owners()})

    def _of(self, owner: str) -> list[Payments]:
        """Return the processes that paid for an owner, by their first test that did: workers report in any order."""
        paid = [payments for payments in self._processes.values() if payments.of(owner)]
        return sorted(paid, key=lambda payments: payments.of(owner)[0].argument)

    def _imported(self, ledger: Ledger, owner: str) -> list[Finding]:
        try:
            imports = ledger.imports(owner, anyway=self._update)
        except MemgateError as error:
            imports = [without_verdict(Subject(LEDGER, owner), "import", error)]
        return [one for one in imports if one.measurement] if self._update else imports

    def _against(self, imported: set[str]) -> list[Finding]:
        """Return the findings that speak against the processes; an import measured alone confirms growth by itself."""
        findings: list[Finding] = []
        doubtful: list[tuple[Finding, Payments]] = []
        for owner in self._owners():
            finding, payments = self._most_grown(owner)
            if finding.outcome.fails_gate and owner not in imported:
                doubtful.append((finding, payments))
            elif finding.outcome.fails_gate or (finding.outcome is Outcome.NEW and _matters(finding)):
                findings.append(_paid_by(finding, payments.of(owner)[0]))
        return [*findings, *self._confirmed(doubtful)] if doubtful else findings

    def _most_grown(self, owner: str) -> tuple[Finding, Payments]:
        """Return the finding on the process with the largest growth for an owner."""
        judged = [(payments.ledger.finding(owner), payments) for payments in self._of(owner)]
        return max(judged, key=lambda one: (one[0].outcome.fails_gate, one[0].growth or 0))

    def _confirmed(self, doubtful: list[tuple[Finding, Payments]]) -> list[Finding]:
        """Return the findings after one fresh process, which runs all tests that may have paid."""
        tests = list(dict.fromkeys(test for finding, payments in doubtful for test in payments.causes(finding)))
        done = run_afresh(self._config, tests)
        findings = []
        for finding, payments in doubtful:
            paid = _paid_by(finding, payments.of(finding.subject.name)[0])
            seen, _ = seen_afresh(self._gate, paid, done.run.findings if done.run else (), len(tests))
            if done.why_useless and not seen.outcome.fails_gate:
                doubt = Doubt(kind=DoubtKind.FRESH_PROCESS, why=done.why_useless)
                seen = replace(paid, outcome=Outcome.UNSTABLE, doubt=doubt)
            findings.append(seen)
        return findings


def _paid_by(finding: Finding, payment: Payment) -> Finding:
    return replace(finding, paid_by=(payment.test,), line=payment.line)


def _matters(finding: Finding) -> bool:
    return (finding.value or 0) > (finding.allowed or 0)
