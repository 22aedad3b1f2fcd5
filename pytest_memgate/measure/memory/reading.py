"""Reads memray's files: whole, or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version

import memray

from pytest_memgate.errors import CaptureError

# The last byte of a file that memray wrote to its end: of one that is cut off it reads what is there, in the best case
# with a word on the terminal. The peak may be 0 then.
_END_OF_SUMS, _END_OF_EACH = frozenset(b"\x0f"), frozenset(b"\x01\x10")  # memray 1.19 has changed the latter
_KNOWS_END = tuple(map(int, version("memray").split(".")[:2])) <= (1, 20)  # a later release may have another
_IS_PADDED = not hasattr(memray.FileDestination, "buffered")  # releases without it end a file with zeros, a tenth of it
_BLOCK = 4096  # bytes read at once, from the end; chosen


@contextmanager
def reading(path: str, *, every: bool = False) -> Iterator[memray.FileReader]:
    """Open a memray file, of `every` allocation or of sums by stack; raises CaptureError if it is not whole."""
    try:
        if _KNOWS_END and _last_byte(path) not in (_END_OF_EACH if every else _END_OF_SUMS):
            raise CaptureError("its capture is not whole: memray could not write it to its end")
        reader = memray.FileReader(path)
    except (OSError, RuntimeError, ValueError) as error:  # a forked child can spoil it, or no descriptor be free
        raise CaptureError(f"its capture cannot be read: {error}") from error
    try:
        yield reader
    except OSError as error:
        raise CaptureError(f"its capture cannot be read: {error}") from error
    finally:
        reader.close()


def _last_byte(path: str) -> int | None:
    with open(path, "rb") as file:  # noqa: PTH123  # as quick as it can be
        place = os.fstat(file.fileno()).st_size
        while place:
            start = max(0, place - _BLOCK)
            file.seek(start)
            block = file.read(place - start)
            if end := block.rstrip(b"\0") if _IS_PADDED else block:
                return end[-1]
            place = start
    return None
