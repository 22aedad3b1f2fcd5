"""The entries of one baseline file as an update leaves them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from pytest_memgate.baseline.document import FORMAT, Document
from pytest_memgate.compare.agreement import agree
from pytest_memgate.compare.attribution import MOST, PARTS, SHARE, SHARE_OF_PARTS, largest
from pytest_memgate.compare.moved import under_new_name
from pytest_memgate.compare.noise import alike
from pytest_memgate.measure.lighthouse.seen import LARGEST
from pytest_memgate.model.environment import Header
from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.model.judgement.reference import Reference, is_reason
from pytest_memgate.model.measurement import Basis, Measurement
from pytest_memgate.model.metric import CUSTOM, FIRST_USE, is_answered
from pytest_memgate.model.metric import metric as metric_of
from pytest_memgate.model.run import Change, ChangeKind, Problem
from pytest_memgate.model.subject import LEDGER, Subject
from pytest_memgate.tasks.judge.baselines import unit_of

_SWAY = 0.25  # of the budget: values of unchanged code may be so much lower; chosen
ALL_KINDS = frozenset({ChangeKind.NEW, ChangeKind.RAISED, ChangeKind.LOWERED, ChangeKind.REMOVED})
Found = dict[str, dict[str, Finding]]  # by the test's name, by metric


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What an update may do: which kinds of change, and the reason for values that rise.

    `collected` gives, for each file that was run as a whole and without failure, the names of its tests: entries of
    other tests are removed. With `ledger` there is a ledger afterwards, even an empty one: an owner that it does not
    list cost nothing. `first` is True if no test file of the run had baselines, and the ledger none of what they pay.
    `moved` gives the old names of renamed tests: their entries come along. `exactly` is True if the user named tests:
    their values are written even where the gate would not object to the entries.
    """

    kinds: frozenset[ChangeKind] = ALL_KINDS
    reason: str = ""
    collected: Mapping[str, frozenset[str]] = field(default_factory=dict)
    ledger: bool = False
    first: bool = False
    moved: Mapping[Subject, Subject] = field(default_factory=dict)
    exactly: bool = False

    def makes(self, kind: ChangeKind) -> bool:
        """True if the update may make changes of a kind; a moved test counts as new."""
        asked = ChangeKind.NEW if kind is ChangeKind.MOVED else kind
        return self.kinds == ALL_KINDS or asked in self.kinds


@dataclass(slots=True, kw_only=True)
class Updated:
    """The `changes` that an update wrote, those that lacked a reason, and the problems of those it could not write."""

    changes: list[Change] = field(default_factory=list)
    unreasoned: list[Change] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    begun: bool = False  # a part of the update has been made

    def add(self, other: "Updated") -> None:
        """Add the result of another part of the same update."""
        self.changes += other.changes
        self.unreasoned += other.unreasoned
        self.problems += other.problems
        self.begun = True


@dataclass(frozen=True, slots=True)
class Old:
    """The old name and entries of a moved test."""

    subject: Subject
    document: Document


