"""The report of the day."""

from flask.testing import FlaskClient


def test_a_day_without_orders_has_a_report(client: FlaskClient) -> None:
    assert client.get("/report").json == {"orders": 0}


def test_the_report_has_the_mean_and_the_median(client: FlaskClient) -> None:
    for quantity in (1, 1, 4):
        client.post("/orders", json={"customer": "Ada", "lines": [{"article": "tea", "quantity": quantity}]})
    assert client.get("/report").json == {"orders": 3, "mean": 1770.0, "median": 1130}
