"""Bytes as people write and read them: `200KB` is 200,000 bytes, `200KiB` is 204,800."""

import re

_FACTORS = {
    "b": 1,
    "kb": 1000,
    "mb": 1000**2,
    "gb": 1000**3,
    "kib": 1024,
    "mib": 1024**2,
    "gib": 1024**3,
}
_SIZE = re.compile(r"\s*(\d{1,15}(?:\.\d{1,15})?)\s*([kmg]?i?b)\s*", re.IGNORECASE)


def parse_size(text: str | int) -> int:
    """Return bytes for `"200KB"`, `"1.5 MiB"` or a whole number of bytes.

    Raises ValueError for anything else, a number in text without its unit included.
    """
    if isinstance(text, int) and not isinstance(text, bool):
        if text < 0:
            raise ValueError(f"a size is not negative: {text}")
        return text
    match = _SIZE.fullmatch(str(text))
    if match is None or match[2].lower() not in _FACTORS:
        raise ValueError(f"not a size: {text!r} (write it as 200KB, 1.5MB or 64MiB)")
    return round(float(match[1]) * _FACTORS[match[2].lower()])


def format_size(size: float) -> str:
    """Return a size with three significant digits and a decimal unit: `1.24 MB`, `200 KB`, `-12 B`."""
    sign = "-" if size < 0 else ""
    amount = abs(size)
    for unit in ("B", "KB", "MB", "GB"):
        # 999.5 of a unit would print as 1000 of it: that is 1 of the next.
        if amount < 999.5 or unit == "GB":
            break
        amount /= 1000
    decimals = 0 if unit == "B" or amount >= 99.95 else 1 if amount >= 9.995 else 2
    text = f"{amount:.{decimals}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return f"{sign}{text} {unit}"


def format_growth(size: float) -> str:
    """Return a difference with its sign: `+4.2 MB`, `-12 B`, `+0 B`."""
    return format_size(size) if size < 0 else f"+{format_size(size)}"
