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
_PAGE = 4096  # bytes: releases without `buffered` fill the last page with zeros


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
        file.seek(max(0, os.fstat(file.fileno()).st_size - _PAGE))
        end = file.read()
    if not hasattr(memray.FileDestination, "buffered"):
        end = end.rstrip(b"\0")
    return end[-1] if end else None
