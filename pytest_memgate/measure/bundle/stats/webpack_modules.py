"""The modules in webpack's stats: their chunks, their bytes before minification, and their importers."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from pytest_memgate.errors import MeasureError
from pytest_memgate.measure.bundle.stats.layout import Importer
from pytest_memgate.measure.bundle.stats.modules import ModuleNames, is_installed
from pytest_memgate.measure.bundle.stats.shape import Node

_RUNTIME = "runtime modules"  # as a group, without stats.runtimeModules
_OPTIONS = "modulesSpace and nestedModulesSpace: Infinity and its groupModulesBy… options to false"
_ENTRY = ("", False)
_LAZY = ("import()", "require.ensure", "amd require")
_STYLE = re.compile(r"\.(?:css|less|p(?:ost)?css|s[ac]ss|styl)$")
_SCRIPT = re.compile(r"\.[cm]?[jt]sx?$")


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
    lists = _top(content)
    importers = _Importers(names, (node for modules, _ in lists for node in modules.items() if node["modules"].value))
    for node, chunks in (item for modules, inside in lists for item in _walk(modules, inside)):
        raw = node["name"].text()
        importers.add(names(raw), node)
        if node["modules"].value:
            continue  # its parts are counted
        identifier = str(node["identifier"].value or raw)
        known = found.get(identifier)
        script, style = _sizes(node, raw)
        found[identifier] = Module(
            name=names(raw), script=script, style=style, chunks=chunks | known.chunks if known else chunks
        )
    return Modules(by_identifier=found, importers=importers.by_name())


class _Importers:
    """The importers of all modules, from the reasons of each; `joined` are those that webpack made of several."""

    def __init__(self, names: ModuleNames, joined: Iterable[Node]) -> None:
        self._names = names
        self._parts: dict[str, set[str]] = {}
        for node in joined:
            parts = (part["name"].text() for part in node["modules"].items())
            self._parts.setdefault(node["name"].text(), set()).update(parts)
        self._found: dict[str, set[Importer]] = {}
        self._issuers: dict[str, set[Importer]] = {}
        self._entries: set[str] = set()
        self._styles: set[str] = set()

    def add(self, name: str, node: Node) -> None:
        """Note the reasons of a module, or the module that asked for it first where it has none of its own."""
        if _STYLE.search(name):
            self._styles.add(name)
        reasons = _reasons(node)
        if _ENTRY in reasons:
            self._entries.add(name)
            reasons.remove(_ENTRY)
        if reasons:
            self._found.setdefault(name, set()).update(self._apart(reasons))
        elif issuer := node["issuerName"].value:
            self._issuers.setdefault(name, set()).add(Importer(False, self._names(str(issuer))))

    def by_name(self) -> Mapping[str, frozenset[Importer]]:
        """Return the importers of each module by name; nobody imports the project's own entries.

        An entry of a package that only starts others, as Next has one for each page, imports nothing. Neither does a
        style import scripts: those are what its loader adds.
        """
        # The parts of joined modules have no reasons of their own; what the whole says of the first of them is better.
        found = self._issuers | self._found
        starters = {name for name in self._entries if is_installed(name) and not found.get(name)}
        idle = starters | self._styles
        return {
            name: frozenset(one for one in some if one.module not in (idle if _SCRIPT.search(name) else starters))
            for name, some in found.items()
            if is_installed(name) or name not in self._entries
        }

    def _apart(self, reasons: Iterable[tuple[str, bool]]) -> Iterator[Importer]:
        """Yield the importers, without joined modules that stand there beside their parts."""
        known = {importer for importer, _ in reasons}
        for importer, lazy in reasons:
            if importer not in self._parts or known.isdisjoint(self._parts[importer]):
                yield Importer(lazy, self._names(importer))


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
    """Return the names of a module's importers, and whether each loads it lazily; _ENTRY if it is an entry."""
    reasons = node.value.get("reasons")
    told = (reason for reason in (reasons if isinstance(reasons, list) else []) if isinstance(reason, dict))
    found = {(str(reason.get("moduleName") or ""), str(reason.get("type"))) for reason in told}
    return {
        _ENTRY if kind.endswith("entry") else (importer, kind.startswith(_LAZY) and "eager" not in kind)
        for importer, kind in found
        if importer or kind.endswith("entry")
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
