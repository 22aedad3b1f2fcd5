"""Posts a body and lets go of it, as a server does; what the test client gets as `data` or `json` it keeps longer."""

import io

from flask.testing import FlaskClient
from werkzeug.test import TestResponse


def send(client: FlaskClient, path: str, content_type: str, body: bytes) -> TestResponse:
    with io.BytesIO(body) as stream:
        return client.post(path, content_type=content_type, input_stream=stream, content_length=len(body))
