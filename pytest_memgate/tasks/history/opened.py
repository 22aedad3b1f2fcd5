"""The history of a project, opened: its store and the line of its default branch."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_memgate.errors import HistoryError
from pytest_memgate.history.git.line import database_file, default_branch, first_parents
from pytest_memgate.history.store import Store, open_store
from pytest_memgate.model.history import LineCommit, RunRecord

VARIABLE = "MEMGATE_HISTORY_STORE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A store with the repository that it belongs to; `line` are the commits of `branch`, the oldest first."""

    root: Path
    store: Store
    branch: str
    line: tuple[LineCommit, ...]

    def lane_of(self, run: RunRecord) -> str:
        """Return words for a run that is not on the line, empty for one that is."""
        commit = run.commit
        if commit.dirty:
            return ", with changes that are in no commit: beside the line"
        on_line = any(commit.id == one.id or commit.tree == one.tree for one in self.line)
        if commit.fork or not on_line:
            return f", beside {self.branch}"
        return ""


def open_history(root: Path, *, url: str = "", branch: str = "", environ: Mapping[str, str] = os.environ) -> Opened:
    """Open the history of the project at `root`: that of `url`, of the environment, or beside git's objects.

    The commits of the default branch are stored anew. Raises HistoryError for a repository or a store that cannot be
    used.
    """
    url = url or environ.get(VARIABLE, "")
    ref = branch or default_branch(root)
    branch = ref.removeprefix("refs/heads/").removeprefix("refs/remotes/origin/")
    line = first_parents(root, ref)
    file = database_file(root)
    store = open_store(url) if url else open_store(f"sqlite:///{file}", str(file))
    store.put_line(branch, line)
    return Opened(root=root, store=store, branch=branch, line=line)


def open_as_stored(root: Path, *, url: str = "", branch: str = "", environ: Mapping[str, str] = os.environ) -> Opened:
    """Open a history that is only read. A store that is named tells its commits, too, and needs no repository.

    Raises HistoryError for a store that cannot be opened, or that has no commits yet.
    """
    url = url or environ.get(VARIABLE, "")
    if branch or not url:
        return open_history(root, url=url, branch=branch, environ=environ)
    store = open_store(url)
    branch, line = store.line()
    if not line:
        raise HistoryError(
            "the store has no commits yet", hint="memgate history add RUN.json in a checkout stores them"
        )
    return Opened(root=root, store=store, branch=branch, line=line)
