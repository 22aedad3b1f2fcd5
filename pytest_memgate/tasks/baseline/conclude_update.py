"""Write the values of an update into the baselines, and put its result together."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from pytest_memgate.compare.verdict import verdict
from pytest_memgate.errors import BaselineError
from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.model.metric import FIRST_USE, MEMORY_PEAK, metric
from pytest_memgate.model.run import ChangeKind, Problem, Run, Verdict
from pytest_memgate.model.subject import LEDGER, Subject
from pytest_memgate.tasks.baseline.update import Order, Updated, unreasoned_problem, update
from pytest_memgate.tasks.judge.first_use import settled, without_first_use
from pytest_memgate.tasks.judge.gate import Gate
from pytest_memgate.tasks.run.account import unjudged
from pytest_memgate.tasks.run.verdict import UPDATE, Facts, folders, nothing_measured, told_moves, unanswered
from pytest_memgate.units import counted

CUT_SHORT = "interrupted while baselines were written"


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """First use that no test of an update paid in this order, and one may pay in another: bytes by owner and part.

    `anew` is None if nobody looked, as only single tests were run. `is_all` is False, and `problems` say why, if the
    survey could not be finished.
    """

    anew: Mapping[str, Mapping[str, float]] | None = None
    is_all: bool = True
    problems: tuple[Problem, ...] = ()


def conclude_update(
    gate: Gate,
    facts: Facts,
    kinds: frozenset[ChangeKind],
    reason: str,
    *,
    strict: bool,
    exactly: bool = False,
    survey: Callable[[], Survey] = Survey,
) -> Run:
    """Write the findings' values into the baselines and return the run.

    The entries of tests come first; `survey`, which takes long, is made for the ledger of first use alone. With
    `exactly` the user named the tests to be written. Of a run that was cut short only checks that memgate.yml may
    declare are written: each is a measurement of its own, and may have taken minutes.
    """
    failing = {Subject.parse(test).file for test in facts.failed}
    silent = {one.subject.file for one in facts.findings if one.outcome is Outcome.NO_ANSWER}
    collected = {file: names for file, names in facts.collected.items() if file not in failing | silent}
    problems = list(nothing_measured(facts.findings, facts))
    done = Updated()
    interrupted = False
    gate.baselines.add_moves(told_moves(facts.findings))
    order = Order(kinds=kinds, reason=reason, collected=collected, moved=gate.baselines.moves.old, exactly=exactly)
    if facts.cut_short:
        declared = [one for one in facts.findings if metric(one.metric).is_declared]
        done.add(update(gate.root, gate.baselines.head, gate.environment.header, declared, order))
        problems = [_cut_short(problems[0], done), *done.problems]
    elif not problems:
        problems += unanswered(facts.findings)
        try:
            _update_tests_and_ledger(gate, facts, order, done, survey, ledger_stays=bool(failing))
        except KeyboardInterrupt as error:
            interrupted = True
            problems.append(_interrupted(done, str(error)))
        problems += [*done.problems, *unjudged(facts.unjudged, Verdict.FAILED)]
    if done.unreasoned:
        problems.append(unreasoned_problem(done.unreasoned, UPDATE))
    return Run(
        environment=gate.environment,
        verdict=verdict((), problems),
        findings=facts.findings,
        problems=tuple(problems),
        changes=tuple(done.changes),
        baseline=folders(gate, facts.findings, done.changes),
        strict=strict,
        update=True,
        missing_fails=gate.config.missing_fails,
        skipped=facts.skipped,
        failed=len(facts.failed),
        extent=replace(facts.extent, cut_short=CUT_SHORT) if interrupted and facts.extent else facts.extent,
    )


def _update_tests_and_ledger(
    gate: Gate,
    facts: Facts,
    order: Order,
    done: Updated,
    survey: Callable[[], Survey],
    *,
    ledger_stays: bool,
) -> None:
    """Write the entries of tests, then those of the ledger; `done` holds what was written even if it is interrupted."""
    stores, header = gate.baselines.head, gate.environment.header
    of_tests = [finding for finding in facts.findings if not finding.subject.is_first_use]
    paid = [one for one in facts.findings if one.subject.is_first_use and one.metric == FIRST_USE.name]
    with suppress(BaselineError):  # of the ledger; it is told of below
        of_tests = without_first_use(gate, of_tests, paid)
    looked = {one.subject.file for one in facts.findings if _is_of_a_test(one)}
    first = looked.isdisjoint(stores.own.files())
    done.add(update(gate.root, stores, header, of_tests, order))
    surveyed = survey()
    done.problems += surveyed.problems
    known, owners = _with_ledger(gate, facts, surveyed)
    collected = {LEDGER: owners} if facts.everything and surveyed.is_all and not ledger_stays else {}
    ledger = surveyed.anew is not None and not ledger_stays and bool(looked) and not done.problems
    done.add(update(gate.root, stores, header, known, replace(order, collected=collected, ledger=ledger, first=first)))


def _cut_short(problem: Problem, done: Updated) -> Problem:
    """Return the problem of a run that ended early, with what was written of it."""
    checks = len({change.subject for change in done.changes})
    written = f"{counted(checks, 'check')} written, nothing else" if checks else "nothing was written"
    return replace(problem, text=f"{problem.text}: {written}")


def _interrupted(done: Updated, told: str) -> Problem:
    """Return the problem of an update that Ctrl-C ended, with the files it has written."""
    if done.begun:
        written = f"the entries of tests are written; of {LEDGER}, {told or 'nothing was written'}"
    else:
        written = told or "nothing was written"
    comes_to = Verdict.FAILED if done.begun else Verdict.NO_ANSWER
    return Problem(text=f"interrupted: {written}", verdict=comes_to)


def _with_ledger(gate: Gate, facts: Facts, surveyed: Survey) -> tuple[list[Finding], frozenset[str]]:
    """Return the first use paid by all processes, put together, and the owners whose entries stay."""
    of_packages = [finding for finding in facts.findings if finding.subject.is_first_use]
    paid = [finding for finding in of_packages if finding.metric == FIRST_USE.name]
    rest = [finding for finding in of_packages if finding.metric != FIRST_USE.name]
    try:
        ledger = settled(gate, paid, surveyed.anew or {}, whole=facts.everything and surveyed.is_all)
    except BaselineError as error:
        why = Finding(subject=Subject(LEDGER, ""), metric=FIRST_USE.name, outcome=Outcome.UNREADABLE, why=str(error))
        return [*rest, why], frozenset()
    return [*rest, *ledger], frozenset(one.subject.name for one in ledger)


def _is_of_a_test(finding: Finding) -> bool:
    """True if a finding measured the memory of a test, so that its first use was looked at, too."""
    is_memory = finding.metric.startswith(f"{MEMORY_PEAK.family}.")
    return finding.measurement is not None and is_memory and not finding.subject.is_first_use
