"""Parcel labels without the pool: each takes a bitmap of its own, and the allocator and the collector have the work."""

from typing import Protocol

_WIDTH = 100  # bytes in a row of 800 dots
_ROWS = 400
_BAR = b"\xff" * _ROWS
_BITS = 32
_LEFT = 8  # bytes


class Printer(Protocol):
    """What a label is sent to."""

    def write(self, bitmap: memoryview, /) -> object: ...


def print_label(number: int, printer: Printer) -> None:
    """Send the label of an order to the printer."""
    bitmap = memoryview(bytearray(_WIDTH * _ROWS))
    _draw(number, bitmap)
    printer.write(bitmap)


def _draw(number: int, bitmap: memoryview) -> None:
    for bit in range(_BITS):
        if number >> bit & 1:
            bitmap[_LEFT + 2 * bit :: _WIDTH] = _BAR
