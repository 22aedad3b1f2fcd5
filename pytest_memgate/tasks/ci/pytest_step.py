"""The command that runs the gated tests in a job, and the names of its files."""

import sys
from collections.abc import Sequence
from pathlib import Path

from pytest_memgate.budget.rule import AGAINST

RUN = "run.json"
PROFILES = "profiles"


def pytest_command(
    root: Path, folder: Path, args: Sequence[str], *, base: str, against: str, strict: bool
) -> list[str]:
    """Return pytest's command line; the gate's own options come last, so that no argument replaces them."""
    return [
        *(sys.executable, "-m", "pytest", *args, "--memgate"),
        f"--rootdir={root}",
        *([f"--memgate-base={base}"] if base else []),
        *([f"--memgate-against={against}"] if against != AGAINST[0] else []),
        "--memgate-strict" if strict else "--no-memgate-strict",
        f"--memgate-report={folder / RUN}",
        f"--memgate-keep={folder / PROFILES}",
    ]
