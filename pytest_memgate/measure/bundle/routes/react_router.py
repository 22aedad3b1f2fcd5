"""React Router and Remix: a script beside the build has the routes, and the files that each adds to its parent's."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from pytest_memgate.errors import MeasureError
from pytest_memgate.measure.bundle.routes.routes import Chunks, Routes
from pytest_memgate.measure.bundle.stats.shape import Node

_MARKS = ("?__react-router-build-client-route", "?__remix-build-client-route")
_BEGINS = (b"window.__reactRouterManifest=", b"window.__remixManifest=")
_SCRIPTS = "assets/manifest-*.js"


def is_script(text: bytes) -> bool:
    """True for the script that has the routes."""
    return text.startswith(_BEGINS)


def read_script(text: bytes) -> object:
    """Return the data of the script; raises ValueError if it is none."""
    return json.JSONDecoder().raw_decode(text.partition(b"=")[2].decode("utf-8"))[0]


def is_routes(content: object) -> bool:
    """True for the data of the script."""
    return isinstance(content, dict) and {"entry", "routes"} <= content.keys()


def files_by_route(content: Node) -> dict[str, tuple[str, ...]]:
    """Return the files that the first screen of each page needs, by its address, relative to the public path."""
    routes = content["routes"].fields()
    parents = {str(route["parentId"].value) for route in routes.values()}
    return {
        _address(chain): tuple(dict.fromkeys(file for part in (content["entry"], *chain) for file in _files(part)))
        for identifier in routes
        if identifier not in parents
        for chain in (_chain(routes, identifier),)
    }


def react_router(chunks: Chunks, origin: Path, _project: Path) -> Routes | None:
    """Return the pages by their addresses: the client's entry, the root, and the routes on the way to each."""
    if not any(key.endswith(_MARKS) for key in chunks):
        return None
    client = origin.parent.parent if origin.parent.name == ".vite" else origin.parent
    scripts = sorted(client.glob(_SCRIPTS), key=lambda path: path.stat().st_mtime)
    if not scripts:
        raise MeasureError(f"{_SCRIPTS}, which has the routes, is not beside the manifest", hint="build again")
    keys = {chunk["file"].text(): key for key, chunk in chunks.items()}
    try:
        content = Node(read_script(scripts[-1].read_bytes()), scripts[-1].name)
    except (OSError, ValueError) as error:
        raise MeasureError(f"{scripts[-1].name} has no routes that can be read: {error}", hint="build again") from error
    pages = {name: _keys(files, keys) for name, files in files_by_route(content).items()}
    return Routes(pages=pages, chunks=chunks, files=(scripts[-1],))


def _keys(files: Iterable[str], keys: Mapping[str, str]) -> tuple[str, ...]:
    """Return the chunks of some files; styles belong to chunks."""
    known = (next((key for file, key in keys.items() if f"/{path}".endswith(f"/{file}")), "") for path in files)
    return tuple(key for key in known if key)


def _chain(routes: Mapping[str, Node], identifier: str) -> list[Node]:
    chain: list[Node] = []
    while identifier in routes and routes[identifier] not in chain:
        chain.insert(0, routes[identifier])
        identifier = str(routes[identifier]["parentId"].value or "")
    return chain


def _address(chain: Iterable[Node]) -> str:
    return "/" + "/".join(path for route in chain if (path := str(route["path"].value or "").strip("/")))


def _files(part: Node) -> list[str]:
    listed = [*part["imports"].items_if_any(), *part["css"].items_if_any()]
    return [file.text().lstrip("/") for file in (part["module"], *listed)]
