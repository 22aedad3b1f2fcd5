"""The scripts and styles that an HTML page of a build loads by itself, whatever the bundler knows of them."""

import posixpath
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

_SCRIPTS = {"", "module", "text/javascript", "application/javascript", "text/ecmascript", "application/ecmascript"}
_STYLES = {"stylesheet", "modulepreload"}
_PRELOADED = {"script", "style"}


def local_files(page: str, content: bytes, base: Path) -> Iterator[str]:
    """Yield the paths below `base` of the local files that a browser loads for the page at the path `page` below it.

    These are scripts and styles that its tags name; of the start of an absolute URL, folders that are not there are
    taken for the public path. What is not on disk is not yielded.
    """
    reader = _Tags()
    reader.feed(content.decode("utf-8", "replace"))
    for url in reader.urls:
        parts = urlsplit(url)
        if parts.scheme or parts.netloc or not parts.path:
            continue
        path = unquote(parts.path)
        if path.startswith("/"):
            folders = path.strip("/").split("/")
            places = ["/".join(folders[start:]) for start in range(len(folders))]
        else:
            places = [posixpath.normpath(posixpath.join(posixpath.dirname(page), path))]
        yield from [place for place in places if not place.startswith("../") and (base / place).is_file()][:1]


class _Tags(HTMLParser):
    """Collects the URLs of scripts and styles, without those for browsers that know no modules or run no scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.urls: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in {"noscript", "template"}:
            self._unseen += 1
        elif not self._unseen and (url := _url(tag, given)):
            self.urls.append(url.strip())

    def handle_endtag(self, tag: str) -> None:
        if tag in {"noscript", "template"}:
            self._unseen = max(0, self._unseen - 1)


def _url(tag: str, given: dict[str, str]) -> str:
    """Return the URL of the script or style that a tag loads, empty if it loads none."""
    if tag == "script" and "nomodule" not in given and given.get("type", "").strip().lower() in _SCRIPTS:
        return given.get("src", "")
    kinds = set(given.get("rel", "").lower().split()) if tag == "link" else set()
    is_style = kinds & _STYLES and "alternate" not in kinds and "disabled" not in given
    if is_style or ("preload" in kinds and given.get("as", "").lower() in _PRELOADED):
        return given.get("href", "")
    return ""
