"""The tests that a person asked to run, and why a test of the base among them was not measured."""

import argparse
import glob
import os
import shlex
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatch
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from _pytest.config.findpaths import load_config_dict_from_file

from pytest_memgate.baseline.paths import test_file
from pytest_memgate.baseline.source import GitRef, Source, WorkTree
from pytest_memgate.errors import BaselineError, MemgateError
from pytest_memgate.model.subject import Subject
from pytest_memgate.plugin.session.collected import INSTALLED, Inventory, file_of, own_file
from pytest_memgate.plugin.session.deciding import deciding_text
from pytest_memgate.plugin.session.parsing import parsed
from pytest_memgate.tasks.judge.gate import Gate

_SETTINGS = ("pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg")
_OPTIONS = {"-k": "keyword", "-m": "markexpr", "--deselect": "deselect", "--lf": "lf", "--sw": "stepwise"}
_NARROWING = (*_OPTIONS.values(), "ignore", "ignore_glob")
_WHOLE_NARROWING = ("keyword", "markexpr", "lf", "stepwise")  # these can leave out tests of any file
_RUNS_NOTHING = {
    "collectonly": "--collect-only",
    "setupplan": "--setup-plan",
    "setuponly": "--setup-only",
    "showfixtures": "--fixtures",
    "show_fixtures_per_test": "--fixtures-per-test",
    "markers": "--markers",
    "cacheshow": "--cache-show",
    "help": "--help",
    "version": "--version",
}
_COLLECTING = ("testpaths", "norecursedirs", "python_files", "python_classes", "python_functions", "collect_imported")


class Asked:
    """Tells what a person left out on the command line from what the change under test left out.

    Tests that the base leaves out by files that the change does not touch were never part of the run, and are not
    listed.
    """

    def __init__(self, config: pytest.Config, gate: Gate, base: GitRef) -> None:
        self._config = config
        self._root = config.rootpath
        self._base = base
        self._tree: Source = WorkTree(config.rootpath)
        self._typed = typed_options(config)
        self._environ = parsed(config, shlex.split(os.environ.get("PYTEST_ADDOPTS", "")))
        self._base_settings = self._settings(base)
        self._same_settings = self._base_settings == self._settings(self._tree)
        self._same: dict[str, bool] = {}
        self._head = gate.baselines.head
        declared = (gate.own.file, gate.config.settings.file)
        self._asked = [(Path(os.path.realpath(path)), name) for path, name in self._places(declared)]

    def why_not_run(self, subject: Subject, inventory: Inventory, skipped: Mapping[Subject, str]) -> str:
        """Return why a test of the base gave no finding, empty if that needs no mention."""
        path = Path(os.path.realpath(test_file(subject.file, self._root)))
        if not any(_is_below(path, folder) and _is_of(subject.name, name) for folder, name in self._asked):
            return ""
        if why := skipped.get(subject) or inventory.skipped(subject.file):
            return why
        if cause := inventory.cause(subject):
            return self._why_deselected(subject, cause)
        if inventory.found(subject):
            return ""  # it was to run: whether it has is looked at for all tests
        return self._why_not_collected(subject, path, looked_at=inventory.looked_at(subject.file))

    def _why_deselected(self, subject: Subject, cause: str) -> str:
        option = _OPTIONS.get(cause)
        if option == "deselect":
            is_typed = any(str(subject).startswith(prefix) for prefix in self._typed.deselect or ())
        elif cause == INSTALLED:  # as a person has asked it to, if nothing else can have
            is_typed = self._same_settings and not os.environ.get("PYTEST_ADDOPTS")
        else:
            is_typed = bool(option and getattr(self._typed, option, None))
        if is_typed or self._is_as_on_base(subject):
            return ""
        if option is None:
            return f"deselected by {cause}"
        given = getattr(self._config.option, option, None)
        value = f" {given}" if isinstance(given, str) else ""
        return f"deselected by {cause}{value} ({self._place_of(option)})"

    def _why_not_collected(self, subject: Subject, path: Path, *, looked_at: bool) -> str:
        typed = self._typed
        settings = [str(setting).partition("=")[0] for setting in typed.override_ini or ()]
        ignored = any(_is_below(path, self._real(one)) for one in typed.ignore or ())
        ignored |= any(fnmatch(str(path), str(self._real(one))) for one in typed.ignore_glob or ())
        if ignored or any(getattr(typed, name, None) for name in _WHOLE_NARROWING) or {*settings} & {*_COLLECTING}:
            return ""
        if not path.exists():
            return "its file is gone" if self._has_entry(subject) else ""
        if self._is_as_on_base(subject, its_own=looked_at):
            return ""
        for option in ("ignore", "ignore_glob"):
            if getattr(self._config.option, option, None):
                return f"not collected: --{option.replace('_', '-')} ({self._place_of(option)})"
        changed = self._changed(subject, its_own=looked_at)
        where = changed if self._same_settings else [self._settings_name(), *changed]
        return f"not collected: see {', '.join(where)}" if where else "not collected"

    def _has_entry(self, subject: Subject) -> bool:
        """True if the change has kept an entry of the base."""
        try:
            documents = [store.document(subject.file) for store in self._head]
        except BaselineError:
            return True
        return any(document and subject.name in document.entries for document in documents)

    def _place_of(self, option: str) -> str:
        return "PYTEST_ADDOPTS" if getattr(self._environ, option, None) else f"addopts of {self._settings_name()}"

    def _settings_name(self) -> str:
        return self._config.inipath.name if self._config.inipath else "the settings of pytest"

    def _is_as_on_base(self, subject: Subject, *, its_own: bool = True) -> bool:
        """True if all files that decide whether a test runs (its own if `its_own`) are as on the base."""
        from_environ = any(getattr(self._environ, name, None) for name in _NARROWING)
        return self._same_settings and not from_environ and not self._changed(subject, its_own=its_own)

    def _changed(self, subject: Subject, *, its_own: bool) -> list[str]:
        """Return the files of the project that decide whether a test runs and that differ from the base."""
        *folders, _ = subject.file.split("/")
        names = ["/".join([*folders[:number], "conftest.py"]) for number in range(len(folders) + 1)]
        plugins = (own_file(file_of(plugin), self._root) for plugin in self._config.pluginmanager.get_plugins())
        names += sorted({name for name in plugins if name and not name.endswith("conftest.py")})
        changed = [name for name in names if not self._is_same(name)]
        before, now = (deciding_text(_text(one, subject.file), subject.name) for one in (self._base, self._tree))
        return [*changed, subject.file] if its_own and before != now else changed

    def _is_same(self, file: str) -> bool:
        if file not in self._same:
            self._same[file] = _text(self._base, file) == _text(self._tree, file)
        return self._same[file]

    def _places(self, settings_files: Sequence[str]) -> Iterator[tuple[Path, str]]:
        """Yield the files and folders asked for, each with the name of the test if it is a single one."""
        here = self._config.invocation_params.dir
        if self._typed.file_or_dir:
            for argument in map(str, self._typed.file_or_dir):
                path, _, name = argument.partition("::")
                yield _package(path) if self._typed.pyargs and not (here / path).exists() else here / path, name
            return
        if here != self._root:
            yield here, ""
            return
        found = self._base_settings.get("testpaths") or []
        paths = shlex.split(found) if isinstance(found, str) else list(map(str, found))
        for path in paths or ["."]:
            full = str(here / path)
            yield from ((Path(one), "") for one in glob.glob(full, recursive=True) or [full])  # noqa: PTH207 as pytest
        if self._config.args_source is pytest.Config.ArgsSource.TESTPATHS:
            yield from ((here / str(path), "") for path in self._config.args)
        yield from ((self._root / name, "") for name in settings_files if name)

    def _settings(self, source: Source) -> dict[str, Any]:
        """Return pytest's settings in a source's ini file."""
        given = self._typed.inifilename
        names = [os.path.relpath(self._real(given), self._root)] if given else _SETTINGS
        for name in names:
            text = _text(source, name)
            if text is None:
                continue
            with tempfile.TemporaryDirectory(prefix="memgate-") as folder:
                path = Path(folder, Path(name).name)
                path.write_text(text, encoding="utf-8")
                found = load_config_dict_from_file(path)
            if found is not None:
                return {key: getattr(value, "value", value) for key, value in found.items()}
        return {}

    def _real(self, path: str) -> Path:
        return Path(os.path.realpath(self._config.invocation_params.dir / path))


