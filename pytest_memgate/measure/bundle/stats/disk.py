"""Finds a build's files on disk, and refuses files that are not those that the bundler described."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_memgate.errors import MeasureError
from pytest_memgate.measure.bundle.stats.layout import Layout, Output

_LITTLE, _SHARE = 2000, 0.01  # bytes, and part of the file, that it may differ by; chosen
_COMMENTS = re.compile(rb"\s*(?:(?://[^\n]*|/\*(?:[^*]|\*(?!/))*\*/)\s*)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """The files of a build by the bundler's names, and their folder."""

    base: Path
    paths: Mapping[str, Path]
    contents: Mapping[str, bytes]
    notes: tuple[str, ...] = ()


def read_files(layout: Layout, wanted: Iterable[str], project: Path, root: Path | None = None) -> Files:
    """Return the wanted outputs from the folder that has them all; pages only if they are there.

    The folder is `root` if it is given, or else the first of these in which the sizes are right too: the folder of the
    stats file, the bundler's output folder, the folders around the stats file, the project. A file that was changed a
    little after the build, as by a debug id, is taken as it is, with a note. Raises MeasureError for files that are
    missing, and for those of another size: one of the two is of an older build.
    """
    wanted = list(wanted)
    required = [name for name in wanted if name not in layout.pages]
    places = [_Place(base, cut) for base, cut in dict.fromkeys(_places(layout, required, project, root))]
    place = max(places, key=lambda place: place.fit(layout, required))  # the first of equals
    there = place.there(required)
    if missing := [name for name in required if name not in there]:
        looked = ", ".join(dict.fromkeys(shown(each.base, project) for each in places if each.base.is_dir()))
        raise MeasureError(
            f"{shown(layout.origin, project)}: {len(missing)} of the {len(required)} files that it names "
            f"{'is' if len(missing) == 1 else 'are'} not on disk, first {missing[0]} (looked in {looked})",
            hint="build again, or name the folder that they are in (root)",
        )
    paths = place.there(wanted)
    contents = {name: read_file(path, project) for name, path in paths.items()}
    touched = []
    for name, content in contents.items():
        output = layout.outputs[name]
        if output.size is None or output.size == len(content):
            continue
        why = (
            f"{shown(paths[name], project)} has {len(content)} bytes, but {output.size} in "
            f"{shown(layout.origin, project)}"
        )
        if not _is_touched(output, output.size, content):
            why += ": it was changed after the build, or one of them is of an older build"
            raise MeasureError(why, hint="build again")
        touched.append(why)
    more = f", and {len(touched) - 1} more files" if len(touched) > 1 else ""
    notes = (f"{touched[0]}{more}: changed after the build, it counts as it is",) if touched else ()
    return Files(base=place.base, paths=paths, contents=contents, notes=notes)


def _is_touched(output: Output, said: int, content: bytes) -> bool:
    """True if a file is that of the stats, changed a little: by comments at its end or, if its name has a hash, at all.

    Error trackers add a debug id, and a line that registers it; others a banner, or a value of the environment.
    """
    if output.label != output.path and abs(len(content) - said) <= max(_LITTLE, said * _SHARE):
        return True
    return len(content) > said and bool(_COMMENTS.fullmatch(content[said:]))


@dataclass(frozen=True, slots=True)
class _Place:
    """A folder, and the part to cut from the front of the files' names to find them below it."""

    base: Path
    cut: str

    def fit(self, layout: Layout, names: Iterable[str]) -> tuple[int, int]:
        """Return how many of the files are there, and how many of them have the size in the stats."""
        there = self.there(names)
        same = [name for name, path in there.items() if layout.outputs[name].size in {None, path.stat().st_size}]
        return len(there), len(same)

    def there(self, names: Iterable[str]) -> dict[str, Path]:
        """Return the paths of the files that are there, by name."""
        paths = {name: self.base / name.removeprefix(self.cut) for name in names}
        return {name: path for name, path in paths.items() if path.is_file()}


def _places(layout: Layout, names: Iterable[str], project: Path, root: Path | None) -> Iterator[tuple[Path, str]]:
    cuts = ["", *_shared_folders(names)] if layout.from_elsewhere else [""]
    if root is not None:
        yield from ((root, cut) for cut in cuts)
        return
    own = layout.origin.parent if layout.origin.is_file() else layout.origin
    yield from ((own, cut) for cut in cuts)
    yield from ((folder, "") for folder in layout.folders)
    yield from ((folder, "") for folder in own.parents if folder.is_relative_to(project))
    yield project, ""


def _shared_folders(names: Iterable[str]) -> list[str]:
    """Return the folders that all names begin with: `a/`, `a/b/`."""
    folders = [name.split("/")[:-1] for name in names]
    shared: list[str] = []
    for parts in zip(*folders, strict=False):
        if len(set(parts)) > 1:
            break
        shared.append(f"{shared[-1] if shared else ''}{parts[0]}/")
    return shared


def read_file(path: Path, project: Path) -> bytes:
    """Return what is in a file; raises MeasureError with its path below the project."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise MeasureError(f"{shown(path, project)}: {error.strerror}") from error


def shown(path: Path, project: Path) -> str:
    """Return a path for a message, relative to the project."""
    return path.relative_to(project).as_posix() if path.is_relative_to(project) else str(path)
