"""Changes of a history as lines for the terminal."""

from collections.abc import Iterator, Sequence

from pytest_memgate.model.history import LineCommit
from pytest_memgate.model.history_change import ChangeState, HistoryChange
from pytest_memgate.report.escape import one_line
from pytest_memgate.units import counted, format_amount, format_growth

_TITLE = 60  # characters of a commit's title


def change_lines(change: HistoryChange, line: Sequence[LineCommit]) -> Iterator[str]:
    """Yield what there is to tell of a change: the amounts, the commit, and why nobody has to look at it."""
    unit = change.series.unit
    before, after = (format_amount(amount, unit) for amount in (change.before, change.after))
    if change.is_at_least:
        before, after = (f"<= {before}", after) if change.is_growth else (before, f"<= {after}")
    growth = format_growth(change.growth, unit)
    most = " or more" if change.is_at_least else ""
    yield f"{change.id}  {one_line(str(change.series))}  {before} -> {after}: {growth}{most}"
    yield f"    {_where(change, line)}"
    if said := _said(change):
        yield f"    {said}"


def _where(change: HistoryChange, line: Sequence[LineCommit]) -> str:
    by = next((commit for commit in line if commit.id == change.brought_by), None)
    commit = by or line[change.position]
    text = ", ".join(
        part for part in (commit.id[:12], one_line(commit.author), one_line(commit.title)[:_TITLE]) if part
    )
    if by:
        return text
    number = change.position - change.before_position
    return f"one of {counted(number, 'commit')} up to {text}"


def _said(change: HistoryChange) -> str:
    match change.state:
        case ChangeState.UNCONFIRMED:
            return "not decided by a measurement of both commits yet" if change.measured else "not confirmed"
        case ChangeState.ACKNOWLEDGED:
            return f"accepted: {one_line(change.reason)}"
        case ChangeState.ENDED:
            return f"ended: {change.why_ended}"
        case ChangeState.REFUTED:
            return "both commits measured on one machine: no change"
        case ChangeState.CONFIRMED:
            return _pairs(change)


def _pairs(change: HistoryChange) -> str:
    pairs = change.measured.get("pairs")
    return f"confirmed by {counted(int(pairs), 'pair')} of both commits on one machine" if pairs else ""
