"""The checkout of a job: what is there, what is fetched, and with whose rights."""

import base64
from pathlib import Path

import pytest
from samples import commit_all, git

from pytest_memgate.errors import UsageError
from pytest_memgate.github.checkout import Checkout
from pytest_memgate.github.event import Event
from pytest_memgate.tasks.ci_plan import find_base

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
