"""Imports that can be told apart in memray's stacks: each runs below a frame that names its module.

The frames of the import system do not say which module they load: reading a module's code, or creating an extension,
looks like work of its first importer. Under `named_imports()` every module is loaded below a frame whose file is
`<import json.decoder …>`, so that each byte belongs to the module for which it was taken, whatever the order.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from pytest_memgate.measure.stacks.marker_frames import marked

IMPORT_SYSTEM = "<frozen importlib"
_MARK, _END = "<import ", " by importlib._bootstrap>"  # a warning is not put down to a frame whose file is named so
_SYSTEM: Any = sys.modules["_frozen_importlib"]
_LOAD = "_load_unlocked"  # loads one module by its spec; present in every Python that we run on


def file_of(module: str) -> str:
    """Return the file of the frame below which a module is loaded."""
    return f"{_MARK}{module}{_END}"


def module_of(path: str) -> str:
    """Return the module that the file of a frame names, empty for the frame of any other code."""
    return path[len(_MARK) : -len(_END)] if path.startswith(_MARK) else ""


@contextmanager
def named_imports() -> Iterator[None]:
    """Let each import of this process run below a frame that names its module, for a while."""
    original: Callable[[Any], Any] | None = getattr(_SYSTEM, _LOAD, None)
    if original is None:  # a Python whose import system is another: its imports go unnamed
        yield
        return
    # This frame is one of the import system's, for whoever reads a stack.
    load = marked(_load, f"{IMPORT_SYSTEM}._bootstrap>", original=original, _below_name=_below_name)
    setattr(_SYSTEM, _LOAD, load)
    try:
        yield
    finally:
        setattr(_SYSTEM, _LOAD, original)


def _load(spec: Any) -> Any:
    return _below_name(original, spec.name)(spec)  # type: ignore[name-defined]  # noqa: F821  # the copy has it


def _below_name(original: Callable[[Any], Any], module: str) -> Callable[[Any], Any]:
    call: Callable[[Any], Any] = marked(_call, file_of(module), "<import>", original=original)
    return call


def _call(spec: Any) -> Any:
    return original(spec)  # type: ignore[name-defined]  # noqa: F821  # the same
