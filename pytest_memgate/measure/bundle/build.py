"""Measures a web build: the bytes that each entry makes the browser download, at once and in all, and their parts."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_memgate.errors import MeasureError
from pytest_memgate.measure.bundle.entries import Source, choose
from pytest_memgate.measure.bundle.imports import Imports
from pytest_memgate.measure.bundle.page import local_files
from pytest_memgate.measure.bundle.parts import Parts, parts_of, remarks
from pytest_memgate.measure.bundle.routes.find import find_stats
from pytest_memgate.measure.bundle.sites import Versions, duplicates, sites_of
from pytest_memgate.measure.bundle.statements import Statements
from pytest_memgate.measure.bundle.stats.disk import Files, read_file, read_files
from pytest_memgate.measure.bundle.stats.hashes import without_hash
from pytest_memgate.measure.bundle.stats.layout import Layout, Output, Start, with_labels_apart
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


def measure(source: Source, project: Path, cache: Path | None = None) -> tuple[Entry, ...]:
    """Return the entries of a bundle; paths are relative to `project`, `cache` keeps sizes between runs.

    Raises MeasureError if the answer would not be the size of one complete build.
    """
    project = project.absolute()
    names = ModuleNames(project)
    builds: dict[int, tuple[Layout, list[Start]]] = {}
    for layout, start in read_entries(source, project, names):
        builds.setdefault(id(layout), (layout, []))[1].append(start)
    root = project / source.root if source.root else None
    return tuple(
        entry for layout, starts in builds.values() for entry in _entries(layout, starts, names, project, root, cache)
    )


def read_entries(source: Source, project: Path, names: ModuleNames) -> list[tuple[Layout, Start]]:
    """Return the entries of a bundle that count, each with its build; nothing is weighed. Raises MeasureError."""
    if source.framework:
        return choose(read_stats(find_stats(source.framework, project), names, project), source)
    if (source.stats is None) == (not source.files):
        raise MeasureError("a bundle is read from either `stats` or `files`", hint="give one of them")
    if source.lazy and not source.files:
        raise MeasureError("`lazy` files go with `files`", hint="stats tell by themselves what is lazy")
    root = project / source.root if source.root else None
    if root and not root.is_dir():
        raise MeasureError(f"{source.root} is not a folder", hint="build first, or mend `root`")
    if source.stats:
        return choose(read_stats(project / source.stats, names, project), source)
    return choose((find_files(source.files, source.lazy, root or project),), source)


def _entries(
    layout: Layout, starts: Iterable[Start], names: ModuleNames, project: Path, root: Path | None, cache: Path | None
) -> Iterator[Entry]:
    starts = list(starts)
    files = read_files(layout, dict.fromkeys(path for start in starts for path in start.total), project, root)
    layout, starts, files = _with_local_files(layout, starts, files, project)
    sizes = weigh(files.contents, cache)
    outputs = with_labels_apart(layout.outputs)
    statements = None if layout.importers else Statements()
    parts = {
        path: parts_of(outputs[path], files.paths[path], content, names, project, statements)
        for path, content in files.contents.items()
    }
    importers = statements.importers() if statements else layout.importers
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
        imports = Imports(importers, named)
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


def _with_local_files(
    layout: Layout, starts: Iterable[Start], files: Files, project: Path
) -> tuple[Layout, list[Start], Files]:
    """Return the build with the scripts and styles that its pages load without the bundler's knowing."""
    outputs, contents, paths = dict(layout.outputs), dict(files.contents), dict(files.paths)
    grown = []
    for start in starts:
        pages = [path for path in start.initial if path.lower().endswith((".html", ".htm")) and path in files.contents]
        loaded = [path for page in pages for path in local_files(page, files.contents[page], files.base)]
        for path in (path for path in loaded if path not in contents):
            outputs.setdefault(path, Output(path=path, label=without_hash(path)))
            paths[path] = files.base / path
            contents[path] = read_file(paths[path], project)
        initial, total = dict.fromkeys([*start.initial, *loaded]), dict.fromkeys([*start.total, *loaded])
        grown.append(replace(start, initial=tuple(initial), total=tuple(total)))
    return replace(layout, outputs=outputs), grown, replace(files, contents=contents, paths=paths)


def _small(name: str, size: int) -> Iterator[str]:
    if size < _SMALL:
        yield f"the entry{f' {name}' if name else ''} has only {size} bytes: is the build whole?"


def _added(parts: Iterable[Parts]) -> Mapping[str, int]:
    total: Counter[str] = Counter()
    for each in parts:
        total.update(each.modules)
    return total
