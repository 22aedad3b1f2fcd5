"""A series as one line of blocks: a column for each measured commit or, of many, for each group of them."""

from collections.abc import Sequence

from pytest_memgate.model.history import Level

_BLOCKS = "▁▂▃▄▅▆▇█"
_BOUND = "▔"
_GONE = "·"
_PLAIN = {**dict(zip(_BLOCKS, "__--==##", strict=True)), _BOUND: "<", _GONE: "."}


def sparkline(levels: Sequence[Level], width: int) -> str:
    """Return levels as at most `width` blocks, scaled from the least to the most value.

    `▔` stands for a bound, `·` for a time without the series. Of several commits in one column the last one is shown,
    unless one before it was further from the column's left neighbour: a short peak is seen.
    """
    if not levels or width < 1:
        return ""
    shown = _columns(levels, width)
    values = [level.value for level in levels if level.value is not None]
    low, high = min(values, default=0.0), max(values, default=0.0)
    return "".join(_block(level, low, high) for level in shown)


def plain(line: str) -> str:
    """Return a line for a terminal that knows ASCII alone."""
    return "".join(_PLAIN.get(mark, mark) for mark in line)


def _columns(levels: Sequence[Level], width: int) -> list[Level]:
    if len(levels) <= width:
        return list(levels)
    shown: list[Level] = []
    for column in range(width):
        group = levels[column * len(levels) // width : (column + 1) * len(levels) // width]
        shown.append(_furthest(group, shown[-1] if shown else group[-1]))
    return shown


def _furthest(group: Sequence[Level], left: Level) -> Level:
    """Return the last level of a group, or the value in it that is further from the column to the left."""
    last = group[-1]
    if last.value is None or left.value is None:
        return last
    away = left.value
    return max(reversed(group), key=lambda level: -1.0 if level.value is None else abs(level.value - away))


def _block(level: Level, low: float, high: float) -> str:
    if level.value is None:
        return _GONE if level.is_gone else _BOUND
    if high == low:
        return _BLOCKS[3]
    return _BLOCKS[min(7, int((level.value - low) / (high - low) * 8))]
