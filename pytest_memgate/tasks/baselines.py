"""What a test is held against: the work tree's baselines, or those of a git ref that the change cannot touch."""

from collections.abc import Iterator, Mapping

from pytest_memgate.baseline.document import Document
from pytest_memgate.baseline.store import Store, Stores
from pytest_memgate.compare.noise import explained
from pytest_memgate.model.environment import Header
from pytest_memgate.model.metric import base_name
from pytest_memgate.model.metric import metric as metric_of
from pytest_memgate.model.reference import Bar, Reference, Standing, is_reason
from pytest_memgate.model.run import Change, ChangeKind
from pytest_memgate.model.subject import Subject

NOTHING_LEFT = Reference(value=0)


class Baselines:
    """The work tree's baselines (`head`) and, where a ref was named, that ref's (`base`)."""

    def __init__(self, head: Stores, base: Stores | None, header: Header) -> None:
        self.head = head
        self.base = base
        self._header = header

    def bar(self, subject: Subject, metric: str, conditions: Mapping[str, str] | None = None) -> Bar:
        """Return what a test that measures under `conditions` is held against.

        With a base, an entry of the work tree counts only where it is no looser, carries a reason of its own, is new,
        or was measured as this run measures while the base's was not. Raises BaselineError for a file that cannot be
        read.
        """
        head = self.head.of(metric).document(subject.file)
        if self.base is None:
            return self._bar(head, subject, metric, self.head.of(metric))
        base = self.base.of(metric).document(subject.file)
        old, new = _entry(base, subject, metric), _entry(head, subject, metric)
        if old is None or base is None:
            return self._bar(head, subject, metric, self.head.of(metric))
        if new is None or head is None:
            counts = False
        elif new.unit != old.unit:
            counts = _has_fresh_reason(old, new)
        elif not _comparable(head, base, new, old, metric):
            traced = metric_of(metric).is_traced
            counts = head.header == self._header if traced else new.conditions == (conditions or {})
        else:
            counts = _accepted(old, new)
        document, stores = (head, self.head) if counts else (base, self.base)
        return self._bar(document, subject, metric, stores.of(metric))

    def stored(self, subject: Subject, family: str) -> set[str]:
        """Return the metrics of a family that the work tree, or the base, has an entry of for a test."""
        found: set[str] = set()
        for stores in (self.head, self.base):
            document = stores.of(family).document(subject.file) if stores else None
            found.update(document.entries.get(subject.name, ()) if document else ())
        return {name for name in found if name.startswith(f"{family}.")}

    def metrics(self, subject: Subject, base_metric: str) -> set[str]:
        """Return the names that a metric has in the entries of a test, with their parts."""
        found: set[str] = set()
        for stores in (self.head, self.base):
            document = stores.of(base_metric).document(subject.file) if stores else None
            found |= set(document.entries.get(subject.name, {})) if document else set()
        return {name for name in found if base_name(name) == base_metric}

    def _bar(self, document: Document | None, subject: Subject, metric: str, store: Store) -> Bar:
        reference = _entry(document, subject, metric)
        if document is None or reference is None:
            known = document is not None or store.files()
            looked = document is None or document.format > 1
            if known and looked and metric_of(metric).is_leftover:  # a test that is new is to leave nothing, too
                return Bar(standing=Standing.KNOWN, reference=NOTHING_LEFT)
            return Bar(standing=Standing.NEW if known else Standing.NO_BASELINE)
        if metric_of(metric).is_traced and document.header != self._header:
            why = f"{store.path(subject.file)} was measured with {document.header.differences(self._header)}"
            return Bar(standing=Standing.INCOMPARABLE, why=why)
        return Bar(standing=Standing.KNOWN, reference=reference)

    def changes(self) -> Iterator[Change]:
        """Yield what the work tree's baselines change of the base's, in the order of their files."""
        if self.base is None:
            return
        for head, base in zip(self.head, self.base, strict=True):
            for file in sorted({*head.files(), *base.files()}):
                yield from _changes(file, base.document(file), head.document(file))


def _entry(document: Document | None, subject: Subject, metric: str) -> Reference | None:
    return document.entry(subject.name, metric) if document else None


def _comparable(one: Document, other: Document, new: Reference, old: Reference, metric: str) -> bool:
    same_header = one.header == other.header or not metric_of(metric).is_traced
    return same_header and new.conditions == old.conditions and new.unit == old.unit


def _looser(old: Reference, new: Reference) -> bool:
    return _raised(old, new) or new.origin > old.origin


def _raised(old: Reference, new: Reference) -> bool:
    noise = explained(new.samples, ()) - explained(old.samples, ())
    return new.value > old.value or new.spread > old.spread or new.value + noise > old.value


def _accepted(old: Reference, new: Reference) -> bool:
    return not _looser(old, new) or _has_fresh_reason(old, new)


def _has_fresh_reason(old: Reference, new: Reference) -> bool:
    return is_reason(new.reason) and new.reason != old.reason


def _changes(file: str, base: Document | None, head: Document | None) -> Iterator[Change]:
    olds, news = base.entries if base else {}, head.entries if head else {}
    for name in sorted({*olds, *news}):
        for metric in sorted({*olds.get(name, {}), *news.get(name, {})}):
            old, new = (one.entry(name, metric) if one else None for one in (base, head))
            same = not (base and head and old and new) or _comparable(head, base, new, old, metric)
            if old == new and same:
                continue
            yield from _change(Subject(file, name), metric, old, new, same=same)


def _change(
    subject: Subject, metric: str, old: Reference | None, new: Reference | None, *, same: bool
) -> Iterator[Change]:
    is_fresh = new is not None and is_reason(new.reason) and not (old and new.reason == old.reason)
    reason = new.reason if new and is_fresh else ""
    unit = unit_of(metric, new or old)
    kind = _kind(old, new) if same else ChangeKind.REMEASURED
    if kind is not ChangeKind.ANCHORED:
        in_unit = old is not None and (new is None or new.unit == old.unit)
        before, after = old.value if old and in_unit else None, new.value if new else None
        yield Change(subject=subject, metric=metric, kind=kind, before=before, after=after, unit=unit, reason=reason)
    if same and old and new and new.origin > old.origin:
        yield Change(
            subject=subject,
            metric=metric,
            kind=ChangeKind.ANCHORED,
            before=old.origin,
            after=new.origin,
            unit=unit,
            reason=reason,
        )


def unit_of(metric: str, reference: Reference | None) -> str:
    """Return the unit of a baseline entry."""
    return metric_of(metric, reference.unit if reference else "").unit


def _kind(old: Reference | None, new: Reference | None) -> ChangeKind:
    if old is None:
        return ChangeKind.NEW
    if new is None:
        return ChangeKind.REMOVED
    if _raised(old, new):
        return ChangeKind.RAISED
    return ChangeKind.ANCHORED if new.origin > old.origin else ChangeKind.LOWERED
