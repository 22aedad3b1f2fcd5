"""What a service is to be sent, as words and as a file."""

import pytest

from pytest_memgate.errors import ConfigError
from pytest_memgate.measure.service.scenario import Request, is_function, parse_request, read_scenario


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        ("/", Request(method="GET", path="/")),
        ("/a b?q=ä&x=1", None),
        ("DELETE /orders/1", Request(method="DELETE", path="/orders/1")),
        ("GET /ä", Request(method="GET", path="/%C3%A4")),
        (
            'POST /orders {"lines": [1, 2]}',
            Request(
                method="POST",
                path="/orders",
                body=b'{"lines": [1, 2]}',
                headers={"Content-Type": "application/json"},
            ),
        ),
        ("PUT /text some words", Request(method="PUT", path="/text", body=b"some words")),
    ],
)
def test_a_request_in_words(text: str, request_: Request | None) -> None:
    if request_ is None:
        assert parse_request(text).body == b"b?q=\xc3\xa4&x=1"
    else:
        assert parse_request(text) == request_


@pytest.mark.parametrize("text", ["", "orders", "GRAB /", "http://shop/", "get /", "POST"])
def test_what_is_no_request_is_said_in_a_line(text: str) -> None:
    with pytest.raises(ConfigError, match=r"not a request: .*; it is one of") as caught:
        parse_request(text)
    assert "\n" not in str(caught.value)


def test_a_function_is_told_from_requests() -> None:
    assert is_function("tests.load:send")
    assert not any(map(is_function, ("/a:b", "load.http", "POST /a:b", "load")))


SCENARIO = """\
### an order
# @name order
POST http://localhost:8000/orders HTTP/1.1
Content-Type: application/json
X-Who: me

{
  "lines": []
}

###
GET {{host}}/orders/1

### the end
"""


def test_a_file_of_requests_as_editors_write_it() -> None:
    order, show = read_scenario(SCENARIO, "load.http")
    assert order == Request(
        method="POST",
        path="/orders",
        body=b'{\n  "lines": []\n}',
        headers={"Content-Type": "application/json", "X-Who": "me"},
    )
    assert show == Request(method="GET", path="/orders/1")


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "no request is in it"), ("### a\n", "no request is in it"), ("orders", "not a request: 'orders'")],
)
def test_a_file_without_requests_is_said_with_its_name(text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=f"load.http: {words}"):
        read_scenario(text, "load.http")
