"""Reads a bundle without a stats file: the files that globs name."""

from collections.abc import Iterable
from pathlib import Path

from pytest_memgate.errors import MeasureError
from pytest_memgate.measure.bundle.stats.hashes import without_hash
from pytest_memgate.measure.bundle.stats.layout import Layout, Output, Start, is_download


def read_files(files: Iterable[str], lazy: Iterable[str], root: Path) -> Layout:
    """Return the one entry, "", that globs below `root` make: `files` its first screen, `lazy` the later files.

    Raises MeasureError for a glob that finds nothing.
    """
    initial = [path for glob in files for path in _found(glob, root)]
    total = [*initial, *(path for glob in lazy for path in _found(glob, root))]
    start = Start(name="", initial=tuple(dict.fromkeys(initial)), total=tuple(dict.fromkeys(total)))
    return Layout(
        origin=root,
        bundler="",
        outputs={path: Output(path=path, label=without_hash(path)) for path in start.total},
        starts=(start,),
        folders=(root,),
    )


def _found(glob: str, root: Path) -> list[str]:
    try:
        found = sorted(path.relative_to(root).as_posix() for path in root.glob(glob) if path.is_file())
    except (ValueError, NotImplementedError) as error:
        raise MeasureError(f"{glob!r} is not a glob below {root}: {error}") from error
    downloads = [path for path in found if is_download(path)]
    if not downloads:
        what = "only files that no browser loads (source maps, licences, .gz, .br)" if found else "no file"
        hint = "write a glob for each: braces have no meaning here" if "{" in glob else "build first, or mend the glob"
        raise MeasureError(f"{glob!r} finds {what} below {root}", hint=hint)
    return downloads
