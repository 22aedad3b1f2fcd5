"""Orders over HTTP: one, wrong ones, and an hour of them."""

import json

from flask.testing import FlaskClient
from sending import send

ARTICLES = ("apples", "bread", "coffee", "honey", "tea")


def order(customer: str, lines: int) -> dict[str, object]:
    return {
        "customer": customer,
        "lines": [{"article": ARTICLES[place % len(ARTICLES)], "quantity": 1} for place in range(lines)],
    }


def test_an_order_is_kept_with_its_total(client: FlaskClient) -> None:
    placed = client.post("/orders", json=order("Ada", lines=2))
    assert placed.status_code == 201
    assert client.get("/orders/1").json == {"number": 1, "customer": "Ada", "articles": 2, "total": 1260}


def test_an_order_of_an_unknown_article_is_refused(client: FlaskClient) -> None:
    answer = client.post("/orders", json={"customer": "Ada", "lines": [{"article": "gold", "quantity": 1}]})
    assert (answer.status_code, answer.json) == (422, {"error": "unknown article: gold"})
    assert client.get("/orders/1").status_code == 404


def test_an_order_without_lines_is_refused(client: FlaskClient) -> None:
    assert client.post("/orders", json={"customer": "Ada"}).status_code == 400


def test_an_hour_of_orders(client: FlaskClient) -> None:
    for number in range(1, 101):
        customer = f"Restaurant {number}"
        body = json.dumps(order(customer, lines=150)).encode()
        placed = send(client, "/orders", "application/json", body)
        assert placed.json == {"number": number, "customer": customer, "articles": 150, "total": 104400}
