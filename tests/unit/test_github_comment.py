"""The one comment of a pull request: found by its marker, made or renewed, and no other ever touched."""

from collections.abc import Iterator
from typing import Any

import pytest
from fake_github import Fault, Github, fake_github

from pytest_memgate.github.client import ApiError, Client
from pytest_memgate.github.comment import marker_of, pulls_of, put_comment
from pytest_memgate.github.event import Event

MARKER = marker_of("memgate")
BODY = f"<!-- {MARKER} -->\n\nPASSED"
HEAD = "a" * 40
RUN = Event(
    name="workflow_run",
    repository="shop/shop",
    head=HEAD,
    head_repository="visitor/shop",
    head_branch="topic & more",
    source="pull_request",
    conclusion="failure",
)


@pytest.fixture
def github() -> Iterator[Github]:
    with fake_github() as server:
        yield server


@pytest.fixture
def client(github: Github) -> Client:
    return Client(github.url, "a-secret", sleep=lambda _: None)


def put(client: Client, body: str = BODY) -> str:
    return put_comment(client, "shop/shop", 7, body, MARKER)


def bodies(github: Github) -> list[Any]:
    return [one["body"] for one in github.comments]


def test_a_comment_is_made_where_there_is_none(github: Github, client: Client) -> None:
    github.comment("hello", login="somebody", kind="User")
    assert put(client) == "https://x/c2"
    assert bodies(github) == ["hello", BODY]


def test_a_comment_on_the_third_page_is_renewed(github: Github, client: Client) -> None:
    for _ in range(230):
        github.comment("hello", login="somebody", kind="User")
    github.comment(f"<!-- {MARKER} -->\n\nFAILED")
    assert put(client) == "https://x/c231"
    assert bodies(github)[-1] == BODY
    assert len(github.comments) == 231


def test_a_comment_that_says_it_already_is_left_alone(github: Github, client: Client) -> None:
    github.comment(BODY)
    put(client)
    assert not any(asked.startswith(("PATCH", "POST")) for asked in github.asked)


def test_somebody_elses_comment_with_the_marker_is_not_touched(github: Github, client: Client) -> None:
    github.comment(f"<!-- {MARKER} -->\nmine", login="somebody", kind="User")
    put(client)
    assert bodies(github) == [f"<!-- {MARKER} -->\nmine", BODY]


def test_a_comment_that_quotes_the_marker_is_not_taken_for_it(github: Github, client: Client) -> None:
    github.comment(f"> <!-- {MARKER} -->")
    put(client)
    assert len(github.comments) == 2


def test_a_persons_own_token_finds_that_persons_comment(github: Github, client: Client) -> None:
    github.user = "keeper"
    github.comment(f"<!-- {MARKER} -->\nold", login="somebody", kind="User")
    github.comment(f"<!-- {MARKER} -->\nold", login="keeper", kind="User")
    put(client)
    assert bodies(github) == [f"<!-- {MARKER} -->\nold", BODY]


def test_each_artifact_has_a_comment_of_its_own(github: Github, client: Client) -> None:
    github.comment(f"<!-- {marker_of('memgate-3.12')} -->")
    put(client)
    assert len(github.comments) == 2


def test_a_comment_taken_away_meanwhile_is_made_anew(github: Github, client: Client) -> None:
    github.comment(f"<!-- {MARKER} -->\nold")

    def gone(*_: object) -> None:
        github.comments.clear()

    client._sleep = gone
    github.faults = [Fault(500, method="PATCH"), Fault(404, "Not Found", method="PATCH")]
    put(client)
    assert bodies(github) == [BODY]


def test_after_a_lost_answer_the_comment_is_there_once(github: Github, client: Client) -> None:
    github.faults = [Fault(502, done=True, method="POST")]
    put(client)
    assert bodies(github) == [BODY]


def test_a_server_that_loses_every_comment_is_an_error(github: Github, client: Client) -> None:
    github.faults = [Fault(502, method="POST")] * 3
    with pytest.raises(ApiError, match="502"):
        put(client)


def test_a_token_that_may_not_comment_is_an_error(github: Github, client: Client) -> None:
    github.faults = [Fault(403, "Resource not accessible by integration", method="POST")]
    with pytest.raises(ApiError) as caught:
        put(client)
    assert caught.value.refused


@pytest.mark.parametrize("name", ["--> <img src=x>", "a-->b", "--", "\n-->", "memgate 3.12", ""])
def test_no_artifacts_name_ends_the_marker(name: str) -> None:
    assert not {">", "<", "\n"} & set(marker_of(name))
    assert "--" not in marker_of(name)


def test_the_pull_request_is_the_open_one_at_that_commit(github: Github, client: Client) -> None:
    github.pull(3, "b" * 40)
    github.pull(4, HEAD, state="closed")
    github.pull(5, HEAD)
    github.pull(6, HEAD, repository="visitor/shop")
    assert pulls_of(client, RUN) == [5]
    assert "head=visitor%3Atopic+%26+more" in github.asked[0]


def test_a_commit_that_is_no_pull_requests_last_any_more_names_none(github: Github, client: Client) -> None:
    github.pull(3, "b" * 40)
    assert pulls_of(client, RUN) == []
