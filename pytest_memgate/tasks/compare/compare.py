"""Measure the base in a checkout of its own, then the work tree against that."""

import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from pytest_memgate.baseline.source import WorkTree
from pytest_memgate.baseline.store import FOLDER
from pytest_memgate.config.sources import load_settings
from pytest_memgate.errors import MeasureError, UsageError
from pytest_memgate.model.codec import encode
from pytest_memgate.model.judgement.finding import Outcome
from pytest_memgate.model.run import Measured, Run
from pytest_memgate.report.words.reason import reason
from pytest_memgate.tasks.baseline.run_pytest import run_pytest
from pytest_memgate.tasks.compare.side import Prepared, prepared
from pytest_memgate.tasks.compare.side_pytest import pytest_there
from pytest_memgate.tasks.judge.gate import MEASURED, SIDE
from pytest_memgate.tasks.run.git_worktree import Trees

_CONFIG = "memgate.yml"
_NOT_FOUND = re.compile(r"^ERROR: (?:not found|file or directory not found): (.*)", re.MULTILINE)
_NOT_BOTH = ("--memgate-update", "--memgate-base", "--memgate-measured")
_NO_VALUE = {Outcome.NO_ANSWER, Outcome.UNMEASURED}
_UPDATE = ("--memgate-update", "--memgate-side=base")
_REFUSED, _NO_TEST = 4, 5  # pytest's exit codes


def compare(root: Path, cwd: Path, base: str, args: Sequence[str], say: Callable[[str], None]) -> int:
    """Measure what pytest selects by `args` in `cwd`, of a git ref and of the work tree; return the gate's exit code.

    Raises UsageError for a ref or a repository that does not exist, ConfigError for the configuration, and MeasureError
    where the base cannot be measured.
    """
    if wrong := next((arg for arg in args if arg.startswith(_NOT_BOTH)), ""):
        raise UsageError(f"{wrong.partition('=')[0]} has no place here: {base} is measured, and no baseline is read")
    began = time.monotonic()
    with prepared(root, cwd, base, "memgate compare", say) as ready:
        say(f"memgate: measuring {ready.name}")
        into = measured_base(ready, cwd, args, began)
        say(f"memgate: {ready.name} took {time.monotonic() - began:.0f} s; now the work tree")
        return run_pytest(root, [f"--memgate-measured={into}", *args])


def measured_base(base: Prepared, cwd: Path, args: Sequence[str], began: float) -> Path:
    """Measure the base, and return a folder for `--memgate-measured`; `began` is when it was begun, by the clock."""
    into = base.workspace.place()
    run = _measure(base, cwd, args)
    without = tuple(_without(run))
    _take(base.trees, into, without)
    measured = Measured(
        ref=base.side.ref,
        commit=base.commit,
        packages=base.environment.packages,
        unmet=base.environment.unmet,
        without=without,
        seconds=round(time.monotonic() - began, 1),
    )
    (into / MEASURED).write_text(json.dumps(encode(measured)), encoding="utf-8")
    (into / SIDE).write_text(json.dumps(encode(base.side)), encoding="utf-8")
    return into


def _measure(base: Prepared, cwd: Path, args: Sequence[str]) -> Run:
    """Measure the base, into baseline files of its own tree; return its run."""
    trees = base.trees
    shutil.rmtree(trees.base_root / FOLDER, ignore_errors=True)
    if not load_settings(WorkTree(trees.base_root)).file and (trees.root / _CONFIG).exists():
        shutil.copy(trees.root / _CONFIG, trees.base_root / _CONFIG)
    given = trees.arguments(args)
    roots = [arg.partition("=")[2] for arg in given if arg.startswith("--rootdir=")]
    if any(not (trees.there(cwd) / root).resolve().is_relative_to(trees.base_top) for root in roots):
        raise UsageError(f"--rootdir={roots[-1]} leads out of {trees.ref}", hint="give a folder of this repository")
    while True:
        done, foreign = pytest_there(base, cwd, given, _UPDATE)
        missing = _NOT_FOUND.search(done.out) if done.code == _REFUSED else None
        there = [arg for arg in given if not (missing and _names(arg, missing[1], trees.there(cwd)))]
        if missing is None or len(there) == len(given) or not any(_is_test(arg) for arg in there):
            break
        given = there  # only what both sides have is judged
    trees.check(foreign)
    if done.code == _NO_TEST or (done.code == _REFUSED and missing):
        raise MeasureError(f"{trees.ref} has none of these tests, so there is nothing to compare with")
    if done.code not in {0, 1} or done.run is None:
        why = replace(done, run=None).why_useless
        raise MeasureError(f"in {trees.ref}, {why}", hint="files that git does not know are not there")
    return done.run


def _without(run: Run) -> Iterator[str]:
    """Yield a line for each test of the base that gave no value."""
    for one in run.findings:
        if one.measurement is None and one.outcome in _NO_VALUE:
            yield f"{one.subject} is {one.outcome}: {reason(one)}"
    if run.extent:
        yield from (f"{test} fails by itself" for test in run.extent.failed)


def _is_test(arg: str) -> bool:
    return not arg.startswith("-")


def _names(arg: str, missing: str, cwd: Path) -> bool:
    """True if an argument is the one that pytest has not found."""
    return _is_test(arg) and os.path.normpath(cwd / arg) == os.path.normpath(cwd / missing)


def _take(trees: Trees, into: Path, without: Sequence[str]) -> None:
    """Keep the values of the base."""
    if not (trees.base_root / FOLDER).is_dir():
        why = without[0] if without else "none of its tests could be measured"
        raise MeasureError(f"{trees.ref} has no value that can be compared: {why}")
    shutil.copytree(trees.base_root / FOLDER, into / FOLDER)
