"""One comment on a pull request, found again by a hidden marker, and the pull request of a commit."""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from pytest_memgate.github.client import ApiError, Client
from pytest_memgate.github.event import Event

BODY_MOST = 65_536  # characters: GitHub refuses a longer comment
_ATTEMPTS = 3  # to write the comment; chosen


def marker_of(name: str) -> str:
    """Return the marker of the comment for an artifact's name; the name cannot end the HTML comment that it is in."""
    return f"memgate {re.sub('[^A-Za-z0-9._]+', '-', name).strip('-') or 'run'}"


def put_comment(client: Client, repository: str, number: int, body: str, marker: str) -> str:
    """Create the comment that bears `marker`, or update it; return its address.

    After a lost answer, it first looks whether the comment exists. Raises ApiError.
    """
    place = f"/repos/{_path(repository)}/issues"
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            known = _find(client, f"{place}/{number}/comments", marker)
            if known is None:
                return _address(client.post(f"{place}/{number}/comments", {"body": body}))
            if known.get("body") == body:
                return _address(known)
            return _address(client.patch(f"{place}/comments/{int(known['id'])}", {"body": body}))
        except ApiError as error:
            gone = error.status == 404 and "/comments/" in str(error)  # taken away between the look and the change
            lost = error.status == 0 or error.status >= 500
            if attempt == _ATTEMPTS or not (gone or lost):
                raise
    raise AssertionError  # pragma: no cover  # the last attempt returns or raises


def pulls_of(client: Client, event: Event) -> list[int]:
    """Return the open pull requests whose last commit is the one that another workflow ran for; raises ApiError.

    The number comes from the API alone: the pull request's own code made the files of the run.
    """
    owner = event.head_repository.partition("/")[0]
    place = f"/repos/{_path(event.repository)}"
    asked = urlencode({"state": "open", "head": f"{owner}:{event.head_branch}"})
    found = _open_at(client.get_all(f"{place}/pulls?{asked}"), event)
    return found or _open_at(client.get_all(f"{place}/commits/{event.head}/pulls"), event)


def _open_at(pulls: Iterator[Any], event: Event) -> list[int]:
    return sorted(
        pull["number"]
        for pull in pulls
        if isinstance(pull, Mapping)
        and isinstance(pull.get("number"), int)
        and pull.get("state") == "open"
        and _text(pull, "head", "sha") == event.head
        and _text(pull, "base", "repo", "full_name") == event.repository
    )


def _find(client: Client, path: str, marker: str) -> Mapping[str, Any] | None:
    """Return the comment that bears the marker and was written by a workflow: anybody can write the same marker."""
    marked = [one for one in client.get_all(path) if isinstance(one, Mapping) and _bears(one, marker)]
    for one in marked:
        if _text(one, "user", "type") == "Bot":
            return one
    if not marked:
        return None
    try:
        mine = _text(client.get("/user"), "login")  # a token of a person
    except ApiError as error:
        if not error.refused:
            raise
        return None
    return next((one for one in marked if mine and _text(one, "user", "login") == mine), None)


def _bears(comment: Mapping[str, Any], marker: str) -> bool:
    return _text(comment, "body").startswith(f"<!-- {marker} -->")


def _text(data: Any, *keys: str) -> str:
    for key in keys:
        data = data.get(key) if isinstance(data, Mapping) else None
    return data if isinstance(data, str) else ""


def _address(comment: Any) -> str:
    return _text(comment, "html_url")


def _path(repository: str) -> str:
    return quote(repository, safe="/")
