"""Reads webpack's stats, as `webpack --json` writes them: the assets of each entrypoint, and its lazy chunks."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pytest_memgate.errors import MeasureError
from pytest_memgate.measure.bundle.stats.hashes import without_hash
from pytest_memgate.measure.bundle.stats.layout import Layout, Output, Start, is_download
from pytest_memgate.measure.bundle.stats.modules import ModuleNames
from pytest_memgate.measure.bundle.stats.shape import Node
from pytest_memgate.measure.bundle.stats.webpack_modules import Module, Modules, option, read_modules

_ALL = "entrypoints: true, chunks: true, chunkRelations: true, modules: true, assets: true, ids: true"
_NEEDED = "entrypoints, chunks, chunkRelations, modules and assets: true"
_RELATED = option("chunkRelations: true")
_FRONT = re.compile(r"^(?:[@~]?/|\.{1,2}/)+")  # of a request: ./later, ../later, @/later
_EXTENSION = re.compile(r"(?:/index)?\.\w+$")
_COLORS = re.compile(r"\x1b\[[\d;]*m")


def read_stats(content: Node, origin: Path, names: ModuleNames, project: Path) -> tuple[Layout, ...]:
    """Return the build that stats describe, or each build if several configurations ran at once.

    The first screen of an entry is made of the assets of its entrypoint and of the entrypoints that it depends on.
    Auxiliary assets (fonts, images) are not in it. Raises MeasureError for a build that failed and for stats that leave
    something out.
    """
    _refuse_failed(content)
    if content["children"].value and not any(content[key].value for key in ("entrypoints", "chunks", "assets")):
        children = content["children"].items()
        return tuple(
            _read_one(child, origin, names, project, prefix=f"{child['name'].value or number}/")
            for number, child in enumerate(children)
        )
    return (_read_one(content, origin, names, project),)


def _refuse_failed(content: Node) -> None:
    errors = content["errors"].items_if_any()
    count = content["errorsCount"].value or len(errors)
    if not count:
        return
    first = errors[0].value if errors else ""
    module, message = (first.get("moduleName"), first.get("message")) if isinstance(first, dict) else ("", first)
    line = _COLORS.sub("", str(message or "")).strip().partition("\n")[0]
    said = ": ".join(part for part in (str(module or ""), line) if part) or "it does not say why"
    more = f" ({count} errors)" if count != 1 else ""
    raise MeasureError(f"{content.where}: webpack's build failed{more}: {said}", hint="mend it and build again")


def _read_one(content: Node, origin: Path, names: ModuleNames, project: Path, prefix: str = "") -> Layout:
    _refuse_failed(content)
    if not any(content[key].value for key in ("entrypoints", "chunks", "assets", "modules")):
        why = f"{content.where}: these stats hold no build, only its time and errors, as Rspack 2 writes them"
        raise MeasureError(why, hint=f"say in its configuration: stats: {{ {_ALL} }}")
    entrypoints = _entrypoints(content)
    modules, notes = _modules(content, names)
    graph = _Graph(content["chunks"], modules)
    if not graph.is_related:
        notes.append(f"{content.where}: which entry loads which later chunk is not known, each counts all: {_RELATED}")
    starts = [graph.start(name, entry, prefix) for name, entry in entrypoints.items()]
    if notes and graph.is_related and len(starts) > 1:
        notes.append("without them, a later chunk counts for each entry that may load it")
    if not starts:
        raise MeasureError(f"{content.where}: its entrypoints are empty", hint="give the stats of a build of a page")
    files = _assets(content["assets"])
    parts = graph.parts()
    outputs = {}
    for path in dict.fromkeys(path for start in starts for path in start.total):
        size, hashes = files.get(path, (graph.sizes.get(path), ()))
        label = without_hash(path, hashes=hashes)
        outputs[path] = Output(path=path, label=label, size=size, parts=parts.get(path, {}), estimated=True)
    return Layout(
        origin=origin,
        bundler="webpack",
        outputs=outputs,
        starts=tuple(starts),
        named=graph.named(prefix),
        importers=modules.importers,
        folders=_folders(content["outputPath"].value, origin.parent, project),
        notes=tuple(notes),
    )


def _entrypoints(content: Node) -> dict[str, Node]:
    """Return the entrypoints; of webpack 3 and older, which write none, a chunk for each entry of the configuration.

    Raises MeasureError for stats that tell of no entry.
    """
    if content["entrypoints"].value is not None and content["chunks"].value is not None:
        return content["entrypoints"].fields()
    missing = "chunks" if content["chunks"].value is None else "entrypoints"
    found: dict[str, Node] = {}
    for chunk in content["chunks"].items_if_any():
        names = [origin["name"].value for origin in chunk["origins"].items_if_any()] if chunk["parents"].value else []
        names += chunk["names"].value or [] if chunk["parents"].value == [] and chunk["entry"].value is True else []
        for name in filter(None, names):
            found[str(name)] = Node({"chunks": [chunk["id"].value], "assets": chunk["files"].value or []}, chunk.where)
    if not found:
        raise MeasureError(f"{content.where}: stats lack detail: no {missing}", hint=option(_NEEDED))
    return found


def _modules(content: Node, names: ModuleNames) -> tuple[Modules, list[str]]:
    """Return the modules, and a note in place of those that cannot be read: they only name what grew."""
    try:
        return read_modules(content, names), []
    except MeasureError as error:
        return Modules(by_identifier={}, importers={}), [f"no module is named: {error}"]


def _assets(assets: Node) -> dict[str, tuple[int | None, tuple[str, ...]]]:
    """Return each asset's size, and the hashes in its name if webpack 5 lists them; hidden assets are left out."""
    found: dict[str, tuple[int | None, tuple[str, ...]]] = {}
    for asset in _listed(assets):
        info = asset["info"].fields() if asset["info"].value else {}
        kinds = (info[kind].value for kind in ("contenthash", "chunkhash", "modulehash", "fullhash") if kind in info)
        hashes = [text for value in kinds for text in (value if isinstance(value, list) else [value])]
        found[_path(asset)] = (asset["size"].size(), tuple(map(str, hashes)))
    return found


def _listed(assets: Node) -> Iterator[Node]:
    """Yield the assets, and those in groups such as `assets by path`."""
    for asset in assets.items_if_any():
        if isinstance(asset.value, str) or asset["type"].value in {None, "asset"}:
            yield asset
        else:
            yield from _listed(asset["children"])


def _path(asset: Node) -> str:
    """Return the path of an asset: webpack 4 has texts in some places; `[name].js?[contenthash]` is a name too."""
    name = asset if isinstance(asset.value, str) else asset["name"]
    return name.text().partition("?")[0]


def _folders(output: object, *bases: Path) -> tuple[Path, ...]:
    """Return the folders of the output: where it was written or, if on another machine, the same place here."""
    if not isinstance(output, str) or not output:
        return ()
    parts = [part for part in output.replace("\\", "/").split("/") if part]
    tails = [parts[-count:] for count in range(min(4, len(parts)), 0, -1)]
    return (Path(output), *(base.joinpath(*tail) for base in bases for tail in tails))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chunk:
    files: tuple[str, ...]
    names: tuple[str, ...]
    parents: tuple[str, ...]
    children: tuple[str, ...]
    siblings: tuple[str, ...]  # that are loaded together with it
    requests: tuple[str, ...]  # by which modules import it: `./later`
    origins: tuple[str, ...] | None  # the modules that load it, empty for an entry; None where the stats do not say
    initial: bool
    has_runtime: bool


class _Graph:
    """The chunks that an entry loads, at once and later."""

    def __init__(self, chunks: Node, modules: Modules) -> None:
        self.sizes: dict[str, int] = {}
        self._modules = modules.by_identifier
        self._chunks = {str(chunk["id"].value): _chunk(chunk) for chunk in chunks.items()}
        self.is_related = all(chunk["children"].value is not None for chunk in chunks.items())

    def start(self, name: str, entrypoint: Node, prefix: str) -> Start:
        """Return the entry of an entrypoint; raises MeasureError for one without files."""
        if entrypoint["assets"].value is None:
            missing = f"{entrypoint.where}: stats lack detail: no assets"
            raise MeasureError(missing, hint=option("chunkGroupMaxAssets: Infinity"))
        assets = entrypoint["assets"].items()
        for asset in assets:
            if isinstance(asset.value, dict) and asset["size"].value is not None:
                self.sizes[_path(asset)] = asset["size"].size()
        own = [str(chunk.value) for chunk in entrypoint["chunks"].items()]
        if unknown := [chunk for chunk in own if chunk not in self._chunks]:
            raise MeasureError(f"{entrypoint.where}: there is no chunk {unknown[0]}", hint="build again")
        needed = self._needed(name, own)
        initial = [*map(_path, assets), *self._files(needed)]
        total = self._files(self._loaded([*own, *needed]))
        return Start(name=f"{prefix}{name}", initial=_once(initial), total=_once([*initial, *total]))

    def _needed(self, name: str, own: Iterable[str]) -> list[str]:
        """Return the chunks of the entries that this one depends on (`dependOn`): these bring the runtime."""
        needed: list[str] = []
        own = list(own)
        queue = [chunk for chunk in own if name in self._chunks[chunk].names] or own
        while queue and not any(self._chunks[chunk].has_runtime for chunk in (*own, *needed)):
            parents = {parent for chunk in queue for parent in self._chunks[chunk].parents}
            known = {*own, *needed}
            queue = sorted(p for p in parents - known if p in self._chunks and self._chunks[p].initial)
            needed += queue
        return needed

    def _loaded(self, first: Iterable[str]) -> Iterable[str]:
        found = dict.fromkeys(first)
        if not self.is_related:
            return found | {chunk: None for chunk, each in self._chunks.items() if not each.initial}
        while fresh := [
            child
            for chunk in found
            for child in self._chunks[chunk].children
            if child not in found and child in self._chunks and self._is_loaded(child, found)
        ]:
            found |= dict.fromkeys(fresh)
        return found

    def _is_loaded(self, chunk: str, found: Mapping[str, None]) -> bool:
        """True if a module in one of the chunks `found` loads `chunk`.

        That a chunk is a child says less: children of a chunk that entries share are those of each of them.
        """
        origins = self._chunks[chunk].origins
        if origins is None:
            return True
        modules = [self._modules.get(origin) for origin in origins]
        return any(module is None or module.chunks & found.keys() for module in modules)

    def named(self, prefix: str) -> dict[str, Callable[[], Start]]:
        """Return what gives the entry that a later chunk could be, by its names and by the module that it is for."""
        inside = self._inside()
        return {
            f"{prefix}{name}": partial(self._later, f"{prefix}{name}", identifier)
            for identifier, each in self._chunks.items()
            if not each.initial
            for name in (*_roots(each.requests, [module.name for module in inside.get(identifier, ())]), *each.names)
        }

    def _later(self, name: str, chunk: str) -> Start:
        beside = [one for one in self._chunks[chunk].siblings if one in self._chunks and not self._chunks[one].initial]
        total = self._files(self._loaded([chunk, *beside]))
        return Start(name=name, initial=_once(self._files([chunk, *beside])), total=_once(total))

    def _inside(self) -> dict[str, list[Module]]:
        inside: dict[str, list[Module]] = {}
        for module in self._modules.values():
            for chunk in module.chunks:
                inside.setdefault(chunk, []).append(module)
        return inside

    def _files(self, chunks: Iterable[str]) -> list[str]:
        return [file for chunk in chunks for file in self._chunks[chunk].files]

    def parts(self) -> dict[str, dict[str, int]]:
        """Return for each file the modules of its chunks, scripts in scripts and styles in styles."""
        inside = self._inside()
        found: dict[str, dict[str, int]] = {}
        for identifier, each in self._chunks.items():
            modules = inside.get(identifier, [])
            for file in each.files:
                parts = found.setdefault(file, {})
                for module in modules:
                    size = module.style if file.endswith(".css") else module.script
                    if size:
                        parts[module.name] = parts.get(module.name, 0) + size
        return found


def _chunk(chunk: Node) -> _Chunk:
    if chunk["id"].value is None:
        raise MeasureError(f"{chunk.where}: stats lack detail: no id", hint=option("ids: true"))
    origins = chunk["origins"]
    return _Chunk(
        files=tuple(path for file in chunk["files"].items() if is_download(path := _path(file))),
        names=tuple(str(name.value) for name in chunk["names"].items_if_any()),
        parents=tuple(str(parent.value) for parent in chunk["parents"].items_if_any()),
        children=tuple(str(child.value) for child in chunk["children"].items_if_any()),
        siblings=tuple(str(sibling.value) for sibling in chunk["siblings"].items_if_any()),
        requests=tuple(str(origin["request"].value or "") for origin in origins.items_if_any()),
        origins=None if not origins.value else tuple(filter(None, map(_origin, origins.items()))),
        initial=chunk["initial"].value is True,
        has_runtime=chunk["entry"].value is not False,
    )


def _roots(requests: Iterable[str], modules: Iterable[str]) -> Iterator[str]:
    """Yield the modules of a chunk that `import()` asks for: those whose names end as the request does."""
    for request in requests:
        end = _EXTENSION.sub("", _FRONT.sub("", request))
        fitting = (name for name in modules if end and f"/{_EXTENSION.sub('', name)}".endswith(f"/{end}"))
        yield from sorted(fitting, key=len)[:1]


def _origin(origin: Node) -> str:
    return str(origin["moduleIdentifier"].value or origin["module"].value or "")


def _once(paths: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(is_download, paths)))
