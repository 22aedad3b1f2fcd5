"""A running Python service tells Prometheus what it holds: live blocks, bytes, collections and their pauses, requests.

Needs prometheus-client: `pip install "pytest-memgate[services]"`.
"""

from pytest_memgate.live.collector import LiveCollector
from pytest_memgate.live.middleware import count_asgi, count_wsgi
from pytest_memgate.live.server import start

__all__ = ["LiveCollector", "count_asgi", "count_wsgi", "start"]
