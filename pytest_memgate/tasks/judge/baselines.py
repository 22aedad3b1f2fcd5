"""The bar of a test: from the work tree's baselines, or from those of a git ref that the change cannot touch."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace

from pytest_memgate.baseline.document import Document
from pytest_memgate.baseline.store import Store, Stores
from pytest_memgate.compare.moved import Moves, same_sites, under_new_name
from pytest_memgate.compare.noise import explained
from pytest_memgate.errors import BaselineError
from pytest_memgate.model.environment import Header
from pytest_memgate.model.judgement.reason import Mismatch, MismatchKind
from pytest_memgate.model.judgement.reference import Bar, Reference, Standing, is_reason
from pytest_memgate.model.metric import base_name
from pytest_memgate.model.metric import metric as metric_of
from pytest_memgate.model.run import Change, ChangeKind
from pytest_memgate.model.site import Site
from pytest_memgate.model.subject import LEDGER, Subject

NOTHING_LEFT = Reference(value=0)


class Baselines:
    """The work tree's baselines (`head`) and, if a ref was named, that ref's (`base`)."""

    def __init__(self, head: Stores, base: Stores | None, header: Header) -> None:
        self.head = head
        self.base = base
        self._header = header
        self._find_moves: Callable[[], Moves | None] = lambda: None
        self._moves: Moves | None = None

    @property
    def against(self) -> Stores:
        """The baselines that decide which tests are new: those of the base if there is one."""
        return self.base or self.head

    @property
    def moves(self) -> Moves:
        """Which tests have their entry under another name, as far as the tests are collected."""
        if self._moves is None:
            self._moves = self._find_moves()
        return self._moves or Moves()

    def read_ahead(self, files: Iterable[str]) -> None:
        """Read the entries of some test files, and of files that moved to them; none is read later for their tests."""
        moved = {old.file for olds in (self.moves.old.values(), *self.moves.possible.values()) for old in olds}
        for stores in filter(None, (self.head, self.base)):
            for store in stores:
                store.files()
                for file in (LEDGER, *files, *moved):
                    with suppress(BaselineError):  # it is told of where it is needed
                        store.document(file)

    def find_moves_by(self, find: Callable[[], Moves | None]) -> None:
        """Set the function that finds moved tests; it is called when first needed, and again while it gives None."""
        self._find_moves = find

    def recognise(self, test: Subject, metric: str, sites: Iterable[Site]) -> bool:
        """Return True if the call sites of a new test identify its old entry, which is used from now on."""
        old = self.moves.by_sites.get(test)
        document = self.against.of(metric).document(old.file) if old else None
        reference = document.entry(old.name, metric) if old and document else None
        if not (old and reference and same_sites(test, sites, old, reference.sites)):
            return False
        self.add_moves({test: old})
        return True

    def add_moves(self, old: Mapping[Subject, Subject]) -> None:
        """Add moves that were found elsewhere, by the call sites of measured tests."""
        possible = {test: olds for test, olds in self.moves.possible.items() if test not in old}
        self._moves = replace(self.moves, old={**self.moves.old, **old}, possible=possible)

    def moved_from(self, test: Subject) -> Subject | None:
        """Return the subject under which a test's entry is stored, None if that is its own."""
        return None if test.is_first_use or self._is_listed(test) else self.moves.old.get(test)

    def _is_listed(self, test: Subject) -> bool:
        for store in self.against:
            try:
                document = store.document(test.file)
            except BaselineError:
                return True  # for all that can be known
            if document is not None and test.name in document.entries:
                return True
        return False

    def bar(self, subject: Subject, metric: str, conditions: Mapping[str, str] | None = None) -> Bar:
        """Return the bar for a test that measures under `conditions`.

        With a base, an entry of the work tree counts only if it is no looser, has a reason of its own, is new, or was
        measured like this run while the base's was not. Raises BaselineError for a file that cannot be read.
        """
        old_subject = self.moved_from(subject)
        in_head = self._place(self.head, subject, metric, old_subject)
        head = self.head.of(metric).document(in_head.file)
        if self.base is None:
            return self._bar(head, in_head, metric, self.head.of(metric), subject)
        in_base = old_subject or subject
        base = self.base.of(metric).document(in_base.file)
        old, new = _entry(base, in_base, metric), _entry(head, in_head, metric)
        if old is None or base is None:
            return self._bar(head, in_head, metric, self.head.of(metric), subject)
        if new is None or head is None:
            counts = False
        elif new.unit != old.unit:
            counts = _has_fresh_reason(old, new)
        elif not _comparable(head, base, new, old, metric):
            traced = metric_of(metric).is_traced
            counts = head.header == self._header if traced else new.conditions == (conditions or {})
        else:
            counts = _accepted(old, new)
        if counts:
            return self._bar(head, in_head, metric, self.head.of(metric), subject)
        return self._bar(base, in_base, metric, self.base.of(metric), subject)

    def _place(self, stores: Stores, subject: Subject, metric: str, old: Subject | None) -> Subject:
        """Return the subject under which stores have the entry of a test that may have moved."""
        document = stores.of(metric).document(subject.file) if old else None
        return old if old and not (document and subject.name in document.entries) else subject

    def stored(self, subject: Subject, family: str) -> set[str]:
        """Return the metrics of a family of which the work tree, or the base, has an entry for a test."""
        return {name for name in self._listed(subject, family) if name.startswith(f"{family}.")}

    def metrics(self, subject: Subject, base_metric: str) -> set[str]:
        """Return the names of a metric in the entries of a test, with their parts."""
        return {name for name in self._listed(subject, base_metric) if base_name(name) == base_metric}

    def _listed(self, subject: Subject, metric: str) -> set[str]:
        found: set[str] = set()
        old = self.moved_from(subject)
        for stores in (self.head, self.base):
            for place in (subject, old) if old else (subject,):
                document = stores.of(metric).document(place.file) if stores else None
                found.update(document.entries.get(place.name, ()) if document else ())
        return found

    def _bar(self, document: Document | None, place: Subject, metric: str, store: Store, subject: Subject) -> Bar:
        reference = _entry(document, place, metric)
        if document is None or reference is None:
            known = document is not None or store.files()
            looked = document is None or document.format > 1
            if known and looked and metric_of(metric).is_leftover:  # a test that is new is to leave nothing, too
                return Bar(standing=Standing.KNOWN, reference=NOTHING_LEFT)
            if not known:
                return Bar(standing=Standing.NO_BASELINE)
            return Bar(standing=Standing.NEW, may_be=self._may_be(subject))
        if metric_of(metric).is_traced and document.header != self._header:
            mismatch = _mismatch(store.path(place.file), document.header, self._header)
            return Bar(standing=Standing.INCOMPARABLE, mismatch=mismatch)
        if place != subject:
            reference = under_new_name(reference, place, subject)
        return Bar(standing=Standing.KNOWN, reference=reference)

    def _may_be(self, test: Subject) -> tuple[Subject, ...]:
        """Return the entries that may belong to a new test, if nobody can tell which."""
        olds = () if test.is_first_use else self.moves.possible.get(test, ())
        return () if not olds or self.moved_from(test) or self._is_listed(test) else tuple(olds)

    def changes(self) -> Iterator[Change]:
        """Yield the differences of the work tree's baselines from the base's, in the order of their files."""
        if self.base is None:
            return
        for head, base in zip(self.head, self.base, strict=True):
            changes = [
                change
                for file in sorted({*head.files(), *base.files()})
                for change in _changes(file, base.document(file), head.document(file))
            ]
            yield from self._with_moves(changes, head, base)

    def _with_moves(self, changes: list[Change], head: Store, base: Store) -> Iterator[Change]:
        """Yield the changes, with a new and a removed entry of a moved test as one change."""
        new = {change.subject for change in changes if change.kind is ChangeKind.NEW}
        moved = {test: old for test in sorted(new) if (old := self.moved_from(test))}
        replaced = set(moved.values())
        for change in changes:
            old = moved.get(change.subject)
            if old:
                there, here = base.document(old.file), head.document(change.subject.file)
                if there and here and there.entry(old.name, change.metric):
                    yield from _moved(change.subject, change.metric, old, there, here)
                    continue
            if not (change.kind is ChangeKind.REMOVED and change.subject in replaced):
                yield change


def _moved(test: Subject, metric: str, old: Subject, base: Document, head: Document) -> Iterator[Change]:
    before, after = base.entry(old.name, metric), head.entry(test.name, metric)
    same = not (before and after) or _comparable(head, base, after, before, metric)
    for change in _change(test, metric, before, after, same=same):
        plain = change.kind is ChangeKind.LOWERED and change.before == change.after
        yield replace(change, kind=ChangeKind.MOVED if plain else change.kind, moved_from=str(old))


def _mismatch(file: str, there: Header, here: Header) -> Mismatch:
    """Return the difference between the header of a baseline file and that of this run."""
    theirs, ours = there.parts(), here.parts()
    differing = [key for key in theirs if theirs[key] != ours[key]]
    return Mismatch(
        kind=MismatchKind.HEADER,
        file=file,
        there={key: theirs[key] for key in differing},
        here={key: ours[key] for key in differing},
    )


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
    pinned = old is not None and old.anchor is not None and new is not None and new.unit == old.unit
    if old and new and (same or pinned) and new.origin > old.origin:
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
