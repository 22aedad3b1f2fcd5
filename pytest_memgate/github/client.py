"""GitHub's REST API: pages, limits and passing faults are handled here; any other fault is an error in one line."""

import http.client
import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import Message
from typing import IO, Any
from urllib.parse import urlsplit

from pytest_memgate.errors import MemgateError, UsageError

PER_PAGE = 100  # items: the most that GitHub gives
_PAGES = 100  # of one list: more mean that something is wrong; chosen
_TRIES = 4  # of one request; chosen
_TIMEOUT = 20  # seconds without an answer; chosen
_LONGEST = 60.0  # seconds to wait for a limit, as a job costs money; chosen
_LARGEST = 20_000_000  # bytes of one answer; chosen
_NEXT = re.compile(r'<([^<>]+)>\s*;[^,]*\brel="?next"?')


class ApiError(MemgateError):
    """A request that the API did not carry out; `status` is that of its answer, 0 without an answer."""

    exit_code = 3

    def __init__(self, message: str, *, status: int = 0, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = status

    @property
    def refused(self) -> bool:
        """True if the token may not do it: GitHub also answers 404 for things that a token may not see."""
        return self.status in {401, 403, 404}


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: Message
    body: bytes

    def data(self) -> Any:
        """Return the JSON data of the answer."""
        try:
            return json.loads(self.body) if self.body else None
        except (ValueError, RecursionError):
            return None

    @property
    def message(self) -> str:
        """The message of an answer that is an error."""
        data = self.data()
        said = data.get("message") if isinstance(data, dict) else None
        return said if isinstance(said, str) else ""


class _SamePlace(urllib.request.HTTPRedirectHandler):
    """Follows a redirect, as that of a renamed repository, only where the token may go: to the same server."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        """Return the redirected request, None if it leads to another server."""
        old, new = urlsplit(req.full_url), urlsplit(newurl)
        if (old.scheme, old.netloc) != (new.scheme, new.netloc):
            return None
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class Client:
    """The API at `url`, with a token's rights; the token is never shown."""

    def __init__(self, url: str, token: str, *, sleep: Callable[[float], None] = time.sleep) -> None:
        parts = urlsplit(url)
        if parts.scheme != "https" and parts.hostname not in {"127.0.0.1", "localhost", "::1"}:
            raise UsageError(f"GITHUB_API_URL {url!r}: not an https address", hint="a token goes nowhere else")
        self._url = url.rstrip("/")
        self._token = token
        self._sleep = sleep
        self._open = urllib.request.build_opener(_SamePlace()).open

    def get(self, path: str) -> Any:
        """Return the data of one address; raises ApiError."""
        return self._ask("GET", f"{self._url}{path}").data()

    def get_all(self, path: str) -> Iterator[Any]:
        """Yield the items of a list, of all its pages; raises ApiError."""
        url = f"{self._url}{path}{'&' if '?' in path else '?'}per_page={PER_PAGE}"
        for _ in range(_PAGES):
            answer = self._ask("GET", url)
            items = answer.data()
            if not isinstance(items, list):
                raise ApiError(f"GET {path}: not a list", status=answer.status)
            yield from items
            found = _NEXT.search(answer.headers.get("Link", ""))
            if not found:
                return
            url = found[1]
            if not url.startswith(f"{self._url}/"):
                raise ApiError(f"GET {path}: its next page is elsewhere: {url}")

    def patch(self, path: str, data: Any) -> Any:
        """Change something; return its data; raises ApiError."""
        return self._ask("PATCH", f"{self._url}{path}", data).data()

    def post(self, path: str, data: Any) -> Any:
        """Create something, once; raises ApiError.

        If the answer was lost it may have been created: the caller has to look.
        """
        return self._ask("POST", f"{self._url}{path}", data).data()

    def _ask(self, method: str, url: str, data: Any = None) -> _Answer:
        what = f"{method} {url.removeprefix(self._url)}"
        for tried in range(1, _TRIES + 1):
            try:
                answer = self._send(method, url, data)
            except (OSError, http.client.HTTPException) as error:
                if method == "POST" or tried == _TRIES:
                    raise ApiError(f"{what}: {getattr(error, 'reason', None) or error}") from error
                self._sleep(2.0 ** (tried - 1))
                continue
            if 200 <= answer.status < 300:
                return answer
            wait = _wait(answer, tried)
            if wait is None or tried == _TRIES or (method == "POST" and answer.status >= 500):
                said = f": {answer.message}" if answer.message else ""
                raise ApiError(f"{what}: {answer.status}{said}", status=answer.status)
            self._sleep(wait)
        raise AssertionError  # pragma: no cover  # the last try returns or raises

    def _send(self, method: str, url: str, data: Any) -> _Answer:
        body = None if data is None else json.dumps(data).encode()
        headers = {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {self._token}",
            "Content-Type": "application/json",
            "User-Agent": "pytest-memgate",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        request = urllib.request.Request(url, body, headers, method=method)  # noqa: S310  # the scheme was looked at
        try:
            with self._open(request, timeout=_TIMEOUT) as answer:
                return _Answer(answer.status, answer.headers, answer.read(_LARGEST))
        except urllib.error.HTTPError as error:
            with error:
                return _Answer(error.code, error.headers, error.read(_LARGEST))


def _wait(answer: _Answer, tried: int) -> float | None:
    """Return the seconds to wait before asking again, None if asking again is useless."""
    if answer.status >= 500:
        return 2.0 ** (tried - 1)
    if answer.status not in {403, 429}:
        return None
    after, left = answer.headers.get("Retry-After", ""), answer.headers.get("X-RateLimit-Remaining", "")
    if after.isdecimal():
        wait = float(after)
    elif left == "0" and answer.headers.get("X-RateLimit-Reset", "").isdecimal():
        wait = float(answer.headers["X-RateLimit-Reset"]) - time.time()
    elif "rate limit" in answer.message.lower():
        wait = 10.0 * tried
    else:
        return None
    return max(wait, 1.0) if wait <= _LONGEST else None
