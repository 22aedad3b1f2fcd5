"""A digest in words: its sections, each a table, the same for every format."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pytest_memgate.model.history import LineCommit, Series
from pytest_memgate.report.escape import one_line
from pytest_memgate.report.history.digest.facts import Change, Digest, EndingWaiver, Forecast
from pytest_memgate.report.history.figures import Move
from pytest_memgate.report.history.row import percent
from pytest_memgate.units import counted, format_amount, format_growth

_NAMED = 10  # tests in a line of names


class Kind(StrEnum):
    """What the cells of a column are."""

    NAME = "name"  # of a test or a metric
    AMOUNT = "amount"
    TEXT = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A table under a title; `note` says how to read it. `columns` are headings with the kind of their cells."""

    title: str
    note: str
    columns: tuple[tuple[str, Kind], ...]
    rows: tuple[tuple[str, ...], ...]


def heading(digest: Digest) -> str:
    """Return the title of a digest."""
    return f"Performance digest: {one_line(digest.period.name)}"


def summary(digest: Digest) -> list[str]:
    """Return the first lines: what was looked at, and what the runs said."""
    period, past, cost = digest.period, digest.past, digest.cost
    first, last = past.line[period.start], past.line[period.end]
    commits = counted(period.end - period.start + 1, "commit")
    span = f"{_short(first)} to {_short(last)}" if first is not last else _short(first)
    lines = [
        f"{commits} of {one_line(past.branch)}, {span}; {digest.measured} of them measured.",
        f"{counted(digest.series, 'series', 'series')} of {counted(digest.tests, 'test')}. {_verdicts(digest)}",
        *([_cost(digest)] if cost.seconds else []),
    ]
    positions = {commit.id: commit for commit in past.line}
    marks = [f"{one_line(mark.text)} ({_short(positions[mark.commit])})" for mark in digest.marks]
    if marks:
        lines.append(f"Marks: {', '.join(marks)}.")
    return lines


def _verdicts(digest: Digest) -> str:
    cost = digest.cost
    on_line = cost.runs - cost.beside
    if not cost.failed and not cost.no_answer:
        return f"The gate passed in {'its one run' if on_line == 1 else f'all {on_line} runs'}."
    parts = [f"failed in {cost.failed}"] if cost.failed else []
    parts += [f"had no answer in {cost.no_answer}"] if cost.no_answer else []
    return f"The gate {' and '.join(parts)} of {counted(on_line, 'run')}."


def _cost(digest: Digest) -> str:
    cost = digest.cost
    runs = counted(cost.runs, "run") + (f" ({cost.beside} of them beside the branch)" if cost.beside else "")
    before = f", before it {_time(cost.before)}" if cost.before else ""
    return f"Cost: {_time(cost.seconds)} in {runs}; a run of the branch took {_time(cost.each)}{before}."


def _time(seconds: float) -> str:
    if seconds >= 5400:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"


def _short(commit: LineCommit) -> str:
    return f"{commit.id[:8]} of {commit.time[:10]}"


def sections(digest: Digest) -> list[Section]:
    """Return the sections that have something to tell, in the order in which people need them."""
    makers: Sequence[Callable[[Digest], Section]] = (
        _grown,
        _unexplained,
        _shrunk,
        _forecasts,
        _creep,
        _waivers,
        _modules,
        _slack,
        _renames,
        _missing,
        _noise,
    )
    return [section for make in makers if (section := make(digest)).rows]


def _named(series: Series) -> tuple[str, str]:
    return one_line(str(series.subject)), one_line(series.metric)


_SERIES = (("test", Kind.NAME), ("metric", Kind.NAME))


def _grown(digest: Digest) -> Section:
    return Section(
        title="Largest steps up",
        note="One of each series, sorted by budgets: a growth of 400 KB is two budgets of 200 KB.",
        columns=(*_SERIES, ("from", Kind.AMOUNT), ("to", Kind.AMOUNT), ("growth", Kind.AMOUNT), *_WHO),
        rows=tuple(_step(digest, change) for change in digest.grown),
    )


