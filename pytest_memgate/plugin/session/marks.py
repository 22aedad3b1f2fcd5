"""The markers of each collected test: in this run, and in a process of its own on the base.

Loaded with `-p` in that process, which runs nothing; an environment variable names the file to write to.
"""

import json
import os
import subprocess
import sys
from collections.abc import Generator, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from pytest_memgate.errors import ConfigError
from pytest_memgate.measure.process.workspace import Workspace
from pytest_memgate.model.codec import decode, encode
from pytest_memgate.model.judgement.finding import Finding
from pytest_memgate.plugin.child_runs.no_side_outputs import without_the_gate
from pytest_memgate.plugin.items import subject_of
from pytest_memgate.plugin.marker import children_of, read_marker
from pytest_memgate.plugin.session.fresh_process import own_options
from pytest_memgate.plugin.session.parsing import parsed
from pytest_memgate.tasks.judge.gate import Gate
from pytest_memgate.tasks.loosened.marks import Base, Marked, loosened_by_calls, loosened_by_markers
from pytest_memgate.tasks.prove.pytest_subprocess import QUIET, Done

INTO = "MEMGATE_MARKS"
_PATIENCE = 300.0  # seconds
_TELL_PATH = "import sys; print(*sys.path, sep=chr(10))"
_OUTPUT = "memgate marks"


