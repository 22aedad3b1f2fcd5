"""What a test is held against: the work tree's baselines, or those of a git ref that the change cannot touch."""

from collections.abc import Iterator

from pytest_memgate.baseline.document import Document
from pytest_memgate.baseline.store import Store
from pytest_memgate.model.environment import Header
from pytest_memgate.model.reference import Bar, Reference, Standing
from pytest_memgate.model.run import Change, ChangeKind
from pytest_memgate.model.subject import Subject


class Baselines:
    """The work tree's baselines (`head`) and, where a ref was named, that ref's (`base`)."""

    def __init__(self, head: Store, base: Store | None, header: Header) -> None:
        self.head = head
        self.base = base
        self._header = header

    def bar(self, subject: Subject, metric: str) -> Bar:
        """Return what a test is held against.

        With a base, an entry of the work tree counts only where it is no looser, carries a reason of its own, is new,
        or was measured under another header than the base's. Raises BaselineError for a file that cannot be read.
        """
        head = self.head.document(subject.file)
        if self.base is None:
            return self._bar(head, subject, metric, self.head)
        base = self.base.document(subject.file)
        old, new = _entry(base, subject, metric), _entry(head, subject, metric)
        if old is None or base is None:
            return self._bar(head, subject, metric, self.head)
        if new is None or head is None:
            counts = False
        elif head.header == base.header:
            counts = _accepted(old, new)
        else:
            counts = head.header == self._header
        return self._bar(head, subject, metric, self.head) if counts else self._bar(base, subject, metric, self.base)

    def _bar(self, document: Document | None, subject: Subject, metric: str, store: Store) -> Bar:
        reference = _entry(document, subject, metric)
        if document is None or reference is None:
            known = document is not None or store.files()
            return Bar(standing=Standing.NEW if known else Standing.NO_BASELINE)
        if document.header != self._header:
            why = f"{store.path(subject.file)} was measured with {document.header.differences(self._header)}"
            return Bar(standing=Standing.INCOMPARABLE, why=why)
        return Bar(standing=Standing.KNOWN, reference=reference)

    def changes(self) -> Iterator[Change]:
        """Yield what the work tree's baselines change of the base's, in the order of their files."""
        if self.base is None:
            return
        for file in sorted({*self.head.files(), *self.base.files()}):
            yield from _changes(file, self.base.document(file), self.head.document(file))


def _entry(document: Document | None, subject: Subject, metric: str) -> Reference | None:
    return document.entries.get(subject.name, {}).get(metric) if document else None


def _looser(old: Reference, new: Reference) -> bool:
    return new.value > old.value or new.origin > old.origin or new.spread > old.spread


def _accepted(old: Reference, new: Reference) -> bool:
    return not _looser(old, new) or (bool(new.reason) and new.reason != old.reason)


def _changes(file: str, base: Document | None, head: Document | None) -> Iterator[Change]:
    olds, news = base.entries if base else {}, head.entries if head else {}
    same = base is None or head is None or base.header == head.header
    for name in sorted({*olds, *news}):
        for metric in sorted({*olds.get(name, {}), *news.get(name, {})}):
            old, new = olds.get(name, {}).get(metric), news.get(name, {}).get(metric)
            if old == new and same:
                continue
            reason = new.reason if new and not (old and new.reason == old.reason) else ""
            kind = _kind(old, new) if same else ChangeKind.REMEASURED
            if kind is not ChangeKind.ANCHORED:
                before, after = old.value if old else None, new.value if new else None
                yield Change(
                    subject=Subject(file, name), metric=metric, kind=kind, before=before, after=after, reason=reason
                )
            if same and old and new and new.origin > old.origin:
                yield Change(
                    subject=Subject(file, name),
                    metric=metric,
                    kind=ChangeKind.ANCHORED,
                    before=old.origin,
                    after=new.origin,
                    reason=reason,
                )


def _kind(old: Reference | None, new: Reference | None) -> ChangeKind:
    if old is None:
        return ChangeKind.NEW
    if new is None:
        return ChangeKind.REMOVED
    if new.value > old.value or new.spread > old.spread:
        return ChangeKind.RAISED
    return ChangeKind.ANCHORED if new.origin > old.origin else ChangeKind.LOWERED
