"""Imports that can be told apart in memray's stacks: each runs below a frame that names its module.

The frames of the import system do not say what they load: reading a module's code, or creating an extension, looks like
work of whoever imports it first. Under `named_imports()` every module is loaded below a frame whose file is
`<import json.decoder>`, so that each byte belongs to the module that it was taken for, whatever the order.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType, FunctionType
from typing import Any

IMPORT_SYSTEM = "<frozen importlib"
_MARK = "<import "
_SYSTEM: Any = sys.modules["_frozen_importlib"]
_LOAD = "_load_unlocked"  # loads one module by its spec; present in every Python that we run on


def module_of(path: str) -> str:
    """Return the module that a frame's file names, empty for the frame of any other code."""
    return path[len(_MARK) : -1] if path.startswith(_MARK) else ""


@contextmanager
def named_imports() -> Iterator[None]:
    """Let each import of this process run below a frame that names its module, for a while."""
    original: Callable[[Any], Any] | None = getattr(_SYSTEM, _LOAD, None)
    if original is None:  # a Python whose import system is another: its imports go unnamed
        yield
        return
    # This frame is one of the import system's, for whoever reads a stack.
    code = _load.__code__.replace(co_filename=f"{IMPORT_SYSTEM}._bootstrap>")
    setattr(_SYSTEM, _LOAD, FunctionType(code, {"original": original, "_below_name": _below_name}))
    try:
        yield
    finally:
        setattr(_SYSTEM, _LOAD, original)


def _load(spec: Any) -> Any:
    return _below_name(original, spec.name)(spec)  # type: ignore[name-defined]  # noqa: F821  # the copy has it


def _below_name(original: Callable[[Any], Any], module: str) -> Callable[[Any], Any]:
    code: CodeType = _call.__code__.replace(co_filename=f"{_MARK}{module}>", co_name="<import>")
    return FunctionType(code, {"original": original})


def _call(spec: Any) -> Any:
    return original(spec)  # type: ignore[name-defined]  # noqa: F821  # the same
