"""Whether a page answers, asked of real servers; and the servers that a page starts."""

import socket
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pytest_memgate.errors import MeasureError
from pytest_memgate.measure.lighthouse.answer import ask, same_page
from pytest_memgate.measure.lighthouse.page import Page
from pytest_memgate.measure.process import reaper as warden
from pytest_memgate.measure.process.server import Refusal, Server, listens
from pytest_memgate.measure.process.workspace import Workspace
from pytest_memgate.measure.service.requests import ready


class Handler(BaseHTTPRequestHandler):
    """Answers as the path says."""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0].strip("/")
        if path == "never":
            time.sleep(5)
        code = int(path) if path.isdigit() else {"moved": 302, "windows": 401}.get(path, 200)
        body = b"" if path == "empty" else self.headers.get("X-Who", "page").encode()
        self.send_response(code)
        if code == 302:
            self.send_header("Location", "/login" if path == "moved" else self.path)
        if path == "windows":
            self.send_header("WWW-Authenticate", "Negotiate")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def root() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = False  # closing it waits for them: other tests count threads
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with Workspace() as workspace:
        yield workspace


def closed_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def refusal(url: str, *, timeout_seconds: float = 5) -> Refusal:
    found = ask(url, {}, timeout_seconds=timeout_seconds)
    assert found is not None
    return found


def test_a_page_that_answers_is_not_refused(root: str) -> None:
    assert ask(f"{root}/", {}) is None
    assert ask(f"{root}/ä?q=ö#x", {}) is None


@pytest.mark.parametrize("path", ["403", "429", "windows"])
def test_what_only_a_browser_can_judge_is_left_to_it(root: str, path: str) -> None:
    assert ask(f"{root}/{path}", {}) is None


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("404", "the server answers 404 Not Found; check the URL"),
        ("401", "the server answers 401 Unauthorized; give `Authorization` in the page's settings"),
        ("302", "302: the server's redirects lead nowhere; see the server's log"),
        ("500", "the server answers 500 Internal Server Error; see the server's log"),
        ("empty", "the answer is empty, 0 bytes; see why the server sends no page"),
        ("moved", "leads to {root}/login, another page; ask for that one, allow it by `redirects`, or let"),
    ],
)
def test_each_bad_answer_has_its_line(root: str, path: str, why: str) -> None:
    assert why.format(root=root) in str(refusal(f"{root}/{path}").error())


def test_a_server_that_does_not_answer_has_its_line(root: str) -> None:
    found = refusal(f"{root}/never", timeout_seconds=0.3)
    assert found.why.endswith("/never: no answer within 0.3 s")
    assert found.for_now


def test_a_server_that_is_not_there_has_its_line() -> None:
    found = refusal(f"http://localhost:{closed_port()}/")
    assert found.why.endswith("/: nothing listens there")
    assert found.for_now


def test_a_host_that_does_not_exist_has_its_line() -> None:
    assert "the host's name is not known" in refusal("http://nowhere.invalid/").why
    assert ask("http://shop.localhost:1/", {}) is None or "nothing listens" in refusal("http://shop.localhost:1/").why


def test_a_server_that_speaks_something_else_has_its_line() -> None:
    def greet(server: socket.socket) -> None:
        with server.accept()[0] as connection:
            connection.sendall(b"SSH-2.0\r\n")

    with socket.create_server(("127.0.0.1", 0)) as server:
        speaking = threading.Thread(target=greet, args=(server,))
        speaking.start()
        assert "no answer" in refusal(f"http://127.0.0.1:{server.getsockname()[1]}/").why
        speaking.join(10)


def test_a_page_behind_a_login_need_only_answer(root: str) -> None:
    for path in ("404", "500", "empty", "moved"):
        assert ask(f"{root}/{path}", {}, any_content=True) is None


def test_a_page_that_may_redirect_is_not_refused(root: str) -> None:
    assert ask(f"{root}/moved", {}, redirects=True) is None


def test_the_page_s_own_headers_are_sent(root: str) -> None:
    found = ask(f"{root}/", {"X-Who": ""})
    assert found is not None
    assert found.why.endswith("/: the answer is empty, 0 bytes")


def test_no_proxy_is_asked_for_a_page_of_this_machine(root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert ask(f"{root}/", {}) is None


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("http://localhost:1/", "http://localhost:1"),
        ("http://localhost:1/shop", "http://localhost:1/shop/"),
        ("http://localhost:1/shop/", "http://localhost:1/shop/index.html"),
        ("http://localhost:1/", "http://localhost:1/#/home"),
        ("http://localhost:1/?a=1", "http://localhost:1/?lang=en&a=1"),
        ("http://example.com/", "https://example.com/"),
        ("http://Example.com:80/", "http://example.com/"),
        ("http://localhost:1/%7Eme", "http://localhost:1/~me"),
    ],
)
def test_small_differences_leave_a_page_the_same(asked: str, shown: str) -> None:
    assert same_page(asked, shown)


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("http://localhost:1/", "http://localhost:1/login"),
        ("http://localhost:1/", "http://localhost:2/"),
        ("http://example.com/", "http://www.example.com/"),
        ("https://example.com/", "http://example.com/"),
        ("http://localhost:1/?a=1", "http://localhost:1/?a=2"),
        ("http://localhost:1/", "chrome-error://chromewebdata/"),
    ],
)
def test_another_page_is_told_apart(asked: str, shown: str) -> None:
    assert not same_page(asked, shown)


