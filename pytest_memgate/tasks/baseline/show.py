"""Look up baseline entries."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from pytest_memgate.baseline.source import WorkTree
from pytest_memgate.baseline.store import Store, Stores, environments
from pytest_memgate.errors import BaselineError
from pytest_memgate.measure.python.environment import key
from pytest_memgate.model.judgement.reference import Reference
from pytest_memgate.model.subject import Subject
from pytest_memgate.tasks.run.select import may_be_in, select


def open_stores(root: Path, environment: str | None) -> list[Store]:
    """Return the baselines of an environment, by default of this one and the web.

    Raises BaselineError if there are none.
    """
    name = environment or key()
    tree = WorkTree(root)
    stores = [store for store in ([Store(tree, name)] if environment else Stores(tree, name)) if store.files()]
    if not stores:
        others = environments(tree)
        there = (
            f"there is one for {', '.join(others)} (--environment)" if others else "make it: memgate baseline update"
        )
        raise BaselineError(f"there is no baseline for {name} in {root}", hint=there)
    return stores


def places(stores: list[Store], tests: tuple[str, ...]) -> list[tuple[Store, str]]:
    """Return the baseline files that tests can be in: broken files of other tests do not matter.

    If no file fits, return all of them, so that a near name can be suggested. Raises BaselineError.
    """
    every = [(store, file) for store in stores for file in store.files()]
    return [(store, file) for store, file in every if may_be_in(tests, file)] or every


def entries(root: Path, tests: tuple[str, ...], environment: str | None) -> Iterator[tuple[Subject, str, Reference]]:
    """Yield the entries of the tests named, by file and name."""
    stores = open_stores(root, environment)
    found: dict[Subject, dict[str, Reference]] = defaultdict(dict)
    for store, file in places(stores, tests):
        document = store.document(file)
        for name, metrics in document.entries.items() if document else ():
            found[Subject(file, name)] |= metrics
    for subject in sorted(select(found, tests, " and ".join(store.folder for store in stores))):
        for metric, reference in found[subject].items():
            yield subject, metric, reference
