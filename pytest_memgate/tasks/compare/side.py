"""The base of a comparison, made ready: checked out, with an environment, and built."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from pytest_memgate.baseline.source import WorkTree
from pytest_memgate.config.schema import Setup
from pytest_memgate.config.sources import load_settings
from pytest_memgate.errors import MeasureError
from pytest_memgate.measure.process.base_side import BaseSide
from pytest_memgate.measure.process.workspace import Workspace
from pytest_memgate.tasks.compare.base_environment import BaseEnvironment, base_environment
from pytest_memgate.tasks.run.git_worktree import Trees, checked_out, commit_of, repository

_LOCKS = ("package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml", "yarn.lock", "bun.lock", "bun.lockb")
_MODULES = "node_modules"
_TIMEOUT = 1800.0  # seconds for a build; chosen


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """The base that is ready to be measured, for as long as its `workspace` is there."""

    trees: Trees
    commit: str
    environment: BaseEnvironment
    side: BaseSide
    workspace: Workspace

    @property
    def name(self) -> str:
        """The ref and the commit that it names: `main (4f1d2c7a)`."""
        return f"{self.side.ref} ({self.commit[:8]})"


@contextmanager
def prepared(root: Path, cwd: Path, ref: str, option: str, say: Callable[[str], None]) -> Iterator[Prepared]:
    """Make a git ref ready for pytest in `cwd`, and remove it again.

    `option` is what named the ref. Raises UsageError for a ref or a repository that does not exist, ConfigError for the
    configuration, and MeasureError where it cannot be installed or built.
    """
    top, commit = repository(root), commit_of(root, ref, option=option)
    setup = load_settings(WorkTree(root)).setup
    with Workspace() as workspace, checked_out(root, commit, workspace.folder / "base") as tree:
        trees = Trees(top=top, root=root, base_top=tree, ref=ref)
        for folder in (root, cwd):
            if not trees.there(folder).is_dir():
                raise MeasureError(f"{ref} ({commit[:8]}) has no folder {folder.resolve().relative_to(top)}")
        environment = base_environment(trees, setup, workspace)
        side = BaseSide(
            ref=ref,
            python=str(environment.python),
            cwd=str(trees.there(cwd)),
            top=str(top),
            base_top=str(tree),
            env={
                "PATH": _path(environment.python.parent),
                "VIRTUAL_ENV": None,
                **trees.environment(),
            },
        )
        base = Prepared(trees=trees, commit=commit, environment=environment, side=side, workspace=workspace)
        if environment.packages:
            say(f"memgate: {base.name} has other packages: {', '.join(environment.packages)}")
        for pin in environment.unmet:
            say(f"memgate: the work tree pins {pin}: install it, or it is not compared")
        _build(trees, setup, workspace)
        yield base


def _path(programs: Path) -> str:
    """Return PATH as it is for the base: where this interpreter is found by its name, the base's is."""
    folders = os.environ.get("PATH", "").split(os.pathsep)
    own = str(Path(sys.executable).parent)
    return os.pathsep.join(part for one in folders for part in ([str(programs), one] if one == own else [one]))


def _build(trees: Trees, setup: Setup, workspace: Workspace) -> None:
    """Make what both sides serve; the base has the work tree's node packages, unless it is to build with others."""
    for modules in _node_modules(trees.root):
        there = trees.there(modules.parent)
        if (not setup.build or _locks(there) == _locks(modules.parent)) and there.is_dir():
            with suppress(FileExistsError):
                (there / _MODULES).symlink_to(modules, target_is_directory=True)
    if not setup.build:
        return
    for folder, whose in ((trees.base_root, trees.ref), (trees.root, "the work tree")):
        done = workspace.run(_shell(setup.build), workspace.place(), timeout_seconds=_TIMEOUT, cwd=folder)
        if done.code:
            said = (done.out.strip().splitlines() or ["it said nothing"])[-1]
            raise MeasureError(f"setup.build fails in {whose}: {said}", hint=f"run it there: {setup.build}")


def _node_modules(root: Path) -> Iterator[Path]:
    """Yield the folders of node packages in a project, without those of their packages."""
    for folder, inner, _ in os.walk(root):
        if _MODULES in inner:
            yield Path(folder, _MODULES)
        inner[:] = [name for name in inner if name != _MODULES and not name.startswith(".")]


def _locks(folder: Path) -> list[bytes]:
    return [(folder / name).read_bytes() for name in _LOCKS if (folder / name).exists()]


def _shell(line: str) -> list[str]:
    return [os.environ.get("COMSPEC", "cmd"), "/c", line] if os.name == "nt" else ["/bin/sh", "-c", line]