def _unexplained(digest: Digest) -> Section:
    return Section(
        title="Growth that nobody has explained",
        note="Confirmed, and without a reason: memgate history ack CHANGE --reason TEXT, or take it back.",
        columns=(*_SERIES, ("growth", Kind.AMOUNT), ("commit", Kind.TEXT), ("change", Kind.NAME)),
        rows=tuple(
            (
                *_named(one.series),
                format_growth(one.growth, one.series.unit),
                f"{one.commit[:8]} {one_line(digest.past.line[one.position].title)}",
                one.id,
            )
            for one in digest.unexplained
        ),
    )


def _shrunk(digest: Digest) -> Section:
    return Section(
        title="Largest steps down",
        note="A baseline that is brought down keeps the gain: memgate baseline update.",
        columns=(*_SERIES, ("from", Kind.AMOUNT), ("to", Kind.AMOUNT), ("growth", Kind.AMOUNT), *_WHO),
        rows=tuple(_step(digest, change) for change in digest.shrunk),
    )


_WHO = (("commit", Kind.TEXT), ("author", Kind.TEXT), ("accepted reason", Kind.TEXT))


def _step(digest: Digest, change: Change) -> tuple[str, ...]:
    move, unit = change.move, change.series.unit
    author = digest.past.line[move.position].author
    return (
        *_named(change.series),
        format_amount(move.before, unit),
        format_amount(move.after, unit),
        growth_of(change),
        commit_of(digest, move),
        one_line(author),
        one_line(move.reason) or (f"none: {change.why_ended}" if change.why_ended else "none"),
    )


def growth_of(change: Change) -> str:
    """Return the growth of a step, with its share: `+700 KB (+58 %)`."""
    move = change.move
    share = f" ({percent(move.growth / move.before)})" if move.before else ""
    return f"{format_growth(move.growth, change.series.unit)}{share}"


def commit_of(digest: Digest, move: Move) -> str:
    """Return the commit of a step, with its title and how many others it may have been."""
    commit = digest.past.line[move.position]
    others = f", or {counted(move.commits - 1, 'commit')} before it" if move.commits > 1 else ""
    return f"{commit.id[:8]} {one_line(commit.title)}{others}"


def _forecasts(digest: Digest) -> Section:
    return Section(
        title="Budgets that are being used up",
        note="If the slope stays. Days are counted by the pace of commits lately.",
        columns=(*_SERIES, ("a commit", Kind.AMOUNT), ("left", Kind.AMOUNT), ("used up in", Kind.TEXT)),
        rows=tuple(
            (
                *_named(one.series),
                format_growth(one.slope, one.series.unit),
                format_amount(one.left, one.series.unit),
                lasting(one),
            )
            for one in digest.forecasts
        ),
    )


def lasting(forecast: Forecast) -> str:
    """Return how long a budget lasts: `23 days (25 commits)`."""
    commits = counted(round(forecast.commits), "commit")
    return commits if forecast.days is None else f"{counted(round(forecast.days), 'day')} ({commits})"


def _creep(digest: Digest) -> Section:
    return Section(
        title="Creep",
        note="Growth above the anchor or, without one, above the first value of the history.",
        columns=(
            *_SERIES,
            ("since", Kind.TEXT),
            ("then", Kind.AMOUNT),
            ("now", Kind.AMOUNT),
            ("growth", Kind.AMOUNT),
            ("steps", Kind.AMOUNT),
        ),
        rows=tuple(
            (
                *_named(one.series),
                "the anchor" if one.is_anchored else "the first value",
                format_amount(one.start, one.series.unit),
                format_amount(one.value, one.series.unit),
                f"{format_growth(one.value - one.start, one.series.unit)} ({percent(one.share)})",
                str(one.steps),
            )
            for one in digest.creep
        ),
    )


def _waivers(digest: Digest) -> Section:
    return Section(
        title="Waivers that end",
        note="An expired waiver fails the gate, and so does one that nothing needs.",
        columns=(
            *_SERIES,
            ("last day", Kind.TEXT),
            ("ceiling", Kind.AMOUNT),
            ("now", Kind.AMOUNT),
            ("reason", Kind.TEXT),
        ),
        rows=tuple(_waiver(one) for one in digest.waivers),
    )


