"""A fresh shop for each test."""

import pytest
from flask.testing import FlaskClient
from shop.app import create_app


@pytest.fixture
def client() -> FlaskClient:
    return create_app().test_client()
