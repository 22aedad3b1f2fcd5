"""The reason for an outcome, in one line: `+4.2 MB is over its budget of 200 KB`."""

import shlex
from collections.abc import Mapping

from pytest_memgate.model.environment import quoted
from pytest_memgate.model.judgement.budget import RuleKind
from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.model.judgement.reason import (
    Cause,
    Doubt,
    DoubtKind,
    FreshProcess,
    Mismatch,
    MismatchKind,
    Over,
    SecondCollection,
    UsedWaiver,
)
from pytest_memgate.model.metric import metric as metric_of
from pytest_memgate.units import format_amount, format_growth

_NAMED = 3  # tests that are gone
_PLAIN = {
    Cause.NO_BUDGET: "it has a baseline, but no budget names it any more (an update drops the entry)",
    Cause.NOT_COLLECTED: "it has a baseline, but was not collected",
    Cause.NOT_GIVEN: "it has a baseline, but the test did not give it",
}


def reason(finding: Finding) -> str:
    """Return the reason for an outcome, empty if the outcome says it all."""
    return "".join([_verdict(finding), *(_waiver(one) for one in finding.waivers)])


def _verdict(finding: Finding) -> str:
    return (
        _cause(finding)
        or finding.why
        or _mismatch(finding.mismatch)
        or _may_be(finding)
        or f"{_over(finding)}{_left_behind(finding)}"
        or _uncertain_leak(finding)
        or _not_seen_in_fresh_process(finding)
        or _not_seen_again(finding)
    )


def _cause(finding: Finding) -> str:
    measurement = finding.measurement
    match finding.cause:
        case None:
            return ""
        case Cause.LOWER:
            return f"{format_growth(finding.growth or 0, finding.unit)}, so the baseline can be lowered"
        case Cause.FIRST_USE:
            held = format_amount(measurement.imports if measurement else 0, finding.unit)
            return f"and {held} of first use, which another test may pay for in another order"
        case Cause.ONLY_FIRST_RUN:
            return f"it failed when it was run again ({finding.why}), and leftovers of a first run alone do not count"
    return _PLAIN[finding.cause]


def _over(finding: Finding) -> str:
    """Return which rule is broken, and what supports or weakens that."""
    unit, over, doubt = finding.unit, finding.over, finding.doubt
    if over is None:
        return ""
    if doubt and doubt.kind is DoubtKind.RUNS_DIFFER:
        grew, noise, allowed = (format_amount(one, unit) for one in (over.amount, doubt.amount, over.allowed))
        return f"grew by {grew}, but its runs differ by {noise} by themselves: a budget of {allowed} cannot be held"
    broken = _broken(finding, over)
    if finding.second:
        is_within = doubt is not None and doubt.kind is DoubtKind.SOME_RUNS
        again = _seen_again(finding, over, finding.second)
        if is_within:
            return f"{broken}, but only {again} in a second collection"
        broken += f", and {again} in a second collection"
    if finding.fresh:
        more = format_growth(finding.fresh.growth, unit)
        broken += f", and {more} by {_tests(finding.fresh)} alone in a fresh process"
    return f"{broken}{_doubt(doubt)}"


def _broken(finding: Finding, over: Over) -> str:
    amount, allowed = _apart(over.amount, over.allowed, finding.unit)
    match over.rule:
        case RuleKind.LIMIT:
            return f"{amount} is over its limit of {allowed}"
        case RuleKind.GROWTH:
            return f"+{amount} is over its budget of {allowed}"
        case RuleKind.DRIFT:
            anchor = format_amount(_origin(finding), finding.unit)
            return f"+{amount} since its anchor of {anchor} is over its drift budget of {allowed}"


def _seen_again(finding: Finding, over: Over, second: SecondCollection) -> str:
    """Return the value of the second collection, for the rule that the first one breaks."""
    if over.rule is RuleKind.LIMIT:
        return format_amount(second.second, finding.unit)
    base = _origin(finding) if over.rule is RuleKind.DRIFT else finding.baseline or 0
    return format_growth(second.second - base, finding.unit)


def _origin(finding: Finding) -> float:
    """Return the value that drift is counted from."""
    return (finding.baseline if finding.anchor is None else finding.anchor) or 0


