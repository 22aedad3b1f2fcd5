"""The cost of importing modules: peak and retained bytes in an interpreter that does nothing else.

The modules are imported once unmeasured, so that their bytecode exists: compiling can take twenty times the memory of
loading. Then the same interpreter is started for each measurement, and memray traces it.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pytest_memgate.errors import CaptureError, MeasureError
from pytest_memgate.measure.imports import runner as import_runner
from pytest_memgate.measure.process.workspace import Done, Workspace
from pytest_memgate.measure.stacks.by_module import Part, parts_of
from pytest_memgate.measure.stacks.source_paths import Places

TIMEOUT_SECONDS = 60.0  # for all imports of one interpreter; chosen
TRACED = "while memray traced it"
_LEFT_OUT = 5  # modules at most that fail only while memray traces: each of them costs a whole run
# Of the test that runs and of coverage that follows into children: neither is part of a clean interpreter.
_NOT_OURS = ("PYTEST_CURRENT_TEST", "PYTEST_XDIST_", "COV_CORE_", "COVERAGE_PROCESS_")


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """The bytes that one clean interpreter used for importing modules.

    `at_peak` and `kept` are the parts of `peak` and `retained` by module, largest first. `modules` are those that were
    added to sys.modules, in order; `failed` gives the reason for each that could not be imported.
    """

    peak: int
    retained: int
    at_peak: tuple[Part, ...]
    kept: tuple[Part, ...]
    modules: tuple[str, ...]
    failed: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def peak_by_package(self) -> dict[str, int]:
        """Return the bytes held at the peak by the modules of each top-level package, without what they import."""
        return _by_package(self.at_peak)

    def retained_by_package(self) -> dict[str, int]:
        """Return the bytes retained by the modules of each top-level package, without its imports."""
        return _by_package(self.kept)

    def peak_by_module(self) -> dict[str, int]:
        """Return the bytes held at the peak by each module, without its imports."""
        return {part.module: part.size for part in self.at_peak}

    def retained_by_module(self) -> dict[str, int]:
        """Return the bytes retained by each module, without its imports."""
        return {part.module: part.size for part in self.kept}


def _by_package(parts: Iterable[Part]) -> dict[str, int]:
    found: dict[str, int] = {}
    for part in parts:
        found[part.package] = found.get(part.package, 0) + part.size
    return found


def measure_imports(
    modules: Sequence[str],
    root: Path,
    *,
    timeout_seconds: float = TIMEOUT_SECONDS,
    show: Callable[[int], None] | None = None,
) -> Imported:
    """Import several modules in order in one clean interpreter, once for their bytecode and once measured.

    `show` is called now and then with the number of modules imported so far. Modules that fail, hang or end the
    interpreter are left out and named; those that do so only while they are measured too, up to a few. Raises
    MeasureError if no module can be measured.
    """
    with CleanImport(modules, root, timeout_seconds=timeout_seconds, show=show) as clean:
        for _ in range(_LEFT_OUT):
            try:
                return clean.measure()
            except BrokenImportError as error:
                clean.leave_out(error)
        return clean.measure()


class BrokenImportError(MeasureError):
    """An import that succeeds, but not while memray traces it."""

    def __init__(self, module: str, why: str) -> None:
        self.module = module
        self.why = f"{why} {TRACED}"
        super().__init__(f"the import of {module!r} {self.why}, and went well before", hint="see: memgate doctor")


class CleanImport:
    """Imports the same modules in one clean interpreter after the other, for the project at `root`.

    They have the path and environment of this process. Modules in `failed` are known not to be importable. Raises
    MeasureError.
    """

    def __init__(
        self,
        modules: Sequence[str],
        root: Path,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        show: Callable[[int], None] | None = None,
    ) -> None:
        self._modules = list(dict.fromkeys(modules))
        self._root = root
        self._timeout = timeout_seconds
        self._show = show
        self._workspace = Workspace()
        self._options: tuple[str, ...] = ()
        self._notes: tuple[str, ...] = ()
        self.failed: dict[str, str] = {}

    def __enter__(self) -> Self:
        self._workspace.__enter__()
        try:
            self._prepare()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._workspace.__exit__(kind, error, trace)

    def measure(self) -> Imported:
        """Import the modules once more, traced.

        Raises BrokenImportError if one fails only then, and CaptureError if memray gives nothing.
        """
        if not self._modules:
            return Imported(peak=0, retained=0, at_peak=(), kept=(), modules=(), failed=dict(self.failed))
        from pytest_memgate.measure.memory.reading import reading  # noqa: PLC0415  # memray is not on Windows

        answer = self._run("trace")
        if answer.broke and answer.at not in self._modules:
            raise CaptureError(f"an interpreter to import in {answer.broke}", hint="see: memgate doctor")
        broken = {answer.at: answer.broke} if answer.broke else _raised(answer.result)
        for name, why in broken.items():
            raise BrokenImportError(name, why)
        places, root = Places(self._root), self._modules[0].partition(".")[0]
        with reading(str(answer.folder / "capture.bin")) as reader:
            peak = reader.metadata.peak_memory
            at_peak = parts_of(reader.get_high_watermark_allocation_records(merge_threads=True), places, root)
            kept = parts_of(reader.get_leaked_allocation_records(merge_threads=True), places, root)
        return Imported(
            peak=peak,
            retained=sum(part.size for part in kept),
            at_peak=at_peak,
            kept=kept,
            modules=tuple(answer.result["modules"]),
            failed=dict(self.failed),
            notes=self._notes,
        )

    def leave_out(self, broken: BrokenImportError) -> None:
        """Leave out a module from now on."""
        self.failed[broken.module] = broken.why
        self._modules.remove(broken.module)

    def _prepare(self) -> None:
        """Write all bytecode, and find the modules that can be imported."""
        result = self._import_what_can_be()
        if result["compiled"]:
            prefix = self._workspace.place()
            self._options = ("-X", f"pycache_prefix={prefix}")
            result = self._import_what_can_be()
        if result["compiled"]:
            some = ", ".join(result["compiled"][:3])
            self._notes = (f"no bytecode is kept of {some}: compiling it is counted",)

    def _import_what_can_be(self) -> dict[str, Any]:
        while True:
            answer = self._run("warm")
            if answer.broke and answer.at in self._modules:
                self.failed[answer.at] = answer.broke
                self._modules.remove(answer.at)
                continue
            if answer.broke:
                raise CaptureError(f"an interpreter to import in {answer.broke}", hint="see: memgate doctor")
            for name in answer.result["present"]:
                self.failed[name] = "does nothing, since Python or memray has it loaded already: it cannot be measured"
            self.failed |= _raised(answer.result)
            self._modules = [name for name in self._modules if name not in self.failed]
            return answer.result

    def _run(self, mode: str) -> "_Answer":
        folder = self._workspace.place()
        done = self._workspace.run(
            [*_interpreter(), *self._options, import_runner.__file__, str(folder), mode, _path(), *self._modules],
            folder,
            cwd=self._root,
            timeout_seconds=self._timeout,
            env=_environment(),
            progress=lambda: self._tell_progress(folder),
        )
        return _Answer.read(folder, done, self._timeout)

    def _tell_progress(self, folder: Path) -> None:
        """Show how far the imports have come; the time-out counts from their start all the same."""
        if self._show:
            name = _progress(folder)
            self._show(self._modules.index(name) + 1 if name in self._modules else 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """The answer of a runner: its result or, if it `broke`, the reason and the module being imported."""

    folder: Path
    result: dict[str, Any]
    broke: str = ""
    at: str = ""

    @classmethod
    def read(cls, folder: Path, done: Done, timeout_seconds: float) -> Self:
        """Read the answer that a runner has left in its folder."""
        try:
            result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            result = None
        if result is not None and not done.timed_out:  # on its way out it may still write one
            return cls(folder=folder, result=result)
        at = _progress(folder)
        last = (done.out.strip().splitlines() or [""])[-1][:200]
        said = f" ({last})" if last else ""
        if done.timed_out:
            return cls(folder=folder, result={}, at=at, broke=f"did not end within {timeout_seconds:g} s{said}")
        return cls(folder=folder, result={}, at=at, broke=f"ended the interpreter with {_code(done.code)}{said}")


def _progress(folder: Path) -> str:
    """Return the last module that a runner began to import."""
    try:
        return (folder / "progress").read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _raised(result: Mapping[str, Any]) -> dict[str, str]:
    return {name: f"raised {why}" for name, why in result["failed"].items()}


def _code(code: int) -> str:
    try:
        return signal.Signals(-code).name if code < 0 else f"exit code {code}"
    except ValueError:
        return f"signal {-code}"


def _interpreter() -> list[str]:
    """Return this interpreter with its own options, without the one that forbids writing bytecode."""
    own: list[str] = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]  # noqa: SLF001  # as multiprocessing does
    return [sys.executable, *(option for option in own if option != "-B"), "-P"]


def _path() -> str:
    """Return sys.path for an interpreter that starts elsewhere: "" becomes this folder."""
    return "\n".join(str(Path(entry).absolute()) if Path(entry).exists() else entry for entry in sys.path)


def _environment() -> dict[str, str | None]:
    """Return the changes to this process's environment; sets then have the same order each time."""
    gone = [name for name in os.environ if name.startswith(_NOT_OURS)]
    return {**dict.fromkeys(gone), "PYTHONDONTWRITEBYTECODE": None, "PYTHONHASHSEED": "0"}
