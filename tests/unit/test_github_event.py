"""Events as GitHub sends them, and as nobody should."""

import json
from pathlib import Path
from typing import Any

import pytest
from harness import DATA

from pytest_memgate.errors import UsageError
from pytest_memgate.github.event import Event, parse_event, read_event

BASE, HEAD = "b" * 40, "a" * 40


def payload(name: str) -> Any:
    text = (DATA / "events" / f"{name}.json").read_text(encoding="utf-8")
    return json.loads(text.replace("BASE", BASE).replace("HEAD", HEAD))


def test_a_pull_request() -> None:
    event = parse_event("pull_request", payload("pull_request"))
    assert (event.number, event.title, event.head, event.base) == (7, "Keep every body", HEAD, BASE)
    assert not event.from_fork


def test_a_pull_request_from_a_fork() -> None:
    assert parse_event("pull_request", payload("pull_request_fork")).from_fork


def test_a_pull_request_of_a_repository_that_is_gone_is_from_a_fork() -> None:
    data = payload("pull_request_fork")
    data["pull_request"]["head"]["repo"] = None
    assert parse_event("pull_request", data).from_fork


def test_a_merge_group_has_the_base_of_its_group() -> None:
    assert parse_event("merge_group", payload("merge_group")).base == BASE


def test_a_push_has_what_the_branch_was_before() -> None:
    assert parse_event("push", payload("push")).base == BASE


def test_the_push_of_a_new_branch_has_no_base() -> None:
    assert parse_event("push", {**payload("push"), "before": "0" * 40}).base == ""


def test_a_push_says_whether_it_is_of_the_default_branch() -> None:
    assert parse_event("push", payload("push")).is_on_default_branch
    for ref in ("refs/heads/topic", "refs/tags/main", "refs/heads/feature/main"):
        assert not parse_event("push", {**payload("push"), "ref": ref}).is_on_default_branch


@pytest.mark.parametrize(
    ("name", "data", "is_of_one"),
    [
        ("issue_comment", {"issue": {"number": 7, "pull_request": {"url": "x"}}}, True),
        ("issue_comment", {"issue": {"number": 7}}, False),
        ("pull_request_review", {"pull_request": {"number": 7}}, True),
        ("workflow_run", {"workflow_run": {"event": "pull_request"}}, True),
        ("workflow_run", {"workflow_run": {"event": "pull_request_target"}}, True),
        ("workflow_run", {"workflow_run": {"event": "schedule"}}, False),
        ("schedule", {}, False),
        ("push", {"pull_request": []}, False),
    ],
)
def test_an_event_about_a_pull_request_is_known_by_its_payload(name: str, data: Any, is_of_one: bool) -> None:
    assert parse_event(name, data).is_of_pull_request is is_of_one


def test_another_workflows_run() -> None:
    event = parse_event("workflow_run", payload("workflow_run"))
    assert (event.run, event.conclusion, event.source) == (4711, "failure", "pull_request")
    assert (event.head, event.head_repository, event.head_branch) == (HEAD, "visitor/shop", "main")


@pytest.mark.parametrize("name", ["workflow_dispatch", "schedule", ""])
def test_other_events_name_no_commit(name: str) -> None:
    assert parse_event(name, {"repository": {"full_name": "shop/shop"}}).base == ""


@pytest.mark.parametrize("name", ["push", "pull_request", "merge_group", "workflow_run"])
@pytest.mark.parametrize("data", [None, [], "x", {}, {"pull_request": [], "before": 7, "workflow_run": {"id": True}}])
def test_a_payload_of_another_shape_names_nothing(name: str, data: Any) -> None:
    assert parse_event(name, data) == Event(name=name)


@pytest.mark.parametrize("commit", ["--upload-pack=x", "main", "a" * 39, f"{HEAD}\n", "A" * 40, f"{HEAD} ; x"])
def test_what_is_no_commits_name_is_not_one(commit: str) -> None:
    assert parse_event("push", {"before": commit}).base == ""


def test_a_payload_that_cannot_be_read_is_an_error_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="GITHUB_EVENT_PATH"):
        read_event("push", tmp_path / "none.json")
