"""Whether a page answers: a plain request by us, before Lighthouse takes minutes to find out."""

import http.client
import ipaddress
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlsplit

from pytest_memgate.measure.process.server import Refusal, port_of

TIMEOUT_SECONDS = 20.0  # for one request; chosen

_GONE = (404, 410)
_MOVED = range(300, 400)  # an error only in a circle: urllib follows the others
LOG_IN = "give `Authorization` in the page's settings: {extraHeaders: {Authorization: …}}"
_OF_THE_MACHINE = ("negotiate", "ntlm")  # ways to log in that Chrome may know by itself


def ask(
    url: str,
    headers: Mapping[str, str],
    *,
    any_content: bool = False,
    redirects: bool = False,
    timeout_seconds: float = TIMEOUT_SECONDS,
) -> Refusal | None:
    """Request a page; return what is wrong with its answer, None if nothing is.

    With `any_content` any answer will do: a login script may let Chrome in where we stay outside. With `redirects` the
    answer may be another page's. Things that only a
    browser can judge, such as a certificate or a 403, are left to Chrome. An answer that a server may give while it
    starts is one `for_now`.
    """
    plain = quote(url, safe="%/:?#[]@!$&'()*+,;=~")
    request = urllib.request.Request(plain, headers={"Accept": "text/html,*/*", **headers})  # noqa: S310
    try:
        with _opener(url).open(request, timeout=timeout_seconds) as response:
            shown, first = response.geturl(), response.read(1)
    except urllib.error.HTTPError as error:
        with error:
            return None if any_content else _bad_status(url, error)
    except (OSError, http.client.HTTPException) as error:
        return _no_answer(url, error, timeout_seconds)
    if any_content:
        return None
    if not redirects and not same_page(url, shown):
        hint = "ask for that one, allow it by `redirects`, or let Lighthouse log in first"
        return Refusal(f"{url} leads to {shown}, another page", hint, for_now=True)
    if not first:
        return Refusal(f"{url}: the answer is empty, 0 bytes", "see why the server sends no page", for_now=True)
    return None


def same_page(asked: str, shown: str) -> bool:
    """True if the URL of the final page is the page asked for.

    It may have gained a slash, the index file's name, a query, a fragment, or the s of https.
    """
    a, b = urlsplit(asked), urlsplit(shown)
    if (a.hostname or "").lower() != (b.hostname or "").lower():
        return False
    secured = (a.scheme, b.scheme) == ("http", "https") and not a.port and not b.port
    if not secured and (a.scheme != b.scheme or port_of(a) != port_of(b)):
        return False
    return _path(a) == _path(b) and set(parse_qsl(a.query)) <= set(parse_qsl(b.query))


def _path(parts: SplitResult) -> str:
    path = unquote(parts.path)
    for index in ("index.html", "index.htm"):
        if path.endswith(f"/{index}"):
            path = path.removesuffix(index)
    return path.rstrip("/")


def _opener(url: str) -> urllib.request.OpenerDirector:
    # Chrome judges certificates by its own store; ours may lack what that has.
    handlers: list[urllib.request.BaseHandler] = [
        urllib.request.HTTPSHandler(context=ssl._create_unverified_context()),  # noqa: S323, SLF001
        urllib.request.HTTPCookieProcessor(),  # a page may set a cookie and lead to itself
    ]
    if _is_loopback(urlsplit(url).hostname or ""):  # Chrome asks no proxy for it either
        handlers.append(urllib.request.ProxyHandler({}))
    return urllib.request.build_opener(*handlers)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _bad_status(url: str, error: urllib.error.HTTPError) -> Refusal | None:
    why = f"{url}: the server answers {error.code} {error.reason}"
    if error.code == 401 and not (error.headers.get("WWW-Authenticate") or "").lower().startswith(_OF_THE_MACHINE):
        return Refusal(why, LOG_IN)
    if error.code in _GONE:
        return Refusal(why, "check the URL", for_now=True)
    if error.code in _MOVED:
        return Refusal(f"{url}: the server's redirects lead nowhere", "see the server's log", for_now=True)
    return Refusal(why, "see the server's log", for_now=True) if error.code >= 500 else None


def _no_answer(url: str, error: Exception, timeout_seconds: float) -> Refusal | None:
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(reason, TimeoutError):
        return Refusal(
            f"{url}: no answer within {timeout_seconds:.1f} s", "see what the server waits for", for_now=True
        )
    if isinstance(reason, socket.gaierror):
        if _is_loopback(urlsplit(url).hostname or ""):  # Chrome knows shop.localhost by itself
            return None
        return Refusal(f"{url}: the host's name is not known", "check the URL")
    if isinstance(reason, ConnectionRefusedError):
        return Refusal(f"{url}: nothing listens there", "start the server first, or give `start`", for_now=True)
    return Refusal(f"{url}: no answer: {reason or type(reason).__name__}", "see the server's log", for_now=True)
