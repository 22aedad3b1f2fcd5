"""The server that several checks in a row share: started once, ended before another one starts."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_memgate.errors import MeasureError
from pytest_memgate.measure.lighthouse.answer import ask
from pytest_memgate.measure.process.server import Refusal, Server, listens
from pytest_memgate.measure.process.shared_server import SharedServer

SERVE = """
import http.server, os, sys
from pathlib import Path

Path(f"started-{os.getpid()}").touch()
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), http.server.SimpleHTTPRequestHandler).serve_forever()
"""
START = f'"{sys.executable}" serve.py {{port}}'
HOME = "http://127.0.0.1:{port}/"


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[SharedServer]:
    (tmp_path / "serve.py").write_text(SERVE, encoding="utf-8")
    shared = SharedServer()
    yield shared
    shared.end()


def serve(shared: SharedServer, root: Path, start: str = START, url: str = HOME) -> Server:
    def asked(url: str, seconds: float) -> Refusal | None:
        return ask(url, {}, timeout_seconds=seconds)

    return shared.serve(start, url, root, asked=asked, ready_seconds=1 if "absent" in url else 20, setting="`ready`")


def starts(root: Path) -> int:
    return len(list(root.glob("started-*")))


def test_pages_of_one_command_are_served_by_one_process(shared: SharedServer, tmp_path: Path) -> None:
    first, second = serve(shared, tmp_path), serve(shared, tmp_path, url=f"{HOME}serve.py")
    assert second.url == f"{first.url}serve.py"
    assert starts(tmp_path) == 1
    second.check()


def test_another_command_has_the_place_for_itself(shared: SharedServer, tmp_path: Path) -> None:
    first = serve(shared, tmp_path)
    second = serve(shared, tmp_path, start=f"{START} again")
    assert starts(tmp_path) == 2
    assert not listens(first.url)
    assert listens(second.url)
    shared.end()
    assert not listens(second.url)


def test_a_page_that_is_not_there_leaves_the_server_to_the_next(shared: SharedServer, tmp_path: Path) -> None:
    serve(shared, tmp_path)
    with pytest.raises(MeasureError, match=r"/absent: the server answers 404"):
        serve(shared, tmp_path, url=f"{HOME}absent")
    serve(shared, tmp_path)
    assert starts(tmp_path) == 1


def test_a_server_that_has_ended_is_started_again(shared: SharedServer, tmp_path: Path) -> None:
    first = serve(shared, tmp_path)
    first.job.end()
    assert listens(serve(shared, tmp_path).url)
    assert starts(tmp_path) == 2


def test_a_command_that_does_not_serve_leaves_nothing(shared: SharedServer, tmp_path: Path) -> None:
    with pytest.raises(MeasureError, match="has ended, exit code 3"):
        serve(shared, tmp_path, start="exit 3")
    assert starts(tmp_path) == 0
    assert listens(serve(shared, tmp_path).url)
