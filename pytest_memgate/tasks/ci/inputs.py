"""The inputs of the GitHub Action: texts from a workflow file, none of which is ever evaluated."""

import re
import shlex
from pathlib import Path

from pytest_memgate.budget.rule import AGAINST
from pytest_memgate.errors import UsageError
from pytest_memgate.values import one_of

_FLAGS = {"true": True, "false": False}
_REF = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./@{}^~+-]*")


def flag(name: str, text: str) -> bool:
    """Read `true` or `false`; raises UsageError."""
    try:
        return _FLAGS[text.strip().lower()]
    except KeyError as error:
        raise UsageError(f"input {name}: {text!r} is neither true nor false") from error


def against(text: str) -> str:
    """Read one of `AGAINST`; raises UsageError."""
    try:
        word: str = one_of("value", AGAINST)(text.strip())
    except ValueError as error:
        raise UsageError(f"input against: {error}") from error
    return word


def words(name: str, text: str) -> list[str]:
    """Split a text as a shell does, without running or expanding anything; raises UsageError."""
    if "\0" in text:
        raise UsageError(f"input {name}: it holds a NUL character")
    try:
        return shlex.split(text)
    except ValueError as error:
        raise UsageError(f"input {name}: {error}: {text!r}", hint="close the quotes") from error


def pytest_words(text: str) -> list[str]:
    """Return what `pytest-args` adds; raises UsageError for what would move the project's root."""
    given = words("pytest-args", text)
    if any(word.partition("=")[0] == "--rootdir" for word in given):
        raise UsageError("input pytest-args: --rootdir has no place there", hint="give the input working-directory")
    return given


def folder(workspace: Path, text: str) -> Path:
    """Return the working directory, which is in the checkout; raises UsageError."""
    name = text.strip() or "."
    found = workspace / name
    try:
        if not found.is_dir():
            raise UsageError(f"input working-directory: {name!r} is not a folder of the checkout")
    except ValueError as error:
        raise UsageError(f"input working-directory: {name!r}: {error}") from error
    return found.resolve()


def ref(text: str) -> str:
    """Return a git ref that is one, and no option or refspec; raises UsageError."""
    name = text.strip()
    if name and not _REF.fullmatch(name):
        raise UsageError(f"input base: {name!r} is no ref", hint="name a branch, tag or commit")
    return name
