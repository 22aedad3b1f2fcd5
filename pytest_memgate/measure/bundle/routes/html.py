"""Built pages: what each one's tags name, and what the scripts among that import."""

import posixpath
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from pytest_memgate.errors import MeasureError
from pytest_memgate.measure.bundle.page import local_files
from pytest_memgate.measure.bundle.stats.hashes import without_hash
from pytest_memgate.measure.bundle.stats.layout import Layout, Output, Start

_IMPORT = re.compile(r"""(?:\bfrom|\bimport)\s*["'](\.{0,2}/[^"'\s]+\.m?js)["']""")
_LATER = re.compile(r"""\bimport\(\s*["'`](\.{0,2}/[^"'`\s]+\.m?js)["'`]""")
_SCRIPTS = (".js", ".mjs")


def read_pages(glob: Path, project: Path) -> Layout:
    """Return an entry for each page that a glob finds, by its path below the folder where the glob's pattern begins.

    The first screen is the page, the local scripts and styles that its tags name, and what these scripts import other
    than by `import()`. Raises MeasureError if there is no page.
    """
    base, pattern = _divided(glob)
    pages = sorted(path.relative_to(base).as_posix() for path in base.glob(pattern) if path.is_file())
    if not pages:
        shown = glob.relative_to(project) if glob.is_relative_to(project) else glob
        raise MeasureError(f"{shown.as_posix()}: no page is there", hint="build first, or correct the pattern")
    graph = _Graph(base)
    starts = tuple(graph.start(page) for page in pages)
    paths = dict.fromkeys(path for start in starts for path in start.total)
    return Layout(
        origin=base,
        bundler="",
        outputs={path: Output(path=path, label=without_hash(path)) for path in paths},
        starts=starts,
        folders=(base,),
    )


def _divided(glob: Path) -> tuple[Path, str]:
    """Return the folder that a glob begins at, and its pattern below that."""
    fixed = next((number for number, part in enumerate(glob.parts) if re.search(r"[*?\[]", part)), len(glob.parts) - 1)
    return Path(*glob.parts[:fixed]), "/".join(glob.parts[fixed:])


class _Graph:
    """The scripts that pages and scripts load, at once and later; each is read once."""

    def __init__(self, base: Path) -> None:
        self._base = base
        self._known: dict[str, tuple[list[str], list[str]]] = {}

    def start(self, page: str) -> Start:
        tags = list(local_files(page, (self._base / page).read_bytes(), self._base))
        initial = self._closure([page, *tags], later=False)
        return Start(name=page, initial=tuple(initial), total=tuple(self._closure(initial, later=True)))

    def _closure(self, first: Iterable[str], *, later: bool) -> list[str]:
        found = dict.fromkeys(first)
        queue = list(found)
        for path in queue:
            now, then = self._imports(path)
            fresh = [one for one in (*now, *(then if later else ())) if one not in found]
            found |= dict.fromkeys(fresh)
            queue += dict.fromkeys(fresh)
        return queue

    def _imports(self, path: str) -> tuple[list[str], list[str]]:
        if path not in self._known:
            text = (self._base / path).read_text("utf-8", "replace") if path.endswith(_SCRIPTS) else ""
            self._known[path] = (
                list(self._there(path, _IMPORT.findall(text))),
                list(self._there(path, _LATER.findall(text))),
            )
        return self._known[path]

    def _there(self, path: str, imported: Iterable[str]) -> Iterator[str]:
        for name in imported:
            place = name.lstrip("/") if name.startswith("/") else posixpath.join(posixpath.dirname(path), name)
            place = posixpath.normpath(place)
            if not place.startswith("../") and (self._base / place).is_file():
                yield place
