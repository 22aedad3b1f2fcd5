"""The checkout of a job: what is there, what is fetched, and with whose rights."""

import base64
from pathlib import Path

import pytest
from samples import commit_all, git

from pytest_memgate.errors import UsageError
from pytest_memgate.github.checkout import Checkout
from pytest_memgate.github.event import Event
from pytest_memgate.tasks.ci.plan import find_base

FAKE = """#!/bin/sh
echo "$@ ${GIT_CONFIG_KEY_0} ${GIT_CONFIG_VALUE_0}" >> "$LOG"
test -n "$GIT_CONFIG_COUNT" || { echo "fatal: could not read Username" >&2; exit 128; }
"""


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    """A repository with a long past."""
    folder = tmp_path / "origin"
    folder.mkdir()
    for number in range(4):
        folder.joinpath("file").write_text(str(number))
        commit_all(folder)
    return folder


def shallow(origin: Path, *args: str) -> Path:
    folder = origin.parent / "shallow"
    git(origin.parent, "clone", "-q", "--depth=1", *args, origin.as_uri(), str(folder))
    return folder


def commit(origin: Path, name: str = "HEAD") -> str:
    return git(origin, "rev-parse", name).strip()


def test_the_parents_that_a_shallow_checkout_leaves_out_are_known_and_fetched(origin: Path) -> None:
    checkout = Checkout(shallow(origin))
    assert checkout.commit_of("HEAD^") == ""
    (parent,) = checkout.parents("HEAD")
    assert parent == commit(origin, "HEAD^")
    assert checkout.get(parent)
    assert checkout.commit_of(parent) == parent


def test_a_merge_base_deeper_than_the_checkout_is_found(origin: Path) -> None:
    git(origin, "checkout", "-q", "-b", "topic", "HEAD~2")
    origin.joinpath("other").write_text("")
    commit_all(origin, branch="topic")
    checkout = Checkout(shallow(origin, "--branch=topic"))
    assert checkout.merge_base("HEAD", commit(origin, "main")) == commit(origin, "main~2")


def test_histories_without_a_common_commit_have_no_merge_base(origin: Path) -> None:
    git(origin, "checkout", "-q", "--orphan", "alone")
    commit_all(origin, branch="alone")
    event = Event(name="pull_request", head="f" * 40, base=commit(origin, "main"))
    with pytest.raises(UsageError, match=r"no merge base of HEAD and .*; set fetch-depth: 0 on actions/checkout"):
        find_base(event, Checkout(shallow(origin, "--branch=alone")), "")


def test_a_branch_that_was_not_fetched_is_fetched_by_its_name(origin: Path) -> None:
    git(origin, "branch", "stable", "HEAD~2")
    checkout = Checkout(shallow(origin))
    assert find_base(Event(name="schedule"), checkout, "stable").commit == commit(origin, "stable")


def test_a_name_that_is_nowhere_is_an_error_with_gits_words(origin: Path) -> None:
    with pytest.raises(UsageError, match=r"input base: 'nowhere': .*nowhere"):
        find_base(Event(name="schedule"), Checkout(shallow(origin)), "nowhere")


def test_a_commit_that_is_nowhere_is_not_had(origin: Path) -> None:
    checkout = Checkout(shallow(origin))
    assert not checkout.get("e" * 40)
    assert checkout.said


def test_a_folder_that_is_no_checkout_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="run actions/checkout first"):
        find_base(Event(name="pull_request", head="f" * 40), Checkout(tmp_path), "")


def test_the_token_is_used_where_the_checkout_has_no_rights_and_is_on_no_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log"
    fake = tmp_path / "git"
    fake.write_text(FAKE)
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("LOG", str(log))
    monkeypatch.setenv("GITHUB_SERVER_URL", "https://git.example.org")
    assert Checkout(tmp_path, token="a-secret")._fetch("--depth=1", "x")
    first, second = log.read_text().splitlines()
    asked = "fetch --quiet --no-tags --no-recurse-submodules --depth=1 --end-of-options origin x"
    secret = base64.b64encode(b"x-access-token:a-secret").decode()
    assert first.strip() == asked
    assert second == f"{asked} http.https://git.example.org/.extraheader AUTHORIZATION: basic {secret}"
    assert not Checkout(tmp_path)._fetch("x")


