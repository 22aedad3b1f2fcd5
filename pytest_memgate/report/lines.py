"""What a finding says in plain lines; every text report is made of these."""

import re
import shlex

from pytest_memgate.model.finding import OVER_LIMIT, Finding, Outcome
from pytest_memgate.model.measurement import Basis
from pytest_memgate.model.reference import Reference
from pytest_memgate.model.run import Change, ChangeKind
from pytest_memgate.model.site import Contribution
from pytest_memgate.model.subject import Subject
from pytest_memgate.units import format_growth, format_size

_UNDER = " " * 13
_NOISE = 4000  # bytes that two runs of an unchanged test may differ by


def headline(finding: Finding) -> str:
    """Return one line: `memory.peak 1.2 MB -> 5.4 MB: +4.2 MB is over its budget of 200 KB`."""
    values = value_line(finding)
    return ": ".join(part for part in (f"{finding.metric} {values}" if values else "", finding.reason) if part)


def value_line(finding: Finding) -> str:
    """Return the values alone: `1.2 MB -> 5.4 MB`, with `<=` where only a bound is known."""
    if finding.measurement is None:
        return "" if finding.baseline is None else f"{format_size(finding.baseline)} -> nothing"
    bound = "<= " if finding.measurement.basis is Basis.BOUND else ""
    value = f"{bound}{format_size(finding.measurement.value)}"
    return value if finding.baseline is None else f"{format_size(finding.baseline)} -> {value}"


def growth_lines(finding: Finding) -> list[str]:
    """Return what grew, a line a call site, each followed by its callers and the packages behind it."""
    return contribution_lines(finding.growth_by_site)


def contribution_lines(contributions: tuple[Contribution, ...]) -> list[str]:
    """Return a line a call site, each that grew followed by its callers and the packages behind it."""
    lines: list[str] = []
    for one in contributions:
        lines.append(_contribution(one))
        if one.site and one.growth > 0:
            lines += [f"{_UNDER}called from {caller}" for caller in one.site.via]
            if one.site.uses:
                lines.append(f"{_UNDER}uses {', '.join(one.site.uses)}")
    return lines


def _contribution(one: Contribution) -> str:
    growth = f"{format_growth(one.growth):>9}"
    if one.site is None:
        return f"{growth}  other call sites"
    return f"{growth}  {one.site.label}  ({format_size(one.base)} -> {format_size(one.head)})"


def measured_line(finding: Finding) -> str:
    """Return how the value was found: the runs, the first use, and what it says of the test."""
    measurement = finding.measurement
    if measurement is None:
        return ""
    parts = [f"first run {format_size(measurement.cold)}"]
    if measurement.warm:
        parts.append(f"again {', '.join(format_size(value) for value in measurement.warm)}")
    if measurement.first_use > _NOISE:
        parts.append(f"first use {format_size(measurement.first_use)}{_modules(measurement.modules)}")
    return "; ".join([*parts, *measurement.notes])


def _modules(modules: tuple[str, ...]) -> str:
    packages = list(dict.fromkeys(name.partition(".")[0] for name in modules))
    if not packages:
        return ""
    more = f" and {len(packages) - 5} more" if len(packages) > 5 else ""
    return f" (imported {', '.join(packages[:5])}{more})"


def accept_command(finding: Finding) -> str:
    """Return how a test's growth is accepted: for drift since an anchor by moving it, for a limit by raising that."""
    if OVER_LIMIT in finding.reason:
        where = re.search(r"limit [^,]* \(([^)]*)\)", finding.budget)
        return f"raise its limit ({where[1]})" if where else "raise its limit"
    verb = "anchor" if finding.outcome is Outcome.DRIFTED and finding.anchor is not None else "update"
    return f'memgate baseline {verb} --reason "…" {shlex.quote(str(finding.subject))}'


def failure_text(finding: Finding) -> str:
    """Return the text of a failing test: what grew, where, how it was measured, what to do next."""
    lines = [headline(finding)]
    if finding.growth_by_site:
        lines += [
            "what grew:" if finding.baseline is not None else "what holds it:",
            *(f"  {line}" for line in growth_lines(finding)),
        ]
    lines.append(f"measured: {measured_line(finding)}")
    lines.append(f"budget: {finding.budget}")
    if finding.capture:
        lines.append(f"open the profile: python -m memray flamegraph {shlex.quote(finding.capture)}")
    lines.append(f"if it is meant: {accept_command(finding)}")
    return "\n".join(lines)


def change_line(change: Change) -> str:
    """Return one changed baseline entry: `raised   tests/test_x.py::test_y  1 MB -> 5 MB  (new cache)`."""
    before = "" if change.before is None else format_size(change.before)
    after = "" if change.after is None else format_size(change.after)
    values = " -> ".join(part for part in (before, after) if part)
    reason = f"  ({change.reason})" if change.reason else ""
    if change.kind in {ChangeKind.RAISED, ChangeKind.ANCHORED} and not change.reason:
        reason = "  (no reason given)"
    return f"{change.kind:<12} {change.subject}  {values}{reason}"


def entry_lines(subject: Subject, metric: str, reference: Reference, *, sites: bool) -> list[str]:
    """Return a baseline entry, with its call sites if wanted."""
    parts = [f"{subject}  {metric} {format_size(reference.value)}"]
    if reference.anchor is not None:
        parts.append(f"anchor {format_size(reference.anchor)}")
    if reference.spread:
        parts.append(f"runs differ by {format_size(reference.spread)}")
    if not reference.repeatable:
        parts.append("not repeatable: the value of a first run")
    if reference.reason:
        parts.append(f"raised for: {reference.reason}")
    lines = [", ".join(parts)]
    if sites:
        largest = sorted(reference.sites.items(), key=lambda item: -item[1])
        lines += [f"  {format_size(size):>9}  {site}" for site, size in largest]
    return lines


def difference_lines(
    subject: Subject, metric: str, base: int, head: int, by_site: tuple[Contribution, ...], note: str
) -> list[str]:
    """Return one test of two runs: its values, and what grew."""
    change = f"{format_size(base)} -> {format_size(head)}: {format_growth(head - base)}"
    lines = [f"{subject}  {metric} {change}{f'  ({note})' if note else ''}"]
    return lines + [f"  {line}" for line in contribution_lines(by_site)]
