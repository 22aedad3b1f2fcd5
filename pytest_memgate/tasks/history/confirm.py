"""`memgate history confirm`: both commits of a candidate measured in turn, on this machine."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from statistics import median

from pytest_memgate.compare.history.changes import REACH, VERDICT, changes_of
from pytest_memgate.compare.history.confirmation import Confirmed, error_of, least_share, processes_for
from pytest_memgate.compare.pairs import Answer
from pytest_memgate.errors import MeasureError, UsageError
from pytest_memgate.model.history import Event, EventKind, Past, Precision
from pytest_memgate.model.history_change import ChangeState, HistoryChange
from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.model.judgement.remark import RemarkKind
from pytest_memgate.model.metric import metric
from pytest_memgate.model.run import Run
from pytest_memgate.tasks.compare.commits import TwoCommits, compare_commits
from pytest_memgate.tasks.history.changes import Say, find_change, guarantee, new_event
from pytest_memgate.tasks.history.opened import Opened
from pytest_memgate.tasks.history.window import past_of
from pytest_memgate.units import counted

_OPTION = "memgate history confirm"
_WORDS = {Answer.SLOWER: "confirmed", Answer.WITHIN: "no change", Answer.UNDECIDED: "not decided"}


def confirm(opened: Opened, wanted: Sequence[str], say: Say) -> int:
    """Measure what is unconfirmed, or the changes that are `wanted`; return how many could not be measured.

    Each answer is stored as soon as it is there. Raises UsageError for an unknown change, and for one that needs no
    confirmation.
    """
    past = past_of(opened)
    todo = _todo(past, wanted)
    measured = {chart.series: chart.measured for chart in past.charts}
    say(f"memgate: {counted(len(todo), 'change')} to confirm")
    spent = _of_this_month(opened.store.events())
    failed = 0
    for number, change in enumerate(todo, 1):
        try:
            question = _Question(opened, change, measured[change.series], error_of(spent + number))
            said = _confirmed(question)
        except MeasureError as error:
            failed += 1
            said = f"cannot be measured: {error}"
        say(f"memgate: {number} of {len(todo)}: {change.id} {change.series}: {said}")
    say(f"memgate: {guarantee()}")
    return failed


def _todo(past: Past, wanted: Sequence[str]) -> list[HistoryChange]:
    changes = changes_of(past)
    if not wanted:
        return [change for change in changes if change.state is ChangeState.UNCONFIRMED and not change.measured]
    found = [find_change(changes, one) for one in wanted]
    if settled := next((change for change in found if change.state is not ChangeState.UNCONFIRMED), None):
        raise UsageError(f"{settled.id} is {settled.state} already", hint="memgate history check lists what is not")
    return list({change.id: change for change in found}.values())


def _of_this_month(events: Sequence[Event]) -> int:
    """Return how many confirmations were stored this month: each has had its part of the error."""
    month = datetime.now(UTC).strftime("%Y-%m-")
    return sum(event.kind is EventKind.CONFIRMATION and event.time.startswith(month) for event in events)


def _confirmed(asked: "_Question") -> str:
    """Measure and store the answer on one change; return it in words."""
    change = asked.change
    answer = asked.answer(change.before_position, change.position, least_share(change))
    brought = by = ""
    if answer.answer is Answer.SLOWER:
        try:
            brought = asked.brought_by(answer.ratio)
            by = f", brought by {brought[:12]}"
        except MeasureError as error:
            by = f"; which commit brought it cannot be told: {error}"
    data = {
        VERDICT: answer.verdict,
        REACH: asked.reach,
        **{name: getattr(answer, name) for name in ("pairs", "ratio", "low", "high")},
        "before": change.before,
        "after": change.after,
        "error": asked.error,
    }
    asked.opened.store.add_event(replace(new_event(EventKind.CONFIRMATION, change), commit=brought, data=data))
    return f"{_WORDS[answer.answer]}: x{answer.ratio:.3g} by {counted(int(answer.pairs), 'pair')}{by}"


class _Question:
    """Whether one test takes more at one commit of the line than at another."""

    def __init__(self, opened: Opened, change: HistoryChange, measured: Sequence[int], error: float) -> None:
        self.opened = opened
        self.change = change
        self.error = error
        self.reach = sum(change.before_position < position <= change.position for position in measured)

    def answer(self, before: int, after: int, share: float) -> Confirmed:
        """Compare the commits at two positions: do they differ by more than a share? Raises MeasureError.

        A near-exact value is that of one process: both commits are measured in so many that chance explains no growth
        in all of them.

        Pairs tell for certain that the head takes more, so the commit with the higher value is the head.
        """
        line, change = self.opened.line, self.change
        lower, higher = (before, after) if change.is_growth else (after, before)
        wanted = TwoCommits(base=line[lower].id, head=line[higher].id, error=self.error)
        if change.series.precision is Precision.NOISY:
            return _answer(self._compared(wanted, share))
        ratios: list[float] = []
        while len(ratios) < processes_for(self.error) and (not ratios or ratios[-1] > 1 + share):
            ratios.append(_ratio(self._compared(wanted, share)))
        answer = Answer.SLOWER if ratios[-1] > 1 + share else Answer.WITHIN
        return Confirmed(answer=answer, pairs=len(ratios), ratio=median(ratios), low=min(ratios), high=max(ratios))

    def _compared(self, wanted: TwoCommits, share: float) -> Finding:
        root = self.opened.root
        run = compare_commits(root, root, wanted, list(self._arguments(share)), _OPTION)
        return _finding(run, self.change)

    def brought_by(self, ratio: float) -> str:
        """Return the commit that brought most of a change by `ratio`; raises MeasureError if that cannot be told.

        The commits between are halved: after some of them there is more than half of the change, after the others less.
        If some were measured and none seemed to be a step, the two neighbours that are left have to differ by as much,
        or it was a creep.
        """
        half = math.sqrt(ratio) - 1
        before, after = self.change.before_position, self.change.position
        while after - before > 1:
            middle = (before + after) // 2
            match self.answer(self.change.before_position, middle, half).answer:
                case Answer.SLOWER:
                    after = middle
                case Answer.WITHIN:
                    before = middle
                case Answer.UNDECIDED:
                    raise MeasureError(f"pairs do not decide on {self.opened.line[middle].id[:12]}")
        if self.reach > 1 and self.answer(before, after, half).answer is not Answer.SLOWER:
            raise MeasureError("it crept, over several of them")
        return self.opened.line[after].id

    def _arguments(self, share: float) -> Iterator[str]:
        yield str(self.change.series.subject)
        yield f"--memgate-growth={self.change.series.quantity}={100 * share:.1f}%"
        if self.change.series.precision is Precision.NEAR_EXACT:
            yield "--memgate-measure=exact"  # a bound has no ratio


def _finding(run: Run, change: HistoryChange) -> Finding:
    series = change.series
    for finding in run.findings:
        if finding.subject == series.subject and finding.metric == series.metric and finding.measurement:
            return finding
    raise MeasureError(f"no value of {series} came")


def _ratio(finding: Finding) -> float:
    """Return how many times as much the head is as the base; of small values, their noise makes it less."""
    measured = finding.measurement
    if measured is None or finding.baseline is None or measured.is_bound:
        raise MeasureError(f"{finding.subject} {finding.metric} was not measured on both sides")
    noise = metric(finding.metric, finding.unit).noise or 1
    return (measured.value + noise) / (finding.baseline + noise)


def _answer(finding: Finding) -> Confirmed:
    """Return what pairs say; raises MeasureError where there were none."""
    measured = finding.measurement
    kinds = {RemarkKind.PAIRS, RemarkKind.LOADS}
    remark = next((one for one in measured.remarks if one.kind in kinds), None) if measured else None
    if remark is None or not finding.baseline or finding.allowed is None:
        raise MeasureError(f"{finding.subject} {finding.metric} was not measured in pairs")
    pairs, growth, *bounds = remark.amounts
    ratios = [growth, *(bounds or (0.0, 0.0))]
    if remark.kind is RemarkKind.LOADS:
        ratios = [1 + growth / finding.baseline, *(1 + one / finding.baseline if bounds else 0.0 for one in ratios[1:])]
    ratio, low, high = ratios
    is_within = 0 < high <= 1 + finding.allowed / finding.baseline
    answer = Answer.SLOWER if finding.outcome is Outcome.REGRESSED else Answer.WITHIN if is_within else Answer.UNDECIDED
    return Confirmed(answer=answer, pairs=pairs, ratio=ratio, low=low, high=high)
