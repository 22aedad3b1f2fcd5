"""Measures a web build: the bytes that each entry makes the browser download, at once and in all, and their parts."""

import difflib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from pytest_memgate.errors import MeasureError
from pytest_memgate.measure.bundle.imports import Imports
from pytest_memgate.measure.bundle.parts import Parts, parts_of, remarks
from pytest_memgate.measure.bundle.sites import Versions, duplicates, sites_of
from pytest_memgate.measure.bundle.stats.disk import read_files
from pytest_memgate.measure.bundle.stats.layout import Layout, Start
from pytest_memgate.measure.bundle.stats.modules import ModuleNames, keys
from pytest_memgate.measure.bundle.stats.plain import read_files as find_files
from pytest_memgate.measure.bundle.stats.reader import read_stats
from pytest_memgate.measure.bundle.stats.vite import check_page, unknown_files
from pytest_memgate.measure.bundle.weigh import Sizes, weigh
from pytest_memgate.model.site import Site

__all__ = ["Entry", "Sizes", "Source", "measure"]

_SMALL = 100  # bytes: an entry of less is hardly a whole one; chosen


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """The download of one entry, in bytes.

    `initial` is the first screen: all files loaded before the first lazy import, styles included. `total` adds all
    files that can be loaded later. Each file is compressed by itself and counts once. Images and fonts are not in it,
    as bundlers do not list them as such downloads. The sites sum to the raw sizes.
    """

    name: str
    initial: Sizes
    total: Sizes
    initial_sites: tuple[Site, ...]
    total_sites: tuple[Site, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The files to read; either `stats` or `files`.

    `stats` is webpack's stats.json, a Vite manifest or an esbuild metafile, or the folder that holds it. `files` are
    globs of the first screen's files, `lazy` those of later ones. `root` is the folder of the output files, and the
    folder that the globs start from. `entries` are patterns of the entries' names. `known` are the entries that a
    baseline has: each of them stays an entry, even if another entry begins to import it lazily.
    """

    stats: Path | None = None
    files: tuple[str, ...] = ()
    lazy: tuple[str, ...] = ()
    root: Path | None = None
    entries: tuple[str, ...] = ()
    known: frozenset[str] = frozenset()


def measure(source: Source, project: Path, cache: Path | None = None) -> tuple[Entry, ...]:
    """Return the entries of a bundle; paths are relative to `project`, `cache` keeps sizes between runs.

    Raises MeasureError if the answer would not be the size of one complete build.
    """
    if (source.stats is None) == (not source.files):
        raise MeasureError("a bundle is read from either `stats` or `files`", hint="give one of them")
    if source.lazy and not source.files:
        raise MeasureError("`lazy` files go with `files`", hint="stats tell by themselves what is lazy")
    project = project.absolute()
    root = project / source.root if source.root else None
    if root and not root.is_dir():
        raise MeasureError(f"{source.root} is not a folder", hint="build first, or mend `root`")
    names = ModuleNames(project)
    if source.stats:
        layouts = read_stats(project / source.stats, names, project)
    else:
        layouts = (find_files(source.files, source.lazy, root or project),)
    chosen = _chosen(layouts, source.entries, source.known)
    for start in chosen:
        if sum(other.name == start.name for other in chosen) > 1 and not source.entries:
            hint = "give each configuration a `name` of its own"
            raise MeasureError(f"the bundle has two entries named {start.name!r}", hint=hint)
    return tuple(
        entry
        for layout in layouts
        if (starts := [start for start in (*layout.starts, *layout.optional) if start in chosen])
        for entry in _entries(layout, starts, names, project, root, cache)
    )


def _chosen(layouts: Iterable[Layout], patterns: Iterable[str], known: Collection[str]) -> list[Start]:
    """Return the entries that are asked for: all, or those with a name or pattern among `patterns`."""
    starts = [start for layout in layouts for start in layout.starts]
    optional = [start for layout in layouts for start in layout.optional]
    if not patterns:
        return [*starts, *(start for start in optional if start.name in known)]
    chosen: list[Start] = []
    for pattern in patterns:
        found = [start for start in (*starts, *optional) if start.name == pattern]
        found = found or [start for start in starts if fnmatchcase(start.name, pattern)]
        if not found:
            names = [start.name for start in starts]
            near = difflib.get_close_matches(pattern, [*names, *(start.name for start in optional)], n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(names)}"
            raise MeasureError(f"the bundle has no entry {pattern!r}", hint=hint)
        chosen += found
    return chosen


def _entries(
    layout: Layout, starts: Iterable[Start], names: ModuleNames, project: Path, root: Path | None, cache: Path | None
) -> Iterator[Entry]:
    starts = list(starts)
    files = read_files(layout, dict.fromkeys(path for start in starts for path in start.total), project, root)
    sizes = weigh(files.contents, cache)
    parts = {
        path: parts_of(layout.outputs[path], files.paths[path], content, names, project)
        for path, content in files.contents.items()
    }
    around = (folder for folder in (files.base, *files.base.parents) if folder.is_relative_to(project))
    versions = Versions((*([root] if root else []), *around, project))
    unknown = unknown_files(layout, files.base) if layout.bundler == "Vite" else ()
    for start in starts:
        initial = [path for path in start.initial if path in files.contents]
        total = [path for path in start.total if path in files.contents]
        if not any(files.contents[path] for path in initial):
            raise MeasureError(f"the entry {start.name!r} has no output, or an empty one", hint="build again")
        if start.name in layout.pages and start.name in files.contents:
            check_page(start.name, files.contents[start.name], initial)
        modules = _added(parts[path] for path in total)
        named = keys(modules)
        imports = Imports(layout.importers, named)
        yield Entry(
            name=start.name,
            initial=Sizes.sum(sizes[path] for path in initial),
            total=Sizes.sum(sizes[path] for path in total),
            initial_sites=sites_of(_added(parts[path] for path in initial), named, imports, versions),
            total_sites=sites_of(modules, named, imports, versions),
            notes=(
                *layout.notes,
                *files.notes,
                *_small(start.name, sum(sizes[path].raw for path in initial)),
                *duplicates(named, versions),
                *remarks({path: parts[path] for path in total}),
                *unknown,
            ),
        )


def _small(name: str, size: int) -> Iterator[str]:
    if size < _SMALL:
        yield f"the entry{f' {name}' if name else ''} has only {size} bytes: is the build whole?"


def _added(parts: Iterable[Parts]) -> Mapping[str, int]:
    total: Counter[str] = Counter()
    for each in parts:
        total.update(each.modules)
    return total
