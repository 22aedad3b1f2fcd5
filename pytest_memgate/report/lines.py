"""A finding in plain lines; every text report is made of these."""

import posixpath
import shlex
from collections.abc import Sequence
from statistics import median

from pytest_memgate.model.judgement.budget import DEFAULT, RuleKind
from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.model.judgement.reference import Reference
from pytest_memgate.model.measurement import Basis
from pytest_memgate.model.metric import MEMORY_PEAK, base_name
from pytest_memgate.model.metric import metric as metric_of
from pytest_memgate.model.run import Change, ChangeKind
from pytest_memgate.model.site import Contribution
from pytest_memgate.model.subject import Subject
from pytest_memgate.report.causes import causes
from pytest_memgate.report.words.budget import budget_text
from pytest_memgate.report.words.contributions import contribution_lines, growth_lines, tells_growth
from pytest_memgate.report.words.details import detail_lines
from pytest_memgate.report.words.reason import reason
from pytest_memgate.report.words.remarks import remark_texts
from pytest_memgate.units import SIZE, format_amount, format_growth, format_size

_NAMES = 3  # tests, or files, that one command names
_EMPTY_CACHE = "only the first run counts, which needs more where a cache on disk is empty (docs/memory.md)"
_NOISE = 4000  # bytes that two runs of an unchanged test may differ by


def headline(finding: Finding) -> str:
    """Return one line: `memory.peak 1.2 MB -> 5.4 MB: +4.2 MB is over its budget of 200 KB`."""
    values = value_line(finding)
    return ": ".join(part for part in (f"{finding.metric} {values}" if values else "", reason(finding)) if part)


def own_headline(finding: Finding) -> str:
    """Return the headline as it stands below a test: with the package, for a finding on one."""
    return f"{finding.subject.name}: {headline(finding)}" if finding.subject.is_first_use else headline(finding)


def value_line(finding: Finding) -> str:
    """Return the values alone: `1.2 MB -> 5.4 MB`, with `<=` before a bound."""
    before = None if finding.baseline is None else format_amount(finding.baseline, finding.unit)
    if finding.measurement is None:
        return "" if before is None else f"{before} -> nothing"
    return value_text(finding) if before is None else f"{before} -> {value_text(finding)}"


def value_text(finding: Finding) -> str:
    """Return the measured value, with `<=` before a bound, empty if nothing was measured."""
    if finding.measurement is None:
        return ""
    return _amount(finding.measurement.value, finding.unit, is_bound=finding.is_bound)


def _amount(amount: float, unit: str, *, is_bound: bool) -> str:
    return f"{'<= ' if is_bound else ''}{format_amount(amount, unit)}"


def measured_line(finding: Finding) -> str:
    """Return how the value was measured: the runs, the first use, and remarks."""
    measurement = finding.measurement
    if measurement is None:
        return ""
    if measurement.basis is Basis.SAMPLES:
        samples, again = measurement.samples, measurement.again
        parts = (
            [f"{len(samples)} samples {_range(measurement.value, samples, finding.unit)}"] if len(samples) > 1 else []
        )
        if again:
            parts.append(f"a second collection {_range(median(again), again, finding.unit)}")
        return "; ".join([*parts, *remark_texts(measurement)])
    if measurement.basis in {Basis.EXACT, Basis.SLOPE} or finding.subject.is_first_use:
        return "; ".join(remark_texts(measurement))
    first = format_amount(measurement.cold, finding.unit)
    with_others = f" with {measurement.together - 1} more" if measurement.together > 2 else " with one more"
    parts = [f"first run {first}" if measurement.together == 1 else f"first run{with_others} <= {first}"]
    if measurement.warm:
        parts.append(f"again {', '.join(format_amount(value, finding.unit) for value in measurement.warm)}")
    if finding.unit == SIZE and measurement.first_use > _NOISE:
        parts.append(f"first use {format_size(measurement.first_use)}{_modules(measurement.modules)}")
    hints = [_EMPTY_CACHE] if measurement.basis is Basis.COLD and finding.outcome.fails_test else []
    return "; ".join([*parts, *remark_texts(measurement), *hints])


