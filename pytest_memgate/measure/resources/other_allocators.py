"""Memory of allocators that memray does not see: it is watched by the process's resident size."""

import os
import re
import sys
from contextlib import suppress

from pytest_memgate.measure.python.standard import Standard

_os = Standard(os, open_file=open)
_BUNDLED = {"pyarrow": "mimalloc", "polars": "jemalloc or mimalloc"}  # with an allocator inside their own files
_MAPPED = re.compile(r"/lib(mimalloc|jemalloc|tcmalloc)[^/]*$", re.MULTILINE)
_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 0
_RESIDENT = "/proc/self/statm"  # its second number, in pages
_MAPS = "/proc/self/maps"


class OtherAllocators:
    """Those that are loaded in this process; looked for again once more modules are."""

    def __init__(self) -> None:
        self._modules = 0
        self._names: tuple[str, ...] = ()

    def names(self) -> tuple[str, ...]:
        """Return them in words, as `mimalloc of pyarrow`; none where the system tells no resident size."""
        if len(sys.modules) != self._modules and _os.path.exists(_RESIDENT):
            self._modules = len(sys.modules)
            found = [f"{allocator} of {module}" for module, allocator in _BUNDLED.items() if module in sys.modules]
            with suppress(OSError):  # no descriptor is free
                found += sorted(set(_MAPPED.findall(_text(_MAPS))))
            self._names = tuple(found)
        return self._names


def resident() -> int | None:
    """Return the resident bytes of the process, None if no descriptor is free to read them."""
    try:
        return int(_text(_RESIDENT).split()[1]) * _PAGE
    except OSError:
        return None


def pool_bytes() -> int | None:
    """Return the bytes that pyarrow's memory pool holds, None if it is not loaded or does not tell."""
    pyarrow = sys.modules.get("pyarrow")
    try:
        return int(pyarrow.total_allocated_bytes()) if pyarrow else None
    except Exception:  # noqa: BLE001  # half-loaded, or replaced by a test
        return None


def _text(path: str) -> str:
    with _os.open_file(path, encoding="utf-8", errors="replace") as file:
        text: str = file.read()
    return text
