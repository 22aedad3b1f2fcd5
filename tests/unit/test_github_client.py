"""GitHub's API over a real connection: pages, limits, faults, and where the token goes."""

import time
from collections.abc import Iterator

import pytest
from fake_github import Fault, Github, fake_github

from pytest_memgate.errors import UsageError
from pytest_memgate.github.client import ApiError, Client

COMMENTS = "/repos/shop/shop/issues/7/comments"


@pytest.fixture
def github() -> Iterator[Github]:
    with fake_github() as server:
        yield server


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def client(github: Github, slept: list[float]) -> Client:
    return Client(github.url, "a-secret", sleep=slept.append)


def test_all_pages_of_a_list_are_read(github: Github, client: Client) -> None:
    for number in range(250):
        github.comment(str(number))
    assert [one["body"] for one in client.get_all(COMMENTS)] == [str(number) for number in range(250)]
    assert len(github.asked) == 3


def test_a_next_page_at_another_server_gets_no_token(github: Github, client: Client) -> None:
    github.comments = [{}] * 150
    with fake_github() as other:
        github.elsewhere = f"{other.url}{COMMENTS}?per_page=100"
        with pytest.raises(ApiError, match="its next page is elsewhere"):
            list(client.get_all(COMMENTS))
        assert not other.asked


def test_a_redirect_to_another_server_gets_no_token(github: Github, client: Client) -> None:
    with fake_github() as other:
        github.faults = [Fault(302, headers={"Location": f"{other.url}/user"})]
        with pytest.raises(ApiError, match="302"):
            client.get("/user")
        assert not other.asked


def test_a_redirect_of_a_renamed_repository_is_followed(github: Github, client: Client) -> None:
    github.user = "somebody"
    github.faults = [Fault(301, headers={"Location": f"{github.url}/user"})]
    assert client.get("/repos/old/name") == {"login": "somebody"}


def test_a_server_that_fails_is_asked_again(github: Github, client: Client, slept: list[float]) -> None:
    github.faults = [Fault(502), Fault(503)]
    assert client.get(COMMENTS) == []
    assert slept == [1, 2]


def test_a_server_that_goes_on_failing_is_an_error(github: Github, client: Client, slept: list[float]) -> None:
    github.faults = [Fault(500, "Server Error")] * 4
    with pytest.raises(ApiError, match="500: Server Error") as caught:
        client.get(COMMENTS)
    assert (caught.value.status, slept) == (500, [1, 2, 4])


def test_what_is_created_is_not_created_again_after_a_lost_answer(github: Github, client: Client) -> None:
    github.faults = [Fault(502, done=True)]
    with pytest.raises(ApiError, match="502"):
        client.post(COMMENTS, {"body": "once"})
    assert len(github.comments) == 1


def test_a_secondary_limit_is_waited_for_as_long_as_it_says(github: Github, client: Client, slept: list[float]) -> None:
    github.faults = [Fault(403, "You have exceeded a secondary rate limit", {"Retry-After": "7"})]
    assert client.post(COMMENTS, {"body": "x"})["body"] == "x"
    assert slept == [7]


def test_a_secondary_limit_that_names_no_time_is_waited_for_too(
    github: Github, client: Client, slept: list[float]
) -> None:
    github.faults = [Fault(429, "You have exceeded a secondary rate limit")]
    assert client.get(COMMENTS) == []
    assert slept == [10]


def test_a_limit_is_waited_for_until_its_end(github: Github, client: Client, slept: list[float]) -> None:
    reset = str(int(time.time()) + 30)
    github.faults = [Fault(403, "limit", {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset})]
    assert client.get(COMMENTS) == []
    assert 28 < slept[0] <= 30


def test_a_limit_of_an_hour_is_not_waited_for(github: Github, client: Client, slept: list[float]) -> None:
    github.faults = [Fault(403, "API rate limit exceeded", {"Retry-After": "3600"})]
    with pytest.raises(ApiError, match="403: API rate limit exceeded"):
        client.get(COMMENTS)
    assert not slept


@pytest.mark.parametrize("status", [401, 403, 404])
def test_what_a_token_may_not_do_is_not_tried_again(
    github: Github, client: Client, slept: list[float], status: int
) -> None:
    github.faults = [Fault(status, "Resource not accessible by integration")]
    with pytest.raises(ApiError, match="not accessible") as caught:
        client.get(COMMENTS)
    assert caught.value.refused
    assert (len(github.asked), slept) == (1, [])


def test_no_server_is_an_error_in_one_line_without_the_token(slept: list[float]) -> None:
    client = Client("http://127.0.0.1:9", "a-secret", sleep=slept.append)
    with pytest.raises(ApiError) as caught:
        client.get("/user")
    assert "a-secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_token_goes_over_https_alone() -> None:
    with pytest.raises(UsageError, match="not an https address"):
        Client("http://api.github.com", "a-secret")


def test_the_token_is_sent_as_one(github: Github, client: Client) -> None:
    client.get(COMMENTS)
    assert github.tokens == {"Bearer a-secret"}


def test_an_answer_that_is_no_list_is_an_error(github: Github, client: Client) -> None:
    github.faults = [Fault(200, "odd")]
    with pytest.raises(ApiError, match="not a list"):
        list(client.get_all(COMMENTS))
