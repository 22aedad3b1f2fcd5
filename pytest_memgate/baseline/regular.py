"""Reads regular files of a bounded size, never a device or a pipe that somebody put in their place."""

import errno
import os
import stat
from pathlib import Path


def read_regular(path: Path, most: int) -> bytes:
    """Return the bytes of a regular file, or of the file that a link leads to.

    Raises OSError for a folder, a device or a named pipe, and for a file of more than `most` bytes.
    """
    # Without O_NONBLOCK, a named pipe is not opened until somebody writes to it.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        data = bytearray()
        # Not through a file object: a faked file system would know nothing of the descriptor.
        while status.st_size <= most and len(data) <= most and (more := os.read(descriptor, most + 1 - len(data))):
            data += more
        if status.st_size > most or len(data) > most:
            raise OSError(errno.EFBIG, f"larger than {most // 1_000_000} MB", str(path))
        return bytes(data)
    finally:
        os.close(descriptor)
