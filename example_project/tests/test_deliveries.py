"""Deliveries over HTTP: one, a wrong one, and a day of them."""

from flask.testing import FlaskClient
from sending import send


def test_a_delivery_is_added_to_the_stock(client: FlaskClient) -> None:
    assert client.post("/deliveries", data="tea,12\nhoney,3\ntea,8\n").json == {"pieces": 23}
    assert client.get("/stock").json == {"tea": 20, "honey": 3}


def test_a_delivery_that_is_not_csv_is_refused(client: FlaskClient) -> None:
    assert client.post("/deliveries", data="tea\n").status_code == 400


def test_a_day_of_deliveries(client: FlaskClient) -> None:
    delivery = b"tea,12\nhoney,3\ncoffee,24\n" * 1500
    for _ in range(15):
        assert send(client, "/deliveries", "text/csv", delivery).json == {"pieces": 58_500}
    assert client.get("/stock").json == {"tea": 270_000, "honey": 67_500, "coffee": 540_000}
