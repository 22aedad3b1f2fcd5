"""The past of a project with its renamed tests, and the part of it that `--since` means."""

import re

from pytest_memgate.baseline.source import GitRef, WorkTree
from pytest_memgate.compare.history.renamed import with_renames
from pytest_memgate.config.sources import load_settings
from pytest_memgate.errors import HistoryError, UsageError
from pytest_memgate.history.read import read_past
from pytest_memgate.model.history import Past
from pytest_memgate.tasks.history.opened import Opened
from pytest_memgate.values import shown

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def past_of(opened: Opened) -> Past:
    """Return what is stored, with the past of renamed tests under their new names, as memgate.yml here tells them.

    Raises HistoryError if nothing is stored.
    """
    past = read_past(opened.store, (opened.branch, opened.line))
    if not past.runs:
        raise HistoryError(
            "the history has no runs yet", hint="memgate history add RUN.json, or memgate history sync in a new clone"
        )
    return with_renames(past, load_settings(WorkTree(opened.root)).renamed)


def first_of(opened: Opened, since: str) -> int:
    """Return the position that a window begins at: N commits before the end, a day, or the commit after a ref.

    Raises UsageError for what is neither of them.
    """
    number = len(opened.line)
    if since.isdecimal() and len(since) < 7:
        return max(0, number - int(since))
    if _DAY.fullmatch(since):
        later = (commit.position for commit in opened.line if commit.time[:10] >= since)
        first = next(later, number)
    else:
        first = position_of(opened, since, option="--since") + 1
    if first >= number:
        raise UsageError(f"{opened.branch} has no commit after {shown(since)}", hint="name an older one")
    return first


def position_of(opened: Opened, ref: str, *, option: str) -> int:
    """Return the position of the commit that a ref means; raises UsageError if it is not on the default branch."""
    commit = GitRef(opened.root, ref, option=option).commit
    for one in opened.line:
        if one.id == commit:
            return one.position
    hint = "name one of git log --first-parent"
    raise UsageError(f"{option}: {shown(ref)} is no commit on the line of {opened.branch}", hint=hint)