def serving(code: str, *, ready_seconds: float = 20) -> Page:
    """Return a page whose server runs `code`, with its port in `port`."""
    prefix = "import http.server as h, sys, time; port = int(sys.argv[1]); Serve = h.SimpleHTTPRequestHandler"
    start = f'"{sys.executable}" -c "{prefix}; {code}" {{port}}'
    return Page(url="http://localhost:{port}/", start=start, ready_seconds=ready_seconds)


# For a second it answers what its argument says.
WARMING = """
import sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Warming(BaseHTTPRequestHandler):
    def do_GET(self):
        warm = time.monotonic() - began > 1.5
        self.send_response(200 if warm else int(sys.argv[2]))
        self.send_header("Location", "/starting")
        self.end_headers()
        self.wfile.write(b"<h1>Shop</h1>")

began = time.monotonic()
ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Warming).serve_forever()
"""
SERVE = "h.ThreadingHTTPServer(('127.0.0.1', port), Serve).serve_forever()"


def started(page: Page, root: Path, workspace: Workspace) -> Server:
    return Server(
        page.start,
        page.url,
        root,
        workspace,
        asked=lambda url, seconds: ask(url, {}, timeout_seconds=seconds),
        ready_seconds=page.ready_seconds,
        setting="`ready`",
    )


def test_a_server_is_waited_for_and_ended_with_its_children(tmp_path: Path, workspace: Workspace) -> None:
    page = serving(f"import subprocess; subprocess.Popen(['sleep', '600']); time.sleep(0.5); {SERVE}")
    server = started(page, tmp_path, workspace)
    assert listens(server.url)
    server.check()
    workspace.__exit__(None, None, None)
    assert not listens(server.url)
    assert not warden.belonging(workspace.folder)


def test_a_server_that_ends_is_shown_with_its_last_words(tmp_path: Path, workspace: Workspace) -> None:
    page = serving("[print(f'line {n}') for n in range(9)]; sys.exit(3)")
    expected = r"has ended, exit code 3; it said: line 4 \| line 5 \| line 6 \| line 7 \| line 8; it must stay"
    with pytest.raises(MeasureError, match=expected):
        started(page, tmp_path, workspace)


def test_a_server_that_is_never_ready_is_shown_with_its_last_words(tmp_path: Path, workspace: Workspace) -> None:
    page = serving("print('waiting for the database', flush=True); time.sleep(600)", ready_seconds=1)
    expected = "is not ready after 1 s; .* nothing listens there; it said: waiting for the database; raise"
    with pytest.raises(MeasureError, match=expected):
        started(page, tmp_path, workspace)


def test_a_server_without_the_page_is_no_server_of_it(tmp_path: Path, workspace: Workspace) -> None:
    page = serving(SERVE)
    absent = Page(url=f"{page.url}absent.html", start=page.start, ready_seconds=1)
    expected = r"is not ready after 1 s; .*absent\.html: the server answers 404 .*; raise `ready`, check the URL"
    with pytest.raises(MeasureError, match=expected):
        started(absent, tmp_path, workspace)


@pytest.mark.parametrize("answer", [404, 503, 302])
def test_a_server_that_is_warming_up_is_waited_for(tmp_path: Path, workspace: Workspace, answer: int) -> None:
    (tmp_path / "warm.py").write_text(WARMING, encoding="utf-8")
    page = Page(url="http://localhost:{port}/", start=f'"{sys.executable}" warm.py {{port}} {answer}')
    begun = time.monotonic()
    started(page, tmp_path, workspace)
    assert time.monotonic() - begun >= 1


@pytest.mark.parametrize(("path", "waits"), [("404", True), ("503", True), ("401", False)])
def test_a_service_is_waited_for_as_a_page_is(root: str, path: str, waits: bool) -> None:
    found = ready(f"/{path}")(root, 5)
    assert found is not None
    assert found.for_now is waits


def test_a_server_that_asks_for_a_login_is_not_waited_for(tmp_path: Path, workspace: Workspace) -> None:
    (tmp_path / "warm.py").write_text(WARMING, encoding="utf-8")
    page = Page(url="http://localhost:{port}/", start=f'"{sys.executable}" warm.py {{port}} 401')
    with pytest.raises(MeasureError, match="the server answers 401 Unauthorized; give `Authorization`"):
        started(page, tmp_path, workspace)


def test_a_server_that_dies_later_is_told(tmp_path: Path, workspace: Workspace) -> None:
    dying = "import threading, os; threading.Timer(1, lambda: os._exit(7)).start()"
    server = started(serving(f"{dying}; {SERVE}"), tmp_path, workspace)
    time.sleep(1.5)
    with pytest.raises(MeasureError, match="has ended, exit code 7"):
        server.check()


def test_another_server_at_the_same_place_is_not_measured_instead(
    root: str, tmp_path: Path, workspace: Workspace
) -> None:
    with pytest.raises(
        MeasureError, match=r"something already listens there .* instead of `npm start`; end it, or put"
    ):
        started(Page(url=root, start="npm start"), tmp_path, workspace)
