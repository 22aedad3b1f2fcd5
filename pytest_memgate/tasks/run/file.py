"""The run's JSON file: written for other tools, read by the memgate command and the GitHub Action.

Format 1 (0.1): the fields of `Run`, those with their defaults left out, and in each finding `test`, `value` and
`growth`.

Format 2 (0.2): a bound has a field of its own, `bound` in a finding and its measurement, `cold_bound` for first runs of
several tests; `value` and `growth` are absent then. `provenance` says which code was measured, when and where.

Format 3 (0.2): why a finding came out as it did, and what its budget is, as data: `over`, `doubt`, `second`, `fresh`,
`mismatch`, `cause`, `waivers`, `may_be`, `why`; `rules`; `evidence`; of a measurement `remarks` and `repeated`; of a
site who calls or imports it (`via`), and its `modules`.
The texts that formats 1 and 2 had alone stand beside them, for people: `reason`, `budget`, `details`, `notes`. They are
written, and not read.
"""

import importlib.resources
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from pytest_memgate import __version__
from pytest_memgate.baseline.batch import replace_text
from pytest_memgate.compare.verdict import verdict
from pytest_memgate.errors import RunFileError, UsageError
from pytest_memgate.model.codec import decode, encode
from pytest_memgate.model.measurement import Basis
from pytest_memgate.model.run import Run
from pytest_memgate.report.data import finding_data
from pytest_memgate.tasks.run.json_file import json_text, read_json
from pytest_memgate.tasks.run.older_runs import upgraded

SCHEMA = 3
_IN_WORDS = 2  # the last format that had reasons and budgets in words alone
_FINDINGS = 250_000  # of one run; chosen
_HINT = "name a file of --memgate-report"
_BROKEN = "it was changed or cut short: make it anew"


def to_json(run: Run) -> dict[str, Any]:
    """Return the run as JSON data: the model's fields, and in each finding values that follow from them."""
    data: dict[str, Any] = encode(replace(run, findings=()))
    return {
        "schema": SCHEMA,
        "memgate": __version__,
        "exit_code": run.verdict.exit_code,
        "compared": run.compared,
        **data,
        "findings": list(map(finding_data, run.findings)),
    }


def write_run(run: Run, path: Path) -> None:
    """Write a run whole or not at all; raises UsageError if that fails."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_text(path, json_text(to_json(run), indent=1))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}", hint="give another file for the run") from error


def read_run(path: Path, *, name: str = "") -> Run:
    """Read a run strictly: its file may come from anywhere. `name` stands for the file in errors.

    Raises RunFileError for anything that `write_run` would not have written.
    """
    name = name or str(path)
    data = read_run_data(path, name=name)
    try:
        run = decode(Run, data)
        _check(run)
    except ValueError as error:
        raise RunFileError(f"{name}: {error}", hint=_BROKEN) from error
    return run


def read_run_data(path: Path, *, name: str) -> dict[str, Any]:
    """Read a run's file as data of today's format; raises RunFileError for what is no run, or of a newer format."""
    data = read_json(path, name=name, hint=_HINT)
    schema = data.get("schema") if isinstance(data, dict) else None
    if not isinstance(schema, int) or isinstance(schema, bool) or schema < 1:
        raise RunFileError(f"{name}: not a memgate run", hint=_HINT)
    if schema > SCHEMA:
        raise RunFileError(f"{name}: schema {schema} is newer than this memgate reads", hint="upgrade pytest-memgate")
    try:
        return upgraded(data) if schema <= _IN_WORDS else dict(data)
    except ValueError as error:
        raise RunFileError(f"{name}: {error}", hint=_BROKEN) from error


def read_run_values(path: Path) -> tuple[Run, Any]:
    """Read a run without its findings, and those as data: for what needs few of their fields, of very many.

    Raises RunFileError as `read_run` does, but for what is in the findings.
    """
    data = read_run_data(path, name=str(path))
    findings = data.get("findings")
    try:
        return decode(Run, {**data, "findings": []}), findings
    except ValueError as error:
        raise RunFileError(f"{path}: {error}", hint=_BROKEN) from error


def _check(run: Run) -> None:
    """Raise ValueError for a run that contradicts itself."""
    if len(run.findings) > _FINDINGS:
        raise ValueError(f"more than {_FINDINGS} findings")
    if verdict(() if run.update else run.findings, run.problems) is not run.verdict:
        raise ValueError("its verdict is not that of its findings")
    for at, finding in enumerate(run.findings):
        measurement = finding.measurement
        if measurement and measurement.basis is Basis.SAMPLES and not measurement.samples:
            raise ValueError(f"findings[{at}].measurement: 'samples' is missing")
        if measurement and measurement.is_bound and measurement.settled:
            raise ValueError(f"findings[{at}].measurement: a bound is not settled")


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a run's file."""
    text = importlib.resources.files("pytest_memgate").joinpath("schema/run-3.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema
