"""Amounts as people write and read them: `200KB` is 200,000 bytes, `200KiB` is 204,800, `300ms` a duration.

The unit of a metric says how its values are read and shown: `B` for sizes, `ms` for durations, an empty one for plain
numbers such as a layout shift, and any other word for what a project counts itself.
"""

import re
from typing import TypeVar

T = TypeVar("T", int, float)

SIZE = "B"
DURATION = "ms"
PLAIN = ""
MOST = 1e18  # the largest amount of anything that is read; chosen

_SIZES = {
    "b": 1,
    "kb": 1000,
    "mb": 1000**2,
    "gb": 1000**3,
    "kib": 1024,
    "mib": 1024**2,
    "gib": 1024**3,
}
_DURATIONS = {"ns": 1e-6, "us": 1e-3, "µs": 1e-3, "ms": 1, "s": 1000, "min": 60_000}
_AMOUNT = re.compile(r"\s*(\d{1,18}(?:\.\d{1,15})?)\s*([^\W\d][^\s,()%]*)?\s*", re.IGNORECASE)


def counted(number: int, word: str, words: str = "") -> str:
    """Return a number with its word, in the plural if needed, and `no` for 0: `1 test`, `no tests`, `2 entries`."""
    return f"{number or 'no'} {word if number == 1 else words or f'{word}s'}"


def parse_size(text: str | float) -> int:
    """Return bytes for `"200KB"`, `"1.5 MiB"` or a whole number of bytes.

    Raises ValueError for anything else, a number in text without its unit included.
    """
    if isinstance(text, int) and not isinstance(text, bool):
        return _finite(text, "a size")
    number, unit = _split(text)
    if unit.lower() not in _SIZES:
        raise ValueError(f"not a size: {text!r} (write it as 200KB, 1.5MB or 64MiB)")
    return round(number * _SIZES[unit.lower()])


def parse_duration(text: str | float) -> float:
    """Return milliseconds for `"300ms"`, `"1.5 s"`, `"40us"` or a number of milliseconds.

    Raises ValueError for anything else, a number in text without its unit included.
    """
    if isinstance(text, (int, float)) and not isinstance(text, bool):
        return _finite(text, "a duration")
    number, unit = _split(text)
    if unit.lower() not in _DURATIONS:
        raise ValueError(f"not a duration: {text!r} (write it as 300ms, 1.5s or 40us)")
    return _plain(number * _DURATIONS[unit.lower()])


def parse_amount(text: str | float, unit: str) -> float:
    """Return an amount of `unit`; raises ValueError with what was expected."""
    if unit == SIZE:
        return parse_size(text)
    if unit == DURATION:
        return parse_duration(text)
    if isinstance(text, (int, float)) and not isinstance(text, bool):
        return _finite(text, "an amount")
    number, word = _split(text)
    if word not in {"", unit}:
        raise ValueError(f"not a number{f' of {unit}' if unit else ''}: {text!r}")
    return _plain(number)


def parse_any(text: str | float) -> tuple[float, str]:
    """Return an amount with the unit that its text names, an empty one for a bare number.

    Raises ValueError for what is not a number with a word behind it.
    """
    if isinstance(text, (int, float)) and not isinstance(text, bool):
        return _finite(text, "an amount"), PLAIN
    match = _AMOUNT.fullmatch(str(text))
    if match is None:
        raise ValueError(f"not an amount: {text!r} (write it as 20, 200KB, 300ms or 20 rows)")
    return to_base(_plain(float(match[1])), match[2] or PLAIN)


def to_base(value: float, unit: str) -> tuple[float, str]:
    """Return a value in the unit that it is stored in: `(2, "MB")` is `(2000000, "B")`, `(2, "s")` is `(2000, "ms")`.

    Small and capital letters differ here, so that a project's own `S` or `gb` stays as it is.
    """
    if unit in _DURATIONS:
        return _plain(value * _DURATIONS[unit]), DURATION
    if unit in {"B", "KB", "kB", "MB", "GB", "KiB", "MiB", "GiB"}:
        return _plain(value * _SIZES[unit.lower()]), SIZE
    return value, unit


def format_size(size: float) -> str:
    """Return a size with three significant digits and a decimal unit: `1.24 MB`, `200 KB`, `-12 B`."""
    sign = "-" if size < 0 else ""
    amount = abs(size)
    for unit in ("B", "KB", "MB", "GB"):
        # 999.5 of a unit would print as 1000 of it: that is 1 of the next.
        if amount < 999.5 or unit == "GB":
            break
        amount /= 1000
    return f"{sign}{_three_digits(amount, whole=unit == 'B')} {unit}"


def format_amount(amount: float, unit: str) -> str:
    """Return an amount with three significant digits, or all of its whole digits: `1.24 MB`, `2.09 s`, `0.12`."""
    if unit == SIZE:
        return format_size(amount)
    sign = "-" if amount < 0 else ""
    size = abs(amount)
    if unit == DURATION:
        shown = "s" if size >= 9999.5 else "ms" if size >= 0.9995 else "us" if size >= 0.0009995 or not size else "ns"
        if not size:
            return "0 ms"
        size /= _DURATIONS[shown]
        return f"{sign}{_three_digits(size, whole=size >= 99.95)} {shown}"
    text = f"{size:.0f}" if size >= 999.5 or size == int(size) else f"{size:.3g}"
    return f"{sign}{text} {unit}".rstrip()


def format_growth(growth: float, unit: str = SIZE) -> str:
    """Return a difference with its sign: `+4.2 MB`, `-12 B`, `+350 ms`."""
    text = format_amount(growth, unit)
    return text if growth < 0 else f"+{text}"


def _three_digits(amount: float, *, whole: bool) -> str:
    decimals = 0 if whole or amount >= 99.95 else 1 if amount >= 9.995 else 2
    text = f"{amount:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _split(text: object) -> tuple[float, str]:
    match = _AMOUNT.fullmatch(str(text))
    return (float(match[1]), match[2] or "") if match else (0.0, "?")


def _finite(number: T, what: str) -> T:
    if not 0 <= number < MOST:
        raise ValueError(f"{what} is not negative, nor endless: {number}")
    return number


def _plain(number: float) -> float:
    return int(number) if number == int(number) else number
