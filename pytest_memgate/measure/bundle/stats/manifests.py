"""Reads manifests of names alone: webpack-bundle-tracker's, Rsbuild's, Next's list of routes; and knows others."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from pytest_memgate.errors import MeasureError
from pytest_memgate.measure.bundle.routes import next as next_build
from pytest_memgate.measure.bundle.routes import react_router
from pytest_memgate.measure.bundle.stats.hashes import turbopack_label, without_hash
from pytest_memgate.measure.bundle.stats.layout import Layout, Output, Start, is_download
from pytest_memgate.measure.bundle.stats.shape import Node

_PAGE_FILES = (".js", ".mjs", ".css")
_PATHS = "firstLoadChunkPaths"
_SAID = 200  # characters of an error
_NO_LATER = "what is loaded later is not in it: the total is the first screen"


def is_tracker(content: Mapping[str, object]) -> bool:
    """True for what webpack-bundle-tracker writes for Django."""
    return isinstance(content.get("status"), str) and ("chunks" in content or content["status"] != "done")


def read_tracker(content: Node, origin: Path) -> Layout:
    """Return the build of webpack-bundle-tracker's file: an entry for each of its chunks.

    Other scripts and styles among its assets are loaded later, by whom it does not say: each entry counts all. Raises
    MeasureError for a build that failed or goes on.
    """
    if content["status"].value != "done":
        said = " ".join(str(content["message"].value or content["error"].value or content["status"].value).split())
        why = f"{content.where}: webpack's build is not done: {said[:_SAID]}"
        raise MeasureError(why, hint="mend it and build again")
    chunks = {
        name: [_name(file) for file in chunk.items() if _is_loaded(_name(file))]
        for name, chunk in content["chunks"].fields().items()
    }
    assets = content["assets"].fields() if isinstance(content["assets"].value, dict) else {}
    first = {file for files in chunks.values() for file in files}
    later = [name for name in assets if _is_loaded(name) and name not in first]
    folders = {
        Path(path.removesuffix(name))
        for name, asset in assets.items()
        if isinstance(path := asset["path"].value, str) and path.endswith(name)
    }
    starts = [Start(name=name, initial=_once(files), total=_once([*files, *later])) for name, files in chunks.items()]
    return _layout(content, origin, "webpack", starts, folders=sorted(folders))


def is_rsbuild(content: Mapping[str, object]) -> bool:
    """True for Rsbuild's manifest."""
    entries = content.get("entries")
    return isinstance(entries, dict) and all(isinstance(one, dict) and "initial" in one for one in entries.values())


def read_rsbuild(content: Node, origin: Path) -> Layout:
    """Return the build of Rsbuild's manifest (`output.manifest`), whose names begin with the public path."""
    starts = []
    for name, entry in content["entries"].fields().items():
        initial, later = _of_rsbuild(entry["initial"]), _of_rsbuild(entry["async"])
        starts.append(Start(name=name, initial=_once(initial), total=_once([*initial, *later])))
    return _layout(content, origin, "Rsbuild", starts, from_elsewhere=True)


def is_routes(content: object) -> bool:
    """True for Next's `route-bundle-stats.json`."""
    routes = content if isinstance(content, list) else []
    return bool(routes) and all(isinstance(one, dict) and _PATHS in one for one in routes)


def read_routes(content: Node, origin: Path) -> Layout:
    """Return the build of Next's list of routes: an entry for each route, its first load."""
    next_build.check_age(origin, content.where)
    notes = [f"{content.where}: {_NO_LATER}"]
    styles = next_build.styles(origin, notes)
    starts = []
    for route in content.items():
        files = [file.text() for file in route[_PATHS].items() if _is_loaded(file.text())]
        folder = files[0].partition("static/")[0] if files else ""
        files += [f"{folder}{style}" for style in styles.get(route["route"].text(), ())]
        starts.append(Start(name=route["route"].text(), initial=_once(files), total=_once(files)))
    layout = _layout(
        content, origin, "Next", starts, from_elsewhere=True, notes=tuple(dict.fromkeys(notes)), label=turbopack_label
    )
    return replace(layout, described_by=next_build.described_by(origin))


def read_addresses(content: Node, origin: Path) -> Layout:
    """Return the build of React Router's script of routes: an entry for each page, by its address."""
    files = react_router.files_by_route(content)
    starts = [Start(name=name, initial=_once(some), total=_once(some)) for name, some in files.items()]
    notes = (f"{content.where}: {_NO_LATER}",)
    folders = [origin.parent.parent]
    return _layout(content, origin, "React Router", starts, folders=folders, from_elsewhere=True, notes=notes)


def what_it_is(content: object) -> tuple[str, str]:
    """Return what a file is that describes no build, and what to give in its place; empty texts if nobody knows."""
    if not isinstance(content, dict):
        return "", ""
    if isinstance(content.get("files"), dict) and isinstance(content.get("entrypoints"), list):
        instead = "bundle-stats.json of `react-scripts build --stats`, or files: [static/js/main.*.js]"
        return "the asset-manifest of Create React App", instead
    if "chunks" not in content and _is_encore(content.get("entrypoints")):
        return "the entrypoints of Webpack Encore", "what `encore production --json` prints"
    if "rootMainFiles" in content or ("pages" in content and "lowPriorityFiles" in content):
        instead = "diagnostics/route-bundle-stats.json of `next build`, or files: [static/chunks/**/*.js]"
        return "Next's build-manifest", instead
    return "", ""


def _is_encore(entrypoints: object) -> bool:
    entries = list(entrypoints.values()) if isinstance(entrypoints, dict) else []
    return bool(entries) and all(
        isinstance(one, dict) and bool(one.keys() & {"js", "css"}) and "assets" not in one for one in entries
    )


def _of_rsbuild(files: Node) -> list[str]:
    kinds = files.fields() if files.value else {}
    names = (file.text() for kind in ("js", "css") if kind in kinds for file in kinds[kind].items_if_any())
    return [urlsplit(name).path.lstrip("/") for name in names]


def _name(file: Node) -> str:
    """Return the name of a file of a chunk: older trackers write an object."""
    return file.text() if isinstance(file.value, str) else file["name"].text()


def _is_loaded(name: str) -> bool:
    return name.lower().endswith(_PAGE_FILES) and is_download(name)


def _once(files: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(files))


def _layout(
    content: Node,
    origin: Path,
    bundler: str,
    starts: list[Start],
    *,
    folders: Iterable[Path] = (),
    from_elsewhere: bool = False,
    notes: tuple[str, ...] = (),
    label: Callable[[str], str] = without_hash,
) -> Layout:
    if not any(start.initial for start in starts):
        raise MeasureError(f"{content.where}: none of its entries has a script or a style", hint="build again")
    paths = dict.fromkeys(path for start in starts for path in start.total)
    return Layout(
        origin=origin,
        bundler=bundler,
        outputs={path: Output(path=path, label=label(path)) for path in paths},
        starts=tuple(starts),
        folders=tuple(folders),
        from_elsewhere=from_elsewhere,
        notes=notes,
    )
