"""Names of modules as a reader knows them, the same from every bundler: `src/entry.js`, `node_modules/zod/index.js`."""

import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

RUNTIME = "(bundler runtime)"

_RUNTIME = re.compile(
    r"webpack/(?:(?:runtime|container|sharing)/|bootstrap|startup|before-startup|after-startup)|<runtime>$"
    r"|vite/(?:preload-helper|modulepreload-polyfill)|_?rolldown[:/]|_?commonjsHelpers"
    r"|runtime/css loading|\[turbopack\]/"
)
_SCHEME = re.compile(r"^(?!https?:)[a-z][\w+.-]*://[^/]*/")  # webpack://timetable/./src/entry.js
_NAMESPACE = re.compile(r"^(?:\([a-z]+\):|[A-Za-z][\w-]+:(?!//))")  # (disabled):path and vue:path of esbuild
_TURBOPACK = "[project]/"  # its name of the project's folder
_STORE = re.compile(r"(?:.*/)?node_modules/\.(?:pnpm|bun|store)/([^/]+)/(node_modules/.+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """An npm package: its `name`, its `folder` in the bundler's eyes, and its name in a list of sites: `key`.

    `version` is known here only if the folder's name has it, as pnpm's do.
    """

    name: str
    folder: str
    key: str
    version: str = ""


class ModuleNames:
    """Names modules by their paths from the project or the bundler's own folder; RUNTIME is the bundler's own code.

    Loaders, query strings, namespaces, `./` and `../` are left out, so that the name is the same from every bundler and
    on every machine.
    """

    def __init__(self, project: Path) -> None:
        self._projects = tuple({f"{folder.as_posix()}/" for folder in (project, project.resolve())})
        self._known: dict[str, str] = {}

    def __call__(self, raw: str) -> str:
        if raw not in self._known:
            self._known[raw] = self._name(raw)
        return self._known[raw]

    def _name(self, raw: str) -> str:
        name = raw.replace("\\", "/").strip("\0")
        if not name.startswith("external "):
            name = next((part for part in reversed(name.split("!")) if part), name)
        name = re.sub(r" \+ \d+ modules?$", "", name).removeprefix("css ").partition("?")[0].strip("\0")
        if name.startswith("data:"):
            return "data:"
        if _RUNTIME.match(re.sub(r"^(?:\.\./)+\0?(?:_virtual/)?\0?", "", _SCHEME.sub("", name))):
            return RUNTIME
        name = _NAMESPACE.sub("", _SCHEME.sub("", name.replace("file:///", "/"))).removeprefix(_TURBOPACK)
        if name.startswith(("http:", "https:")):
            return name
        for project in self._projects:
            name = name.removeprefix(project)
        name = posixpath.normpath(name) if name else "(unnamed)"
        return re.sub(r"^(?:\.\./)+", "", name).lstrip("/\0")


def is_installed(name: str) -> bool:
    """True if a module, or the name it counts for, belongs to an npm package and not to the project."""
    return "/node_modules/" in f"/{name}"


def package_of(module: str) -> Package | None:
    """Return the npm package that a module belongs to, None for the project's own code."""
    before, found, inside = module.rpartition("node_modules/")
    if not found or not inside or (before and not before.endswith("/")):
        return None
    parts = inside.split("/")
    name = "/".join(parts[: 2 if inside.startswith("@") else 1])
    folder = f"{before}node_modules/{name}"
    if store := _STORE.fullmatch(folder):
        return Package(name=name, folder=folder, key=store[2], version=_store_version(store[1]))
    return Package(name=name, folder=folder, key=folder[f"/{folder}".index("/node_modules/") :])


def _store_version(entry: str) -> str:
    """Return the version in the name of a store's folder: `zod@4.1.12`, `@babel+core@7.1.0_peer@2.0.0`."""
    version = entry[1:].partition("@")[2]
    return re.split(r"[_(]", version)[0] if version[:1].isdigit() else ""


def keys(modules: Iterable[str]) -> Mapping[str, str]:
    """Return the name for which each module's bytes are counted: its package, or itself.

    If one package lies in several folders that would share a name, those keep their version or their whole path.
    """
    packages = {module: package_of(module) for module in modules}
    copies: dict[str, set[tuple[str, str]]] = {}
    for package in packages.values():
        if package is not None:
            copies.setdefault(package.key, set()).add((package.version, package.folder))
    return {module: _key(package, copies[package.key]) if package else module for module, package in packages.items()}


def _key(package: Package, copies: set[tuple[str, str]]) -> str:
    if package.version:
        return f"{package.key}@{package.version}" if len({version for version, _ in copies}) > 1 else package.key
    first = min((folder for version, folder in copies if not version), key=lambda folder: (len(folder), folder))
    return package.key if package.folder == first else package.folder
