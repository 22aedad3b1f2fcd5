"""Profile tests in a pytest of their own: here, and in another commit or an older file to compare with."""

import json
import math
import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_memgate.compare.profile import profile_growth
from pytest_memgate.errors import MeasureError, UsageError
from pytest_memgate.measure.process.workspace import Workspace
from pytest_memgate.measure.python.environment import cannot_measure
from pytest_memgate.model.codec import decode
from pytest_memgate.model.profile import Profile, ProfileGrowth, Sort
from pytest_memgate.tasks.profile.file import check_environment, read_profile
from pytest_memgate.tasks.prove.pytest_subprocess import QUIET, Done
from pytest_memgate.tasks.run.git_worktree import Trees, checked_out, commit_of, repository

_CHECK = re.compile(r"(?:memgate\.yml|pyproject\.toml)::")
_NOT_FOUND = re.compile(r"^ERROR: (?:not found|file or directory not found): (.*)", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profiled:
    """The profile of the work tree and, if asked for, that of a base; `base_name` is the name given for it."""

    head: Profile
    base: Profile | None = None
    base_name: str = ""

    def growth(self, sort: Sort, *, retained: bool) -> list[ProfileGrowth]:
        """Return the differences of the tests that both have."""
        pairs = ((self.base.find(head.test) if self.base else None, head) for head in self.head.tests)
        return [profile_growth(base, head, sort, retained=retained) for base, head in pairs if base]

    def problems(self) -> list[str]:
        """Return a line for each test without an answer."""
        lines = [f"{one.test}: {one.why}" for one in self.head.unprofiled]
        if self.base:
            tests = {test.test for test in self.head.tests}
            failing = {one.test: one.why for one in self.base.unprofiled}
            lines += [f"{test}: in {self.base_name}, {failing[test]}" for test in tests & failing.keys()]
            known = failing.keys() | {test.test for test in self.base.tests}
            lines += [f"{test}: {_not_in(self.base_name)}" for test in tests - known]
        return sorted(lines)


_ALONE = "without --base its profile is shown alone"


def profile(root: Path, cwd: Path, args: Sequence[str], base: str) -> Profiled:
    """Profile the tests that pytest selects by `args` in `cwd`; `base` is a file, a git ref or empty.

    Raises UsageError for tests, a ref or a repository that do not exist, RunFileError for a file that cannot serve as
    base, and MeasureError if a profile cannot be made.
    """
    if cannot := cannot_measure():
        raise MeasureError(cannot)
    with Workspace() as workspace:
        run = _Run(workspace, args)
        if not base:
            return Profiled(head=run.profile(root, cwd))
        if (file := cwd / base).is_file():
            old = read_profile(file)
            head = run.profile(root, cwd)
            check_environment(file, old.environment, head.environment)
            return Profiled(head=head, base=old, base_name=base)
        top = repository(root, instead="give --base a file that -o has written")
        commit = commit_of(root, base, option="--base")
        head = run.profile(root, cwd)
        with checked_out(root, commit, workspace.folder / "base") as tree:
            return Profiled(head=head, base=run.in_tree(root, cwd, top, tree, base), base_name=base)


class _Run:
    """The same tests in the same pytest, here or there."""

    def __init__(self, workspace: Workspace, args: Sequence[str]) -> None:
        self._workspace = workspace
        self._args = list(args)

    def profile(self, root: Path, cwd: Path) -> Profile:
        """Profile in the work tree; raises UsageError for tests that do not exist, MeasureError without a profile."""
        done, found = self._pytest(root, cwd, self._args, {}, {})
        if done.code == 4 and (missing := _NOT_FOUND.search(done.out)):
            if check := next(filter(_CHECK.match, self._args), ""):
                raise UsageError(f"{check} is a check: only tests have a memory profile")
            raise UsageError(f"there is no test {_relative(missing[1], root)}", hint="see: pytest --collect-only -q")
        if done.code == 5:
            raise UsageError(f"no test is selected by {' '.join(self._args)}", hint="see: pytest --collect-only -q")
        if found is None:
            raise (UsageError if done.code == 4 else MeasureError)(done.why_useless)
        return found

    def in_tree(self, root: Path, cwd: Path, top: Path, tree: Path, ref: str) -> Profile:
        """Profile in a checkout of another commit; raises MeasureError if other code than its own was measured."""
        trees = Trees(top=top, root=root, base_top=tree, ref=ref)
        for folder in (root, cwd):
            if not trees.there(folder).is_dir():
                raise MeasureError(f"{ref} has no folder {folder.resolve().relative_to(top)}", hint=_ALONE)
        args, order = trees.arguments(self._args), {"from": str(top), "to": str(tree)}
        done, found = self._pytest(trees.base_root, trees.there(cwd), args, order, trees.environment())
        if done.code == 4 and (missing := _NOT_FOUND.search(done.out)):
            name = _relative(missing[1], trees.base_root)
            raise MeasureError(f"{name}: {_not_in(ref)}")
        if found is None:
            raise MeasureError(f"in {ref}, {done.why_useless}", hint="files that git does not know are not there")
        trees.check(found.foreign)
        return found

    def _pytest(
        self, root: Path, cwd: Path, args: Sequence[str], order: Mapping[str, str], env: Mapping[str, str]
    ) -> tuple[Done, Profile | None]:
        folder = self._workspace.place()
        into = folder / "profile.json"
        command = [
            *(sys.executable, "-m", "pytest", "-p", "pytest_memgate.plugin.child_runs.profiler", *QUIET),
            *([] if any(arg.startswith("--rootdir") for arg in args) else [f"--rootdir={root}"]),
            *("--maxfail=0", "-o", f"cache_dir={folder / 'cache'}"),
            *args,
        ]
        changed = {
            "MEMGATE_PROFILE": json.dumps({"into": str(into), **order}),
            "COVERAGE_FILE": str(folder / "coverage"),
            **env,
        }
        job = self._workspace.start(command, folder, cwd=cwd, env=changed)
        try:
            job.wait(math.inf, lambda: None)
            done = Done(code=job.code() or 0, out=job.out(), run=None, seconds=0)
        finally:
            self._workspace.end(job)
        if done.code not in {0, 1} or not into.exists():
            return done, None
        return done, decode(Profile, json.loads(into.read_text(encoding="utf-8")))


def _not_in(ref: str) -> str:
    return f"not in {ref}, so there is no difference; {_ALONE}"


def _relative(name: str, root: Path) -> str:
    return name.replace(f"{root}{os.sep}", "", 1)
