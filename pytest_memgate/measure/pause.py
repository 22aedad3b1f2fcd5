"""Leave small objects untraced between two calls under one tracker, where a tracker traces Python's allocators.

What pytest and the fixtures allocate there is no test's own, and would soon be more than the tests'. The tracker's
hooks are taken off Python's allocators for small blocks, and put back. An object of a call that is freed meanwhile
still counts, so that the tracker sees too much and never too little. Large blocks come from the system and are seen.
"""

import ctypes
import sys

_DOMAINS = (1, 2)  # PYMEM_DOMAIN_MEM and PYMEM_DOMAIN_OBJ: the raw one is used without holding the interpreter's lock


class _Allocator(ctypes.Structure):
    """CPython's PyMemAllocatorEx."""

    _fields_ = tuple((name, ctypes.c_void_p) for name in ("ctx", "malloc", "calloc", "realloc", "free"))


_Allocators = tuple[_Allocator, ...]


def can_pause() -> bool:
    """Say whether this interpreter lets its allocators be exchanged while it holds its lock."""
    return getattr(sys, "_is_gil_enabled", lambda: True)() and hasattr(ctypes, "pythonapi")


class Pause:
    """The allocators without a tracker's hooks, which must not run yet, and with them."""

    def __init__(self) -> None:
        self._without = _allocators()
        self._with: _Allocators = ()
        self._is_on = False

    def started(self) -> None:
        """Take note of the tracker's hooks: it has just started."""
        self._with = _allocators()

    def begin(self) -> None:
        """Take the hooks off, unless somebody has put others above them."""
        if not self._is_on and _same(_allocators(), self._with):
            _set(self._without)
            self._is_on = True

    def end(self) -> bool:
        """Put them back; say whether that could be done: not where somebody has put others there meanwhile."""
        if self._is_on and _same(_allocators(), self._without):
            _set(self._with)
            self._is_on = False
        return not self._is_on


def _allocators() -> _Allocators:
    found = tuple(_Allocator() for _ in _DOMAINS)
    for domain, allocator in zip(_DOMAINS, found, strict=True):
        ctypes.pythonapi.PyMem_GetAllocator(domain, ctypes.byref(allocator))
    return found


def _set(allocators: _Allocators) -> None:
    for domain, allocator in zip(_DOMAINS, allocators, strict=True):
        ctypes.pythonapi.PyMem_SetAllocator(domain, ctypes.byref(allocator))


def _same(some: _Allocators, others: _Allocators) -> bool:
    return tuple(map(bytes, some)) == tuple(map(bytes, others))
