"""What a finding says in plain lines; every text report is made of these."""

import re
import shlex
from statistics import median

from pytest_memgate.model.finding import OVER_LIMIT, Finding, Outcome
from pytest_memgate.model.measurement import Basis, Measurement
from pytest_memgate.model.metric import MEMORY_PEAK, base_name
from pytest_memgate.model.metric import metric as metric_of
from pytest_memgate.model.reference import Reference
from pytest_memgate.model.run import Change, ChangeKind
from pytest_memgate.model.site import Contribution
from pytest_memgate.model.subject import Subject
from pytest_memgate.units import SIZE, format_amount, format_growth, format_size

_UNDER = " " * 13
_NOISE = 4000  # bytes that two runs of an unchanged test may differ by


def headline(finding: Finding) -> str:
    """Return one line: `memory.peak 1.2 MB -> 5.4 MB: +4.2 MB is over its budget of 200 KB`."""
    values = value_line(finding)
    return ": ".join(part for part in (f"{finding.metric} {values}" if values else "", finding.reason) if part)


def own_headline(finding: Finding) -> str:
    """Return the headline as it stands on its own below a test: with the package, where it is of one."""
    return f"{finding.subject.name}: {headline(finding)}" if finding.subject.is_first_use else headline(finding)


def value_line(finding: Finding) -> str:
    """Return the values alone: `1.2 MB -> 5.4 MB`, with `<=` where only a bound is known."""
    before = None if finding.baseline is None else format_amount(finding.baseline, finding.unit)
    if finding.measurement is None:
        return "" if before is None else f"{before} -> nothing"
    bound = "<= " if _is_bound(finding.measurement) else ""
    value = f"{bound}{format_amount(finding.measurement.value, finding.unit)}"
    return value if before is None else f"{before} -> {value}"


def _is_bound(measurement: Measurement) -> bool:
    """Say whether the value can be lower: nobody has needed to know how much."""
    if measurement.basis is Basis.SLOPE:
        return bool(measurement.warm) and measurement.value > min(measurement.warm)
    return measurement.basis is Basis.BOUND


def growth_lines(finding: Finding) -> list[str]:
    """Return what grew, a line a site, each followed by how it comes to be there and what is behind it."""
    return contribution_lines(finding.growth_by_site, finding.unit)


def contribution_lines(contributions: tuple[Contribution, ...], unit: str = SIZE) -> list[str]:
    """Return a line a site, each that grew followed by how it comes to be there and what is behind it."""
    lines: list[str] = []
    for one in contributions:
        lines.append(_contribution(one, unit))
        if one.site and one.growth > 0:
            # Only a function has callers; whatever else is named says itself how it came in.
            how, behind = ("called from ", "uses ") if one.site.function else ("", "")
            lines += [f"{_UNDER}{how}{caller}" for caller in one.site.via]
            if one.site.uses:
                lines.append(f"{_UNDER}{behind}{', '.join(one.site.uses)}")
    return lines


def _contribution(one: Contribution, unit: str) -> str:
    growth = f"{format_growth(one.growth, unit):>9}"
    if one.site is None:
        return f"{growth}  all others"
    what = one.site.what or f"{format_amount(one.base, unit)} -> {format_amount(one.head, unit)}"
    return f"{growth}  {one.site.label}  ({what})"


def measured_line(finding: Finding) -> str:
    """Return how the value was found: the runs, the first use, and what it says of the test."""
    measurement = finding.measurement
    if measurement is None:
        return ""
    if measurement.basis is Basis.SAMPLES:
        samples, again = measurement.samples, measurement.again
        parts = [f"{len(samples)} samples {_range(measurement.value, samples, finding.unit)}"]
        if again:
            parts.append(f"a second collection {_range(median(again), again, finding.unit)}")
        return "; ".join([*parts, *measurement.notes])
    if measurement.basis in {Basis.EXACT, Basis.SLOPE} or finding.subject.is_first_use:
        return "; ".join(measurement.notes)
    first = format_amount(measurement.cold, finding.unit)
    with_others = f" with {measurement.together - 1} more" if measurement.together > 2 else " with one more"
    parts = [f"first run {first}" if measurement.together == 1 else f"first run{with_others} <= {first}"]
    if measurement.warm:
        parts.append(f"again {', '.join(format_amount(value, finding.unit) for value in measurement.warm)}")
    if finding.unit == SIZE and measurement.first_use > _NOISE:
        parts.append(f"first use {format_size(measurement.first_use)}{_modules(measurement.modules)}")
    return "; ".join([*parts, *measurement.notes])


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
    """Return how a test's growth is accepted: for drift since an anchor by moving it, for a limit by raising that."""
    if OVER_LIMIT in finding.reason:
        where = re.search(r"limit [^,]* \(([^)]*)\)", finding.budget)
        if where is None or where[1] == "default":
            return f"raise its limit (budgets: {base_name(finding.metric)}: limit, in memgate.yml)"
        return f"raise its limit ({where[1]})"
    if finding.subject.is_first_use:
        return 'memgate baseline update --reason "…"'
    verb = "anchor" if finding.outcome is Outcome.DRIFTED and finding.anchor is not None else "update"
    return f'memgate baseline {verb} --reason "…" {shlex.quote(str(finding.subject))}'


def failure_text(finding: Finding) -> str:
    """Return the text of a failing test: what grew, where, how it was measured, what to do next."""
    lines = [own_headline(finding)]
    if finding.measurement is None:
        return lines[0]  # there is nothing to accept
    if finding.growth_by_site:
        lines += [
            "what grew:" if finding.told_by_growth or finding.measurement.basis is Basis.SLOPE else "what holds it:",
            *(f"  {line}" for line in growth_lines(finding)),
        ]
    lines += finding.details
    if finding.moved_from:
        lines.append(f"held against the baseline of {finding.moved_from}, which is gone")
    if measured := measured_line(finding):
        lines.append(f"measured: {measured}")
    lines.append(f"budget: {finding.budget}")
    if finding.kept:
        opens = "open the profile: python -m memray flamegraph " if finding.kept[0].endswith(".bin") else "kept: "
        more = f" and {len(finding.kept) - 1} more beside it" if len(finding.kept) > 1 else ""
        lines.append(f"{opens}{shlex.quote(finding.kept[0])}{more}")
    lines.append(f"if it is meant: {accept_command(finding)}")
    return "\n".join(lines)


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
    subject: Subject, metric: str, base: float, head: float, unit: str, by_site: tuple[Contribution, ...], note: str
) -> list[str]:
    """Return one test of two runs: its values, and what grew."""
    change = f"{format_amount(base, unit)} -> {format_amount(head, unit)}: {format_growth(head - base, unit)}"
    lines = [f"{subject}  {metric} {change}{f'  ({note})' if note else ''}"]
    return lines + [f"  {line}" for line in contribution_lines(by_site, unit)]
