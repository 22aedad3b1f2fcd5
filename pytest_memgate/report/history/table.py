"""A table in the terminal that fits its width: columns become narrower, then those of least use are left out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

_GAP = "  "
_CUT = "…"

Cell = str | Callable[[int], str]  # a text, or what draws one of a width


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column: its heading, how narrow and how wide it may be, and its use.

    `use` is larger for columns that stay when there is no room. Of a cut cell its end is kept with `keeps_end`.
    """

    heading: str
    least: int
    widest: int
    use: int
    is_amount: bool = False
    keeps_end: bool = False


def fitted(columns: Sequence[Column], rows: Sequence[Sequence[Cell]], width: int) -> list[str]:
    """Return the lines of a table, its headings first, no wider than `width` if the most useful columns allow it."""
    needed = [
        max([len(column.heading), *(_length(row[at], column.widest) for row in rows)])
        for at, column in enumerate(columns)
    ]
    widths = _widths(columns, needed, width)
    lines = [[column.heading for column in columns], *rows]
    return [_line(columns, widths, line) for line in lines]


def _widths(columns: Sequence[Column], needed: Sequence[int], width: int) -> dict[int, int]:
    """Return the width of each column that stays, by its place."""
    least = {at: min(column.least, needed[at]) for at, column in enumerate(columns)}
    while sum(least.values()) + len(_GAP) * (len(least) - 1) > width and len(least) > 1:
        del least[min(least, key=lambda at: columns[at].use)]
    left = width - sum(least.values()) - len(_GAP) * (len(least) - 1)
    for at in sorted(least, key=lambda at: -columns[at].use):
        more = max(0, min(left, min(columns[at].widest, needed[at]) - least[at]))
        least[at] += more
        left -= more
    return least


def _line(columns: Sequence[Column], widths: dict[int, int], cells: Sequence[Cell]) -> str:
    shown = []
    for at, width in sorted(widths.items()):
        cell = cut(_text(cells[at], width), width, keeps_end=columns[at].keeps_end)
        shown.append(cell.rjust(width) if columns[at].is_amount else cell.ljust(width))
    return _GAP.join(shown).rstrip()


def _text(cell: Cell, width: int) -> str:
    return cell if isinstance(cell, str) else cell(width)


def _length(cell: Cell, widest: int) -> int:
    return len(_text(cell, widest))


def cut(text: str, width: int, *, keeps_end: bool = False) -> str:
    """Return a text of at most `width` characters, with a mark where some are left out."""
    if len(text) <= width:
        return text
    if keeps_end:
        return _CUT + text[len(text) - max(0, width - 1) :]
    return text[: max(0, width - 1)] + _CUT