class FileUpdate:
    """The update of one baseline file."""

    def __init__(
        self,
        file: str,
        document: Document | None,
        header: Header,
        order: Order,
        done: Updated,
        moved: Mapping[str, Old | None],
    ) -> None:
        self._file = file
        self._document = document or Document(header=header)
        self._is_new = document is None
        self._known = self._document.entries
        self._header = header
        self.format = self._document.format
        self._stale = document is not None and document.header != header
        self._differences = document.header.differences(header) if document else ""
        self._order = order
        self._done = done
        self._moved = {name: old for name, old in moved.items() if old and name not in self._known}

    def entries(self, found: Found) -> dict[str, dict[str, Reference]] | None:
        """Return the entries that the file is to hold, None if it must not be touched."""
        collected = self._order.collected.get(self._file)
        measured = {
            name: {metric: one for metric, one in metrics.items() if _is_stored(one)} for name, metrics in found.items()
        }
        may_move = self._order.makes(ChangeKind.MOVED)
        measured = {name: one for name, one in measured.items() if one and (may_move or name not in self._moved)}
        # Entries under two headers cannot stand in one file: it changes over whole, or not at all.
        kept = self._known.keys() if collected is None else self._known.keys() & collected
        whole = kept <= measured.keys() and self._order.kinds == ALL_KINDS
        if self._stale and not whole:
            if measured:
                self._done.problems.append(
                    Problem(
                        text=f"the baselines of {self._file} were measured with {self._differences}: not updated",
                        hint=_all_at_once(self._file),
                    )
                )
            return None
        leaving = {old.name for old in self._order.moved.values() if old.file == self._file}
        if self._stale and not measured and leaving & self._known.keys():
            return None  # they leave once they are written elsewhere
        if whole and measured and self._header != Header():
            self.format = FORMAT  # nobody but such an update has looked at everything that the format tells of
        entries = {} if self._stale else {name: dict(metrics) for name, metrics in self._known.items()}
        for name, findings in measured.items():
            old = self._moved.get(name)
            if old and old.document.header == self._header:
                carried = old.document.entries[old.subject.name]
                test = Subject(self._file, name)
                entries[name] = {metric: under_new_name(one, old.subject, test) for metric, one in carried.items()}
            self._put_all(entries, name, findings.values())
        if self._stale and self._done.unreasoned:
            self._done.changes.clear()
            return None
        if collected is not None and self._order.makes(ChangeKind.REMOVED):
            _remove_gone(entries, found, collected | leaving)
        self._tell_rest(entries, leaving)
        return entries

    def _tell_rest(self, entries: Mapping[str, Mapping[str, Reference]], leaving: Collection[str]) -> None:
        """List the entries that moved unchanged, and those that are gone."""
        told = {(change.subject.name, change.metric) for change in self._done.changes}
        for name in self._moved:
            for metric, reference in entries.get(name, {}).items():
                if (name, metric) not in told:
                    value = reference.value
                    self._note(ChangeKind.MOVED, name, metric, value, value, unit_of(metric, reference))
        for name, known in self._known.items():
            for metric in sorted(known.keys() - entries.get(name, {}).keys()):
                if (name, metric) in told or name in leaving:
                    continue
                unit = unit_of(metric, known[metric])
                self._note(ChangeKind.REMOVED, name, metric, known[metric].value, None, unit)

    def _put_all(self, entries: dict[str, dict[str, Reference]], name: str, findings: Iterable[Finding]) -> None:
        """Put the findings on one test; values measured together are written together, or not at all."""
        together: dict[str, list[Finding]] = defaultdict(list)
        for finding in findings:
            known = metric_of(finding.metric)
            group = "" if finding.subject.is_first_use else known.family if known.is_declared else finding.metric
            together[group].append(finding)
        for family in together.values():
            before, done = dict(entries.get(name, {})), self._done
            refused, changed = len(done.unreasoned), len(done.changes)
            for finding in family:
                self._put(entries, name, finding)
            if len(done.unreasoned) > refused:
                if before:
                    entries[name] = before
                else:
                    entries.pop(name, None)
                del done.changes[changed:]

    def _put(self, entries: dict[str, dict[str, Reference]], name: str, finding: Finding) -> None:
        measurement, metric, unit = finding.measurement, finding.metric, finding.unit
        assert measurement is not None  # noqa: S101  # only measured ones are put
        keeps = metric_of(metric).keeps(measurement.value)
        if not keeps and metric not in self._known.get(name, {}):
            return
        place = self._moved.get(name)
        document, entry = (place.document, place.subject.name) if place else (self._document, name)
        old = None if self._is_first_seen(name, finding, measurement) else document.entry(entry, metric)
        kind = self._kind(old, finding, measurement, stale=document.header != self._header)
        if kind is None or not self._order.makes(kind):
            return
        before = old.value if old else None
        # What no budget names may rise as it likes.
        rises = kind is ChangeKind.RAISED or (kind is ChangeKind.REMEASURED and _is_over(old, finding, measurement))
        if rises and finding.rules and not self._fresh_reason(old):
            change = Change(
                subject=Subject(self._file, name),
                metric=metric,
                kind=kind,
                before=before,
                after=measurement.value,
                unit=unit,
            )
            self._done.unreasoned.append(change)
            return
        new = _reference(finding, measurement)
        if old and rises and self._order.reason:
            new = replace(new, anchor=min(old.origin, measurement.value), reason=self._order.reason)
        elif old and kind is not ChangeKind.RAISED and old.origin < measurement.value and old.unit == new.unit:
            new = replace(new, anchor=old.anchor, reason=old.reason)
        if keeps:
            entries.setdefault(name, {})[metric] = new
        else:
            entries.get(name, {}).pop(metric, None)
        self._note(kind, name, metric, before, measurement.value, unit)

    def _is_first_seen(self, name: str, finding: Finding, measurement: Measurement) -> bool:
        """True if a package may come into the ledger without a reason: with its tests, or within its budget."""
        free = self._is_new or self._order.first or measurement.value <= (finding.allowed or 0)
        return finding.subject.is_first_use and name not in self._known and free

    def _kind(
        self, old: Reference | None, finding: Finding, measurement: Measurement, *, stale: bool
    ) -> ChangeKind | None:
        if old is None:
            return ChangeKind.NEW
        if stale or old.conditions != measurement.conditions or unit_of(finding.metric, old) != finding.unit:
            return ChangeKind.REMEASURED
        if _shows_more(old, measurement):
            return ChangeKind.REMEASURED
        if (measurement.basis is not Basis.COLD) == old.repeatable:
            if _near(old, finding, measurement):
                return None
            deliberate = self._order.exactly or self._order.kinds != ALL_KINDS
            if _is_within(old, finding, measurement) and not (deliberate and self._may_change(old, measurement)):
                return None
        return ChangeKind.RAISED if measurement.value > old.value else ChangeKind.LOWERED

    def _may_change(self, old: Reference, measurement: Measurement) -> bool:
        """True if an entry to which the gate does not object may be changed, without a reason."""
        return measurement.value < old.value or self._fresh_reason(old)

    def _fresh_reason(self, old: Reference | None) -> bool:
        """True if the update has a reason that the entry does not have yet: a gate beside a git ref asks for it."""
        return is_reason(self._order.reason) and (old is None or old.reason != self._order.reason)

    def _note(
        self, kind: ChangeKind, name: str, metric: str, before: float | None, after: float | None, unit: str
    ) -> None:
        self._done.changes.append(
            Change(
                subject=Subject(self._file, name),
                metric=metric,
                kind=kind,
                before=before,
                after=after,
                unit=unit,
                reason=self._order.reason if kind is ChangeKind.RAISED else "",
                moved_from=str(self._moved[name].subject) if name in self._moved else "",
            )
        )


