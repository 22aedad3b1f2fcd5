"""The request log: what it says, and that the application still gets the whole body."""

import hashlib

from flask.testing import FlaskClient


def test_a_request_is_logged_with_its_size_and_digest(client: FlaskClient) -> None:
    body = b"tea,12\n" * 5000
    client.post("/deliveries", data=body)
    logged = {"method": "POST", "path": "/deliveries", "size": 35_000, "digest": hashlib.sha256(body).hexdigest()[:12]}
    answer = client.get("/requests").json
    assert answer is not None
    assert answer["requests"][0] == logged


def test_a_request_without_a_body_is_logged_too(client: FlaskClient) -> None:
    client.get("/stock")
    answer = client.get("/requests").json
    assert answer is not None
    assert [(entry["path"], entry["size"]) for entry in answer["requests"]] == [("/stock", 0), ("/requests", 0)]


def test_the_log_holds_the_last_hundred_requests(client: FlaskClient) -> None:
    for _ in range(120):
        client.get("/stock")
    answer = client.get("/requests").json
    assert answer is not None
    assert len(answer["requests"]) == 100
