"""The modules in webpack's stats: their chunks, their bytes before minification, and their importers."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pytest_memgate.errors import MeasureError
from pytest_memgate.measure.bundle.stats.layout import Importer
from pytest_memgate.measure.bundle.stats.modules import ModuleNames
from pytest_memgate.measure.bundle.stats.shape import Node

_RUNTIME = "runtime modules"  # as a group, without stats.runtimeModules
_OPTIONS = "modulesSpace and nestedModulesSpace: Infinity and its groupModulesBy… options to false"


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """A module before minification: `script` and `style` are its bytes in a chunk's .js and .css files."""

    name: str
    script: int
    style: int
    chunks: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Modules:
    """All modules by webpack's identifier, and the importers of each by name."""

    by_identifier: Mapping[str, Module]
    importers: Mapping[str, frozenset[Importer]]


def read_modules(content: Node, names: ModuleNames) -> Modules:
    """Return the modules in the stats; none if the stats leave them out as a whole.

    Modules that webpack joined are listed within the joined one. Raises MeasureError for a list that was shortened.
    """
    found: dict[str, Module] = {}
    importers: dict[str, set[Importer]] = {}
    issuers: dict[str, set[Importer]] = {}
    for node, chunks in (item for modules, inside in _top(content) for item in _walk(modules, inside)):
        raw = node["name"].text()
        if reasons := _reasons(node):
            found_by = {Importer(lazy, names(importer)) for importer, lazy in reasons}
            importers.setdefault(names(raw), set()).update(found_by)
        elif issuer := node["issuerName"].value:
            issuers.setdefault(names(raw), set()).add(Importer(False, names(str(issuer))))
        if node["modules"].value:
            continue  # its parts are counted
        identifier = str(node["identifier"].value or raw)
        known = found.get(identifier)
        script, style = _sizes(node, raw)
        found[identifier] = Module(
            name=names(raw), script=script, style=style, chunks=chunks | known.chunks if known else chunks
        )
    # The parts of joined modules have no reasons of their own; what the whole says of the first of them is better.
    imported = {name: frozenset(some) for name, some in (issuers | importers).items()}
    return Modules(by_identifier=found, importers=imported)


def _top(content: Node) -> list[tuple[Node, frozenset[str]]]:
    """Return the lists of modules and their chunks: `modules`, or with some settings one list in each chunk."""
    _refuse_shortened(content)
    if content["modules"].value is not None:
        return [(content["modules"], frozenset())]
    chunks = content["chunks"].items()
    return [(chunk["modules"], frozenset({str(chunk["id"].value)})) for chunk in chunks if chunk["modules"].value]


def _walk(modules: Node, inherited: frozenset[str]) -> Iterator[tuple[Node, frozenset[str]]]:
    for node in modules.items():
        if node["type"].value == _RUNTIME:
            continue  # bytes of no module are the bundler's own
        if node["type"].value not in {None, "module"}:
            raise MeasureError(
                f"{node.where}: stats lack detail: {node['type'].value!r} in place of each module",
                hint=option(_OPTIONS),
            )
        _refuse_shortened(node)
        chunks = frozenset(str(chunk.value) for chunk in node["chunks"].items_if_any()) or inherited
        yield node, chunks
        if node["modules"].value:
            yield from _walk(node["modules"], chunks)


def _refuse_shortened(node: Node) -> None:
    if node["filteredModules"].value:
        hidden = node["filteredModules"].value
        raise MeasureError(f"{node.where}: stats lack detail: {hidden} modules are hidden", hint=option(_OPTIONS))


def option(name: str) -> str:
    """Return the setting with which webpack writes complete stats."""
    return f"set stats.{name}, or take `stats` out of webpack's configuration"


def _reasons(node: Node) -> set[tuple[str, bool]]:
    """Return the names of a module's importers, and whether each loads it lazily."""
    reasons = node.value.get("reasons")
    return {
        (str(reason["moduleName"]), str(reason.get("type")).startswith(("import()", "require.ensure", "amd require")))
        for reason in (reasons if isinstance(reasons, list) else [])
        if isinstance(reason, dict) and reason.get("moduleName")
    }


def _sizes(node: Node, raw: str) -> tuple[int, int]:
    """Return a module's bytes in scripts and in styles; webpack 4 has one size for both."""
    sizes = node["sizes"]
    if not sizes.value:
        size = node["size"].amount()
        return (0, size) if raw.startswith("css ") else (size, 0)
    by_type = {kind: size.amount() for kind, size in sizes.fields().items()}
    style = sum(size for kind, size in by_type.items() if kind in {"css", "css/mini-extract"})
    return by_type.get("javascript", 0) + by_type.get("runtime", 0), style
