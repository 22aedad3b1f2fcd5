"""Move baseline entries to the new names of their tests."""

import difflib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from pytest_memgate.baseline.document import Document
from pytest_memgate.baseline.source import WorkTree
from pytest_memgate.baseline.store import Store, Writing, environments
from pytest_memgate.compare.moved import under_new_name
from pytest_memgate.errors import UsageError
from pytest_memgate.model.judgement.reference import Reference
from pytest_memgate.model.run import Change, ChangeKind
from pytest_memgate.model.subject import LEDGER, Subject
from pytest_memgate.tasks.judge.baselines import unit_of

_BOUNDARIES = ("/", "::", "[")  # where a name can be cut off: after a folder, a file or class, before parameters
_Entries = dict[str, dict[str, Reference]]


def rename(root: Path, old: str, new: str) -> list[Change]:
    """Give the entries of a test, a class, a file or a folder another name, in all environments; return the moves.

    Raises UsageError for an `old` name without entries and for a `new` one that has some, BaselineError for files that
    cannot be read or written.
    """
    old, new = old.rstrip("/"), new.rstrip("/")
    if not old or not new or old == new or ("::" in old) != ("::" in new):
        raise UsageError(
            f"{old!r} cannot become {new!r}", hint="name two tests (file.py::test) or two files or folders"
        )
    tree = WorkTree(root)
    writing = Writing(root)
    changes: list[Change] = []
    for environment in environments(tree):
        store = Store(tree, environment)
        moves = {test: _renamed(test, old, new) for test in _tests(store, old)}
        changes += _move(store, moves, writing)
    if not changes:
        raise _unknown(tree, old)
    writing.write()
    return changes


def _tests(store: Store, old: str) -> Iterator[Subject]:
    """Yield the tests whose name begins with `old`; files that cannot hold one are not read."""
    place = old.partition("::")[0]
    for file in store.files():
        if file != LEDGER and (file == place or file.startswith(f"{place}/")):
            document = store.document(file)
            tests = [Subject(file, name) for name in document.entries] if document else []
            yield from (test for test in tests if str(test) == old or _begins(str(test), old))


def _begins(name: str, old: str) -> bool:
    return name.startswith(tuple(f"{old}{boundary}" for boundary in _BOUNDARIES))


def _renamed(test: Subject, old: str, new: str) -> Subject:
    return Subject.parse(f"{new}{str(test).removeprefix(old)}")


def _move(store: Store, moves: dict[Subject, Subject], writing: Writing) -> list[Change]:
    documents: dict[str, Document] = {}
    entries: dict[str, _Entries] = defaultdict(dict)
    changes: list[Change] = []
    for file in sorted({test.file for pair in moves.items() for test in pair}):
        if document := store.document(file):
            documents[file] = document
            entries[file] = {name: dict(metrics) for name, metrics in document.entries.items()}
    taken = {Subject(file, name) for file, names in entries.items() for name in names} - moves.keys()
    for test, target in moves.items():
        if target in taken:
            raise UsageError(
                f"{target} has a baseline in {store.folder}", hint="choose another name, or remove that entry"
            )
        _check_header(store, test, target, documents)
    moved = {test: entries[test.file].pop(test.name) for test in moves}
    for test, target in moves.items():
        metrics = {metric: under_new_name(one, test, target) for metric, one in moved[test].items()}
        entries[target.file][target.name] = metrics
        changes += [_change(test, target, metric, one) for metric, one in metrics.items()]
    for file, left in entries.items():
        source = documents.get(file) or next(documents[test.file] for test, new in moves.items() if new.file == file)
        writing.put(store.path(file), replace(source, entries=left))
    return changes


def _check_header(store: Store, test: Subject, target: Subject, documents: dict[str, Document]) -> None:
    """Raise UsageError for entries of one file that were measured in different ways."""
    here, there = documents[test.file], documents.setdefault(target.file, documents[test.file])
    if here.header != there.header:
        differences = here.header.differences(there.header)
        raise UsageError(
            f"{store.path(test.file)} and {store.path(target.file)} were measured with {differences}",
            hint=f"update one of them first: memgate baseline update {target.file}",
        )


def _change(test: Subject, target: Subject, metric: str, reference: Reference) -> Change:
    return Change(
        subject=target,
        metric=metric,
        kind=ChangeKind.MOVED,
        before=reference.value,
        after=reference.value,
        unit=unit_of(metric, reference),
        moved_from=str(test),
    )


def _unknown(tree: WorkTree, old: str) -> UsageError:
    stores = [Store(tree, environment) for environment in environments(tree)]
    folder = old.partition("::")[0]
    names = {file for store in stores for file in store.files() if file != LEDGER}
    for store in stores:
        document = store.document(folder) if folder in names else None
        names |= {str(Subject(folder, name)) for name in document.entries} if document else set()
    near = difflib.get_close_matches(old, sorted(names), n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else "memgate baseline show prints the names that have one"
    return UsageError(f"there is no baseline for {old!r}", hint=hint)
