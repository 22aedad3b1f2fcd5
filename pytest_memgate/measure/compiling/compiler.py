"""Compiles source files for another process, whose memory must not show it.

Run as a script: it leaves its parent at once, so that no test finds it as a child or waits for it, and ends with the
pipe that is its standard input. A request has three texts: a source file; the folder that Python uses in place of each
`__pycache__`, empty if it uses these; and a folder of the gate's own if Python is to write nothing, else empty. The
answer is the path of the compiled file, empty if there is none.
"""

import os
import sys
from importlib.machinery import SourceFileLoader
from importlib.util import cache_from_source, source_hash

_LENGTH = 4  # bytes before each text, which give its length in bytes


def compiled(source: str, prefix: str, own: str) -> str:
    """Compile a source file, unless that is done; return the path of the compiled file, empty if there is none.

    A folder of the gate's own has a place for each content of a file. The file's time does not tell whether it is the
    same: a test may write it twice within a second, and have seen to it that no compiled files are written.
    """
    loader = SourceFileLoader("module", source)
    try:
        sys.pycache_prefix = f"{own}/{source_hash(loader.get_data(source)).hex()}" if own else prefix or None
        loader.get_code("module")
    except Exception:  # noqa: BLE001  # whoever imports the file will meet it
        return ""
    path = cache_from_source(source)
    return path if os.path.exists(path) else ""  # noqa: PTH110  # no pathlib: it takes longer to import than all of this


def packed(*texts: str) -> bytes:
    """Return texts as bytes for a pipe."""
    parts = map(os.fsencode, texts)
    return b"".join(len(part).to_bytes(_LENGTH, "big") + part for part in parts)


def read_text(descriptor: int) -> str:
    """Read one text from a pipe; raises EOFError at its end."""
    size = int.from_bytes(_read(descriptor, _LENGTH), "big")
    return os.fsdecode(_read(descriptor, size))


def _read(descriptor: int, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = os.read(descriptor, size - len(data))
        if not part:
            raise EOFError
        data += part
    return data


def _serve() -> None:
    sys.dont_write_bytecode = False
    while True:
        try:
            source, prefix, own = read_text(0), read_text(0), read_text(0)
            os.write(1, packed(compiled(source, prefix, own)))
        except (EOFError, OSError):
            return


if __name__ == "__main__" and not os.fork():
    _serve()
