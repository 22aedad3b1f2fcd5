"""The baseline files of an environment: read when a test of theirs runs, written whole or not at all."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from pytest_memgate.baseline.document import Document, dump, load
from pytest_memgate.baseline.source import Source
from pytest_memgate.errors import BaselineError
from pytest_memgate.model.environment import Header
from pytest_memgate.model.metric import WEB, metric

FOLDER = ".memgate"
_SUFFIX = ".yaml"


class Store:
    """The baselines of `environment` as `source` has them; `whose` stands before a file's path in an error."""

    def __init__(self, source: Source, environment: str, *, whose: str = "") -> None:
        self._source = source
        self._whose = f"{whose} " if whose else ""
        self.environment = environment
        self.folder = f"{FOLDER}/{_inside(environment, parts=1)}"
        self._documents: dict[str, Document | None] = {}
        self._keys: list[str] | None = None

    def document(self, file: str) -> Document | None:
        """Return the baselines of a test file, None if it has none.

        Raises BaselineError if its file cannot be read.
        """
        if file not in self._documents:
            path = self.path(file)
            try:
                text = self._source.read(path)
            except (OSError, UnicodeDecodeError) as error:
                raise BaselineError(
                    f"{self._whose}{path}: {error}", hint="check the file, or restore it from git"
                ) from error
            self._documents[file] = None if text is None else load(text, f"{self._whose}{path}")
        return self._documents[file]

    def files(self) -> list[str]:
        """Return the test files that have baselines."""
        if self._keys is None:
            paths = self._source.list(self.folder)
            self._keys = [
                path.removeprefix(f"{self.folder}/").removesuffix(_SUFFIX) for path in paths if path.endswith(_SUFFIX)
            ]
        return self._keys

    def path(self, file: str) -> str:
        return f"{self.folder}/{_inside(file)}{_SUFFIX}"


class Stores:
    """The baselines that one run reads: those of its own environment, and those of the web."""

    def __init__(self, source: Source, environment: str, *, whose: str = "") -> None:
        self.own = Store(source, environment, whose=whose)
        self._web = Store(source, WEB, whose=whose)

    def of(self, name: str) -> Store:
        """Return where a metric's baselines are."""
        return self._web if metric(name).is_web else self.own

    def __iter__(self) -> Iterator[Store]:
        yield self.own
        yield self._web


def header_of(store: Store, here: Header) -> Header:
    """Return what heads a file of `store` that is written now."""
    return Header() if store.environment == WEB else here


def _inside(path: str, *, parts: int | None = None) -> str:
    """Return a path that stays where it is put: a run's file from elsewhere may hold any."""
    given = path.split("/")
    if {"", ".", ".."} & set(given) or "\\" in path or "\0" in path or len(given) != (parts or len(given)):
        raise BaselineError(f"{path!r} is no place for a baseline", hint="it would lie outside its folder")
    return path


def environments(source: Source) -> list[str]:
    """Return the environments that have baselines."""
    return sorted(
        {path.split("/")[1] for path in source.list(FOLDER) if path.endswith(_SUFFIX) and path.count("/") > 1}
    )


def write(root: Path, path: str, document: Document, *, even_empty: bool = False) -> None:
    """Write a baseline file beside its old form and put it in place; one without entries is taken away.

    `even_empty` is for a file that says something by being there. Raises BaselineError if it cannot be written; the old
    file is then untouched.
    """
    target = root / path
    try:
        if not (document.entries or even_empty):
            target.unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # not empty: other files live there
                target.parent.rmdir()
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        replace_text(target, dump(document))
    except (OSError, UnicodeEncodeError) as error:
        what = getattr(error, "strerror", None) or error
        raise BaselineError(f"{path}: {what}", hint="nothing of it was changed") from error


def replace_text(target: Path, text: str) -> None:
    """Write a text file whole or not at all."""
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".tmp")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        umask = os.umask(0)
        os.umask(umask)
        Path(name).chmod(0o666 & ~umask)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