def _waiver(one: EndingWaiver) -> tuple[str, ...]:
    waiver = one.waiver
    return (
        one_line(waiver.test),
        one_line(waiver.metric),
        f"{waiver.until}, {until(one)}",
        format_amount(waiver.ceiling, waiver.unit),
        "nothing"
        if one.value is None
        else format_amount(one.value, waiver.unit) + ("" if one.is_needed else " (within its budget)"),
        one_line(waiver.reason),
    )


def until(one: EndingWaiver) -> str:
    """Return when a waiver ends in words: `in 12 days`, `ended 3 days ago`."""
    if one.days < 0:
        return f"ended {counted(-one.days, 'day')} ago"
    return "today" if one.days == 0 else f"in {counted(one.days, 'day')}"


def _modules(digest: Digest) -> Section:
    return Section(
        title="Modules that swelled",
        note="In the bundles, from before the period to its end.",
        columns=(
            ("module", Kind.NAME),
            ("bundle", Kind.NAME),
            ("metric", Kind.NAME),
            ("before", Kind.AMOUNT),
            ("now", Kind.AMOUNT),
            ("growth", Kind.AMOUNT),
        ),
        rows=tuple(
            (
                one_line(one.site),
                *_named(one.series),
                format_amount(one.before, one.series.unit) if one.before else "new",
                format_amount(one.after, one.series.unit),
                format_growth(one.after - one.before, one.series.unit),
            )
            for one in digest.modules
        ),
    )


def _slack(digest: Digest) -> Section:
    return Section(
        title="Budgets that nobody used",
        note="Larger than the metric's default, and over the whole history hardly used: a tighter one would have done.",
        columns=(
            ("metric", Kind.NAME),
            ("budget", Kind.AMOUNT),
            ("series with it", Kind.AMOUNT),
            ("most used", Kind.AMOUNT),
            ("by", Kind.NAME),
            ("enough", Kind.AMOUNT),
        ),
        rows=tuple(
            (
                one_line(one.series.quantity),
                format_growth(one.allowed, one.series.unit),
                str(one.number),
                format_growth(one.used, one.series.unit) if one.used else "nothing",
                one_line(str(one.series.subject)) if one.used else "",
                format_growth(one.enough, one.series.unit),
            )
            for one in digest.slack
        ),
    )


def _renames(digest: Digest) -> Section:
    return Section(
        title="Tests that look renamed",
        note="To give the new name the past of the old one: memgate history rename OLD NEW, then commit memgate.yml.",
        columns=(("old", Kind.NAME), ("new", Kind.NAME)),
        rows=tuple((one_line(old), one_line(new)) for old, new in digest.renames[:_NAMED]),
    )


def _missing(digest: Digest) -> Section:
    missing, line = digest.missing, digest.past.line
    vanished = [(str(test), f"vanished at {_short(line[at])}") for test, at in missing.vanished.items()]
    bounded = [(str(test), "never measured beyond a bound") for test in missing.bounded]
    silent = [(str(test), "not measured in this period") for test in missing.silent]
    return Section(
        title="Tests without a value",
        note="A bound is enough for the gate, but draws no line: --memgate-measure=exact measures a value.",
        columns=(("test", Kind.NAME), ("what", Kind.TEXT)),
        rows=tuple(_shortened([*map(_line, vanished)], [*map(_line, silent)], [*map(_line, bounded)])),
    )


def _line(row: tuple[str, str]) -> tuple[str, str]:
    return one_line(row[0]), row[1]


def _shortened(*groups: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for rows in groups:
        yield from rows[:_NAMED]
        if len(rows) > _NAMED:
            yield f"{len(rows) - _NAMED} more", rows[0][1]


def _noise(digest: Digest) -> Section:
    return Section(
        title="Noisy and flaky values",
        note="The spread is that between runs of one commit. A value that goes up and down without a cause is flaky.",
        columns=(*_SERIES, ("spread", Kind.AMOUNT), ("turns", Kind.AMOUNT)),
        rows=tuple(
            (*_named(one.series), f"±{one.share * 50:.1f} %" if one.share else "", str(one.flips or ""))
            for one in digest.noise
        ),
    )
