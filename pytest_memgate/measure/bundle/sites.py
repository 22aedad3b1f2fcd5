"""The packages and modules that an entry's bytes belong to, and packages that are there more than once."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from pytest_memgate.measure.bundle.imports import Imports
from pytest_memgate.measure.bundle.stats.modules import RUNTIME, package_of
from pytest_memgate.model.site import Site

_LARGEST = 3  # modules of a package that a site names


class Versions:
    """Versions of packages: from the name of a store's folder, or from the package.json below one of `bases`."""

    def __init__(self, bases: Iterable[Path]) -> None:
        self._bases = tuple(dict.fromkeys(bases))
        self._known: dict[str, str] = {}

    def of(self, module: str) -> str:
        """Return the version of a module's package, empty if it is not known."""
        package = package_of(module)
        if package is None:
            return ""
        if package.folder not in self._known:
            self._known[package.folder] = package.version or self._on_disk(package.folder)
        return self._known[package.folder]

    def _on_disk(self, folder: str) -> str:
        for base in self._bases:
            try:
                content = json.loads((base / folder / "package.json").read_bytes())
            except (OSError, ValueError, RecursionError):
                continue
            version = content.get("version") if isinstance(content, dict) else None
            return version if isinstance(version, str) else ""
        return ""


def sites_of(
    modules: Mapping[str, int], keys: Mapping[str, str], imports: Imports, versions: Versions
) -> tuple[Site, ...]:
    """Return a site for each package and each module of the project, largest first, the bundler's own last.

    `keys` gives the package or module that a module's bytes count for.
    """
    inside: dict[str, dict[str, int]] = {}
    for module, size in modules.items():
        if size:
            inside.setdefault(keys[module], {})[module] = size
    sites = [
        Site(
            path=key,
            size=sum(sizes.values()),
            via=imports.chain(key, inside),
            uses=_version(sizes, versions),
            modules=_largest(sizes),
        )
        for key, sizes in inside.items()
    ]
    return tuple(sorted(sites, key=lambda site: (site.path == RUNTIME, -site.size, site.path)))


def _version(sizes: Mapping[str, int], versions: Versions) -> tuple[str, ...]:
    """Return a package with its version; nothing for a module of the project or an unknown version."""
    first = next(iter(sizes))
    package, version = package_of(first), versions.of(first)
    return (f"{package.name} {version}",) if package and version else ()


def _largest(sizes: Mapping[str, int]) -> dict[str, float]:
    """Return the largest modules of a package by their names in it; nothing for a module of the project."""
    largest = sorted(sizes, key=lambda module: (-sizes[module], module))
    if package_of(largest[0]) is None:
        return {}
    return {_inside(module): sizes[module] for module in largest[:_LARGEST]}


def _inside(module: str) -> str:
    package = package_of(module)
    return module.removeprefix(f"{package.folder}/") if package else module


def duplicates(keys: Mapping[str, str], versions: Versions) -> tuple[str, ...]:
    """Return a line for each package that lies in several folders."""
    copies: dict[str, dict[str, str]] = {}
    for module, key in keys.items():
        if package := package_of(module):
            copies.setdefault(package.name, {})[key] = versions.of(module)
    return tuple(_duplicate(name, found) for name, found in sorted(copies.items()) if len(found) > 1)


def _duplicate(name: str, copies: Mapping[str, str]) -> str:
    folders = sorted(copies, key=lambda key: (key.count("/"), key))
    known = set(copies.values())
    if len(known) == len(copies) and "" not in known:
        count = {2: "two", 3: "three"}.get(len(copies), str(len(copies)))
        return f"{name} is in it at {count} versions: {_listed(f'{copies[key]} ({key})' for key in folders)}"
    version = f" {known.pop()}".rstrip() if len(known) == 1 else ""
    times = "twice" if len(copies) == 2 else f"{len(copies)} times"
    return f"{name}{version} is in it {times}: {_listed(folders)}"


def _listed(parts: Iterable[str]) -> str:
    *first, last = parts
    return f"{', '.join(first)} and {last}"
