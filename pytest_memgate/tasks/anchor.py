"""Pin today's values as the anchor that drift is counted from."""

from dataclasses import replace
from pathlib import Path

from pytest_memgate.baseline.store import write
from pytest_memgate.model.reference import Reference
from pytest_memgate.model.run import Change, ChangeKind
from pytest_memgate.model.subject import Subject
from pytest_memgate.tasks.baselines import unit_of
from pytest_memgate.tasks.select import select
from pytest_memgate.tasks.show import open_stores, places


def pin(root: Path, tests: tuple[str, ...], reason: str) -> list[Change]:
    """Set the anchor of each raised entry among `tests`, or among all, to its value; return what changed."""
    stores = open_stores(root, None)
    documents = {(store, file): document for store, file in places(stores, tests) if (document := store.document(file))}
    subjects = {Subject(file, name) for (_, file), document in documents.items() for name in document.entries}
    wanted = select(subjects, tests, " and ".join(store.folder for store in stores))
    changes: list[Change] = []
    for (store, file), document in documents.items():
        entries = {name: dict(metrics) for name, metrics in document.entries.items()}
        for name, metrics in entries.items():
            for metric, reference in metrics.items():
                subject = Subject(file, name)
                moves = reference.anchor not in {None, reference.value}
                explains = bool(tests) and reference.anchor is not None and bool(reason) and reason != reference.reason
                if subject in wanted and (moves or explains):
                    metrics[metric] = replace(reference, anchor=reference.value, reason=reason or reference.reason)
                    changes.append(_change(subject, metric, reference, reason))
        if entries != document.entries:
            write(root, store.path(file), replace(document, entries=entries))
    return changes


def _change(subject: Subject, metric: str, old: Reference, reason: str) -> Change:
    return Change(
        subject=subject,
        metric=metric,
        kind=ChangeKind.ANCHORED,
        before=old.anchor,
        after=old.value,
        unit=unit_of(metric, old),
        reason=reason,
    )
