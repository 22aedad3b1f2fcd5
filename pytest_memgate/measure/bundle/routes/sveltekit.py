"""SvelteKit: its manifest has an entry for each node, by number; which route has which nodes stands in a script."""

import re
from collections.abc import Iterator
from pathlib import Path

from pytest_memgate.errors import MeasureError
from pytest_memgate.measure.bundle.routes.routes import Chunks, Routes, above

_GENERATED = re.compile(r"(?:^|/)\.svelte-kit/generated/.*client[\w-]*/")
_NODE = re.compile(r"nodes/\d+\.js$")
_START = "runtime/client/entry.js"
_DICTIONARY = re.compile(r"export const dictionary = \{(.*?)\n?\s*\};", re.DOTALL)
_ROUTE = re.compile(r'"((?:[^"\\]|\\.)*)":\s*\[~?(\d+)((?:,\s*\[[\d,\s]*\])*)\s*\]')
_ALWAYS = ("0", "1")  # the layout and the error page at the root
_ALL = "(all pages)"


def sveltekit(chunks: Chunks, origin: Path, project: Path) -> Routes | None:
    """Return the pages by route: the start, the app, the page, its layouts and error pages.

    Where the script that names the routes is not there, all pages are one: numbers change with each new page.
    """
    nodes = {key.rpartition("/")[2].removesuffix(".js"): key for key in chunks if _NODE.search(key) and _is_made(key)}
    if not nodes:
        return None
    folder = next(iter(nodes.values())).rpartition("nodes/")[0]
    app = f"{folder}app.js"
    first = [key for key in chunks if key.endswith(_START)]
    later = [str(key.value) for start in first for key in chunks[start]["dynamicImports"].items_if_any()]
    common = [*first, *later, *([app] if app in chunks else [])]
    script = next((base / app for base in above(origin, project) if (base / app).is_file()), None)
    if script and (pages := dict(_pages(script, nodes, common))):
        return Routes(pages=pages, chunks=chunks, files=(script,))
    why = f"{app} names no routes" if script else f"{app} is not there"
    note = f"which page is which is not known, as {why}: all pages count together"
    return Routes(pages={_ALL: (*common, *nodes.values())}, chunks=chunks, notes=(note,))


def _is_made(key: str) -> bool:
    return bool(_GENERATED.search(key))


def _pages(script: Path, nodes: dict[str, str], common: list[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    dictionary = _DICTIONARY.search(script.read_text("utf-8", "replace"))
    for route, leaf, others in _ROUTE.findall(dictionary[1] if dictionary else ""):
        numbers = dict.fromkeys([*_ALWAYS, *re.findall(r"\d+", others), leaf])
        if leaf not in nodes:
            why = f"{script.name} gives the route {route} the node {leaf}, which the manifest does not know"
            raise MeasureError(f"{why}: one of them is of an older build", hint="build again")
        yield route, (*common, *(nodes[number] for number in numbers if number in nodes))
