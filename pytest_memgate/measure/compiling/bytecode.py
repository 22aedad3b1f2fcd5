"""While a tracker is on, another process compiles the modules that have no compiled file yet.

Compiling a module can take twenty times the memory of loading it. Whether an import or a reload in a test compiles
would otherwise depend on the checkout: its `__pycache__`, PYTHONDONTWRITEBYTECODE, a folder that cannot be written. The
other process writes the compiled file to where Python itself would put it or, if Python would put it nowhere, into a
folder of the gate's own; the test then loads it. A loader that is not Python's own is left alone.
"""

import marshal
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.machinery import SourceFileLoader
from typing import TYPE_CHECKING, Any

from pytest_memgate.measure.compiling import compiler
from pytest_memgate.measure.compiling.private_folder import private_folder
from pytest_memgate.measure.python.original_functions import real_world
from pytest_memgate.measure.resources.helper_process import HelperProcess
from pytest_memgate.measure.stacks.import_hook import named_imports
from pytest_memgate.measure.stacks.marker_frames import marked

if TYPE_CHECKING:
    from types import CodeType

_LOADER: Any = sys.modules["_frozen_importlib_external"].__dict__["SourceLoader"]
_GET_CODE = "get_code"
_HEADER = 16  # bytes before the code in a compiled file (PEP 552)
_lock = threading.RLock()
_helper = HelperProcess(compiler.__file__)
_FRAMES = "<frozen importlib._bootstrap_external>"  # the import system's file, for whoever reads a stack


@contextmanager
def traced_imports() -> Iterator[None]:
    """While a tracker is on, let each import run below a frame that names its module, and compile nothing."""
    with named_imports(), compiled_elsewhere():
        yield


@contextmanager
def compiled_elsewhere() -> Iterator[None]:
    """Let this process load only compiled files, for a while, and another process make the missing ones."""
    original: Callable[[Any, str], CodeType] = getattr(_LOADER, _GET_CODE)
    hook = marked(
        _get_code,
        _FRAMES,
        _GET_CODE,
        original=original,
        SourceFileLoader=SourceFileLoader,
        Compiled=_Compiled,
        Missing=_Missing,
        made=_made,
        kept=_kept,
        loads=marshal.loads,
        HEADER=_HEADER,
    )
    setattr(_LOADER, _GET_CODE, hook)
    try:
        yield
    finally:
        setattr(_LOADER, _GET_CODE, original)


def close() -> None:
    """End the process that compiles, if there is one."""
    with _lock:
        _helper.end()


class _Missing(Exception):  # noqa: N818  # no error: it never leaves the import
    """A module is not compiled."""


class _Compiled(SourceFileLoader):
    """Loads the code of a module only if it is compiled: reading the source takes memory, too."""

    def get_data(self, path: str) -> bytes:
        """Return the bytes of a compiled file; raises _Missing in place of reading a source."""
        if path == self.path:
            raise _Missing
        return super().get_data(path)


# Copied, so that what a module holds is not taken for the gate's: the copy has the names that are missing here.
def _get_code(self: Any, fullname: str) -> Any:
    if type(self) is SourceFileLoader:
        compiled = Compiled(self.name, self.path)  # type: ignore[name-defined]  # noqa: F821
        try:
            return original(compiled, fullname)  # type: ignore[name-defined]  # noqa: F821
        except Missing:  # type: ignore[name-defined]  # noqa: F821
            pass
        if made(self.path):  # type: ignore[name-defined]  # noqa: F821
            try:
                return original(compiled, fullname)  # type: ignore[name-defined]  # noqa: F821
            except Missing:  # type: ignore[name-defined]  # noqa: F821
                pass
        path = kept(self.path)  # type: ignore[name-defined]  # noqa: F821
        if path:
            return loads(memoryview(compiled.get_data(path))[HEADER:])  # type: ignore[name-defined]  # noqa: F821
    return original(self, fullname)  # type: ignore[name-defined]  # noqa: F821


def _made(source: str) -> bool:
    """Have the compiled file made where Python itself would write it; return True if it is there now."""
    return not sys.dont_write_bytecode and bool(_asked(source, sys.pycache_prefix or "", ""))


def _kept(source: str) -> str:
    """Return the file in the gate's own folder with the code of a source file, empty if there is none."""
    with real_world():
        folder = private_folder()
        return _asked(source, "", str(folder / "bytecode")) if folder else ""


def _asked(source: str, *where: str) -> str:
    """Return the answer of the process that compiles; empty if there is none: Python then compiles here."""
    if not source.startswith(os.sep):
        return ""
    with real_world(), _lock:
        try:
            to, back = _helper.pipes()
            os.write(to, compiler.packed(source, *where))
            return compiler.read_text(back)
        except (OSError, EOFError):
            _helper.end()
            return ""
        except BaseException:  # an answer that is still to come would be taken for that to the next question
            _helper.end()
            raise
