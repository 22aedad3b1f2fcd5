"""Nuxt: its manifest hides the pages from the entry; each is a chunk of its own, by the path of its file."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_memgate.measure.bundle.routes.routes import Chunks, Routes, above
from pytest_memgate.measure.bundle.stats.shape import Node

_PAGE = re.compile(r"(?:^|/)pages/(.+)\.(?:vue|[jt]sx?)$")
_LAYOUT = re.compile(r"(?:^|/)layouts/default\.(?:vue|[jt]sx?)$")  # of each page that names no other
_HASHED = re.compile(r"\.[\w-]{8}\.css$")
_PUBLIC = (".output/public", "dist")


def nuxt(chunks: Chunks, origin: Path, project: Path) -> Routes | None:
    """Return the pages by route: the entry, the default layout and the page."""
    if not any(chunk["resourceType"].value for chunk in chunks.values()):
        return None
    scripts = {key: chunk for key, chunk in chunks.items() if chunk["resourceType"].value == "script"}
    entries = [key for key, chunk in scripts.items() if chunk["isEntry"].value is True]
    common = [*entries, *(key for key in scripts if _LAYOUT.search(key))]
    found = {_route(match[1]): key for key in scripts if (match := _PAGE.search(key))}
    pages = {route: (*common, key) for route, key in sorted(found.items())}
    return Routes(
        pages=pages or {key: (key,) for key in entries},
        chunks=_styled(chunks),
        folders=tuple(
            folder
            for base in above(origin, project)
            for public in _PUBLIC
            for folder in (base / public, *sorted((base / public).glob("*/")))
        ),
    )


def _route(path: str) -> str:
    """Return the route of a page: `/` for index, `/blog/[id]` for blog/[id]."""
    return f"/{re.sub(r'(?:^|/)index$', '', path)}"


def _styled(chunks: Chunks) -> Chunks:
    """Return the chunks with their styles: where the server inlines them, the manifest leaves them out."""
    styles: dict[str, str] = {}
    for chunk in chunks.values():
        if chunk["resourceType"].value == "style":
            file = chunk["file"].text()
            styles[_HASHED.sub("", file.rpartition("/")[2])] = file
    return {key: _with_style(chunk, styles) for key, chunk in chunks.items()}


def _with_style(chunk: Node, styles: Mapping[str, str]) -> Node:
    style = styles.get(str(chunk["name"].value))
    fields: dict[str, Any] = dict(chunk.value)
    if not style or fields.get("css") or chunk["resourceType"].value != "script":
        return chunk
    return Node({**fields, "css": [style]}, chunk.where)
