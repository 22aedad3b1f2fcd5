"""A profile, and the growth between two, in plain lines."""

from collections.abc import Sequence

from pytest_memgate.model.profile import (
    Amount,
    Frame,
    FunctionUse,
    GrownChain,
    GrownFunction,
    ProfileGrowth,
    Sort,
    TestProfile,
    Use,
)
from pytest_memgate.report.escape import one_line
from pytest_memgate.units import PLAIN, format_growth, format_size

_HEADS = ("in-use objects", "in-use bytes", "cumulative", "allocated objects", "allocated bytes", "cumulative")
_GROWTH_HEADS = ("in-use objects", "in-use bytes", "allocated objects", "allocated bytes")
_CALLERS = 12  # of a chain: the innermost and the outermost half of them
_SHRUNK = 3


def profile_lines(profile: TestProfile, sort: Sort, top: int, *, cum: bool, retained: bool) -> list[str]:
    """Return the largest functions of one test by a column: each alone, or with `cum` including all that it calls."""

    def rank(one: FunctionUse) -> tuple[int, int, str]:
        first, second = one.flat.column(sort), one.cumulative.column(sort)
        return (*((-second, -first) if cum else (-first, -second)), one.frame.key)

    functions = sorted(profile.functions(retained=retained), key=rank)
    wanted = [one for one in functions if cum or one.flat != Use()]
    total = profile.total(retained=retained)
    lines = [
        one_line(profile.test),
        f"in use {_moment(retained=retained)}: {_told(total.in_use)}; allocated: {_told(total.allocated)}",
        *_notes(profile.notes),
        f"{_row(_HEADS, _HEADS)}  function",
    ]
    lines += [f"{_row(_cells(one), _HEADS)}  {one_line(one.frame.label)}" for one in wanted[:top]]
    if len(wanted) > top:
        lines.append(f"and {_more(len(wanted) - top, 'function')} (--top)")
    return [*lines, ""]


def growth_lines(
    growth: ProfileGrowth, sort: Sort, base: str, top: int, *, retained: bool, is_live: bool = False
) -> list[str]:
    """Return the differences of one test, each function with the chain of calls that grew most.

    With `is_live`, it is the heap of a running program.
    """
    before, after = growth.base.in_use.bytes, growth.head.in_use.bytes
    change = f"{format_size(before)} -> {format_size(after)}: {format_growth(after - before)}"
    lines = [
        f"{one_line(growth.test)}  against {one_line(base)}",
        f"in use{'' if is_live else f' {_moment(retained=retained)}'} {change}",
        *_notes(growth.notes),
    ]
    grown = [one for one in growth.functions if one.growth.column(sort) > 0]
    shrunk = [one for one in reversed(growth.functions) if one.growth.column(sort) < 0]
    shown = [*grown[:top], *shrunk[:_SHRUNK]]
    if not shown:
        return [*lines, f"no difference in {sort.value}", ""]
    lines.append(f"{_row(_GROWTH_HEADS, _GROWTH_HEADS)}  function")
    for one in shown:
        lines += _grown(one, sort)
    left = len(grown) + len(shrunk) - len(shown)
    if left:
        rest = sum(one.growth.column(sort) for one in (*grown[top:], *shrunk[_SHRUNK:]))
        lines.append(f"and {_more(left, 'function')}: {_amount(rest, sort)}")
    return [*lines, ""]


def _grown(one: GrownFunction, sort: Sort) -> list[str]:
    growth = one.growth
    cells = (
        format_growth(growth.in_use.objects, PLAIN),
        format_growth(growth.in_use.bytes),
        format_growth(growth.allocated.objects, PLAIN),
        format_growth(growth.allocated.bytes),
    )
    values = f"({format_size(one.base.in_use.bytes)} -> {format_size(one.head.in_use.bytes)})"
    lines = [f"{_row(cells, _GROWTH_HEADS)}  {one_line(one.frame.label)}  {values}"]
    if growth.column(sort) <= 0:
        return lines
    under = " " * (len(_row(_GROWTH_HEADS, _GROWTH_HEADS)) + 4)
    lines += [f"{under}{caller}" for caller in _callers(one.chains[0])]
    if len(one.chains) > 1:
        rest = sum(chain.growth.column(sort) for chain in one.chains[1:])
        lines.append(f"{under}and by {_more(len(one.chains) - 1, 'chain')}: {_amount(rest, sort)}")
    return lines


def _callers(chain: GrownChain) -> list[str]:
    """Return the chain from the allocating function's caller to the test, without the middle of a very long one."""
    frames: Sequence[Frame] = chain.frames[-2::-1]
    named = [f"called from {one_line(frame.label)}" for frame in frames]
    half = _CALLERS // 2
    return named if len(named) <= _CALLERS else [*named[:half], f"… {len(named) - 2 * half} more …", *named[-half:]]


def _cells(one: FunctionUse) -> tuple[str, ...]:
    return (
        str(one.flat.in_use.objects),
        format_size(one.flat.in_use.bytes),
        format_size(one.cumulative.in_use.bytes),
        str(one.flat.allocated.objects),
        format_size(one.flat.allocated.bytes),
        format_size(one.cumulative.allocated.bytes),
    )


def _row(cells: Sequence[str], heads: Sequence[str]) -> str:
    return "  ".join(f"{cell:>{len(head)}}" for cell, head in zip(cells, heads, strict=True))


def _amount(value: int, sort: Sort) -> str:
    return format_growth(value) if "bytes" in sort.value else f"{format_growth(value, PLAIN)} objects"


def _more(number: int, what: str) -> str:
    return f"{number} more {what}{'s' if number > 1 else ''}"


def _told(amount: Amount) -> str:
    return f"{format_size(amount.bytes)} in {amount.objects} objects"


def _moment(*, retained: bool) -> str:
    return "after the call" if retained else "at the peak"


def _notes(notes: Sequence[str]) -> list[str]:
    return [f"note: {one_line(note)}" for note in notes]
