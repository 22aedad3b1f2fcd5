"""The routes: orders come in as JSON, deliveries as CSV."""

import csv
import io
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from flask import Flask, abort, request
from werkzeug.exceptions import HTTPException

from shop import baskets, report
from shop.middleware import RequestLog
from shop.prices import UnknownArticleError, total
from shop.store import Store

_Answer = tuple[dict[str, Any], int]


def create_app() -> Flask:
    """Return the service with an empty store."""
    app = Flask("shop")
    store = Store()
    log = RequestLog(app.wsgi_app)
    app.wsgi_app = log  # type: ignore[method-assign]  # as Flask's documentation adds a middleware

    @app.post("/orders")
    def place_order() -> _Answer:
        customer, lines = _order(request.get_json(cache=False))
        return asdict(store.place(customer, lines, total(lines))), 201

    @app.get("/orders/<int:number>")
    def show_order(number: int) -> dict[str, Any]:
        return asdict(store.orders[number]) if number in store.orders else abort(404, f"no order {number}")

    @app.get("/report")
    def show_report() -> dict[str, Any]:
        return dict(report.summary([order.total for order in store.orders.values()]))

    @app.post("/deliveries")
    def take_delivery() -> _Answer:
        return {"pieces": store.deliver(_csv_lines())}, 201

    @app.get("/stock")
    def show_stock() -> dict[str, int]:
        return dict(store.stock)

    @app.get("/requests")
    def show_requests() -> dict[str, Any]:
        return {"requests": [asdict(entry) for entry in log.recent]}

    @app.errorhandler(UnknownArticleError)
    def unknown_article(error: UnknownArticleError) -> _Answer:
        return {"error": f"unknown article: {error}"}, 422

    @app.errorhandler(HTTPException)
    def failed(error: HTTPException) -> _Answer:
        return {"error": error.description}, error.code or 500

    _take_baskets(app)
    return app


def _take_baskets(app: Flask) -> None:
    @app.post("/baskets")
    def greet() -> _Answer:
        return {"visitor": baskets.new_visitor()}, 201

    @app.post("/baskets/<visitor>")
    def put_in_basket(visitor: str) -> dict[str, Any]:
        (line,) = _lines([request.get_json()])
        return dict(baskets.put(visitor, *line))


def _order(sent: Any) -> tuple[str, list[tuple[str, int]]]:
    try:
        return str(sent["customer"]), _lines(sent["lines"])
    except (KeyError, TypeError):
        abort(400, "an order has a customer and lines of article and quantity")


def _lines(sent: Any) -> list[tuple[str, int]]:
    try:
        return [(line["article"], int(line["quantity"])) for line in sent]
    except (KeyError, TypeError, ValueError):
        abort(400, "a line has an article and a quantity")


def _csv_lines() -> Iterator[tuple[str, int]]:
    """Yield a delivery's lines while its body is read: it may be long."""
    text = io.TextIOWrapper(io.BufferedReader(request.stream), encoding="utf-8")  # type: ignore[type-var]
    try:
        for article, quantity in csv.reader(text):
            yield article, int(quantity)
    except ValueError:
        abort(400, "a delivery has lines of article,quantity")
