"""The first-parent line of the default branch, as git has it."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from pytest_memgate.errors import HistoryError
from pytest_memgate.model.history import LineCommit

_FORMAT = "%H%x00%T%x00%an%x00%cd%x00%s"
_UTC = {"TZ": "UTC0"}  # with --date=format-local
_TIME = "--date=format-local:%Y-%m-%dT%H:%M:%SZ"
_USUAL = ("main", "master", "trunk", "develop")


def default_branch(root: Path) -> str:
    """Return the ref of the default branch: that of the remote `origin` or, without one, a local one of a usual name.

    Of the remote's and the local branch, the one counts that has all commits of the other. Raises HistoryError if
    there is no such branch.
    """
    head = _lines(root, "symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD")
    names = [head[0].removeprefix("origin/")] if head else list(_USUAL)
    for name in names:
        refs = [ref for ref in (f"refs/remotes/origin/{name}", f"refs/heads/{name}") if _lines(root, "rev-parse", ref)]
        if len(refs) == 2 and _is_ancestor(root, *refs):
            return refs[1]
        if refs:
            return refs[0]
    raise HistoryError(f"{root}: git has no default branch", hint="name it: --branch NAME")


def first_parents(root: Path, branch: str) -> tuple[LineCommit, ...]:
    """Return the commits of a branch along its first parents, the oldest first.

    Raises HistoryError for a branch that does not exist, and for a clone that has only the last commits.
    """
    if _lines(root, "rev-parse", "--is-shallow-repository") == ["true"]:
        raise HistoryError(
            f"{root} is a shallow clone: the order of the commits is not known",
            hint="git fetch --unshallow (in CI: a checkout with fetch-depth: 0)",
        )
    log = _lines(root, "log", "--first-parent", "--reverse", _TIME, f"--format={_FORMAT}", branch, "--", env=_UTC)
    if not log:
        raise HistoryError(f"git has no branch {branch!r}", hint="name it: --branch NAME")
    return tuple(_commit(position, *line.split("\0", 4)) for position, line in enumerate(log))


def knows(root: Path, *objects: str) -> bool:
    """True if the repository has one of these commits or trees."""
    return any(_lines(root, "cat-file", "-t", one) for one in objects if one)


def database_file(root: Path) -> Path:
    """Return where the store of a repository lies: beside its objects, so that no commit can take it along.

    Raises HistoryError outside of a git repository.
    """
    found = _lines(root, "rev-parse", "--path-format=absolute", "--git-common-dir")
    if not found:
        raise HistoryError(f"{root} is in no git repository", hint="a history follows commits: git init, or --root")
    return Path(found[0]) / "memgate" / "history.sqlite"


def _commit(position: int, name: str, tree: str, author: str, time: str, title: str) -> LineCommit:
    return LineCommit(position=position, id=name, tree=tree, author=author, time=time, title=title)


def _is_ancestor(root: Path, old: str, new: str) -> bool:
    return _git(root, "merge-base", "--is-ancestor", old, new).returncode == 0


def _lines(root: Path, *args: str, env: Mapping[str, str] | None = None) -> list[str]:
    """Return what git prints, by lines; nothing if it fails."""
    done = _git(root, *args, env=env)
    return [] if done.returncode else [line for line in done.stdout.split("\n") if line]


def _git(root: Path, *args: str, env: Mapping[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
    try:
        return subprocess.run(  # noqa: S603
            ["git", *args],  # noqa: S607
            cwd=root,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except FileNotFoundError as error:
        raise HistoryError("a history needs git, which is not on PATH") from error
