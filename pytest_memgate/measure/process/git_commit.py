"""The commit of a work tree."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from pytest_memgate.model.provenance import Commit

_PATIENCE = 10  # seconds for one git command; chosen
_BRANCH = ("GITHUB_HEAD_REF", "GITHUB_REF_NAME", "CI_COMMIT_REF_NAME")  # CI checks a commit out, without its branch


def commit(folder: Path, environ: Mapping[str, str] = os.environ) -> Commit:
    """Return the commit of the work tree at `folder`; an empty one without git, a repository or a commit."""
    state = _git(folder, "status", "--porcelain=v2", "--branch", "--untracked-files=no").splitlines()
    # Of a shallow clone, only the commit itself still names its parent.
    text, _, _ = _git(folder, "cat-file", "commit", "HEAD").partition("\n\n")
    known = dict(line.split(" ", 1) for line in reversed(text.splitlines()) if " " in line)  # the first parent counts
    told = dict(line[2:].split(" ", 1) for line in state if line.startswith("# ") and line.count(" ") > 1)
    if "tree" not in known:
        return Commit()
    branch = told.get("branch.head", "")
    return Commit(
        id=told.get("branch.oid", ""),
        tree=known["tree"],
        parent=known.get("parent", ""),
        branch=branch if branch != "(detached)" else next((environ[key] for key in _BRANCH if environ.get(key)), ""),
        dirty=any(not line.startswith("#") for line in state),
    )


def _git(folder: Path, *args: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603
            ["git", *args],  # noqa: S607
            cwd=folder,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},  # another git may be at work in the same folder
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return "" if done.returncode else done.stdout
