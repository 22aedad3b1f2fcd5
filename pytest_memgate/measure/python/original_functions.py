"""The original functions that the gate's own code calls while a test may have replaced them.

A test's fixtures live until its teardown, and so do their replacements: of `os.name`, `open`, `json.loads`, or of all
functions that read files, in every module, if a library fakes the file system. The gate reads and judges before that.
"""

import builtins
import gc
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from operator import itemgetter
from pathlib import Path, PurePath
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

_OURS = ("pytest_memgate", "memray")  # packages
_KINDS = (ModuleType, FunctionType, BuiltinFunctionType, type, classmethod, property)
_AT_ONCE = 30  # names: code that looks at them takes little memory, as a tracker may be on
_MISSING = object()

_Replaced = tuple[object, str, object]  # owner, name, what was there


class _Place:
    """Some names of a module or class, and their original values."""

    def __init__(self, owner: object, names: list[str]) -> None:
        self.owner = owner
        self._names = (*names, "__doc__")  # which everything has: of two names there is a tuple
        self._read: Callable[[Any], tuple[Any, ...]] = itemgetter(*self._names)
        self._real = self._read(vars(owner))

    def replaced(self) -> list[tuple[str, object, object]]:
        """Return the names that have another value now, with that value and the original."""
        found = vars(self.owner)
        try:
            if self._read(found) == self._real:
                return []
        except KeyError:
            pass
        now = [(name, found.get(name, _MISSING), real) for name, real in zip(self._names, self._real, strict=True)]
        return [one for one in now if one[1] is not one[2]]


_places: list[_Place] = []
_modules = 0  # so many there were when they were last looked at
_seen: set[str] = set()  # modules
_put_away: list[_Replaced] | None = None  # while the world is real


def look() -> None:
    """Take all values that have not been seen before as original: no test is set up now."""
    global _modules  # noqa: PLW0603  # as the functions are the process's
    if len(sys.modules) == _modules:
        return
    for name in [name for name in sys.modules if name.startswith(_OURS) and name not in _seen]:
        _seen.add(name)
        _add(sys.modules[name])
        for one in list(vars(sys.modules[name]).values()):
            if isinstance(one, ModuleType) and one.__name__ not in _seen and _is_of_python(one):
                _seen.add(one.__name__)
                _add(one)
    if not _modules:
        for owner in (os.path, Path, PurePath):
            _add(owner)
    _modules = len(sys.modules)


def _is_of_python(module: ModuleType) -> bool:
    return module.__name__.partition(".")[0] in sys.stdlib_module_names and module not in {sys, gc}


def _add(owner: object) -> None:
    ours = getattr(owner, "__name__", "").startswith(_OURS)
    names = [
        name
        for name, value in vars(owner).items()
        if isinstance(value, _KINDS)
        and not name.startswith("__")
        and not (ours and str(getattr(value, "__module__", "")).startswith(_OURS))
    ]
    names += ["__import__"] if owner is builtins else ["name"] if owner is os else []
    _places.extend(_Place(owner, names[start : start + _AT_ONCE]) for start in range(0, len(names), _AT_ONCE))


@contextmanager
def real_world() -> Iterator[None]:
    """Put the originals in place of the replacements of a test, for a while."""
    if _put_away is not None:
        yield
        return
    _make_real()
    try:
        yield
    finally:
        _put_back()


@contextmanager
def staged_world() -> Iterator[None]:
    """Within the real world, put the replacements back while a test's fixtures and the test run."""
    if _put_away is None:
        yield
        return
    _put_back()
    try:
        yield
    finally:
        _make_real()


def _make_real() -> None:
    global _put_away  # noqa: PLW0603  # as above
    _put_away = [
        (place.owner, name, now)
        for place in _places
        for name, now, real in place.replaced()
        if _set(place.owner, name, real)
    ]


def _put_back() -> None:
    global _put_away
    replaced, _put_away = _put_away or [], None
    for owner, name, value in replaced:
        _set(owner, name, value)


def _set(owner: object, name: str, value: object) -> bool:
    if value is _MISSING:
        delattr(owner, name)
    else:
        setattr(owner, name, value)
    return True
