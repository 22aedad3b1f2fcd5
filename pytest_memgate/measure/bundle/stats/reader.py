"""Finds the file in which a bundler describes its build, and tells the bundler by its content."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from pytest_memgate.errors import MeasureError
from pytest_memgate.measure.bundle.routes import react_router
from pytest_memgate.measure.bundle.routes.html import read_pages
from pytest_memgate.measure.bundle.routes.script import read_object
from pytest_memgate.measure.bundle.stats import esbuild, manifests, vite, webpack
from pytest_memgate.measure.bundle.stats.disk import shown
from pytest_memgate.measure.bundle.stats.layout import Layout
from pytest_memgate.measure.bundle.stats.modules import ModuleNames
from pytest_memgate.measure.bundle.stats.shape import Node

_NAMES = (".vite/manifest.json", "manifest.json", "stats.json", "browser-stats.json", "metafile.json", "meta.json")
_WEBPACK_KEYS = {"entrypoints", "chunks", "assetsByChunkName", "errors", "errorsCount", "warningsCount"}
_GZIP = b"\x1f\x8b"
_Reader = Callable[[Node, Path, ModuleNames, Path], tuple[Layout, ...]]


def read_stats(path: Path, names: ModuleNames, project: Path) -> tuple[Layout, ...]:
    """Return the builds that a stats file, manifest or metafile describes; in a folder, the first such file.

    Raises MeasureError for a file that is missing, not of a bundler, or not of a complete build.
    """
    if path.suffix in {".html", ".htm"}:
        return (read_pages(path, project),)
    if path.is_dir():
        return _read_folder(path, names, project)
    content = _load(path, project)
    kind, instead = manifests.what_it_is(content)
    if kind:
        raise MeasureError(f"{shown(path, project)} is {kind}, which describes no build", hint=f"give {instead}")
    reader = _reader(content)
    if reader is None:
        raise MeasureError(
            f"{shown(path, project)} is not of a bundler that memgate reads: it has neither `entrypoints` (webpack), "
            "nor `outputs` and `inputs` (esbuild), nor chunks with a `file` (Vite)",
            hint="name the file that the bundler writes",
        )
    return reader(Node(content, shown(path, project)), path, names, project)


def _read_folder(folder: Path, names: ModuleNames, project: Path) -> tuple[Layout, ...]:
    there = [folder / name for name in _NAMES if (folder / name).is_file()]
    if not there:
        raise MeasureError(
            f"{shown(folder, project)} holds none of {', '.join(_NAMES)}", hint="name the file itself, or pages: *.html"
        )
    # A manifest.json may be that of a web app.
    fitting = (path for path in there if len(there) > 1 and _reader(_load(path, project)))
    return read_stats(next(fitting, there[0]), names, project)


def _load(path: Path, project: Path) -> object:
    try:
        text = path.read_bytes()
        if text.startswith(_GZIP):
            raise MeasureError(f"{shown(path, project)} is compressed with gzip", hint="give it as it was before that")
        if react_router.is_script(text):
            return react_router.read_script(text)
        if path.suffix in {".mjs", ".js"}:
            found: object = read_object(text.decode("utf-8"))
            return found
        content: object = json.loads(text)  # in UTF-8 or, redirected by PowerShell, UTF-16
    except OSError as error:
        hint = "build first, or name the file that the bundler writes"
        raise MeasureError(f"{shown(path, project)}: {error.strerror}", hint=hint) from error
    except (ValueError, RecursionError) as error:
        hint = "let the bundler write the file: what it prints holds other lines too"
        raise MeasureError(f"{shown(path, project)} is not JSON: {error}", hint=hint) from error
    return content


def _reader(content: object) -> _Reader | None:
    """Return what reads such a file, None if nobody does."""
    if manifests.is_routes(content):
        return lambda node, path, *_: (manifests.read_routes(node, path),)
    if not isinstance(content, dict):
        return None
    known: tuple[tuple[bool, _Reader], ...] = (
        (_is_metafile(content), lambda node, path, names, _: (esbuild.read_metafile(node, path, names),)),
        (manifests.is_tracker(content), lambda node, path, *_: (manifests.read_tracker(node, path),)),
        (manifests.is_rsbuild(content), lambda node, path, *_: (manifests.read_rsbuild(node, path),)),
        (bool(_WEBPACK_KEYS & content.keys()), webpack.read_stats),
        (react_router.is_routes(content), lambda node, path, *_: (manifests.read_addresses(node, path),)),
        (_is_manifest(content), lambda node, path, _, project: (vite.read_manifest(node, path, project),)),
    )
    return next((reader for fits, reader in known if fits), None)


def _is_metafile(content: Mapping[str, object]) -> bool:
    return isinstance(content.get("outputs"), dict) and isinstance(content.get("inputs"), dict)


def _is_manifest(content: Mapping[str, object]) -> bool:
    return bool(content) and all(
        isinstance(chunk, dict) and isinstance(chunk.get("file"), str) for chunk in content.values()
    )