def _range(middle: float, samples: tuple[float, ...], unit: str) -> str:
    low, value, high = (format_amount(one, unit) for one in (min(samples), middle, max(samples)))
    return value if len(samples) == 1 else f"{value} [{low} .. {high}]"


def _modules(modules: tuple[str, ...]) -> str:
    packages = list(dict.fromkeys(name.partition(".")[0] for name in modules))
    if not packages:
        return ""
    more = f" and {len(packages) - 5} more" if len(packages) > 5 else ""
    return f" (imported {', '.join(packages[:5])}{more})"


def accept_command(finding: Finding) -> str:
    """Return how to accept a test's growth: drift by moving the anchor, a value over its limit by raising the limit."""
    if finding.is_over_limit:
        limit = finding.rule(RuleKind.LIMIT)
        if limit is None or limit.source == DEFAULT:
            return f"raise its limit (budgets: {base_name(finding.metric)}: limit, in memgate.yml)"
        return f"raise its limit ({limit.source})"
    if finding.subject.is_first_use:
        return update_command(finding.paid_by)
    return update_command((finding.subject,), "anchor" if is_anchored(finding) else "update")


def is_anchored(finding: Finding) -> bool:
    """True if growth since an anchor is what fails: moving the anchor accepts it."""
    return finding.outcome is Outcome.DRIFTED and finding.anchor is not None


def update_command(tests: Sequence[Subject], verb: str = "update") -> str:
    """Return the command that accepts the growth of tests, by the fewest names: theirs, their files, their folder."""
    names = list(dict.fromkeys(map(str, tests)))
    if len(names) > _NAMES:
        names = list(dict.fromkeys(test.file for test in tests))
    if len(names) > _NAMES:
        folder = posixpath.commonpath([posixpath.dirname(name) for name in names])
        names = [folder] if folder else []
    return " ".join([f'memgate baseline {verb} --reason "…"', *map(shlex.quote, names)])


def failure_texts(findings: Sequence[Finding]) -> str:
    """Return the text of a test that fails for several findings; parts that they share are said once."""
    told: dict[tuple[frozenset[str], str], str] = {}
    texts = []
    for number, finding in enumerate(findings):
        cause = (frozenset(causes(finding)), finding.unit)
        later = {accept_command(one) for one in findings[number + 1 :] if one.measurement}
        texts.append(failure_text(finding, as_in=told.get(cause, ""), accept=accept_command(finding) not in later))
        if cause[0]:
            told.setdefault(cause, finding.metric)
    return "\n\n".join(texts)


def failure_text(finding: Finding, *, as_in: str = "", accept: bool = True) -> str:
    """Return the text of a failing test: what grew, where, how it was measured, what to do next.

    `as_in` is the metric whose text has already shown the way to the sites; with `accept`, the command to accept it is
    added.
    """
    lines = [own_headline(finding)]
    if finding.measurement is None:
        return lines[0]  # there is nothing to accept
    what = "what grew:" if tells_growth(finding) else "what holds it:"
    if as_in:
        lines.append(f"{what} as in {as_in}, {', '.join(site.label for site in causes(finding).values())}")
    elif finding.growth_by_site:
        lines += [what, *(f"  {line}" for line in growth_lines(finding))]
    lines += detail_lines(finding)
    if finding.moved_from:
        lines.append(f"held against the baseline of {finding.moved_from}, which is gone")
    if not as_in and (measured := measured_line(finding)):
        lines.append(f"measured: {measured}")
    lines.append(f"budget: {budget_text(finding)}")
    if finding.kept:
        opens = "open the profile: python -m memray flamegraph " if finding.kept[0].endswith(".bin") else "kept: "
        more = f" and {len(finding.kept) - 1} more beside it" if len(finding.kept) > 1 else ""
        lines.append(f"{opens}{shlex.quote(finding.kept[0])}{more}")
    if finding.measured_from:
        lines.append(f"against: {finding.measured_from}, measured here")
    elif accept:
        lines.append(f"if it is meant: {accept_command(finding)}")
    return "\n".join(lines)