@pytest.mark.parametrize("name", ["workflow_dispatch", "schedule", "push", ""])
def test_an_event_without_a_commit_before_is_judged_by_its_own_baselines(origin: Path, name: str) -> None:
    found = find_base(Event(name=name), Checkout(origin), "")
    assert found.commit == ""
    assert "judged by the checkout's own baselines" in found.why


def test_a_merge_group_without_a_base_is_an_error(origin: Path) -> None:
    with pytest.raises(UsageError, match="names no base commit; give the input base"):
        find_base(Event(name="merge_group"), Checkout(origin), "")


def _topic(origin: Path, start: str = "main~2") -> list[str]:
    """Make a branch with two commits of its own, and return them."""
    git(origin, "checkout", "-q", "-b", "topic", start)
    made = []
    for number in range(2):
        origin.joinpath("other").write_text(str(number))
        commit_all(origin, branch="topic")
        made.append(commit(origin))
    return made


def _push(before: str, after: str, *, ref: str = "refs/heads/topic") -> Event:
    return Event(name="push", base=before, head=after, ref=ref, default_branch="main")


def test_a_push_to_a_branch_is_held_against_where_it_left_the_default_branch(origin: Path) -> None:
    first, second = _topic(origin)
    checkout = Checkout(shallow(origin, "--branch=topic"))
    for before in ("", first, second, "e" * 40):  # a new branch, a second push, an empty one, a forced one
        base = find_base(_push(before, second), checkout, "")
        assert base.commit == commit(origin, "main~2")
        assert base.why == "the merge base with the default branch, main"


def test_a_push_to_the_default_branch_is_held_against_what_it_was(origin: Path) -> None:
    event = _push(commit(origin, "HEAD~2"), commit(origin), ref="refs/heads/main")
    assert find_base(event, Checkout(shallow(origin)), "").commit == commit(origin, "HEAD~2")


def test_a_push_of_a_tag_is_held_against_the_default_branch(origin: Path) -> None:
    first, second = _topic(origin)
    event = _push(first, second, ref="refs/tags/main")
    assert find_base(event, Checkout(shallow(origin, "--branch=topic")), "").commit == commit(origin, "main~2")


def test_a_branch_without_commits_of_its_own_is_said_to_change_nothing(origin: Path) -> None:
    base = find_base(_push("", commit(origin)), Checkout(shallow(origin)), "")
    assert (base.commit, base.why.rpartition(": ")[2]) == (
        commit(origin),
        "this commit itself, which changes nothing",
    )


def test_a_default_branch_that_is_not_there_is_an_error_with_the_way_out(origin: Path) -> None:
    _, second = _topic(origin)
    checkout = Checkout(shallow(origin, "--branch=topic"))
    git(origin, "branch", "-q", "-D", "main")
    with pytest.raises(UsageError, match=r"the default branch, 'main', cannot be fetched: .*; set fetch-depth: 0"):
        find_base(_push("", second), checkout, "")


@pytest.mark.parametrize("given", ["", "main"])
@pytest.mark.parametrize(
    "event",
    [
        Event(name="issue_comment", number=7),
        Event(name="pull_request_review", number=7),
        Event(name="workflow_run", source="pull_request"),
        Event(name="workflow_run", source="pull_request_target"),
        Event(name="pull_request_target"),
    ],
    ids=lambda one: f"{one.name}-{one.source}" if isinstance(one, Event) else None,
)
def test_an_event_of_a_pull_request_without_its_base_is_refused(origin: Path, event: Event, given: str) -> None:
    with pytest.raises(UsageError, match=r"repository's rights; use pull_request"):
        find_base(event, Checkout(origin), given)


@pytest.mark.parametrize("name", ["schedule", "workflow_dispatch", "issue_comment", "workflow_run"])
def test_an_event_without_a_base_takes_the_one_that_is_given(origin: Path, name: str) -> None:
    assert find_base(Event(name=name), Checkout(origin), "main").commit == commit(origin, "main")
    assert find_base(Event(name=name), Checkout(origin), "").commit == ""
