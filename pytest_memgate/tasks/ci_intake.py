"""Read a run that a pull request's code had in its hands: strictly, and with bounds on what it may hold."""

import json
import stat
from pathlib import Path
from typing import Any

from pytest_memgate.compare.verdict import verdict
from pytest_memgate.errors import RunFileError
from pytest_memgate.model.run import Run
from pytest_memgate.tasks.runfile import read_run

_LARGEST = 64 * 1024 * 1024  # bytes: 10,000 tests with their call sites are a quarter of it
_DEEPEST = 30
_NUMBER = 1e18
_TEXT = 100_000  # characters


def read_foreign(path: Path) -> Run:
    """Read a run; raises RunFileError for anything that the gate would not have written."""
    try:
        told = path.lstat()
        if not stat.S_ISREG(told.st_mode):
            raise RunFileError(f"{path.name}: not a file")
        if told.st_size > _LARGEST:
            raise RunFileError(f"{path.name}: larger than {_LARGEST} bytes")
        _check(json.loads(path.read_bytes(), parse_constant=_refuse), path.name, 0)
        run = read_run(path)
    except OSError as error:
        raise RunFileError(f"{path.name}: {error.strerror or error}") from error
    except RecursionError as error:
        raise RunFileError(f"{path.name}: nested too deeply") from error
    except ValueError as error:  # also of text that is not UTF-8
        raise RunFileError(f"{path.name}: not JSON: {error}") from error
    if verdict(run.findings, run.problems) is not run.verdict:
        raise RunFileError(f"{path.name}: its verdict is not that of its findings", hint="it was changed")
    return run


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no number")


def _check(data: Any, name: str, depth: int) -> None:
    if depth > _DEEPEST:
        raise RunFileError(f"{name}: nested too deeply")
    if isinstance(data, dict):
        for key, value in data.items():
            _check(key, name, depth + 1)
            _check(value, name, depth + 1)
    elif isinstance(data, list):
        for value in data:
            _check(value, name, depth + 1)
    elif isinstance(data, str) and len(data) > _TEXT:
        raise RunFileError(f"{name}: a text of {len(data)} characters")
    elif isinstance(data, (int, float)) and not abs(data) <= _NUMBER:
        raise RunFileError(f"{name}: a number beyond all measure")
