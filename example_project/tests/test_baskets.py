"""Baskets: what a visitor puts in, over HTTP, and those of visitors who look and leave."""

from typing import Any

from flask.testing import FlaskClient
from shop import baskets


def test_what_a_visitor_puts_in_is_added_up(client: FlaskClient) -> None:
    started = client.post("/baskets").json
    assert started is not None
    path = f"/baskets/{started['visitor']}"
    assert client.post(path, json={"article": "tea", "quantity": 2}).json == {"tea": 2}
    assert client.post(path, json={"article": "tea", "quantity": 1}).json == {"tea": 3}


def test_hundreds_of_visitors_look_and_leave() -> None:
    for _ in range(600):
        assert baskets.put(baskets.new_visitor(), "honey", 1) == {"honey": 1}
    assert baskets.count() >= 100


def test_a_visitor_leaves_nothing_behind(memgate: Any) -> None:
    memgate.leak(lambda: baskets.put(baskets.new_visitor(), "honey", 1))
