"""The run's JSON file: written for other tools, read by the memgate command."""

import importlib.resources
import json
from pathlib import Path
from typing import Any

from pytest_memgate import __version__
from pytest_memgate.baseline.store import replace_text
from pytest_memgate.errors import RunFileError, UsageError
from pytest_memgate.model.codec import decode, encode
from pytest_memgate.model.run import Run

SCHEMA = 1


def to_json(run: Run) -> dict[str, Any]:
    """Return the run as JSON data: the model's fields, and in each finding what follows from them."""
    data: dict[str, Any] = encode(run)
    for plain, finding in zip(data["findings"], run.findings, strict=True):
        plain["test"] = str(finding.subject)
        for name in ("value", "growth"):
            if getattr(finding, name) is not None:
                plain[name] = getattr(finding, name)
    return {
        "schema": SCHEMA,
        "memgate": __version__,
        "exit_code": run.verdict.exit_code,
        "compared": run.compared,
        **data,
    }


def write_run(run: Run, path: Path) -> None:
    """Write a run whole or not at all; raises UsageError if that cannot be."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_text(path, json.dumps(to_json(run), indent=1) + "\n")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}", hint="give another file for the run") from error


def read_run(path: Path) -> Run:
    """Read a run; raises RunFileError for a file that is not one."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RunFileError(f"{path}: {error.strerror or error}", hint="name a file of --memgate-report") from error
    except ValueError as error:
        raise RunFileError(f"{path}: not JSON: {error}", hint="name a file of --memgate-report") from error
    schema = data.get("schema") if isinstance(data, dict) else None
    if not isinstance(schema, int):
        raise RunFileError(f"{path}: not a memgate run", hint="name a file of --memgate-report")
    if schema > SCHEMA:
        raise RunFileError(f"{path}: schema {schema} is newer than this memgate reads", hint="upgrade pytest-memgate")
    try:
        return decode(Run, data)
    except ValueError as error:
        raise RunFileError(f"{path}: {error}", hint="it was changed or cut short: make it anew") from error


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a run's file."""
    text = importlib.resources.files("pytest_memgate").joinpath("schema/run-1.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema
