"""Reads the metafile of esbuild: its outputs, the bytes by module in each, and their imports."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TypeVar

from pytest_memgate.errors import MeasureError
from pytest_memgate.measure.bundle.stats.hashes import without_hash
from pytest_memgate.measure.bundle.stats.layout import Importer, Layout, Output, Start, is_download
from pytest_memgate.measure.bundle.stats.modules import RUNTIME, ModuleNames
from pytest_memgate.measure.bundle.stats.shape import Node

V = TypeVar("V")
_EAGER = {"import-statement", "require-call", "import-rule"}
_LAZY = "dynamic-import"
_ANGULAR = "angular:"
_PAGE_FILES = (".js", ".mjs", ".cjs", ".css")


def read_metafile(content: Node, origin: Path, names: ModuleNames) -> Layout:
    """Return the build that a metafile describes.

    The first screen of an entry is its file, the files that it imports other than by `import()`, and their CSS bundles.
    Fonts and images that a file refers to are not in it. Raises MeasureError for a metafile without an entry, or of
    another shape.
    """
    outputs = {path: output for path, output in content["outputs"].fields().items() if is_download(path)}
    graph = _Graph(outputs)
    found = graph.entries()
    # What Angular adds to each page stands among the entries: polyfills, and the styles and scripts of all pages.
    common = [path for path in found if str(outputs[path]["entryPoint"].value).startswith(_ANGULAR)]
    entries = [path for path in found if path not in common] or found
    if not entries:
        raise MeasureError(f"{content.where}: none of its outputs is an entry", hint="build with `entryPoints`")
    notes: list[str] = []
    parts = {
        path: _named(lambda node: _parts(node, names), output["inputs"], notes) for path, output in outputs.items()
    }
    return Layout(
        origin=origin,
        bundler="esbuild",
        outputs={path: _output(path, output, parts[path]) for path, output in outputs.items()},
        starts=tuple(graph.start(path, common) for path in entries),
        folders=(origin.parent / "browser",) if common else (),
        named=graph.named(),
        importers=_named(lambda node: _importers(node, names), content["inputs"], notes),
        from_elsewhere=True,
        notes=tuple(dict.fromkeys(notes)),
    )


def _output(path: str, output: Node, parts: Mapping[str, int]) -> Output:
    name = PurePosixPath(str(output["entryPoint"].value or "chunk.js")).stem
    return Output(path=path, label=without_hash(path, name=name), size=output["bytes"].size(), parts=parts)


def _named(read: Callable[[Node], Mapping[str, V]], node: Node, notes: list[str]) -> Mapping[str, V]:
    """Return what only names parts, or nothing and a note where it cannot be read."""
    try:
        return read(node)
    except MeasureError as error:
        notes.append(f"not all modules are named: {error}")
        return {}


def _parts(inputs: Node, names: ModuleNames) -> Mapping[str, int]:
    """Return the bytes by module; a chunk without inputs holds the bundler's own code and nothing else."""
    parts: dict[str, int] = {}
    for raw, part in inputs.fields().items():
        module = names(raw)
        parts[module] = parts.get(module, 0) + part["bytesInOutput"].amount()
    return parts or {RUNTIME: 0}


def _importers(inputs: Node, names: ModuleNames) -> Mapping[str, frozenset[Importer]]:
    importers: dict[str, set[Importer]] = {}
    for raw, module in inputs.fields().items():
        name = names(raw)
        for imported in module["imports"].items_if_any():
            lazy = imported["kind"].value == _LAZY
            importers.setdefault(names(imported["path"].text()), set()).add(Importer(lazy, name))
    return {name: frozenset(found) for name, found in importers.items()}


class _Graph:
    """The outputs that each output loads, at once and later."""

    def __init__(self, outputs: Mapping[str, Node]) -> None:
        self._names = {path: node["entryPoint"].value for path, node in outputs.items()}
        self._css = {path: node["cssBundle"].value for path, node in outputs.items() if node["cssBundle"].value}
        self._eager = {path: _imports(node, outputs, _EAGER) for path, node in outputs.items()}
        self._lazy = {path: _imports(node, outputs, {_LAZY}) for path, node in outputs.items()}
        bundled = set(self._css.values())
        self.candidates = [
            path
            for path, name in self._names.items()
            if name and path not in bundled and path.lower().endswith(_PAGE_FILES)
        ]
        self._count = Counter(str(self._names[path]) for path in self.candidates)

    def entries(self) -> list[str]:
        """Return the outputs where a page starts: lazy chunks have an entry point too, but another entry reaches them.

        If entries import each other lazily in a ring that no other entry reaches, all of the ring are entries.
        """
        imported = {lazy for targets in self._lazy.values() for lazy in targets}
        first = [path for path in self.candidates if path not in imported]
        reached = {found for path in first for found in self._all([path])}
        rest = {path: self._all([path]) for path in self.candidates if path not in reached}
        ring = [path for path in rest if all(other in rest[path] for other in rest if path in rest[other])]
        return [path for path in self.candidates if path in first or path in ring]

    def named(self) -> Mapping[str, Callable[[], Start]]:
        """Return what gives the entry of an output that has an entry point, by the name of the entry."""
        return {self._name(path): partial(self.start, path) for path in self.candidates}

    def _name(self, path: str) -> str:
        name = str(self._names[path])
        return name if self._count[name] == 1 else f"{name} ({without_hash(path)})"

    def start(self, path: str, common: Iterable[str] = ()) -> Start:
        """Return the entry of an output and of those that go with each: its first screen, and all that it can load."""
        paths = dict.fromkeys([path, *common])
        return Start(
            name=self._name(path),
            initial=tuple(self._with_css(self._closure(paths, self._eager))),
            total=tuple(self._all(paths)),
        )

    def _all(self, paths: Iterable[str]) -> dict[str, None]:
        return self._with_css(self._closure(paths, self._eager, self._lazy))

    def _closure(self, paths: Iterable[str], *ways: Mapping[str, tuple[str, ...]]) -> dict[str, None]:
        found = dict.fromkeys(paths)
        for each in (queue := list(found)):
            fresh = [target for way in ways for target in way.get(each, ()) if target not in found]
            queue += dict.fromkeys(fresh)
            found |= dict.fromkeys(fresh)
        return found

    def _with_css(self, paths: Mapping[str, None]) -> dict[str, None]:
        found = dict(paths)
        for path in paths:
            if css := self._css.get(path):
                found |= self._closure([css], self._eager)
        return found


def _imports(output: Node, outputs: Iterable[str], kinds: set[str]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for imported in output["imports"].items_if_any():
        if imported["kind"].value not in kinds or imported["external"].value is True:
            continue
        path = imported["path"].text()
        if path not in outputs:
            raise MeasureError(f"{imported.where}: {path} is not among its outputs", hint="build again")
        found[path] = None
    return tuple(found)
