"""The summary that the terminal shows: worst first, then what to do next, then the verdict."""

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.model.judgement.remark import RemarkKind
from pytest_memgate.model.measurement import Basis
from pytest_memgate.model.metric import (
    CHILDREN_PEAK,
    FAMILIES,
    FIRST_PEAK,
    FIRST_USE,
    MEMORY_PEAK,
    MEMORY_RETAINED,
    Family,
    base_name,
    metric,
    part_of,
)
from pytest_memgate.model.run import Change, ChangeKind, Measured, Run, Verdict
from pytest_memgate.report.lines import change_line, headline, listed_line, measured_line
from pytest_memgate.report.stories import IN_FULL, Story, stories
from pytest_memgate.report.view import WORST_FIRST, against, excess, has_risen, moved, next_steps, telling, verdict_line
from pytest_memgate.report.words.contributions import growth_lines
from pytest_memgate.report.words.details import detail_lines
from pytest_memgate.report.words.reason import reason
from pytest_memgate.report.words.remarks import remark_text
from pytest_memgate.units import SIZE, counted, format_amount

_MOST = 10  # findings of one outcome that are listed without -v
_MOST_NOT_RUN = 50  # more of these, as each was judged on the base
_MUCH = 500_000  # bytes that tests keep together: what first use may grow by; chosen
_SITES = 2  # call sites of a failing finding
_WITH_MEMORY = {"gc"}  # measured of tests whose memory is measured, too
_GOOD = {Outcome.PASSED, Outcome.NEW, Outcome.NO_BASELINE}  # whose remarks on a service are said
_INDENT = " " * 13


class Tone(Enum):
    """The meaning of a line; the terminal chooses its colour."""

    PLAIN = "plain"
    GOOD = "good"
    BAD = "bad"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the summary."""

    text: str
    tone: Tone = Tone.PLAIN


def summary(run: Run, *, verbosity: int = 0, notes: tuple[str, ...] = ()) -> list[Line]:
    """Return the lines for a run; `verbosity` is pytest's: below 0 only failures, above 0 every finding."""
    lines: list[Line] = []
    if verbosity >= 0:
        lines.append(Line(_measured(run)))
    if not run.update:
        lines += _failing(run, verbosity)
    for outcome in WORST_FIRST:
        # The stories tell what fails, the problems say what is without an answer.
        if not outcome.fails_test and outcome is not Outcome.UNREADABLE:
            lines += _section(run, outcome, verbosity)
    if not run.update and (verbosity >= 0 or run.compared_with):
        lines += _moved(run, verbosity)
    if verbosity >= 0:
        lines += [Line(f"{'note':<12} {note}", Tone.NOTE) for note in (*notes, *_notes(run))]
    if verbosity >= 0 or run.compared_with:
        lines += _changes(run, verbosity)
        lines += [Line(f"{'loosened':<12} {text}", Tone.NOTE) for text in run.loosened]
    for problem in run.problems:
        lines.append(Line(f"{'problem':<12} {problem.text}", Tone.BAD))
        if problem.hint:
            lines.append(Line(f"{_INDENT}{problem.hint}"))
    lines += [Line(text) for text in _next(run) if verbosity >= 0]
    lines.append(_verdict(run))
    return lines


def _measured(run: Run) -> str:
    measured = [finding for finding in run.findings if finding.measurement]
    families: dict[str, set[str]] = {}
    for finding in measured:
        if finding.subject.is_first_use:
            continue
        families.setdefault(finding.metric.partition(".")[0], set()).add(str(finding.subject))
    memory = len(families.pop("memory", ()))
    again = len({one.subject for one in measured if one.metric.startswith("memory.") and _is_warm(one)})
    fresh = sum(one.subject.is_first_use and one.outcome is not Outcome.NEW for one in run.findings)
    no_answer = run.count(Outcome.NO_ANSWER)
    parts = [f"memory.peak: {counted(memory, 'test')} measured"] if memory else []
    if again:
        parts.append(f"{again} of them run again")
    parts += [_counted(family, len(subjects)) for family, subjects in families.items() if family not in _WITH_MEMORY]
    if fresh and not run.update:
        parts.append(f"{counted(fresh, 'first-use increase')} re-checked in a fresh process")
    for number, word in (
        (run.count(Outcome.UNMEASURED), "unmeasured"),
        (no_answer, "without an answer"),
        (run.failed, "failed by itself" if run.failed == 1 else "failed by themselves"),
        (run.skipped + len({one.subject for one in run.findings if one.outcome is Outcome.SKIPPED}), "skipped"),
    ):
        if number:
            parts.append(f"{number} {word}")
    return f"{', '.join(parts) or 'nothing measured'}; {against(run)}"