def listed_line(findings: Sequence[Finding]) -> str:
    """Return one test of many with the same cause: `regressed    test_a.py::test_x  memory.peak 2 KB -> 1.6 MB`."""
    values = ", ".join(f"{finding.metric} {value_line(finding)}" for finding in findings)
    return f"{findings[0].outcome:<12} {findings[0].subject}  {values}"


def change_line(change: Change) -> str:
    """Return one changed baseline entry: `raised   tests/test_x.py::test_y  1 MB -> 5 MB  (new cache)`."""
    before, after = ("" if one is None else format_amount(one, change.unit) for one in (change.before, change.after))
    same = change.kind is ChangeKind.MOVED
    values = after if same else " -> ".join(part for part in (before, after) if part)
    reason = f"  ({change.reason})" if change.reason else ""
    if change.kind in {ChangeKind.RAISED, ChangeKind.ANCHORED} and not change.reason:
        reason = "  (no reason given)"
    which = "" if change.metric == MEMORY_PEAK.name else f"{change.metric} "
    came = f"{change.moved_from} -> " if change.moved_from else ""
    return f"{change.kind:<12} {came}{change.subject}  {which}{values}{reason}"


def entry_lines(subject: Subject, metric: str, reference: Reference, *, sites: bool) -> list[str]:
    """Return a baseline entry, with its call sites if wanted."""
    unit = metric_of(metric, reference.unit).unit
    parts = [f"{subject}  {metric} {format_amount(reference.value, unit)}"]
    if reference.anchor is not None:
        parts.append(f"anchor {format_amount(reference.anchor, unit)}")
    if reference.spread:
        parts.append(f"runs differ by {format_amount(reference.spread, unit)}")
    if reference.samples:
        low, high = (format_amount(one, unit) for one in (min(reference.samples), max(reference.samples)))
        parts.append(f"{len(reference.samples)} samples [{low} .. {high}]")
    parts += [f"{name} {value}" for name, value in reference.conditions.items()]
    if not reference.repeatable:
        parts.append("not repeatable: the value of a first run")
    if reference.reason:
        parts.append(f"raised for: {reference.reason}")
    lines = [", ".join(parts)]
    if sites:
        largest = sorted(reference.sites.items(), key=lambda item: -item[1])
        lines += [f"  {format_amount(size, unit):>9}  {site}" for site, size in largest]
    return lines


def difference_lines(
    subject: Subject, metric: str, change: str, unit: str, by_site: tuple[Contribution, ...], note: str
) -> list[str]:
    """Return one test of two runs: the change of its value, and the sites that grew."""
    lines = [f"{subject}  {metric} {change}{f'  ({note})' if note else ''}"]
    return lines + [f"  {line}" for line in contribution_lines(by_site, unit)]


def change_between(
    base: float, head: float, unit: str, *, base_is_bound: bool = False, head_is_bound: bool = False, both_passed: bool
) -> str:
    """Return two values and their difference as far as it is known: of two bounds, nothing is."""
    before, after = _amount(base, unit, is_bound=base_is_bound), _amount(head, unit, is_bound=head_is_bound)
    growth = head - base
    if base_is_bound and head_is_bound:
        told = ", both within" if both_passed else ""
    elif head_is_bound:
        told = f": at most {format_growth(growth, unit)}" if growth >= 0 else f": at least {_lower(growth, unit)}"
    elif base_is_bound:
        told = f": at least {format_growth(growth, unit)}" if growth > 0 else ""
    else:
        told = f": {format_growth(growth, unit)}"
    return f"{before} -> {after}{told}"


def _lower(growth: float, unit: str) -> str:
    return f"{format_amount(-growth, unit)} lower"
