"""The event that a workflow runs for, read from the payload that GitHub gives with it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_memgate.errors import UsageError

PULL_REQUEST = "pull_request"
MERGE_GROUP = "merge_group"
PUSH = "push"
WORKFLOW_RUN = "workflow_run"
TARGET = "pull_request_target"

_COMMIT = re.compile(r"(?!0+$)[0-9a-f]{40}(?:[0-9a-f]{24})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event; fields that do not apply are empty or 0.

    `head` and `base` are commits: of a pull request its last commit and that of its base branch, of a merge group its
    base, of a push the branch before it, of another workflow's run the commit that it ran for. `number` and `title` are
    those of the pull request, also if the event is a comment on it or a review. `run`, `conclusion` and `source` are
    those of another workflow's run: its id, how it ended, and the event that started it. `ref` is the pushed ref,
    `refs/heads/main`, and `default_branch` is that of the repository.
    """

    name: str
    repository: str = ""
    number: int = 0
    title: str = ""
    head: str = ""
    head_repository: str = ""
    head_branch: str = ""
    base: str = ""
    run: int = 0
    conclusion: str = ""
    source: str = ""
    ref: str = ""
    default_branch: str = ""

    @property
    def is_on_default_branch(self) -> bool:
        """True if the default branch was pushed, or if the payload does not name it."""
        return self.default_branch in {"", self.ref.removeprefix("refs/heads/")}

    @property
    def is_of_pull_request(self) -> bool:
        """True if the event is about a pull request, so that the job may run its code."""
        return bool(self.number) or PULL_REQUEST in {self.name, self.source} or TARGET in {self.name, self.source}

    @property
    def from_fork(self) -> bool:
        """True if the code to run comes from another repository, or from one that is gone."""
        return self.head_repository != self.repository


def read_event(name: str, path: Path | None) -> Event:
    """Read an event's payload; raises UsageError for a file that is not one."""
    if path is None:
        return Event(name=name)
    try:
        payload = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"GITHUB_EVENT_PATH {path}: {error}", hint="this runs as a step of GitHub Actions") from error
    return parse_event(name, payload)


def parse_event(name: str, payload: Any) -> Event:
    """Return the parts of a payload that matter here; missing parts and parts of another kind are empty."""
    repository = _text(payload, "repository", "full_name")
    if name in {PULL_REQUEST, TARGET}:
        return Event(
            name=name,
            repository=repository,
            number=_number(payload, "pull_request", "number"),
            title=_text(payload, "pull_request", "title"),
            head=_commit(payload, "pull_request", "head", "sha"),
            head_repository=_text(payload, "pull_request", "head", "repo", "full_name"),
            head_branch=_text(payload, "pull_request", "head", "ref"),
            base=_commit(payload, "pull_request", "base", "sha"),
        )
    if name == MERGE_GROUP:
        head, base = _commit(payload, "merge_group", "head_sha"), _commit(payload, "merge_group", "base_sha")
        return Event(name=name, repository=repository, head=head, base=base, head_repository=repository)
    if name == PUSH:
        return Event(
            name=name,
            repository=repository,
            head=_commit(payload, "after"),
            base=_commit(payload, "before"),
            head_repository=repository,
            ref=_text(payload, "ref"),
            default_branch=_text(payload, "repository", "default_branch"),
        )
    if name == WORKFLOW_RUN:
        return Event(
            name=name,
            repository=repository,
            head=_commit(payload, "workflow_run", "head_sha"),
            head_repository=_text(payload, "workflow_run", "head_repository", "full_name"),
            head_branch=_text(payload, "workflow_run", "head_branch"),
            run=_number(payload, "workflow_run", "id"),
            conclusion=_text(payload, "workflow_run", "conclusion"),
            source=_text(payload, "workflow_run", "event"),
        )
    is_comment = _found(payload, ("issue", "pull_request")) is not None
    number = _number(payload, "issue", "number") if is_comment else _number(payload, "pull_request", "number")
    return Event(name=name, repository=repository, head_repository=repository, number=number)


def _found(payload: Any, keys: tuple[str, ...]) -> Any:
    for key in keys:
        payload = payload.get(key) if isinstance(payload, Mapping) else None
    return payload


def _text(payload: Any, *keys: str) -> str:
    found = _found(payload, keys)
    return found if isinstance(found, str) else ""


def _number(payload: Any, *keys: str) -> int:
    found = _found(payload, keys)
    return found if isinstance(found, int) and not isinstance(found, bool) else 0


def _commit(payload: Any, *keys: str) -> str:
    """Return a commit's name, empty for the name of zeros, which stands for no commit."""
    found = _text(payload, *keys)
    return found if _COMMIT.fullmatch(found) else ""
