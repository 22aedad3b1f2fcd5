"""Who imports whom by the import statements in sources, for bundlers that do not tell; source maps hold the sources.

Statements are found by their form alone, and count where they name a module of the build.
"""

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from pytest_memgate.measure.bundle.stats.layout import Importer
from pytest_memgate.measure.bundle.stats.modules import RUNTIME, is_installed, package_of

_QUOTED = r"\s*[\"']([^\"'\n]+)[\"']"
# Each begins with a plain word: Python searches for such patterns far faster.
_FROM = re.compile(rf"from(?<![\w.$]from){_QUOTED}")
_AT_ONCE = (
    _FROM,
    re.compile(rf"import(?<![\w.$]import){_QUOTED}"),
    re.compile(rf"require(?<![\w.$]require)\s*\({_QUOTED}\s*\)"),
)
_LATER = re.compile(  # a member with a capital is a type
    rf"import(?<![\w.$]import)\s*\((?:\s*/\*[^*]*\*/)*(?:{_QUOTED}|\s*`([^`$\n]+)`)(?!\s*\)\s*\.\s*[A-Z])"
)
_NAMES = re.compile(r"(?!\s+type\s+[\w{*])[^;=()\"'`]*")  # of what is imported, if not types alone
_CLAUSE = 5000  # characters from `import` to `from`; chosen
_COMMENT = ("//", "*", "/*")
_LINE = 200  # characters before an import that tell whether its line is a comment; chosen
_EXTENSION = re.compile(r"(?:/index)?\.(?:[cm]?[jt]sx?|vue|svelte)$")
_ALIAS = re.compile(r"^[@~#$]*/?")  # of a folder: @/lib/scene, ~/lib/scene, $lib/scene
_ABOVE = re.compile(r"^(?:\.\./)+")


class Statement(NamedTuple):
    """An import as it stands in a source: of `./scene` or `three/addons`, `lazy` if by `import()`."""

    target: str
    lazy: bool


class Statements:
    """The import statements of a build's sources."""

    def __init__(self) -> None:
        self._found: dict[str, set[Statement]] = {}
        self._read: set[tuple[str, int]] = set()

    def read(self, module: str, text: str) -> None:
        """Read the source of a module, empty if it is not known; several files may bring the same one."""
        if module == RUNTIME or (module, hash(text)) in self._read:
            return
        self._read.add((module, hash(text)))
        inside = is_installed(module)  # what a package imports from itself leads nowhere
        found = (each for each in statements_in(text) if not inside or not each.target.startswith("."))
        self._found.setdefault(module, set()).update(found)

    def importers(self) -> Mapping[str, frozenset[Importer]]:
        """Return the importers of each module; of a package, those of any one module in it."""
        importers: dict[str, set[Importer]] = {}
        modules = _Modules(self._found)
        for module, statements in self._found.items():
            for target, lazy in statements:
                for imported in modules.named(target, module):
                    importers.setdefault(imported, set()).add(Importer(lazy, module))
        return {module: frozenset(some) for module, some in importers.items()}


def statements_in(text: str) -> Iterator[Statement]:
    """Yield the imports in a script's text, without those in lines that are comments."""
    for pattern in (*_AT_ONCE, _LATER):
        for match in pattern.finditer(text):
            place = match.start()
            if not _is_comment(text, place) and (pattern is not _FROM or _is_import(text, place)):
                yield Statement(match[match.lastindex or 1].partition("?")[0], pattern is _LATER)


def _is_comment(text: str, place: int) -> bool:
    return text[max(0, place - _LINE) : place].rpartition("\n")[2].lstrip().startswith(_COMMENT)


def _is_import(text: str, place: int) -> bool:
    """True if names, and before them `import` or `export`, stand before the `from` at a place."""
    before = text[max(0, place - _CLAUSE) : place]
    start = max(before.rfind("import"), before.rfind("export"))
    return start >= 0 and _NAMES.fullmatch(before, start + len("import")) is not None


class _Modules:
    """The modules of a build, by what statements call them."""

    def __init__(self, modules: Iterable[str]) -> None:
        self._by_stem: dict[str, str] = {}
        self._by_end: dict[str, list[str]] = {}
        self._packages: dict[str, dict[str, str]] = {}  # by name, then folder: any module of each
        for module in sorted(modules):
            self._by_stem[module] = module
            self._by_stem.setdefault(_stem(module), module)
            if package := package_of(module):
                self._packages.setdefault(package.name, {}).setdefault(package.folder, module)
            else:
                self._by_end.setdefault(posixpath.basename(_stem(module)), []).append(module)

    def named(self, target: str, importer: str) -> list[str]:
        """Return the modules that a statement of `importer` means; none if they are not in the build."""
        if target.startswith("."):
            path = _ABOVE.sub("", posixpath.normpath(posixpath.join(posixpath.dirname(importer), target)))
            found = self._by_stem.get(path) or self._by_stem.get(_stem(path))
            return [found] if found else []
        package = package_of(f"node_modules/{target}")
        if package and package.name in self._packages:
            return _nearest(self._packages[package.name], importer)
        return self._by_alias(target) if "/" in target and not is_installed(importer) else []

    def _by_alias(self, target: str) -> list[str]:
        """Return the module of the project whose name ends as the target does, if it is the only one."""
        end = _stem(_ALIAS.sub("", target))
        same = self._by_end.get(posixpath.basename(end), ())
        found = [module for module in same if f"/{_stem(module)}".endswith(f"/{end}")]
        return found if len(found) == 1 else []


def _nearest(folders: Mapping[str, str], importer: str) -> list[str]:
    """Return a module of the package's folder that is nearest above the importer, of each folder if none is above."""
    above = [folder for folder in folders if importer.startswith(folder.rpartition("node_modules/")[0])]
    return [folders[max(above, key=len)]] if above else list(folders.values())


def _stem(module: str) -> str:
    return _EXTENSION.sub("", module)
