"""The files that a run collects as a whole: only their entries can have vanished, or be removed."""

import sys
from collections import defaultdict
from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from pytest_memgate.baseline.paths import file_key, test_file
from pytest_memgate.measure.stacks.owners import owner_of_module
from pytest_memgate.measure.stacks.source_paths import Places
from pytest_memgate.model.run import Extent
from pytest_memgate.model.subject import Subject
from pytest_memgate.plugin.items import has_fixtures, is_declared, subject_of
from pytest_memgate.tasks.baseline.moved import Collected

TEST = "memgate_test"  # the attribute of a report that names its test: two tests can have the same node id
_CALLERS = {
    ("_pytest.mark", "deselect_by_keyword"): "-k",
    ("_pytest.mark", "deselect_by_mark"): "-m",
    ("_pytest.main", "pytest_collection_modifyitems"): "--deselect",
    ("_pytest.cacheprovider", "pytest_collection_modifyitems"): "--lf",
    ("_pytest.stepwise", "pytest_collection_modifyitems"): "--sw",
}
INSTALLED = "a plugin"  # an installed plugin, which is no part of the project
_NARROWING = ("keyword", "markexpr", "deselect", "ignore", "ignore_glob", "stepwise")


class Inventory:
    """The collected tests, file by file; each xdist worker has its own and hands it over at its end."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._names: dict[str, set[str]] = defaultdict(set)
        self._left_out: dict[str, set[str]] = {}
        self._causes: dict[str, dict[str, str]] = defaultdict(dict)  # of what is left out, by file and name
        self._skipped: dict[str, str] = {}  # files that were skipped as a whole, and why
        self._fragments: set[str] = set()
        self._empty: set[str] = set()
        self._broken = False
        self._known = False
        self._before: set[str] = set()
        self._loaded: dict[str, str] = {}
        self._files: set[str] = set()
        self.sets_up = False  # in an update: with fixtures that are not pytest's own

    def loaded(self) -> dict[str, str]:
        """Return the owner of each module loaded since the run began, without pytest's and the tests' own modules."""
        self._loaded |= self._own_loaded()
        return self._loaded

    def _own_loaded(self) -> dict[str, str]:
        places = Places(self._config.rootpath)
        return {name: owner_of_module(name, places) for name in self._names_loaded()}

    def _names_loaded(self) -> Iterator[str]:
        for name, module in list(sys.modules.items()):
            file = str(getattr(module, "__file__", None) or "")
            is_test = file in self._files or file.endswith("conftest.py")
            ours = name.partition(".")[0] == "pytest_memgate"
            if name not in self._before and getattr(module, "__spec__", None) and not (is_test or ours):
                yield name

    @pytest.hookimpl(trylast=True)
    def pytest_sessionstart(self) -> None:
        """Remember the modules that are loaded before the tests, by all plugins."""
        self._before = set(sys.modules)  # with all that the plugins need

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Pass over modules that a declared check loads: they are the gate's own tools, which no test pays for."""
        known = set(sys.modules) if is_declared(item) else None
        try:
            return (yield)
        finally:
            if known is not None:
                self._before |= sys.modules.keys() - known

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Remember the name of a test."""
        self._files.add(str(item.path))
        subject = subject_of(item, self._config.rootpath)
        self._names[subject.file].add(subject.name)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Remember that something could not be collected."""
        self._broken |= report.failed

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Remember a file that was skipped as a whole, or that holds no test."""
        report = yield
        if isinstance(collector, pytest.File):
            file = file_key(collector.path, self._config.rootpath)
            if report.skipped:
                self._skipped[file] = skip_reason(report)
            elif report.passed and not report.result:
                self._empty.add(file)
        return report

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """Remember the tests that were left out, and by whom."""
        cause = self._caller()
        for item in items:
            subject = subject_of(item, self._config.rootpath)
            self._causes[subject.file][subject.name] = cause

    def _caller(self) -> str:
        """Return who deselected tests: an option of pytest, a file of the project, or an installed plugin."""
        frame = sys._getframe(2)
        while frame.f_back and str(frame.f_globals.get("__name__")).partition(".")[0] == "pluggy":
            frame = frame.f_back
        who = str(frame.f_globals.get("__name__")), frame.f_code.co_name
        return _CALLERS.get(who) or own_file(frame.f_code.co_filename, self._config.rootpath) or INSTALLED

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Put the test's subject on its reports."""
        report = yield
        report.__dict__[TEST] = str(subject_of(item, self._config.rootpath))
        return report

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Find the tests that will not run, and the files of which single tests were asked for."""
        root = self._config.rootpath
        kept: dict[str, set[str]] = defaultdict(set)
        for item in session.items:
            subject = subject_of(item, root)
            kept[subject.file].add(subject.name)
        self._left_out = {file: names - kept[file] for file, names in self._names.items() if names - kept[file]}
        self._name_causes()
        # By its node id a test is asked for alone: the rest of its file was never collected.
        asked = [str(argument).partition("::") for argument in self._config.args]
        self._fragments = {file_key(self._config.invocation_params.dir / path, root) for path, _, name in asked if name}
        if self._config.option.pyargs and any(name for _, _, name in asked):
            self._fragments |= set(self._names)
        self._known = True
        self.sets_up = bool(self._config.option.memgate_update) and any(map(has_fixtures, session.items))

    def _name_causes(self) -> None:
        """Name the file of the project with a hook that took tests away without reporting it."""
        silent = [(file, name) for file, names in self._left_out.items() for name in names - self._causes[file].keys()]
        if not silent:
            return
        hooks = self._config.hook.pytest_collection_modifyitems.get_hookimpls()
        files = [own_file(file_of(hook.plugin), self._config.rootpath) for hook in hooks]
        cause = next(filter(None, files), INSTALLED)
        for file, name in silent:
            self._causes[file][name] = cause

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """Hand the inventory over to the controller, if this is a worker."""
        output: dict[str, Any] | None = getattr(self._config, "workeroutput", None)
        if output is not None:
            output["memgate"] = self.dump()

    def dump(self) -> dict[str, Any]:
        """Return the inventory as plain data for xdist."""
        return {
            "names": {file: sorted(names) for file, names in self._names.items()},
            "left_out": {file: sorted(names) for file, names in self._left_out.items()},
            "causes": dict(self._causes),
            "skipped": self._skipped,
            "fragments": sorted(self._fragments),
            "empty": sorted(self._empty),
            "broken": self._broken,
            "known": self._known,
            "loaded": self._own_loaded(),
            "sets_up": self.sets_up,
        }

    def load(self, data: Mapping[str, Any]) -> None:
        """Take over the inventory of a worker; every worker collects the same tests."""
        self._names.update({file: set(names) for file, names in data["names"].items()})
        self._left_out.update({file: set(names) for file, names in data["left_out"].items()})
        self._causes.update(data["causes"])
        self._skipped.update(data["skipped"])
        self._fragments |= set(data["fragments"])
        self._empty |= set(data["empty"])
        self._broken |= data["broken"]
        self._known |= data["known"]
        self._loaded |= data["loaded"]
        self.sets_up |= data["sets_up"]

    def to_run(self) -> set[Subject]:
        """Return the tests that were collected and not left out."""
        left_out = self._left_out
        return {
            Subject(file, name) for file, names in self._names.items() for name in names - left_out.get(file, set())
        }

    def found(self, subject: Subject) -> bool:
        """True if a test was collected, left out or not."""
        return subject.name in self._names.get(subject.file, ())

    def cause(self, subject: Subject) -> str:
        """Return what left out a collected test, empty if nothing did."""
        is_left_out = subject.name in self._left_out.get(subject.file, ())
        return self._causes.get(subject.file, {}).get(subject.name, INSTALLED) if is_left_out else ""

    def looked_at(self, file: str) -> bool:
        """True if a file was collected, with or without tests in it."""
        return file in self._names or file in self._empty

    def skipped(self, file: str) -> str:
        """Return why a file was skipped as a whole, empty if it was not."""
        return self._skipped.get(file, "")

    def collected(self, files: list[str]) -> dict[str, frozenset[str]]:
        """Return the names of all tests of each file that was collected as a whole.

        `files` are those with baselines. One of them that is gone, or has no test any more, is listed without names if
        the run would have collected it.
        """
        if self._is_blind():
            return {}
        partial = self._left_out.keys() | self._fragments
        whole = {file: frozenset(names) for file, names in self._names.items() if file not in partial}
        return whole | {file: frozenset() for file in self._gone(files)}

    def seen(self) -> Collected | None:
        """Return the collected tests, and the files of which all are known; None before collection ends."""
        if not self._known:
            return None
        partial = set(self._names) if self._is_blind() else self._fragments
        whole = (set(self._names) - partial) | (set() if self._is_blind() else self._empty)
        return Collected(names=self._names, whole=whole)

    def extent(self, files: list[str]) -> Extent:
        """Return which tests the run was asked to run, for a merge with other parts of the same plan."""
        collected = {file: tuple(sorted(names)) for file, names in sorted(self._names.items())}
        return Extent(
            collected=collected,
            left_out={file: tuple(sorted(names)) for file, names in sorted(self._left_out.items())},
            fragments=tuple(collected) if self._is_blind() else tuple(sorted(self._fragments)),
            gone=() if self._is_blind() else tuple(self._gone(files)),
            everything=self._known and not (self._broken or self._narrowed()) and self._is_whole_project(),
        )

    def names_tests(self) -> bool:
        """True if the user named single tests, or a word in their names."""
        return bool(self._fragments or getattr(self._config.option, "keyword", ""))

    def everything(self) -> bool:
        """True if the run covers all tests that the project would run by itself."""
        return self.is_whole() and self._is_whole_project()

    def is_whole(self) -> bool:
        """True if the run covers all tests of the files and folders that it was asked to run."""
        return not (self._is_blind() or self._left_out or self._fragments or self._narrowed())

    def _is_whole_project(self) -> bool:
        from_root = self._config.invocation_params.dir == self._config.rootpath
        ask = self._config.args_source
        return ask is pytest.Config.ArgsSource.TESTPATHS or (from_root and ask is not pytest.Config.ArgsSource.ARGS)

    def has(self, file: str) -> bool:
        """True if any test of a file was collected, or the user left the file out explicitly."""
        return file in self._names or self._narrowed() or not self._known

    def _is_blind(self) -> bool:
        """True if some tests may not have been seen: --lf leaves tests out while it collects."""
        return not self._known or self._broken or bool(self._config.getoption("lf", default=False))

    def _gone(self, files: list[str]) -> list[str]:
        return [] if self._narrowed() else [file for file in files if self._is_gone(file)]

    def _narrowed(self) -> bool:
        return any(getattr(self._config.option, name, None) for name in _NARROWING)

    def _is_gone(self, file: str) -> bool:
        if file in self._names:
            return False
        path = test_file(file, self._config.rootpath).resolve()
        if path.exists() and file not in self._empty:
            return False  # skipped as a whole, or not looked at
        folders = [(self._config.invocation_params.dir / str(argument)).resolve() for argument in self._config.args]
        return any(path == folder or folder in path.parents for folder in map(Path, folders))


def skip_reason(report: pytest.CollectReport | pytest.TestReport) -> str:
    """Return why a test was skipped, or was expected to fail and did: `skipped: later`."""
    if hasattr(report, "wasxfail"):
        word, said = "xfailed", str(report.wasxfail).removeprefix("reason: ")
    else:
        word = "skipped"
        said = str(report.longrepr[2]) if isinstance(report.longrepr, (tuple, list)) else str(report.longrepr or "")
        said = said.removeprefix("Skipped").removeprefix(": ")
    return ": ".join(part for part in (word, " ".join(said.split())) if part)


def file_of(plugin: object) -> str:
    """Return the file that defines a plugin, empty if there is none."""
    module = sys.modules.get(type(plugin).__module__)
    return str(getattr(plugin, "__file__", None) or getattr(module, "__file__", None) or "")


def own_file(path: str, root: Path) -> str:
    """Return the path below the root of a file of the project, empty for any other file."""
    place = Places(root).place(path) if path else None
    return place.path if place and place.project else ""
