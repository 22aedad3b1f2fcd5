"""Runs some tests in a process of their own, in which nothing has been used before."""

import argparse
import contextlib
import inspect
import json
import math
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import pytest

from pytest_memgate.measure.compiling.private_folder import shared
from pytest_memgate.measure.process.workspace import Workspace
from pytest_memgate.tasks.prove.pytest_subprocess import QUIET, Done, real_run
from pytest_memgate.tasks.run.file import read_run

FRESH = "MEMGATE_FRESH"  # set in such a process: it reports payments, and does not judge them
_ENVIRONMENT = dict(os.environ)  # as the run began: a test may have another until its teardown
_NO_WORKER = {"PYTEST_XDIST_WORKER": None, "PYTEST_XDIST_WORKER_COUNT": None}
_PATIENCE = 300.0  # seconds for a fresh process; chosen: docs/memory.md, "First use"
_TAKE_NONE = {"store_true", "store_false", "store_const", "append_const", "count"}


def run_afresh(config: pytest.Config, tests: Sequence[str]) -> Done:
    """Run some tests, in this order, in a process of their own; return how it ended, and its run."""
    args, manager = _options(config), config.pluginmanager
    changed = {**_ENVIRONMENT, FRESH: "1", **_NO_WORKER, **shared()}
    with tempfile.TemporaryDirectory(prefix="memgate-") as folder:
        return real_run(
            config.rootpath,
            [*args, "--memgate-measure=exact", *tests],
            Path(folder),
            cwd=config.rootpath,
            caches=manager.hasplugin("cacheprovider"),
            more={**dict.fromkeys(os.environ), **changed},
            timeout_seconds=_PATIENCE,
        )


def run_compared(config: pytest.Config, ref: str, tests: Sequence[str]) -> Done:
    """Compare some tests with a git ref that is measured now, by `memgate compare`; return how that ended."""
    given = [
        f"--memgate-{name}={value}"
        for name in ("growth", "limit", "drift")
        for value in getattr(config.option, f"memgate_{name}") or ()
    ]
    start = time.monotonic()
    with Workspace() as space:
        folder = space.place()
        report = folder / "run.json"
        command = [
            *(sys.executable, "-m", "pytest_memgate", "compare", ref, *QUIET, f"--rootdir={config.rootpath}"),
            *("--maxfail=0", *_options(config), *given, f"--memgate-report={report}"),
            *(("-o", f"cache_dir={folder / 'cache'}") if config.pluginmanager.hasplugin("cacheprovider") else ()),
            *tests,
        ]
        changed = {**dict.fromkeys(os.environ), **_ENVIRONMENT, "COVERAGE_FILE": str(folder / "coverage"), **_NO_WORKER}
        done = space.run(command, folder, timeout_seconds=math.inf, cwd=config.rootpath, env=changed)
        run = read_run(report) if report.exists() else None
    return Done(code=done.code, out=done.out, run=run, seconds=time.monotonic() - start)


def left_by_fixtures(config: pytest.Config, timeout_seconds: float) -> tuple[dict[str, dict[str, float]], str]:
    """Return the bytes held at the end of a process that sets tests up and calls none, by owner and call site.

    Of tests with the same fixtures and markers, it sets up one. The second value is the reason why this is not all,
    empty if it is. Raises OSError if the process cannot be started, and ValueError if its answer cannot be read.
    """
    with Workspace() as space:
        folder = space.place()
        into = folder / "left.json"
        command = [
            *(sys.executable, "-m", "pytest", *QUIET, "-p", "pytest_memgate.plugin.child_runs.fixture_survey"),
            *(f"--rootdir={config.rootpath}", "--maxfail=0", *_options(config)),
            *(("-o", f"cache_dir={folder / 'cache'}") if config.pluginmanager.hasplugin("cacheprovider") else ()),
            *(["--pyargs"] if config.option.pyargs else []),
            *map(str, config.args),
        ]
        changed = {"MEMGATE_SURVEY": str(into), "COVERAGE_FILE": str(folder / "coverage")}
        cwd = config.invocation_params.dir
        done = space.run(command, folder, timeout_seconds=timeout_seconds, cwd=cwd, env=changed)
        if into.exists():
            told = json.loads(into.read_text(encoding="utf-8"))
            return told["left"], told["why"]
    ended = Done(code=done.code, out=done.out, run=None, seconds=timeout_seconds, timed_out=done.timed_out)
    return {}, ended.why_useless


def _options(config: pytest.Config) -> list[str]:
    """Return the options that make a run of some of the tests like this one."""
    option, manager = config.option, config.pluginmanager
    here = config.invocation_params.dir
    # Named, or it would be looked for beside the tests: they need not be below the project's folder.
    given = [("-c", config.inipath or os.devnull), ("--import-mode", option.importmode)]
    given += [("--confcutdir", option.confcutdir and here / option.confcutdir)]
    given += [("--asyncio-mode", getattr(option, "asyncio_mode", None))]
    args = [part for name, value in given if value for part in (name, str(value))]
    args += ["--doctest-modules"] if getattr(option, "doctestmodules", False) else []
    args += own_options(config)
    args += [part for plugin in option.plugins or () for part in ("-p", plugin)]
    args += [part for setting in option.override_ini or () for part in ("-o", setting)]
    args += ["-n0"] if manager.hasplugin("xdist") else []
    args += ["--no-cov"] if manager.hasplugin("_cov") or manager.hasplugin("pytest_cov") else []
    return args


def own_options(config: pytest.Config) -> list[str]:
    """Return the options of the command line that the project's conftest files have added.

    The conftest files are asked to declare them once more. If that goes wrong, the process that gets the options will
    say so.
    """
    options = _Options(add_help=False, allow_abbrev=False)
    for plugin in config.pluginmanager.get_plugins():
        add = getattr(plugin, "pytest_addoption", None)
        if add and str(getattr(plugin, "__file__", "")).endswith("conftest.py"):
            known = {"parser": options, "pluginmanager": config.pluginmanager}
            with contextlib.suppress(Exception):
                add(**{name: known[name] for name in inspect.signature(add).parameters})
    with contextlib.suppress(ValueError):
        options.parse_known_args([str(part) for part in config.invocation_params.args])
    return options.given


class _Options(argparse.ArgumentParser):
    """Stands in for pytest's parser, and records how options were given, not what they mean."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.given: list[str] = []

    def addoption(self, *names: str, **settings: Any) -> None:
        """Add an option as pytest's parser does; raises ValueError for an option that exists already."""
        takes_none = settings.get("action") in _TAKE_NONE
        try:
            self.add_argument(*names, action=_Given, nargs=0 if takes_none else settings.get("nargs"))
        except argparse.ArgumentError as error:
            raise ValueError(str(error)) from error

    def error(self, message: str) -> NoReturn:
        """Raise ValueError in place of ending the process."""
        raise ValueError(message)

    def addini(self, *_: object, **__: object) -> None:
        """Ignore a setting of an ini file."""

    def getgroup(self, *_: object, **__: object) -> "_Options":
        """Return itself: groups do not matter here."""
        return self


class _Given(argparse.Action):
    def __call__(
        self, parser: argparse.ArgumentParser, _: argparse.Namespace, values: Any, option_string: str | None = None
    ) -> None:
        assert isinstance(parser, _Options)  # noqa: S101  # nothing else has such actions
        if isinstance(values, str) and str(option_string).startswith("--"):
            parser.given.append(f"{option_string}={values}")  # a value can begin with a hyphen
        else:
            parser.given += [str(option_string), *([values] if isinstance(values, str) else values or ())]
