"""GitHub's API as far as comments need it, on loopback: pages, faults to order, and a record of what was asked."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True, slots=True)
class Fault:
    """An answer in place of the true one; `after` is done all the same, as by a server whose answer is lost."""

    status: int
    message: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    done: bool = False
    method: str = ""


@dataclass(slots=True)
class Github:
    """One repository's comments and pull requests."""

    comments: list[dict[str, Any]] = field(default_factory=list)
    pulls: list[dict[str, Any]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    elsewhere: str = ""  # where the next page of every list is said to be
    user: str = ""
    url: str = ""

    def comment(self, body: str, *, login: str = "github-actions[bot]", kind: str = "Bot") -> dict[str, Any]:
        number = len(self.comments) + 1
        made = {"id": number, "body": body, "user": {"login": login, "type": kind}, "html_url": f"https://x/c{number}"}
        self.comments.append(made)
        return made

    def pull(self, number: int, head: str, *, state: str = "open", repository: str = "shop/shop") -> None:
        base = {"repo": {"full_name": repository}}
        self.pulls.append({"number": number, "state": state, "head": {"sha": head}, "base": base})

    def answer(self, method: str, path: str, query: dict[str, list[str]], data: Any) -> tuple[int, Any]:
        parts = path.strip("/").split("/")
        if method == "POST" and parts[-1] == "comments":
            return 201, self.comment(data["body"])
        if method == "PATCH":
            found = [one for one in self.comments if str(one["id"]) == parts[-1]]
            if not found:
                return 404, {"message": "Not Found"}
            found[0]["body"] = data["body"]
            return 200, found[0]
        if path == "/user":
            return (200, {"login": self.user}) if self.user else (403, {"message": "Resource not accessible"})
        if path == "/repos/shop/shop/pulls":
            return 200, self.pulls if query.get("head") else []
        lists = {"comments": self.comments, "pulls": self.pulls}
        return (200, lists[parts[-1]]) if parts[-1] in lists else (404, {"message": "Not Found"})


class _Handler(BaseHTTPRequestHandler):
    github: Github

    def log_message(self, *_: object) -> None: ...

    def _do(self) -> None:
        github = self.github
        size = int(self.headers.get("Content-Length") or 0)
        data = json.loads(self.rfile.read(size)) if size else None
        parts = urlsplit(self.path)
        query = parse_qs(parts.query)
        github.asked.append(f"{self.command} {self.path}")
        github.tokens.add(self.headers.get("Authorization", ""))
        fault = github.faults[0] if github.faults and github.faults[0].method in {"", self.command} else None
        if fault:
            github.faults.pop(0)
            if fault.done:
                github.answer(self.command, parts.path, query, data)
            self._send(fault.status, {"message": fault.message}, fault.headers)
            return
        status, found = github.answer(self.command, parts.path, query, data)
        headers = {}
        if isinstance(found, list):
            size, page = int(query.get("per_page", ["30"])[0]), int(query.get("page", ["1"])[0])
            if len(found) > page * size:
                more = "&".join(f"{name}={value[0]}" for name, value in query.items() if name != "page")
                place = github.elsewhere or f"{github.url}{parts.path}?{more}"
                headers["Link"] = f'<{github.url}/first>; rel="first", <{place}&page={page + 1}>; rel="next"'
            found = found[(page - 1) * size : page * size]
        self._send(status, found, headers)

    def _send(self, status: int, data: Any, headers: dict[str, str]) -> None:
        body = json.dumps(data).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PATCH = _do  # noqa: N815  # the names that the server looks for


@contextmanager
def fake_github() -> Iterator[Github]:
    """Serve a repository's API until the end of the block."""
    github = Github()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"github": github}))
    server.daemon_threads = False  # closing it waits for them: other tests count threads
    github.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield github
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
