"""`memgate history mark`: a release or a deployment on the line."""

import hashlib
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from pytest_memgate.errors import UsageError
from pytest_memgate.model.history import Event, EventKind
from pytest_memgate.report.escape import one_line
from pytest_memgate.tasks.history.opened import Opened
from pytest_memgate.tasks.history.window import position_of

_LONGEST = 200  # characters of a mark's text
_DIGITS = 32  # of an event's id, as of a run's


def mark(opened: Opened, text: str, ref: str = "HEAD") -> str:
    """Store a mark at a commit of the default branch; return what was done in words.

    The same text at the same commit is one mark. Raises UsageError for an empty text and for another commit.
    """
    text = one_line(text)
    if not text or len(text) > _LONGEST:
        raise UsageError(f"a mark has from 1 to {_LONGEST} characters", hint='as in memgate history mark "release 2.1"')
    commit = opened.line[position_of(opened, ref, option="--commit")]
    name = hashlib.sha256(f"{EventKind.MARK}\0{commit.id}\0{text}".encode()).hexdigest()[:_DIGITS]
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    event = Event(id=name, kind=EventKind.MARK, time=now, commit=commit.id, text=text, by=_user(opened.root))
    done = "marked" if opened.store.add_event(event) else "already marked:"
    return f"{done} {commit.id[:8]} {one_line(commit.title)}: {text}"


def _user(root: Path) -> str:
    done = subprocess.run(
        ["git", "config", "user.name"],  # noqa: S607
        cwd=root,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    return one_line(done.stdout)
