"""Some tests in a process of their own, where nothing that they use has been used before."""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from pytest_memgate.tasks.real_run import Done, real_run

FRESH = "MEMGATE_FRESH"  # set in such a process: it tells what it pays, and judges nothing of it
_PATIENCE = 300.0  # seconds


def in_fresh_process(items: Sequence[pytest.Item]) -> Done:
    """Run some tests, in this order, in a process of their own, which has its compiled files ready."""
    config = items[0].config
    tests = [_argument(item) for item in items]
    option, manager = config.option, config.pluginmanager
    given = [("-c", option.inifilename), ("--confcutdir", option.confcutdir), ("--import-mode", option.importmode)]
    args = [part for name, value in given if value for part in (name, str(value))]
    args += [part for plugin in option.plugins or () for part in ("-p", plugin)]
    args += [part for setting in option.override_ini or () for part in ("-o", setting)]
    args += ["-n0"] if manager.hasplugin("xdist") else []
    args += ["--no-cov"] if manager.hasplugin("_cov") or manager.hasplugin("pytest_cov") else []
    with tempfile.TemporaryDirectory(prefix="memgate-") as folder:
        more: dict[str, str | None] = {FRESH: "1", "PYTEST_XDIST_WORKER": None}
        runs = 1
        if sys.dont_write_bytecode:  # nobody has written the compiled files yet
            more["PYTHONPYCACHEPREFIX"] = folder
            runs = 2
        for _ in range(runs):
            done = real_run(
                config.rootpath,
                [*args, "--memgate-settle", *tests],
                Path(folder),
                cwd=config.rootpath,
                caches=manager.hasplugin("cacheprovider"),
                more=more,
                timeout_seconds=_PATIENCE,
            )
            if done.timed_out:
                break
        return done


def _argument(item: pytest.Item) -> str:
    _, found, name = item.nodeid.partition("::")
    return f"{item.path}{found}{name}"
