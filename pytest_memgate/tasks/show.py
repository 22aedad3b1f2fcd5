"""Look up baseline entries."""

from collections.abc import Iterator
from pathlib import Path

from pytest_memgate.baseline.source import WorkTree
from pytest_memgate.baseline.store import Store, environments
from pytest_memgate.errors import BaselineError
from pytest_memgate.measure.environment import key
from pytest_memgate.model.reference import Reference
from pytest_memgate.model.subject import Subject
from pytest_memgate.tasks.select import select


def open_store(root: Path, environment: str | None) -> Store:
    """Return the baselines of an environment, this one by default; raises BaselineError if there are none."""
    name = environment or key()
    tree = WorkTree(root)
    store = Store(tree, name)
    if not store.files():
        others = environments(tree)
        there = (
            f"there is one for {', '.join(others)} (--environment)" if others else "make it: memgate baseline update"
        )
        raise BaselineError(f"there is no baseline for {name} in {root}", hint=there)
    return store


def entries(root: Path, tests: tuple[str, ...], environment: str | None) -> Iterator[tuple[Subject, str, Reference]]:
    """Yield the entries of the tests named, by file and name."""
    store = open_store(root, environment)
    found: dict[Subject, dict[str, Reference]] = {}
    for file in store.files():
        document = store.document(file)
        for name, metrics in document.entries.items() if document else ():
            found[Subject(file, name)] = dict(metrics)
    for subject in sorted(select(found, tests, store.folder)):
        for metric, reference in found[subject].items():
            yield subject, metric, reference