def _doubt(doubt: Doubt | None) -> str:  # noqa: PLR0911  # one for each kind
    match doubt.kind if doubt else None:
        case DoubtKind.SOME_RUNS:
            return " in some of its runs, and within it in others"
        case DoubtKind.FIRST_RUN:
            return ", in its first run alone, which may have paid for other tests"
        case DoubtKind.ONE_ROUND:
            return ", but one round has no spread: what it varies by cannot be told"
        case DoubtKind.MACHINE:
            return f", but this machine is {doubt.amount if doubt else 1:.1f} times slower now than at the baseline"
        case DoubtKind.PAIRS:
            return ", but pairs of both sides leave it open"
        case DoubtKind.NOT_TIMED_AGAIN:
            return ", and it could not be timed again"
        case DoubtKind.FRESH_PROCESS:
            return f", and a fresh process could not tell: {doubt.why if doubt else ''}"
        case _:
            return ""


def _left_behind(finding: Finding) -> str:
    """Return the thing that only some runs leave behind, and where it was started; empty for other metrics."""
    if finding.outcome is not Outcome.UNSTABLE or not metric_of(finding.metric).is_leftover:
        return ""
    site = next(iter(finding.measurement.sites), None) if finding.measurement else None
    return f": {site.label} ({site.what})" if site else ""


def _uncertain_leak(finding: Finding) -> str:
    doubt = finding.doubt
    if doubt is None:
        return ""
    most = format_amount(doubt.amount, finding.unit)
    match doubt.kind:
        case DoubtKind.LEAK:
            return f"it may leave up to {most} a call behind"
        case DoubtKind.SOAK:
            return f"undecided: it may leave up to {most} a request behind"
        case DoubtKind.SLOWS:
            return (
                f"undecided: up to {most} a request, less and less, as of a cache that fills (a longer `warmup` tells)"
            )
        case DoubtKind.NOT_THE_HEAP:
            return f"undecided: it grows by up to {most} a request, but what grows may be kept by its allocator"
        case _:
            return ""


def _not_seen_in_fresh_process(finding: Finding) -> str:
    fresh = finding.fresh
    if fresh is None:
        return ""
    verb = "pays" if fresh.tests == 1 else "pay"
    paid = f"{_tests(fresh)} {verb} {format_amount(fresh.paid, finding.unit)}"
    return f"{format_growth(fresh.before, finding.unit)} was not seen again: in a fresh process {paid}"


def _tests(fresh: FreshProcess) -> str:
    return "this test" if fresh.tests == 1 else f"{fresh.tests} tests"


def _not_seen_again(finding: Finding) -> str:
    second = finding.second
    if second is None:
        return ""
    first, then = (format_amount(value, finding.unit) for value in (second.first, second.second))
    within = format_amount(second.ceiling or 0, finding.unit)
    if finding.outcome is Outcome.UNSTABLE:
        return f"over {within} in most of its loads: {first}, then {then}"
    return f"{first} in a first collection was not seen again: {then} is within {within}"


def _mismatch(mismatch: Mismatch | None) -> str:
    if mismatch is None:
        return ""
    if mismatch.kind is MismatchKind.UNIT:
        there, here = (one.get("unit") or "plain numbers" for one in (mismatch.there, mismatch.here))
        return f"its baseline is in {there}, this value in {here}"
    what = mismatch.file or "its baseline"
    return f"{what} was measured with {_differences(mismatch)}"


def _differences(mismatch: Mismatch) -> str:
    def part(side: Mapping[str, str], key: str) -> str:
        if mismatch.kind is MismatchKind.HEADER:
            return quoted(side.get(key, ""))
        return side.get(key, "unknown")

    there, here = mismatch.there, mismatch.here
    return ", ".join(f"{key} {part(there, key)} there and {part(here, key)} here" for key in {**there, **here})


def _may_be(finding: Finding) -> str:
    names = [str(one) for one in finding.may_be]
    if not names:
        return ""
    more = f" or {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    old = shlex.quote(names[0]) if len(names) == 1 else "OLD"
    command = f"memgate baseline rename {old} {shlex.quote(str(finding.subject))}"
    return f"it may be {' or '.join(names[:_NAMED])}{more}, which is gone: if so, {command}"


def _waiver(waiver: UsedWaiver) -> str:
    if waiver.covers:
        return f"; waived until {waiver.until}: {waiver.reason} ({waiver.source})"
    ceiling = format_amount(waiver.ceiling, waiver.unit)
    return f"; over the ceiling of its waiver too, {ceiling} ({waiver.source})"


def _apart(value: float, bound: float, unit: str) -> tuple[str, str]:
    """Return two amounts in words, with all of their digits if three do not tell them apart."""
    texts = format_amount(value, unit), format_amount(bound, unit)
    return texts if texts[0] != texts[1] else (f"{value:,.10g} {unit}".rstrip(), f"{bound:,.10g} {unit}".rstrip())