def check_that_tests_run(config: pytest.Config) -> None:
    """Raise pytest.UsageError for an option with which no test is called, unless it was typed."""
    given = [name for name in _RUNS_NOTHING if getattr(config.option, name, None)]
    if not given:
        return
    try:
        typed = typed_options(config)
    except Exception:  # noqa: BLE001  # older versions of pytest raise for --help, when it is read
        return
    for name in given:
        if not getattr(typed, name, None):
            where = f"addopts of {config.inipath.name} or PYTEST_ADDOPTS" if config.inipath else "PYTEST_ADDOPTS"
            raise pytest.UsageError(
                f"memgate: {_RUNS_NOTHING[name]} runs no test, so nothing would be measured: "
                f"take it out of {where}, or give it on the command line"
            )


def typed_options(config: pytest.Config) -> argparse.Namespace:
    """Return the options of the command line alone, all others with their defaults."""
    args = list(map(str, config.invocation_params.args))
    typed = parsed(config, args)
    settings = [str(setting).partition("=") for setting in typed.override_ini or ()]
    more = [part for key, _, value in settings if key.strip() == "addopts" for part in shlex.split(value)]
    return parsed(config, [*more, *args]) if more else typed


def _text(source: Source, path: str) -> str | None:
    try:
        return source.read(path)
    except (OSError, UnicodeDecodeError, MemgateError):
        return None


def _package(name: str) -> Path:
    """Return the path of an installed module or package."""
    try:
        spec = find_spec(name)
    except (ImportError, ValueError):
        spec = None
    if spec is None:
        return Path(name)
    folders = list(spec.submodule_search_locations or ())
    return Path(folders[0] if folders else spec.origin or name)


def _is_below(path: Path, folder: Path) -> bool:
    return path == folder or folder in path.parents


def _is_of(name: str, asked: str) -> bool:
    """True if a test is the one asked for, or one of its parametrisations."""
    return not asked or name == asked or name.startswith((f"{asked}::", f"{asked}["))
