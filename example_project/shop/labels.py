"""Parcel labels for the label printer: a bitmap of one bit a dot, with the order's number as bars."""

from collections import deque
from typing import Protocol

_WIDTH = 100  # bytes in a row of 800 dots
_ROWS = 400
_BLANK = bytes(_WIDTH * _ROWS)
_BAR = b"\xff" * _ROWS
_BITS = 32
_LEFT = 8  # bytes


class Printer(Protocol):
    """What a label is sent to."""

    def write(self, bitmap: memoryview, /) -> object: ...


_free: deque[memoryview] = deque()  # as many as there were labels drawn at the same time


def print_label(number: int, printer: Printer) -> None:
    """Send the label of an order to the printer, from a bitmap that is used again."""
    bitmap = _free.pop() if _free else memoryview(bytearray(len(_BLANK)))
    try:
        bitmap[:] = _BLANK
        _draw(number, bitmap)
        printer.write(bitmap)
    finally:
        _free.append(bitmap)


def _draw(number: int, bitmap: memoryview) -> None:
    for bit in range(_BITS):
        if number >> bit & 1:
            bitmap[_LEFT + 2 * bit :: _WIDTH] = _BAR
