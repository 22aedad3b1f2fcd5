"""What a service is sent: requests in words, a file of them, or a function's name."""

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import quote

from pytest_memgate.errors import ConfigError

FILE = ".http"
_FUNCTION = re.compile(r"[\w.]+:\w+")
_REQUEST = re.compile(r"(?:([A-Z]+)\s+)?(\S+)(?:\s+HTTP/[\d.]+)?(?:\s+(.+))?", re.DOTALL)
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_FORMS = '"/path", "POST /path {"json": 1}", FILE.http or MODULE:FUNCTION'


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request to a path of the service."""

    method: str
    path: str
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def words(self) -> str:
        """The request in messages."""
        return f"{self.method} {self.path}"


def is_function(text: str) -> bool:
    """True if a text names a function: `tests.load:send`."""
    return bool(_FUNCTION.fullmatch(text))


def parse_request(text: str) -> Request:
    """Return the request of `/path` or `POST /path {"json": 1}`; raises ConfigError for what is none."""
    found = _REQUEST.fullmatch(text.strip())
    method, path, body = found.groups() if found else ("", "", "")
    if not path.startswith("/") or (method or "GET") not in _METHODS:
        raise ConfigError(f"not a request: {text!r:.80}", hint=f"it is one of {_FORMS}")
    headers = {"Content-Type": "application/json"} if body and _is_json(body) else {}
    path = quote(path, safe="%/:?#[]@!$&'()*+,;=~")
    return Request(method=method or "GET", path=path, body=body.encode() if body else None, headers=headers)


def read_scenario(text: str, where: str) -> tuple[Request, ...]:
    """Return the requests of an .http file, which `###` parts; raises ConfigError where it holds none, or a wrong one.

    A request is a line `METHOD PATH`, lines of headers and, after an empty line, its body.
    """
    requests = []
    for part in re.split(r"^###.*$", text, flags=re.MULTILINE):
        lines = [line for line in part.strip().splitlines() if not re.match(r"(#|//)", line)]
        if not lines:
            continue
        head, _, body = "\n".join(lines).strip().partition("\n\n")
        first, *rest = head.splitlines()
        try:
            request = parse_request(re.sub(r"https?://[^/\s]+|\{\{\w+\}\}", "", first, count=1))
        except ConfigError as error:
            raise ConfigError(f"{where}: {error.args[0]}", hint="it looks like POST /path") from error
        headers = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
        requests.append(
            Request(method=request.method, path=request.path, body=body.strip().encode() or None, headers=headers)
        )
    if not requests:
        raise ConfigError(f"{where}: no request is in it", hint="it looks like POST /path")
    return tuple(requests)


def _is_json(text: str) -> bool:
    with suppress(ValueError):
        json.loads(text)
        return True
    return False