def _is_warm(finding: Finding) -> bool:
    return bool(finding.measurement and finding.measurement.warm)


def _counted(family: str, number: int) -> str:
    known = FAMILIES.get(family) or Family(counted=family)
    return f"{counted(number, known.counted)}{known.more}"


def _failing(run: Run, verbosity: int) -> Iterator[Line]:
    """Yield the failures by their cause: the worst in full, other tests with the same cause as a list."""
    told = stories(run)
    shown = told if verbosity > 0 else told[:_MOST]
    for story in shown:
        yield from _story(story, verbosity)
    hidden = [finding.outcome for story in told[len(shown) :] for finding in story.findings]
    for outcome in dict.fromkeys(hidden):
        yield Line(f"{_INDENT}and {hidden.count(outcome)} more {outcome} (-v shows all)", Tone.BAD)


def _story(story: Story, verbosity: int) -> Iterator[Line]:
    if story.is_shared:
        yield Line(f"{'cause':<12} {story.line}", Tone.BAD)
    tests = story.by_subject
    in_full = len(tests) if verbosity > 1 else IN_FULL if verbosity > 0 else 1
    listed = len(tests) if verbosity > 0 else IN_FULL
    for number, findings in enumerate(tests.values()):
        if number < in_full:
            for finding in findings:
                yield from _told(finding, verbosity, Tone.BAD, sites=verbosity > 0 or finding is findings[0])
        elif number < listed:
            yield Line(listed_line(findings), Tone.BAD)
    if len(tests) > listed:
        yield Line(f"{_INDENT}and {counted(len(tests) - listed, 'more test')} (-v lists them)", Tone.BAD)


def _told(finding: Finding, verbosity: int, tone: Tone, *, sites: bool) -> Iterator[Line]:
    between = ": " if finding.outcome is Outcome.NOT_RUN else "  "
    yield Line(f"{finding.outcome:<12} {finding.subject}{between}{headline(finding)}", tone)
    if sites and verbosity >= 0:
        most = _SITES if verbosity == 0 else None
        lines = [*growth_lines(finding, most=most), *detail_lines(finding)]
        yield from (Line(f"{_INDENT}{text}") for text in lines)
    if verbosity > 0 and (measured := measured_line(finding)):
        yield Line(f"{_INDENT}{measured}")


def _section(run: Run, outcome: Outcome, verbosity: int) -> Iterator[Line]:
    findings = [finding for finding in run.findings if finding.outcome is outcome]
    findings.sort(key=excess, reverse=True)
    if run.update and outcome in {Outcome.INCOMPARABLE, Outcome.NEW, Outcome.NO_BASELINE, Outcome.IMPROVED}:
        findings = []  # the changes say it
    if outcome is Outcome.NOT_GATED and verbosity < 1:
        findings = []
    if (outcome is Outcome.PASSED and verbosity < 1) or verbosity < 0:
        findings = [finding for finding in findings if verbosity >= 0 and reason(finding)]
    shown = findings if verbosity > 0 else findings[: _MOST_NOT_RUN if outcome is Outcome.NOT_RUN else _MOST]
    tone = Tone.GOOD if outcome in {Outcome.PASSED, Outcome.IMPROVED} else Tone.NOTE
    for finding in shown:
        yield from _told(finding, verbosity, tone, sites=False)
    if len(findings) > len(shown):
        yield Line(f"{_INDENT}and {len(findings) - len(shown)} more {outcome} (-v shows all)", tone)


