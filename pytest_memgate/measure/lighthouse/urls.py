"""Names of a page's resources that stay the same from build to build and from machine to machine."""

import re
from collections.abc import Iterable
from urllib.parse import SplitResult, urlsplit

# What bundlers put into a file's name: Rollup and Vite eight characters of base64url, esbuild eight of base32, webpack
# and others hexadecimal digits; after `-`, `.` or `_`, or as the whole name.
_EXTENSION = re.compile(r"((?:\.(?:min|chunk|module|bundle|esm|iife|legacy|modern))*\.[A-Za-z0-9]{1,5}(?:\.map)?)$")
_LAST_EIGHT = re.compile(r"^(.*)([-._])([A-Za-z0-9_-]{8})$")
_HEXADECIMAL = re.compile(r"^(?:(.*)([-._]))?([0-9a-fA-F]{8,64})$")
_WORD = re.compile(r"^(?:[a-z]*(?:[A-Z][a-z]{2,})*\d{0,2}|\d*)$")
_LONG = re.compile(r"^(?=.*\d)[A-Za-z0-9_-]{16,}$")


def names(urls: Iterable[str], page: str) -> dict[str, str]:
    """Return a stable name for each URL that the page at `page` loads.

    Its own origin is left out (`/assets/app-*.js`), and the scheme of others. A query stays only if it tells two
    resources of one path apart.
    """
    own = urlsplit(page)
    parts = {url: urlsplit(url) for url in dict.fromkeys(urls)}
    paths = {url: _place(part, own) for url, part in parts.items()}
    queries: dict[str, set[str]] = {}
    for url, path in paths.items():
        queries.setdefault(path, set()).add(parts[url].query)
    return {url: _with_query(path, parts[url].query, queries[path]) for url, path in paths.items()}


def origin(url: str) -> tuple[str, str]:
    """Return the scheme and the host, with its port, of a URL."""
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def without_hash(path: str) -> str:
    """Return a path with `*` for each part that changes from build to build."""
    *folders, file = path.split("/")
    return "/".join([*("*" if _is_hash(part) else part for part in folders), _file(file)])


def _place(part: SplitResult, own: SplitResult) -> str:
    if part.scheme not in {"http", "https"}:
        return f"{part.scheme}:"
    path = without_hash(part.path or "/")
    return path if (part.scheme, part.netloc) == (own.scheme, own.netloc) else f"{part.netloc}{path}"


def _with_query(path: str, query: str, others: set[str]) -> str:
    if len(others) == 1 or not query:
        return path
    return f"{path}?{re.sub(r'=([^&]+)', _value, query)}"


def _value(found: re.Match[str]) -> str:
    """Return a query's value, or `*` for a time stamp, a random number or a hash."""
    value = found.group(1)
    return "=*" if re.fullmatch(r"[\d.]{9,}", value) or _is_hash(value) else f"={value}"


def _file(name: str) -> str:
    extension = found.group(1) if (found := _EXTENSION.search(name)) else ""
    stem = name.removesuffix(extension)
    for pattern in (_HEXADECIMAL, _LAST_EIGHT):
        match = pattern.match(stem)
        if match and _looks_random(match.group(3)):
            before, separator = match.group(1) or "", match.group(2) or ""
            return f"{before}{separator}*{extension}"
    return name


def _is_hash(part: str) -> bool:
    return bool(_HEXADECIMAL.match(part) and not re.search(r"[-._]", part) and _looks_random(part)) or bool(
        _LONG.match(part) and _looks_random(part)
    )


def _looks_random(text: str) -> bool:
    """True if nobody would give a file this name: no row of words and numbers, or hexadecimal with a digit."""
    return not all(map(_WORD.match, re.split("[-_]", text))) or bool(re.fullmatch(r"[0-9a-f]*\d[0-9a-f]*", text))
