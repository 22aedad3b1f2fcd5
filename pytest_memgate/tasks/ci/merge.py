"""Put together the runs of other jobs of a workflow."""

from collections.abc import Sequence
from pathlib import Path

from pytest_memgate.errors import UsageError
from pytest_memgate.model.run import Run
from pytest_memgate.tasks.run.file import write_run
from pytest_memgate.tasks.run.merge import merge


def merge_parts(root: Path, workspace: Path, patterns: Sequence[str], path: Path) -> Run:
    """Write the run of all files that `patterns` find in the checkout, and return it; raises MemgateError."""
    found = sorted({file for pattern in patterns for file in _files(workspace, pattern)})
    if not found:
        raise UsageError(
            f"input merge: {' '.join(patterns)!r} finds no file", hint="download the parts' artifacts first"
        )
    whole = merge(root, found)
    write_run(whole, path)
    return whole


def _files(workspace: Path, pattern: str) -> list[Path]:
    try:
        return [path for path in workspace.glob(pattern) if path.is_file()]
    except (ValueError, NotImplementedError) as error:
        raise UsageError(
            f"input merge: {pattern!r}: {error}", hint="patterns count from the checkout's root"
        ) from error