def _all_at_once(file: str) -> str:
    if file == LEDGER:
        return "update the whole project at once: memgate baseline update"
    return f"update all its tests at once: memgate baseline update {file}"


def _remove_gone(entries: dict[str, dict[str, Reference]], found: Found, collected: frozenset[str]) -> None:
    """Remove the entries of tests that are gone, and of metrics that a test which ran no longer has."""
    for name in list(entries):
        if name not in collected:
            del entries[name]
        elif name in found:
            given = {metric for metric, finding in found[name].items() if not _is_passing_by(finding)}
            entries[name] = {metric: one for metric, one in entries[name].items() if is_answered(metric, given)}


def _is_stored(finding: Finding) -> bool:
    return bool(finding.measurement and finding.measurement.settled) and not _is_passing_by(finding)


def _is_passing_by(finding: Finding) -> bool:
    """True if a value is only shown: no budget names it and it depends on the machine."""
    ungated = finding.outcome is Outcome.NOT_GATED or (finding.measurement is not None and not finding.rules)
    return ungated and not metric_of(finding.metric).is_web


def _shows_more(old: Reference, measurement: Measurement) -> bool:
    """True if a page shows what the gate would take for another page: an error, a failed request, a largest element."""
    new = measurement.seen.keys() - old.seen.keys()
    return bool(new) and (len(new) == len(measurement.seen) or any(measurement.seen[text] != LARGEST for text in new))


def _near(old: Reference, finding: Finding, measurement: Measurement) -> bool:
    """True if a value differs from the stored one by no more than values of an unchanged test do."""
    if finding.allowed is not None and measurement.value - old.value > finding.allowed:
        return False  # the gate would go on objecting
    if measurement.basis is Basis.SAMPLES:
        return alike(old.samples, measurement.samples)
    if measurement.basis in {Basis.EXACT, Basis.SLOPE}:
        return old.value == measurement.value
    noise = metric_of(finding.metric).noise
    return agree(old.value, measurement.value, noise) or abs(old.value - measurement.value) <= old.spread


def _is_within(old: Reference, finding: Finding, measurement: Measurement) -> bool:
    """True if unchanged code can move from an entry to a value: up within the budget, down by a part of it.

    A value that fell by more is written: nobody would hear of the gain otherwise, as the gate calls it passed. A value
    that does not vary is known to have fallen.
    """
    if finding.allowed is None or finding.outcome is Outcome.DRIFTED:
        return False
    growth = measurement.value - old.value
    sways = measurement.basis not in {Basis.EXACT, Basis.SLOPE}
    return growth <= finding.allowed if growth > 0 else sways and -growth <= _SWAY * finding.allowed


def _is_over(old: Reference | None, finding: Finding, measurement: Measurement) -> bool:
    """True if a value is above an entry of the same unit, measured in another way, by more than its budget."""
    if old is None or finding.allowed is None or unit_of(finding.metric, old) != finding.unit:
        return False
    return measurement.value - old.value > finding.allowed


def _reference(finding: Finding, measurement: Measurement) -> Reference:
    known = metric_of(finding.metric, finding.unit)
    share, most = (SHARE_OF_PARTS, PARTS) if known.is_declared or known == FIRST_USE else (SHARE, MOST)
    return Reference(
        value=measurement.value,
        unit=finding.unit if known.name.startswith(CUSTOM) else "",
        sites=largest(measurement.sites, measurement.value, share=share, most=most),
        spread=measurement.spread,
        repeatable=measurement.basis is not Basis.COLD,
        samples=measurement.samples,
        conditions=measurement.conditions,
        audits=measurement.audits,
        seen=measurement.seen,
        paces=measurement.paces,
    )
