"""Find the baseline entries of tests that were renamed or moved."""

import ast
import contextlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pytest_memgate.baseline.paths import test_file
from pytest_memgate.baseline.source import GitRef, last_commit
from pytest_memgate.baseline.store import Stores
from pytest_memgate.compare.moved import Files, Key, Moves, find_moves
from pytest_memgate.errors import BaselineError, UsageError
from pytest_memgate.model.subject import LEDGER, Subject

_MOST_COMMITS = 20  # commits that are asked for renames: each takes a call of git; chosen
_Names = Mapping[str, Collection[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """The tests that a run has collected: their names by file, and the files of which it saw every test."""

    names: _Names = field(default_factory=dict)
    whole: Collection[str] = ()


def moves_of(root: Path, stores: Stores, base: GitRef | None, collected: Collected) -> Moves:
    """Return which of the collected tests without an entry in `stores` have one under another name.

    An entry is gone if its file was collected as a whole without its test, or no longer exists. A baseline file that
    cannot be read is passed over: the run reports it elsewhere.
    """
    known: dict[str, set[str]] = {}
    files = {file for store in stores for file in store.files()} - {LEDGER}
    for file in collected.names:
        known[file] = _entries(stores, file) if file in files else set()
    new = {Subject(file, name) for file, names in collected.names.items() for name in names if name not in known[file]}
    lost = {file for file in files - collected.names.keys() if not test_file(file, root).exists()}
    if not new:
        return Moves()
    known |= {file: _entries(stores, file) for file in lost | (set(collected.whole) & files) - known.keys()}
    gone = {
        Subject(file, name)
        for file in known
        if file in lost or file in collected.whole
        for name in known[file]
        if name not in collected.names.get(file, ())
    }
    if not gone:
        return Moves()
    kept = {Subject(file, name) for file, names in known.items() for name in names} - gone
    past = _Past(root, stores, base, {old.file for old in gone})
    return find_moves(new, gone, kept, Files(gone=lost, renamed=past.renamed()), past.body_of(new))


def _entries(stores: Stores, file: str) -> set[str]:
    names: set[str] = set()
    for store in stores:
        with contextlib.suppress(BaselineError):
            document = store.document(file)
            names |= document.entries.keys() if document else set()
    return names


class _Past:
    """Test files as they were when their baselines were written: at the base or, without one, in git's history."""

    def __init__(self, root: Path, stores: Stores, base: GitRef | None, files: Collection[str]) -> None:
        self._root = root
        self._refs: dict[str, GitRef] = {}
        for file in sorted(files)[:_MOST_COMMITS] if base is None else files:
            with contextlib.suppress(UsageError):
                if ref := base or last_commit(root, stores.own.path(file)):
                    self._refs[file] = ref
        self._functions: dict[tuple[str, bool], dict[str, str]] = {}

    def renamed(self) -> dict[str, str]:
        """Return the new names of files by their old ones, as far as git knows them."""
        renamed: dict[str, str] = {}
        for ref in {ref.commit: ref for ref in self._refs.values()}.values():
            with contextlib.suppress(UsageError):
                renamed |= ref.renamed_files()
        return renamed

    def body_of(self, new: Collection[Subject]) -> Key:
        """Return a function that gives the body of a test's function: now for the `new` tests, as it was for others."""
        now = set(new)
        return lambda test: self._bodies(test.file, is_now=test in now).get(test.name.partition("[")[0])

    def _bodies(self, file: str, *, is_now: bool) -> dict[str, str]:
        if (file, is_now) not in self._functions:
            text = None
            with contextlib.suppress(UsageError, OSError, UnicodeDecodeError):
                ref = self._refs.get(file)
                text = test_file(file, self._root).read_text("utf-8") if is_now else ref.read(file) if ref else None
            self._functions[file, is_now] = dict(_functions(text)) if text else {}
        return self._functions[file, is_now]


def _functions(text: str) -> Iterator[tuple[str, str]]:
    """Yield the name in a node id, and the body as text, of each function of a module and of its classes."""
    try:
        open_nodes: list[tuple[str, ast.Module | ast.ClassDef]] = [("", ast.parse(text))]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    while open_nodes:
        path, node = open_nodes.pop()
        for part in node.body:
            if isinstance(part, ast.ClassDef):
                open_nodes.append((f"{path}{part.name}::", part))
            elif isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef)):
                does = [
                    one for one in part.body if not (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant))
                ]
                if not all(isinstance(one, ast.Pass) for one in does):
                    yield f"{path}{part.name}", "\n".join(map(ast.dump, (part.args, *does)))