class Marks:
    """Reads the markers of all collected tests, also of those left out; xdist workers hand theirs over."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._marked: dict[str, Any] = {}
        self._broken: list[str] = []
        self._roots: set[str] = set()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> Generator[None, object, object]:
        """Read the markers of all tests, once conftest files have added theirs."""
        every = list(items)  # -k and -m take some away, and conftest files add markers
        result = yield
        for item in every:
            try:
                rules, skip = read_marker(item)
            except ConfigError:
                continue  # the item says it itself
            children = children_of(item)
            if rules or skip or children:
                found = Marked(rules=rules, skip=skip, children=children)
                self._marked[str(subject_of(item, self._config.rootpath))] = encode(found)
        return result

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Remember a file that could not be collected."""
        if report.failed:
            self._broken.append(report.nodeid)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """Hand the markers over to the controller, if this is a worker."""
        output: dict[str, Any] | None = getattr(self._config, "workeroutput", None)
        if output is not None:
            output[_OUTPUT] = self.dump()

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take over the markers that a worker has read."""
        told = getattr(node, "workeroutput", {}).get(_OUTPUT)
        if told:
            self._marked |= told["marked"]
            self._roots |= set(told["roots"])

    def dump(self) -> dict[str, Any]:
        """Return the markers as plain data."""
        return {"marked": self._marked, "broken": self._broken, "roots": sorted(_found_elsewhere())}

    def loosened(self, gate: Gate, findings: Iterable[Finding]) -> list[str]:
        """Return what the change loosens in code, a line each: by markers, and by calls in tests."""
        if gate.base is None:
            return []
        base = Base(gate.root, gate.base)
        if not base.changed:
            return []
        own = [one for one in findings if not one.subject.is_first_use]
        here = _decoded(self._marked)
        there, why = self._on_the_base(gate, base) if here or base.has_markers() else ({}, "")
        lines = loosened_by_markers(gate.config, own, here, there)
        lines += loosened_by_calls(base, own, here)
        if why:
            lines.append(f"the markers of {gate.base.ref} are not all known, so these count as new: {why}")
        return lines

    def _on_the_base(self, gate: Gate, base: Base) -> tuple[Mapping[str, Marked], str]:
        """Return the markers on the base, by test, and why some are missing; empty if none is."""
        with Workspace() as space:
            folder = space.place()
            into = folder / "marks.json"
            if why := base.lay(tree := folder / "base"):
                return {}, why
            place = _Moved(base.top, tree)
            args = _args(self._config, place)
            if args is None:
                return {}, ""  # nothing of what is asked for is there
            roots = [place.of(Path(root)) for root in (*_path_at_start(), *sorted(self._roots | _found_elsewhere()))]
            paths = [str(root) for root in roots if root.is_relative_to(tree) and root.is_dir()]
            paths += filter(None, [os.environ.get("PYTHONPATH", "")])
            changed = {INTO: str(into), "PYTHONPATH": os.pathsep.join(paths), "PYTEST_XDIST_WORKER": None}
            command = [
                sys.executable,
                "-m",
                "pytest",
                *QUIET,
                "-p",
                __name__,
                f"--rootdir={place.of(gate.root)}",
                *args,
            ]
            cwd = place.of(self._config.invocation_params.dir)
            done = space.run(command, folder, timeout_seconds=_PATIENCE, cwd=cwd, env=changed)
            if into.exists():
                told = json.loads(into.read_text(encoding="utf-8"))
                why = f"pytest could not collect {told['broken'][0]}" if told["broken"] else ""
                return _decoded(told["marked"]), why
        ended = Done(code=done.code, out=done.out, run=None, seconds=_PATIENCE, timed_out=done.timed_out)
        return {}, ended.why_useless


class _Moved:
    """The place of a path of the repository in a copy of it."""

    def __init__(self, top: Path, tree: Path) -> None:
        self._top = top
        self._tree = tree

    def of(self, path: Path) -> Path:
        """Return the path in the copy."""
        path = path.resolve()
        return self._tree / path.relative_to(self._top) if path.is_relative_to(self._top) else path


def _args(config: pytest.Config, place: _Moved) -> list[str] | None:
    """Return the arguments with which pytest collects the same tests on the base, None if none of them is there."""
    here = config.invocation_params.dir
    typed = parsed(config, [str(argument) for argument in config.invocation_params.args])
    args = ["--collect-only", "--import-mode", typed.importmode]
    args += ["-c", str(place.of(here / typed.inifilename))] if typed.inifilename else []
    args += ["--confcutdir", str(place.of(here / typed.confcutdir))] if typed.confcutdir else []
    args += ["--doctest-modules"] if getattr(typed, "doctestmodules", False) else []
    args += own_options(config)
    args += [part for plugin in typed.plugins or () for part in ("-p", plugin)]
    args += [part for setting in typed.override_ini or () for part in ("-o", setting)]
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        return args
    if config.option.pyargs:
        return [*args, "--pyargs", *map(str, config.args)]
    asked = [str(argument).partition("::") for argument in config.args]
    # Of a file all tests, as one that has another name there would be an error.
    there = [moved for path, _, _ in asked if (moved := place.of(here / path)).exists()]
    return [*args, *map(str, dict.fromkeys(there))] if there else None


def _found_elsewhere() -> set[str]:
    """Return the folders of packages that are not on the path: an editable install has a finder of its own."""
    known = {str(Path(folder).absolute()) for folder in sys.path}
    tops = [module for name, module in list(sys.modules.items()) if "." not in name]
    files = [str(getattr(module, "__file__", None) or "") for module in tops]
    return {str(Path(file).parent.parent.absolute()) for file in files if file.endswith("__init__.py")} - known


def _path_at_start() -> list[str]:
    """Return the path of an interpreter before pytest adds to it: folders of tests could hide Python's own modules."""
    done = subprocess.run([sys.executable, "-c", _TELL_PATH], capture_output=True, encoding="utf-8", check=False)  # noqa: S603
    return [folder for folder in done.stdout.splitlines() if folder]


def _decoded(marked: Mapping[str, Any]) -> dict[str, Marked]:
    return {name: decode(Marked, one) for name, one in marked.items()}


# The hooks of the process on the base.


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Let the process on the base only collect, with no other option of the gate."""
    without_the_gate(config)
    config.option.memgate = config.option.collectonly = True
    marks = Marks(config)
    config.pluginmanager.register(marks, "memgate-marks-of-the-base")
    config.add_cleanup(lambda: _write(marks))


def _write(marks: Marks) -> None:
    Path(os.environ[INTO]).write_text(json.dumps(marks.dump()), encoding="utf-8")
