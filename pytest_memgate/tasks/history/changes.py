"""`memgate history check` and `ack`: what changed, and what somebody has said of it."""

import difflib
import hashlib
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pytest_memgate.compare.history.changes import changes_of
from pytest_memgate.compare.history.confirmation import MOST_FALSE
from pytest_memgate.errors import UsageError
from pytest_memgate.model.history import Event, EventKind
from pytest_memgate.model.history_change import ChangeState, HistoryChange
from pytest_memgate.model.judgement.reference import is_reason
from pytest_memgate.report.history.changes import change_lines
from pytest_memgate.tasks.history.opened import Opened
from pytest_memgate.tasks.history.window import past_of
from pytest_memgate.tasks.run.git_worktree import commit_of
from pytest_memgate.units import counted

Say = Callable[[str], None]
SayGrey = Callable[[str], None]
_SHOWN = (ChangeState.CONFIRMED, ChangeState.UNCONFIRMED, ChangeState.ACKNOWLEDGED, ChangeState.ENDED)
_NAMED = 3  # ids that an error names


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Which changes are listed: those at commits after `since`, and with `is_all` those that are settled, too."""

    since: str = ""
    is_all: bool = False


def check(opened: Opened, shown: Shown, say: Say, say_grey: SayGrey) -> int:
    """List the changes; return 1 if there is growth that is confirmed and that nobody has explained, else 0."""
    past = past_of(opened)
    changes = [change for change in changes_of(past) if change.position > _after(opened, shown.since)]
    for change in changes:
        if change.state in _SHOWN and (shown.is_all or _matters(change)):
            tell = say_grey if change.state is ChangeState.UNCONFIRMED else say
            for line in change_lines(change, past.line):
                tell(line)
    number = sum(change.is_open for change in changes)
    say(f"memgate: {_counts(changes)}; {guarantee()}")
    if number:
        say("memgate: give a reason: memgate history ack CHANGE --reason TEXT; or take the growth back")
    return 1 if number else 0


def acknowledge(opened: Opened, wanted: str, reason: str, say: Say) -> None:
    """Store a reason for a change; raises UsageError for an unknown change, one without need, and an empty reason."""
    if not is_reason(reason):
        raise UsageError(f"--reason {reason!r} has no letter in it", hint="say why")
    change = find_change(changes_of(past_of(opened)), wanted)
    if change.state in {ChangeState.UNCONFIRMED, ChangeState.REFUTED}:
        raise UsageError(f"{change.id} is {change.state}: there is nothing to explain", hint="memgate history confirm")
    event = new_event(EventKind.ACKNOWLEDGEMENT, change, text=reason, by=_user(opened.root))
    opened.store.add_event(event)
    say(f"memgate: {change.id} is acknowledged")


def find_change(changes: Sequence[HistoryChange], wanted: str) -> HistoryChange:
    """Return the one change whose id is, or begins with, what was asked for; raises UsageError."""
    found = {change.id: change for change in changes if wanted and change.id.startswith(wanted)}
    if len(found) == 1:
        return next(iter(found.values()))
    if found:
        raise UsageError(f"{wanted!r} may be {', '.join(sorted(found)[:_NAMED])}", hint="give more digits")
    near = difflib.get_close_matches(wanted, [change.id for change in changes], _NAMED, 0.6)
    hint = f"did you mean {' or '.join(near)}?" if near else "memgate history check lists them"
    raise UsageError(f"no change {wanted!r:.40} in this history", hint=hint)


def new_event(kind: EventKind, change: HistoryChange, *, text: str = "", by: str = "") -> Event:
    """Return an event on a change, as of now."""
    now = datetime.now(UTC)
    name = hashlib.sha256(f"{kind}\0{change.id}\0{now.isoformat()}".encode()).hexdigest()[:32]
    time = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    return Event(id=name, kind=kind, time=time, commit=change.commit, text=text, change=change.id, by=by)


def guarantee() -> str:
    """Return the promise on what is called a change."""
    return f"at most {MOST_FALSE:g} false change a month over all series"


def _after(opened: Opened, since: str) -> int:
    """Return the position after which changes count; raises UsageError for a commit that is not on the line."""
    if not since:
        return -1
    commit = commit_of(opened.root, since, option="--since")
    position = next((one.position for one in opened.line if one.id == commit), None)
    if position is None:
        raise UsageError(f"--since: {since} ({commit[:12]}) is not on {opened.branch}", hint="name a commit of it")
    return position


def _matters(change: HistoryChange) -> bool:
    return change.is_open or change.state is ChangeState.UNCONFIRMED


def _counts(changes: Sequence[HistoryChange]) -> str:
    confirmed = [change for change in changes if change.state is ChangeState.CONFIRMED]
    numbers = (
        counted(sum(change.is_open for change in confirmed), "change") + " to explain",
        counted(sum(not change.is_open for change in confirmed), "improvement"),
        *(
            f"{sum(change.state is state for change in changes)} {state}"
            for state in (ChangeState.ACKNOWLEDGED, ChangeState.ENDED, ChangeState.UNCONFIRMED)
        ),
    )
    return ", ".join(numbers)


def _user(root: Path) -> str:
    """Return git's name of the user, empty if it has none."""
    command = ["git", "config", "user.name"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)  # noqa: S603
    return done.stdout.strip()
