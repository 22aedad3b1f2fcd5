"""A run of the real gate in a process of its own, for commands that read its answer; it leaves nothing behind."""

import math
import re
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_memgate.measure.process.workspace import Workspace
from pytest_memgate.model.run import Run
from pytest_memgate.tasks.run.file import read_run

QUIET = ("-p", "pytest_memgate.plugin.child_runs.no_side_outputs")
_COLLECTION = re.compile(r"^ERROR (?:collecting )?(\S.*)", re.MULTILINE)
_COLORS = re.compile(r"\x1b\[[\d;]*m")


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """How a run ended: pytest's exit code, its output, and its run, None if it wrote no file.

    `seconds` is the time that it took or, if it was ended, that it was given.
    """

    code: int
    out: str
    run: Run | None
    seconds: float
    timed_out: bool = False

    @property
    def why_useless(self) -> str:
        """Why the run gives no answer, in one line; empty if it gives one."""
        if self.run is None or self.code not in {0, 1}:
            return self._why_ended()
        extent = self.run.extent
        if extent and extent.failed:
            more = f" and {len(extent.failed) - 1} more" if len(extent.failed) > 1 else ""
            return f"tests fail by themselves: {extent.failed[0]}{more}"
        return extent.cut_short if extent else ""

    @property
    def is_refused(self) -> bool:
        """True if pytest refused its options or paths."""
        return self.code == 4

    def _why_ended(self) -> str:
        if self.timed_out:
            return f"it did not end within {self.seconds:.0f} s"
        out = _COLORS.sub("", self.out)
        lines = [line.strip() for line in out.splitlines() if line.strip()]
        if self.code == 2 and (found := _COLLECTION.search(out)):
            why = next((line[1:].strip() for line in reversed(lines) if line.startswith("E  ")), "")
            return f"pytest could not collect {found[1]}" + (f": {why}" if why else "")
        # pytest tells its own usage before what is wrong with it.
        told = [line for line in lines if line.startswith(("ERROR:", "INTERNALERROR")) or ": error: " in line]
        internal = [line for line in told if line.startswith("INTERNALERROR")][-1:]  # the end of a traceback
        said = next((line for line in [*internal, *told] if not line.startswith("ERROR: usage:")), "")
        last = lines[-1].removeprefix("E ").strip() if lines else "it said nothing"
        return f"pytest ended with {self.code}: {said or last}"


def real_run(
    root: Path,
    args: Sequence[str],
    folder: Path,
    *,
    cwd: Path | None = None,
    traces: bool = True,
    caches: bool = True,
    more: Mapping[str, str | None] | None = None,
    timeout_seconds: float = math.inf,
) -> Done:
    """Run `pytest --memgate` with the project's own configuration, to the end; its files go below `folder`.

    Without `traces`, Python writes no compiled files either. Without `caches`, pytest's cache has no folder. `more` are
    environment variables; None unsets one. A run that takes longer than `timeout_seconds` is ended.
    """
    report = folder / "run.json"
    report.unlink(missing_ok=True)
    command = [
        *(sys.executable, "-m", "pytest", *QUIET, "--memgate"),
        *([] if any(arg.startswith("--rootdir") for arg in args) else [f"--rootdir={root}"]),
        "--maxfail=0",
        *args,
        *(f"--memgate-report={report}", f"--memgate-keep={folder / 'kept'}"),
        *(("-o", f"cache_dir={folder / 'cache'}") if caches else ()),
    ]
    environment: dict[str, str | None] = {"COVERAGE_FILE": str(folder / "coverage"), **(more or {})}
    if not traces:
        environment["PYTHONDONTWRITEBYTECODE"] = "1"
    start = time.monotonic()
    with Workspace() as space:
        place = space.place()
        done = space.run(command, place, timeout_seconds=timeout_seconds, cwd=cwd or Path.cwd(), env=environment)
    return Done(
        code=done.code,
        out=done.out,
        run=read_run(report) if report.exists() else None,
        seconds=timeout_seconds if done.timed_out else time.monotonic() - start,
        timed_out=done.timed_out,
    )
