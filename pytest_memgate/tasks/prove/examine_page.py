"""What Chrome loads for a page before any input, beside what the project's bundles count as its first screen."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pytest_memgate.baseline.source import WorkTree
from pytest_memgate.config.schema import Settings
from pytest_memgate.config.sources import load_settings
from pytest_memgate.errors import ConfigError, MeasureError
from pytest_memgate.measure.bundle.build import read_entries
from pytest_memgate.measure.bundle.stats.layout import Layout, Start
from pytest_memgate.measure.bundle.stats.modules import ModuleNames
from pytest_memgate.measure.lighthouse.collect import Collector
from pytest_memgate.measure.lighthouse.lhr import own_files
from pytest_memgate.measure.lighthouse.tools import find_tools
from pytest_memgate.probes.bundle.measuring import source_of
from pytest_memgate.probes.bundle.probe import BundleCheck
from pytest_memgate.probes.page.probe import PageCheck
from pytest_memgate.tasks.prove.doctor import Check
from pytest_memgate.units import counted, format_size
from pytest_memgate.values import unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """An entry of a bundle, and which of its files the page loads, by name."""

    bundle: str
    layout: Layout
    start: Start
    loaded: frozenset[str]

    @property
    def first(self) -> frozenset[str]:
        return self.loaded & set(self.start.initial)


def examine_page(root: Path, name: str) -> list[Check]:
    """Load a page once and return what of it the bundles count, and what they do not.

    Raises ConfigError for a page that is not declared, and MeasureError for one that does not load.
    """
    settings = load_settings(WorkTree(root))
    pages = settings.of(PageCheck)
    if name not in pages:
        raise ConfigError(unknown("page", name, pages) if pages else f"no page {name!r}: there is none in memgate.yml")
    page = pages[name].page(root)
    with Collector(page, find_tools(root, page.near), root) as collector:
        (load,) = collector.collect(1)
        sizes = own_files(json.loads(load.lhr.read_text(encoding="utf-8")))
    total = f"{counted(len(sizes), 'script or style', 'scripts and styles')}, {format_size(sum(sizes.values()))}"
    return [
        Check("ok", f"page {name}", f"Chrome loads {total} of its own before any input"),
        *_held(root, settings, sizes),
    ]


def _held(root: Path, settings: Settings, sizes: Mapping[str, float]) -> Iterator[Check]:
    """Yield what the bundles know of what was loaded: the entries of the page, later chunks, and files of none."""
    counted_files: set[str] = set()
    for bundle, check in settings.of(BundleCheck).items():
        try:
            entries = list(_entries(root, bundle, check, sizes))
        except MeasureError as error:
            yield Check("bad", f"bundle {bundle}", str(error))
            continue
        counted_files |= {_base(path) for entry in entries for path in entry.loaded}
        for entry in (one for one in entries if one.first):
            yield from _compared(entry, sizes)
    for url, size in sizes.items():
        if _base(url) not in counted_files:
            yield Check("note", _place(url), f"{format_size(size)}, of no entry of a declared bundle")


def _entries(root: Path, bundle: str, check: BundleCheck, sizes: Iterable[str]) -> Iterator[_Entry]:
    names = {_base(url) for url in sizes}
    for layout, start in read_entries(source_of(check, root, ()), root, ModuleNames(root)):
        loaded = frozenset(path for path in start.total if _base(path) in names)
        yield _Entry(bundle=bundle, layout=layout, start=start, loaded=loaded)


def _compared(entry: _Entry, sizes: Mapping[str, float]) -> Iterator[Check]:
    what = f"bundle {entry.bundle}[{entry.start.name}]" if entry.start.name else f"bundle {entry.bundle}"
    by_name = {_base(url): size for url, size in sizes.items()}
    amount = format_size(sum(by_name[_base(path)] for path in entry.first))
    yield Check("ok", what, f"{counted(len(entry.first), 'file')} of its first screen, {amount}")
    if later := sorted(entry.loaded - entry.first, key=lambda path: -by_name[_base(path)]):
        amount = format_size(sum(by_name[_base(path)] for path in later))
        names = ", ".join(dict.fromkeys(_chunk(entry.layout, path) for path in later))
        yield Check("bad", what, f"{amount} more are loaded unasked and not counted: with: [{names}]")
    pages = (".html", ".htm")
    if idle := [path for path in entry.start.initial if path not in entry.first and not path.endswith(pages)]:
        more = f" and {len(idle) - 1} more" if len(idle) > 1 else ""
        yield Check("note", what, f"{idle[0]}{more} is counted, and this page does not load it")


def _chunk(layout: Layout, path: str) -> str:
    """Return the name by which `with` adds a file: that of its chunk."""
    named = (name for name, start in layout.named.items() if path in start().initial[:1])
    return next(named, "") or next((name for name, start in layout.named.items() if path in start().initial), path)


def _base(path: str) -> str:
    return unquote(urlsplit(path).path).rpartition("/")[2]


def _place(url: str) -> str:
    return urlsplit(url).path
