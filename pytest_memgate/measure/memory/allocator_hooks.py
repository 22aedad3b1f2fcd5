"""Leaves small objects untraced between two calls under one tracker, if the tracker traces Python's allocators.

Objects that pytest and the fixtures allocate there belong to no test, and would soon outweigh the tests' own. The
tracker's hooks are taken off Python's allocators for small blocks, and put back. An object of a call that is freed
meanwhile still counts, so that the tracker sees too much and never too little. Large blocks come from the system and
are seen.
"""

import ctypes
import sys

_MEM, _OBJ = 1, 2  # PYMEM_DOMAIN_…: the raw one is used without holding the interpreter's lock


class _Allocator(ctypes.Structure):
    """CPython's PyMemAllocatorEx."""

    _fields_ = tuple((name, ctypes.c_void_p) for name in ("ctx", "malloc", "calloc", "realloc", "free"))


def can_pause() -> bool:
    """True if this interpreter lets its allocators be exchanged while it holds its lock."""
    return getattr(sys, "_is_gil_enabled", lambda: True)() and hasattr(ctypes, "pythonapi")


class Pause:
    """The allocators without a tracker's hooks, and with them; it is made before the tracker starts.

    Memory that it allocated with the hooks on would be freed unseen once they are off: so all lasting memory is made at
    once.
    """

    def __init__(self) -> None:
        self._now, self._without, self._with = _Allocators(), _Allocators(), _Allocators()
        self._without.read()
        self._is_on = False

    def started(self) -> None:
        """Remember the tracker's hooks: it has just started."""
        self._with.read()

    def begin(self) -> None:
        """Take the hooks off, unless somebody has put others above them."""
        if not self._is_on and self._are_now(self._with):
            self._without.set()
            self._is_on = True

    def end(self) -> bool:
        """Put the hooks back; return False if somebody has put others there meanwhile."""
        if self._is_on and self._are_now(self._without):
            self._with.set()
            self._is_on = False
        return not self._is_on

    def _are_now(self, allocators: "_Allocators") -> bool:
        self._now.read()
        return self._now.contents() == allocators.contents()


class _Allocators:
    """The allocators of both domains at one moment."""

    def __init__(self) -> None:
        self._mem, self._obj = _Allocator(), _Allocator()
        self._to_mem, self._to_obj = ctypes.pointer(self._mem), ctypes.pointer(self._obj)

    def contents(self) -> tuple[bytes, bytes]:
        """Return the bytes of both structures."""
        return bytes(self._mem), bytes(self._obj)

    def read(self) -> None:
        """Read the present allocators of both domains."""
        ctypes.pythonapi.PyMem_GetAllocator(_MEM, self._to_mem)
        ctypes.pythonapi.PyMem_GetAllocator(_OBJ, self._to_obj)

    def set(self) -> None:
        """Make these the allocators of both domains."""
        ctypes.pythonapi.PyMem_SetAllocator(_MEM, self._to_mem)
        ctypes.pythonapi.PyMem_SetAllocator(_OBJ, self._to_obj)
