"""Pin today's values as the anchor that drift is counted from."""

from dataclasses import replace
from pathlib import Path

from pytest_memgate.baseline.store import Writing
from pytest_memgate.model.judgement.reference import Reference
from pytest_memgate.model.run import Change, ChangeKind
from pytest_memgate.model.subject import Subject
from pytest_memgate.tasks.baseline.show import open_stores, places
from pytest_memgate.tasks.judge.baselines import unit_of
from pytest_memgate.tasks.run.select import select


def pin(root: Path, tests: tuple[str, ...], reason: str) -> list[Change]:
    """Set the anchor of each raised entry among `tests`, or among all, to its value; return what changed.

    All files are written, or none; raises BaselineError if they cannot be.
    """
    stores = open_stores(root, None)
    documents = {(store, file): document for store, file in places(stores, tests) if (document := store.document(file))}
    subjects = {Subject(file, name) for (_, file), document in documents.items() for name in document.entries}
    wanted = select(subjects, tests, " and ".join(store.folder for store in stores))
    changes: list[Change] = []
    writing = Writing(root)
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
            writing.put(store.path(file), replace(document, entries=entries))
    writing.write()
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