def _moved(run: Run, verbosity: int) -> Iterator[Line]:
    """Yield the tests that were held against the entries of their old names."""
    pairs = moved(run)
    shown = pairs if verbosity > 0 else pairs[:_MOST]
    yield from (Line(f"{'moved':<12} {old} -> {new}", Tone.NOTE) for old, new in shown)
    if len(pairs) > len(shown):
        yield Line(f"{_INDENT}and {len(pairs) - len(shown)} more moved (-v shows all)", Tone.NOTE)


def _notes(run: Run) -> Iterator[str]:
    cold = [str(one.subject) for one in run.findings if one.measurement and one.measurement.basis is Basis.COLD]
    if once := list(dict.fromkeys(cold)):
        kept = "stored" if run.update else "judged"
        yield f"not repeatable, so the value of the first run is {kept}: {_named(once)}"
    unseen: dict[str, list[str]] = {}
    for one in run.findings:
        if one.metric == "children" and one.outcome is Outcome.NOT_GATED:
            unseen.setdefault(reason(one), []).append(str(one.subject))
    for why, tests in unseen.items():
        yield f"starts processes that are not measured ({why}): {_named(tests)}"
    began = [str(one.subject) for one in run.findings if one.metric == CHILDREN_PEAK.name and one.baseline == 0]
    if began and not run.update:
        yield f"starts processes now, and did not in its baseline: {_named(began)}"
    yield from (f"{one.subject}: {headline(one)}" for one in run.findings if one.metric == FIRST_PEAK.name and one.over)
    if run.measured:
        yield from _packages(run.measured)
    yield from _controls(run)
    yield from _together(run)
    yield from _moved_out(run)
    yield from _loaded_later(run)
    for one in run.findings:
        if one.outcome in _GOOD and one.measurement:
            soaks = (remark for remark in one.measurement.remarks if remark.kind is RemarkKind.SOAK)
            yield from (f"{one.subject}: {remark_text(remark)}" for remark in soaks)
        if run.update and one.measurement and one.allowed is not None and one.measurement.spread > one.allowed:
            spread, allowed = (format_amount(size, one.unit) for size in (one.measurement.spread, one.allowed))
            yield f"{one.subject}: its runs differ by {spread}: a budget of {allowed} cannot be held"


def _controls(run: Run) -> Iterator[str]:
    """Yield how often the base was called slower than itself: false alarms."""
    controls = {
        one.subject: sum(remark.amounts)
        for one in run.findings
        for remark in (one.measurement.remarks if one.measurement else ())
        if remark.kind is RemarkKind.CONTROL
    }
    if controls:
        yield f"A/A: {sum(map(bool, controls.values()))} of {len(controls)} called slower, the base against itself"


def _packages(measured: Measured) -> Iterator[str]:
    if measured.packages:
        yield f"{measured.ref} has other packages: {', '.join(measured.packages)}"
    for pin in measured.unmet:
        yield f"the work tree pins {pin}: what that changes was not compared"
    yield from (f"in {measured.ref}, {line}" for line in measured.without[:_MOST])
    if len(measured.without) > _MOST:
        yield f"in {measured.ref}, {len(measured.without) - _MOST} more tests have no value"


def _moved_out(run: Run) -> Iterator[str]:
    """Yield the tests whose calls hold less of what first use holds more of: it moved to a set-up, say."""
    gone: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for one in run.findings:
        if one.metric == MEMORY_PEAK.name:
            less = (part for part in one.growth_by_site if part.site and -part.growth > FIRST_USE.noise)
            for part in less:
                gone[part.site.key if part.site else ""].append((-part.growth, str(one.subject)))
    for one in run.findings:
        for part in one.growth_by_site if one.subject.is_first_use and one.outcome.fails_gate else ():
            if part.site and part.growth > 0 and (tests := gone.get(part.site.key)):
                less_by = format_amount(max(tests)[0], one.unit)
                of = _named([test for _, test in sorted(tests, reverse=True)])
                yield f"{part.site.label} holds {less_by} less in the calls of tests, so it moved out of them: {of}"


