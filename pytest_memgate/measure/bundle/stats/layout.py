"""The outputs of a bundler, in one form for all bundlers: files, the entries of the browser, and imports."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

# Written beside the downloads, but for others: source maps, licences, twins that a server sends instead.
_NO_DOWNLOADS = (".map", ".license.txt", ".legal.txt", ".gz", ".br", ".zst", ".hot-update.js")


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """A file that the bundler wrote.

    `path` is the bundler's name for it, `label` the same without its hash. `source` is the module that it is made for,
    if the bundler says so. `size` is in bytes, None if the bundler does not say. `parts` are bytes by module, before
    minification if `estimated`; empty if nothing is known of them.
    """

    path: str
    label: str
    source: str = ""
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

    `named` gives what else can be an entry if somebody names it, by each name: later chunks, and entries by further
    names. `described_by` are the files beside `origin` that it was read from. `pages` are outputs
    that count if they are there. `folders` are further folders to look for the files in; with `from_elsewhere`, their
    names begin with folders that may have other names here. `notes` tell what is not known of it.
    """

    origin: Path
    bundler: str
    outputs: Mapping[str, Output]
    starts: tuple[Start, ...]
    named: Mapping[str, Callable[[], Start]] = field(default_factory=dict)
    pages: frozenset[str] = frozenset()
    importers: Mapping[str, frozenset[Importer]] = field(default_factory=dict)
    described_by: tuple[Path, ...] = ()
    folders: tuple[Path, ...] = ()
    from_elsewhere: bool = False
    notes: tuple[str, ...] = ()


def is_download(path: str) -> bool:
    """True if a browser that loads the page gets this file."""
    return not path.lower().endswith(_NO_DOWNLOADS)


def with_labels_apart(outputs: Mapping[str, Output]) -> dict[str, Output]:
    """Return the outputs, each whose label is that of another one, too, with what tells them apart behind it.

    That is the source, which stays the same from build to build, or else the file's name with its hash.
    """
    by_source = _told_apart(outputs, {path: output.source for path, output in outputs.items()})
    return _told_apart(by_source, {path: path.rpartition("/")[2] for path in outputs})


def _told_apart(outputs: Mapping[str, Output], words: Mapping[str, str]) -> dict[str, Output]:
    count = Counter(output.label for output in outputs.values())
    return {
        path: replace(output, label=f"{output.label} ({words[path]})")
        if count[output.label] > 1 and words[path]
        else output
        for path, output in outputs.items()
    }
