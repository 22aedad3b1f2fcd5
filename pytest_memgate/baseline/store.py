"""The baseline files of an environment: read when one of their tests runs, written whole or not at all."""

import os
from collections.abc import Iterator
from pathlib import Path

from pytest_memgate.baseline.batch import Batch, sweep
from pytest_memgate.baseline.document import Document, dump, load
from pytest_memgate.baseline.source import Source
from pytest_memgate.errors import BaselineError
from pytest_memgate.model.environment import Header
from pytest_memgate.model.metric import WEB, metric

FOLDER = ".memgate"
_SUFFIX = ".yaml"


class Store:
    """The baselines of `environment` in `source`; `whose` stands before the path of a file in an error."""

    def __init__(self, source: Source, environment: str, *, whose: str = "") -> None:
        self._source = source
        self._whose = f"{whose} " if whose else ""
        self.environment = environment
        self.folder = f"{FOLDER}/{_inside(environment, parts=1)}"
        self._documents: dict[str, Document | BaselineError | None] = {}
        self._keys: list[str] | None = None

    def document(self, file: str) -> Document | None:
        """Return the baselines of a test file, None if it has none.

        Raises BaselineError if its file cannot be read; it is read only once.
        """
        if file not in self._documents:
            try:
                self._documents[file] = self._read(file)
            except BaselineError as error:
                self._documents[file] = error
        document = self._documents[file]
        if isinstance(document, BaselineError):
            raise document
        return document

    def _read(self, file: str) -> Document | None:
        path = self.path(file)
        try:
            text = self._source.read(path)
        except (OSError, UnicodeDecodeError) as error:
            hint = "check the file, or restore it from git"
            raise BaselineError(f"{self._whose}{path}: {why(error)}", hint=hint) from error
        return None if text is None else load(text, f"{self._whose}{path}")

    def files(self) -> list[str]:
        """Return the test files that have baselines."""
        if self._keys is None:
            paths = self._source.list(self.folder)
            self._keys = [
                path.removeprefix(f"{self.folder}/").removesuffix(_SUFFIX) for path in paths if path.endswith(_SUFFIX)
            ]
        return self._keys

    def path(self, file: str) -> str:
        """Return the path of the baseline file for a test file, below the root."""
        return f"{self.folder}/{_inside(file)}{_SUFFIX}"


class Stores:
    """The baselines that one run reads: of its own environment, and of the web."""

    def __init__(self, source: Source, environment: str, *, whose: str = "") -> None:
        self.own = Store(source, environment, whose=whose)
        self._web = Store(source, WEB, whose=whose)

    def of(self, name: str) -> Store:
        """Return the store that holds the baselines of a metric."""
        return self._web if metric(name).is_web else self.own

    def __iter__(self) -> Iterator[Store]:
        yield self.own
        yield self._web


def why(error: OSError | UnicodeDecodeError) -> str:
    """Return in words why a text file cannot be read."""
    return "not UTF-8 text" if isinstance(error, UnicodeDecodeError) else error.strerror or str(error)


def header_of(store: Store, here: Header) -> Header:
    """Return the header for a file of `store` that is written now."""
    return Header() if store.environment == WEB else here


def _inside(path: str, *, parts: int | None = None) -> str:
    """Return a path that does not lead out of its folder: a run's file from elsewhere may hold any path."""
    given = path.split("/")
    if {"", ".", ".."} & set(given) or "\\" in path or "\0" in path or len(given) != (parts or len(given)):
        raise BaselineError(f"{path!r} is no place for a baseline", hint="it would lie outside its folder")
    return path


def environments(source: Source) -> list[str]:
    """Return the environments that have baselines."""
    return sorted(
        {path.split("/")[1] for path in source.list(FOLDER) if path.endswith(_SUFFIX) and path.count("/") > 1}
    )


class Writing:
    """Baseline files below `root` that are written together: all of them, or none."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._batch = Batch()

    def put(self, path: str, document: Document, *, even_empty: bool = False) -> None:
        """Plan to write a file; a file without entries is removed unless `even_empty`.

        Raises BaselineError for text that no file can hold.
        """
        target = self._root / path
        if not (document.entries or even_empty):
            self._batch.remove(target)
            return
        try:
            self._batch.put(target, dump(document))
        except UnicodeEncodeError as error:
            raise BaselineError(f"{path}: {error}", hint="nothing was written") from error

    def write(self) -> None:
        """Write the files; raises BaselineError, with one line for all of them, if that fails."""
        sweep(self._root / FOLDER)
        try:
            self._batch.write()
        except OSError as error:
            where = f"{os.path.relpath(error.filename, self._root)}: " if error.filename else ""
            raise BaselineError(f"{where}{error.strerror or error}", hint="nothing was written") from error


def write(root: Path, path: str, document: Document, *, even_empty: bool = False) -> None:
    """Write one baseline file; raises BaselineError, and leaves the old file, if that fails."""
    writing = Writing(root)
    writing.put(path, document, even_empty=even_empty)
    writing.write()