def _loaded_later(run: Run) -> Iterator[str]:
    """Yield the bundles that grew by later code, which no budget holds, by more than their first screen may grow."""
    first = {
        (one.subject, part_of(one.metric)): one for one in run.findings if base_name(one.metric) == "bundle.initial.raw"
    }
    for one in run.findings:
        known = first.get((one.subject, part_of(one.metric)))
        if run.update or base_name(one.metric) != "bundle.total.raw" or one.rules or known is None:
            continue
        growth = min(one.growth or 0, (one.growth or 0) - (known.growth or 0))
        if growth > (known.allowed or math.inf):
            largest = next((f", most of it {part.site.label}" for part in one.growth_by_site if part.site), "")
            yield (
                f"{one.subject}: {one.metric} grew by {format_amount(growth, one.unit)} of what is loaded later, which "
                f"no budget holds{largest}; if the page loads it unasked, name it in `with`"
            )


def _together(run: Run) -> Iterator[str]:
    """Yield what tests keep above their baselines together, where each of them is within its budget."""
    more = [one for one in run.findings if one.metric == MEMORY_RETAINED.name and one.outcome is Outcome.PASSED]
    more = [one for one in more if (one.growth or 0) > MEMORY_RETAINED.noise]
    total = sum(one.growth or 0 for one in more)
    if run.update or len(more) == 1 or total <= _MUCH:
        return
    sizes: dict[str, float] = defaultdict(float)
    for one in more:
        for part in one.growth_by_site:
            sizes[part.site.label if part.site else ""] += part.growth
    text = f"{len(more)} tests keep {format_amount(total, SIZE)} more together, each within its budget"
    yield ": ".join([text, *sorted(sizes, key=lambda label: -sizes[label])[:1]])


def _named(tests: list[str]) -> str:
    more = f" and {len(tests) - _MOST} more" if len(tests) > _MOST else ""
    return f"{', '.join(tests[:_MOST])}{more}"


def _changes(run: Run, verbosity: int) -> Iterator[Line]:
    if not run.changes:
        if run.update:
            kept = sum(abs(one.growth or 0) > metric(one.metric).noise for one in run.findings)
            why = f": {counted(kept, 'value')} moved within the budget, which is no reason to write"
            yield Line(f"baselines unchanged{why if kept else ''}")
        return
    where = run.baseline if run.update else f"{run.baseline} since {run.compared_with}"
    yield Line(f"{'wrote' if run.update else 'changed in'} {where}: {_kinds(run.changes)}")
    shown = list(run.changes) if verbosity > 0 else telling(run.changes)[:_MOST]
    if verbosity < 0:
        shown = [one for one in shown if has_risen(one) or one.kind in {ChangeKind.MOVED, ChangeKind.REMOVED}]
    for change in shown:
        yield Line(change_line(change), Tone.NOTE if has_risen(change) else Tone.PLAIN)
    if len(run.changes) > len(shown):
        yield Line(f"{_INDENT}and {len(run.changes) - len(shown)} more (-v shows all)")


def _kinds(changes: tuple[Change, ...]) -> str:
    counts = {kind: sum(change.kind is kind for change in changes) for kind in ChangeKind}
    above = sum(change.kind is ChangeKind.REMEASURED and has_risen(change) for change in changes)
    apart = {ChangeKind.REMEASURED: f" ({above} above their old values by more than 1 %)" if above else ""}
    return ", ".join(f"{number} {kind}{apart.get(kind, '')}" for kind, number in counts.items() if number)


def _next(run: Run) -> Iterator[str]:
    for what, command in next_steps(run):
        yield f"next: {what}{' ' if run.update else ': '}{command}"


def _verdict(run: Run) -> Line:
    return Line(f"memgate: {verdict_line(run)}", Tone.GOOD if run.verdict is Verdict.PASSED else Tone.BAD)
