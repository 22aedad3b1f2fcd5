"""What the benchmarks share: a project folder of their own, clean pytest processes, and the last line."""

import importlib.metadata
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

OUTCOMES_THAT_ALARM = frozenset({"regressed", "drifted", "unstable", "unmeasured", "incomparable"})
# What would change a run from outside: strictness, options, plugins, search paths, the allocator.
_FROM_OUTSIDE = (
    "CI",
    "PYTEST_ADDOPTS",
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD",
    "PYTEST_PLUGINS",
    "PYTHONPATH",
    "PYTHONMALLOC",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A pytest process that has ended: its exit code, wall time, processor time and what it printed."""

    code: int
    seconds: float
    cpu_seconds: float
    output: str

    def expect(self, *codes: int) -> "Done":
        """Return itself; ends the benchmark without an answer (exit code 2) if the exit code is another one."""
        if self.code not in codes:
            print(self.output)
            print(f"no answer: pytest ended with exit code {self.code}")
            sys.exit(2)
        return self

    def summary(self) -> str:
        """Return pytest's own last line, without its rule."""
        lines = [line for line in self.output.splitlines() if line.strip()]
        return lines[-1].strip("= ") if lines else ""


@contextmanager
def project() -> Iterator[Path]:
    """Give an empty project folder, taken away afterwards."""
    with tempfile.TemporaryDirectory(prefix="memgate-bench-") as name:
        folder = Path(name, "project").resolve()
        folder.mkdir()
        (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
        yield folder


def only(*plugins: str) -> list[str]:
    """Return the options that switch off every installed pytest plugin but those named."""
    installed = sorted({entry.name for entry in importlib.metadata.entry_points(group="pytest11")})
    missing = [name for name in plugins if name not in installed]
    if missing:
        print(f"no answer: this benchmark needs the pytest plugin {', '.join(missing)}")
        sys.exit(2)
    return [option for name in installed if name not in plugins for option in ("-p", f"no:{name}")]


def run_pytest(
    folder: Path, *options: str, path: Path | None = None, command: tuple[str, ...] = ("-m", "pytest")
) -> Done:
    """Run pytest in a process of its own; `path` is a folder to import from besides the project's.

    `command` is what runs it: the arguments of this interpreter.
    """
    environment = {name: value for name, value in os.environ.items() if name not in _FROM_OUTSIDE}
    if path:
        environment["PYTHONPATH"] = str(path)
    whole = [sys.executable, *command, "-q", "-p", "no:cacheprovider", *options]
    start, cpu = time.perf_counter(), _children_cpu()
    done = subprocess.run(
        whole,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    return Done(
        code=done.returncode,
        seconds=time.perf_counter() - start,
        cpu_seconds=_children_cpu() - cpu,
        output=done.stdout,
    )


def _children_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def findings(report: Path) -> list[dict[str, Any]]:
    """Return the findings of a `--memgate-report` file."""
    found: list[dict[str, Any]] = json.loads(report.read_text(encoding="utf-8"))["findings"]
    return found


def say(text: str) -> None:
    """Print a line at once: these scripts take minutes."""
    print(text, flush=True)


def title(text: str) -> None:
    """Print what is measured, and where."""
    names = ("memray", "pytest", "pytest-memgate")
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names)
    python = f"{platform.python_implementation()} {platform.python_version()}"
    say(f"{text}\n{os.cpu_count()} cores, {platform.system()} {platform.machine()}, {python}, {versions}\n")
