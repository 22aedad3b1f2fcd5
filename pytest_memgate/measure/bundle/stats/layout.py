"""The outputs of a bundler, in one form for all bundlers: files, the entries of the browser, and imports."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

# Written beside the downloads, but for others: source maps, licences, twins that a server sends instead.
_NO_DOWNLOADS = (".map", ".license.txt", ".legal.txt", ".gz", ".br", ".zst", ".hot-update.js")


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """A file that the bundler wrote.

    `path` is the bundler's name for it, `label` the same without its hash. `size` is in bytes, None if the bundler does
    not say. `parts` are bytes by module, before minification if `estimated`; empty if nothing is known of them.
    """

    path: str
    label: str
    size: int | None = None
    parts: Mapping[str, int] = field(default_factory=dict)
    estimated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """An entry: the outputs that its first screen needs, and those with all that it can load later; each once."""

    name: str
    initial: tuple[str, ...]
    total: tuple[str, ...]


@dataclass(frozen=True, slots=True, order=True)
class Importer:
    """A module that imports another; `lazy` if by `import()`."""

    lazy: bool
    module: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """One build, as `origin` describes it: a file, or the folder that globs start from.

    `optional` are entries that only a user can tell from lazy chunks: they count if they are named. `pages` are outputs
    that count if they are there. `folders` are further folders to look for the files in; with `from_elsewhere`, their
    names begin with folders that may have other names here. `notes` tell what is not known of it.
    """

    origin: Path
    bundler: str
    outputs: Mapping[str, Output]
    starts: tuple[Start, ...]
    optional: tuple[Start, ...] = ()
    pages: frozenset[str] = frozenset()
    importers: Mapping[str, frozenset[Importer]] = field(default_factory=dict)
    folders: tuple[Path, ...] = ()
    from_elsewhere: bool = False
    notes: tuple[str, ...] = ()


def is_download(path: str) -> bool:
    """True if a browser that loads the page gets this file."""
    return not path.lower().endswith(_NO_DOWNLOADS)
