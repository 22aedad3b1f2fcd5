"""Check the baseline files of all environments."""

from dataclasses import dataclass, field
from pathlib import Path

from pytest_memgate.baseline.document import dump
from pytest_memgate.baseline.paths import test_file
from pytest_memgate.baseline.source import WorkTree
from pytest_memgate.baseline.store import FOLDER, Store, environments
from pytest_memgate.errors import BaselineError
from pytest_memgate.model.subject import LEDGER


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a baseline file; `code` is 1 for a file to be repaired, 3 for one that cannot be read."""

    text: str
    exit_code: int


@dataclass(slots=True)
class Checked:
    """The checked files, and their faults."""

    files: int = 0
    entries: int = 0
    faults: list[Fault] = field(default_factory=list)


def check(root: Path) -> Checked:
    """Read every baseline file; raises BaselineError if there is none."""
    tree = WorkTree(root)
    result = Checked()
    for environment in environments(tree):
        store = Store(tree, environment)
        for file in store.files():
            result.files += 1
            result.faults += _faults(root, tree, store, file, result)
    if not result.files:
        raise BaselineError(f"there are no baselines in {root / FOLDER}", hint="make them: memgate baseline update")
    return result


def _faults(root: Path, tree: WorkTree, store: Store, file: str, result: Checked) -> list[Fault]:
    path = store.path(file)
    try:
        document = store.document(file)
    except BaselineError as error:
        return [Fault(str(error), error.exit_code)]
    faults = []
    if document is not None:
        result.entries += len(document.entries)
        if dump(document) != tree.read(path):
            faults.append(
                Fault(f"{path}: not sorted or written as an update writes it; run: memgate baseline update", 1)
            )
    if file != LEDGER and not test_file(file, root).exists():
        faults.append(Fault(f"{path}: an orphan, {file} is gone; delete it, or run: memgate baseline update", 1))
    return faults
