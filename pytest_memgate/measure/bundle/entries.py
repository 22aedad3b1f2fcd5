"""Chooses the entries of a build that count: those that load by themselves, later chunks, and what adds up to one."""

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path

from pytest_memgate.errors import MeasureError
from pytest_memgate.measure.bundle.stats.layout import Layout, Start

_Chosen = list[tuple[Layout, Start]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The files to read; either `stats` or `files`, or the name of a `framework` that they are found by.

    `framework` is one of `routes.find.FRAMEWORKS`, or `auto`. `stats` is webpack's stats.json, a Vite manifest or an
    esbuild metafile, the folder that holds it, or a glob of pages. `files` are globs of the first screen's files,
    `lazy` those of later ones. `root` is the folder of the output files, and the folder that the globs start from.
    `entries` are patterns of the entries' names; a later chunk that is named is one, too. `screens` are entries that
    add up to one page, by its name. `along` are later chunks that an entry loads without being asked: they are of its
    first screen. `known` are the entries that a baseline has: each of them stays an entry, even if another entry begins
    to import it lazily.
    """

    framework: str = ""
    stats: Path | None = None
    files: tuple[str, ...] = ()
    lazy: tuple[str, ...] = ()
    root: Path | None = None
    entries: tuple[str, ...] = ()
    screens: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    along: tuple[str, ...] = ()
    known: frozenset[str] = frozenset()


def choose(layouts: Sequence[Layout], source: Source) -> _Chosen:
    """Return the entries that are asked for, each with its build: all, unless `entries` or `screens` name some.

    Raises MeasureError for a name or pattern that finds nothing.
    """
    chosen = _named(layouts, source.entries) if source.entries else []
    chosen += [_screen(layouts, name, parts) for name, parts in source.screens.items()]
    if not source.entries and not source.screens:
        chosen = [(layout, start) for layout in layouts for start in layout.starts]
        chosen += _known(layouts, source.known - {start.name for _, start in chosen})
    chosen = list({(id(layout), start.name): (layout, start) for layout, start in chosen}.values())
    for _, start in chosen:
        if sum(other.name == start.name for _, other in chosen) > 1 and not source.entries:
            hint = "give each configuration a `name` of its own"
            raise MeasureError(f"the bundle has two entries named {start.name!r}", hint=hint)
    for pattern in source.along:
        chosen = _with(chosen, pattern, _named(layouts, [pattern]))
    return chosen


def _known(layouts: Iterable[Layout], names: Iterable[str]) -> _Chosen:
    found = [(layout, layout.named[name]()) for name in names for layout in layouts if name in layout.named]
    return [(layout, start) for layout, start in found if start.name in names]


def _named(layouts: Iterable[Layout], patterns: Iterable[str]) -> _Chosen:
    """Return the entries and later chunks with a name or, if there is none, the entries that a pattern fits."""
    chosen: _Chosen = []
    for pattern in patterns:
        found = list(_found(layouts, pattern))
        if not found:
            starts = [start.name for layout in layouts for start in layout.starts]
            near = difflib.get_close_matches(
                pattern, [*starts, *(name for layout in layouts for name in layout.named)], n=1
            )
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(starts)}"
            raise MeasureError(f"the bundle has no entry {pattern!r}", hint=hint)
        chosen += found
    return chosen


def _found(layouts: Iterable[Layout], pattern: str) -> Iterator[tuple[Layout, Start]]:
    exact = [(layout, start) for layout in layouts for start in layout.starts if start.name == pattern]
    exact = exact or [(layout, layout.named[pattern]()) for layout in layouts if pattern in layout.named]
    yield from exact or [
        (layout, start) for layout in layouts for start in layout.starts if fnmatchcase(start.name, pattern)
    ]


def _screen(layouts: Iterable[Layout], name: str, parts: Iterable[str]) -> tuple[Layout, Start]:
    found = _named(layouts, parts)
    layout = found[0][0]
    if any(other is not layout for other, _ in found):
        raise MeasureError(f"the parts of {name!r} lie in different builds", hint="name entries of one build")
    return layout, _sum(Start(name=name, initial=(), total=()), (start for _, start in found))


def _with(chosen: _Chosen, pattern: str, later: _Chosen) -> _Chosen:
    """Return the entries, those that load a later chunk with it in their first screen."""
    grown = []
    for layout, start in chosen:
        total = frozenset(start.total)
        added = [part for other, part in later if other is layout and total.issuperset(part.initial)]
        grown.append((layout, _sum(start, added)))
    if grown == chosen:
        hint = "name a chunk that an entry loads by `import()`, or leave it out"
        raise MeasureError(f"no entry loads {pattern!r} later", hint=hint)
    return grown


def _sum(start: Start, others: Iterable[Start]) -> Start:
    parts = [start, *others]
    initial = dict.fromkeys(path for part in parts for path in part.initial)
    total = initial | dict.fromkeys(path for part in parts for path in part.total)
    return replace(start, initial=tuple(initial), total=tuple(total))
