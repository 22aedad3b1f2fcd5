"""Write measured values into the baselines."""

import shlex
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pytest_memgate.baseline.document import Document
from pytest_memgate.baseline.store import Store, write
from pytest_memgate.compare.attribution import largest
from pytest_memgate.compare.settle import agree
from pytest_memgate.errors import BaselineError
from pytest_memgate.model.environment import Header
from pytest_memgate.model.finding import Finding
from pytest_memgate.model.measurement import Basis, Measurement
from pytest_memgate.model.reference import Reference
from pytest_memgate.model.run import Change, ChangeKind, Problem, Verdict
from pytest_memgate.model.subject import Subject
from pytest_memgate.units import format_size

_NAMED = 5  # tests that a message lists
ALL_KINDS = frozenset({ChangeKind.NEW, ChangeKind.RAISED, ChangeKind.LOWERED, ChangeKind.REMOVED})
_Measured = dict[str, dict[str, Measurement]]  # by the test's name, by metric


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What an update may do: which kinds of change, and why values rise.

    `collected` gives, for each file that was run as a whole and without failure, the names of the tests it has:
    entries of others are removed.
    """

    kinds: frozenset[ChangeKind] = ALL_KINDS
    reason: str = ""
    collected: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Updated:
    """What an update wrote (`changes`), what it did not write for want of a reason, and what it could not write."""

    changes: list[Change] = field(default_factory=list)
    unreasoned: list[Change] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def update(root: Path, store: Store, header: Header, findings: Iterable[Finding], order: Order) -> Updated:
    """Write the settled values among `findings` into the baselines; whatever they do not name stays as it is.

    A file that cannot be read or written is a problem, and the others are updated.
    """
    measured: dict[str, _Measured] = defaultdict(lambda: defaultdict(dict))
    for finding in findings:
        if finding.measurement and finding.measurement.settled:
            measured[finding.subject.file][finding.subject.name][finding.metric] = finding.measurement
    done = Updated()
    for file in sorted({*measured, *(order.collected.keys() & set(store.files()))}):
        try:
            _update_file(root, store, header, file, measured.get(file, {}), order, done)
        except BaselineError as error:
            done.problems.append(Problem(text=str(error), verdict=Verdict.NO_ANSWER))
    return done


def _update_file(
    root: Path, store: Store, header: Header, file: str, measured: _Measured, order: Order, done: Updated
) -> None:
    document = store.document(file)
    this = Updated()
    entries = _FileUpdate(file, document, header, order, this).entries(measured)
    if entries is not None and (document is None or entries != document.entries or header != document.header):
        write(root, store.path(file), Document(header=header, entries=entries))
    done.changes += this.changes
    done.unreasoned += this.unreasoned
    done.problems += this.problems


class _FileUpdate:
    """The update of one baseline file."""

    def __init__(self, file: str, document: Document | None, header: Header, order: Order, done: Updated) -> None:
        self._file = file
        self._known = document.entries if document else {}
        self._stale = document is not None and document.header != header
        self._differences = document.header.differences(header) if document else ""
        self._order = order
        self._done = done

    def entries(self, measured: _Measured) -> dict[str, dict[str, Reference]] | None:
        """Return what the file shall hold, None if it must not be touched."""
        collected = self._order.collected.get(self._file)
        # Entries under two headers cannot stand in one file: it changes over whole, or not at all.
        kept = self._known.keys() if collected is None else self._known.keys() & collected
        if self._stale and not (kept <= measured.keys() and self._order.kinds == ALL_KINDS):
            if measured:
                self._done.problems.append(
                    Problem(
                        text=f"the baselines of {self._file} were measured with {self._differences}: not updated",
                        hint=f"update all its tests at once: memgate baseline update {self._file}",
                    )
                )
            return None
        entries = {} if self._stale else {name: dict(metrics) for name, metrics in self._known.items()}
        for name, metrics in measured.items():
            for metric, measurement in metrics.items():
                self._put(entries, name, metric, measurement)
        if collected is not None and ChangeKind.REMOVED in self._order.kinds:
            for name in [name for name in entries if name not in collected]:
                del entries[name]
        for name in self._known.keys() - entries.keys():
            for metric, reference in self._known[name].items():
                self._note(ChangeKind.REMOVED, name, metric, reference.value, None)
        return entries

    def _put(self, entries: dict[str, dict[str, Reference]], name: str, metric: str, measurement: Measurement) -> None:
        old = self._known.get(name, {}).get(metric)
        kind = self._kind(old, measurement)
        if kind is None or (kind in ALL_KINDS and kind not in self._order.kinds):
            return
        before = old.value if old else None
        if kind is ChangeKind.RAISED and not self._fresh_reason(old):
            change = Change(
                subject=Subject(self._file, name),
                metric=metric,
                kind=kind,
                before=before,
                after=measurement.value,
            )
            self._done.unreasoned.append(change)
            return
        new = _reference(measurement)
        if old and kind is ChangeKind.RAISED:
            new = _reference(measurement, anchor=min(old.origin, measurement.value), reason=self._order.reason)
        elif old and kind is ChangeKind.LOWERED and old.origin < measurement.value:
            new = _reference(measurement, anchor=old.anchor, reason=old.reason)
        entries.setdefault(name, {})[metric] = new
        self._note(kind, name, metric, before, measurement.value)

    def _kind(self, old: Reference | None, measurement: Measurement) -> ChangeKind | None:
        if old is None:
            return ChangeKind.NEW
        if self._stale:
            return ChangeKind.REMEASURED
        repeatable = measurement.basis is not Basis.COLD
        near = agree(old.value, measurement.value) or abs(old.value - measurement.value) <= old.spread
        if near and repeatable == old.repeatable:
            return None
        return ChangeKind.RAISED if measurement.value > old.value else ChangeKind.LOWERED

    def _fresh_reason(self, old: Reference | None) -> bool:
        """Say whether the order gives a reason that the entry does not have yet: a gate on a git ref asks for one."""
        return bool(self._order.reason) and (old is None or old.reason != self._order.reason)

    def _note(self, kind: ChangeKind, name: str, metric: str, before: int | None, after: int | None) -> None:
        self._done.changes.append(
            Change(
                subject=Subject(self._file, name),
                metric=metric,
                kind=kind,
                before=before,
                after=after,
                reason=self._order.reason if kind is ChangeKind.RAISED else "",
            )
        )


def _reference(measurement: Measurement, *, anchor: int | None = None, reason: str = "") -> Reference:
    return Reference(
        value=measurement.value,
        sites=largest(measurement.sites, measurement.value),
        anchor=anchor,
        reason=reason,
        spread=measurement.spread,
        repeatable=measurement.basis is not Basis.COLD,
    )


def unreasoned_problem(changes: list[Change], command: str) -> Problem:
    """Return the problem of raises that came without a reason; `command` repeats the update with one."""
    shown = [
        f"{change.subject} {format_size(change.before or 0)} -> {format_size(change.after or 0)}"
        for change in changes[:_NAMED]
    ]
    more = f" and {len(changes) - _NAMED} more" if len(changes) > _NAMED else ""
    tests = shlex.join(str(change.subject) for change in changes) if not more else ""
    return Problem(
        text=f"raised, so not written without a reason of its own: {', '.join(shown)}{more}",
        hint=f'say why the growth is right: {command} --reason "…" {tests}'.rstrip(),
    )
