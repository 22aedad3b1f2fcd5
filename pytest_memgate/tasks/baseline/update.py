"""Write measured values into the baselines."""

import shlex
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from pytest_memgate.baseline.document import Document
from pytest_memgate.baseline.store import Store, Stores, Writing, header_of
from pytest_memgate.errors import BaselineError
from pytest_memgate.model.environment import Header
from pytest_memgate.model.judgement.finding import Finding
from pytest_memgate.model.metric import MEMORY_PEAK
from pytest_memgate.model.run import Change, ChangeKind, Problem, Verdict
from pytest_memgate.model.subject import LEDGER, Subject
from pytest_memgate.tasks.baseline.file_update import ALL_KINDS, FileUpdate, Found, Old, Order, Updated
from pytest_memgate.units import format_amount

_NAMED = 5  # tests that a message lists
__all__ = ("ALL_KINDS", "Order", "Updated", "unreasoned_problem", "update")


def update(root: Path, stores: Stores, header: Header, findings: Iterable[Finding], order: Order) -> Updated:
    """Write the settled values among `findings` into the baselines; entries of other tests stay as they are.

    A file that cannot be read becomes a problem, and the others are updated. All of them are written, or none.
    """
    found: dict[Store, dict[str, Found]] = {store: defaultdict(lambda: defaultdict(dict)) for store in stores}
    for finding in findings:
        found[stores.of(finding.metric)][finding.subject.file][finding.subject.name][finding.metric] = finding
    done = Updated()
    writing = Writing(root)
    try:
        for store, files in found.items():
            new = _Documents(store, header_of(store, header), done)
            tests = sorted({*files, *(order.collected.keys() & set(store.files()))} - {LEDGER})
            for file in (*tests, LEDGER):
                if done.problems:
                    order = replace(order, ledger=False)  # nobody can say of all tests what they cost
                if file == LEDGER and not (files.get(LEDGER) or (order.ledger and store is stores.own)):
                    continue
                new.update(file, files.get(file, {}), order)
            new.take_away_moved(order)
            new.put_into(writing, stays=order.ledger)
        writing.write()
    except BaselineError as error:
        done.changes.clear()
        done.problems.append(Problem(text=str(error), verdict=Verdict.NO_ANSWER))
    return done


class _Documents:
    """The baseline files of one store after an update."""

    def __init__(self, store: Store, header: Header, done: Updated) -> None:
        self._store = store
        self._header = header
        self._done = done
        self._new: dict[str, Document] = {}
        self._carried: set[Subject] = set()

    def update(self, file: str, found: Found, order: Order) -> None:
        """Update one file, unless it cannot be read."""
        this = Updated()
        try:
            old = {name: self._old(Subject(file, name), order) for name in found}
            update = FileUpdate(file, self._store.document(file), self._header, order, this, old)
            entries = update.entries(found)
            self._store.path(file)
        except BaselineError as error:
            self._done.problems.append(Problem(text=str(error), verdict=Verdict.NO_ANSWER))
            return
        if entries is not None:
            self._new[file] = Document(header=self._header, entries=entries, format=update.format)
            self._carried |= {Subject(file, name) for name in entries if Subject(file, name) in order.moved}
        self._done.add(this)

    def _old(self, test: Subject, order: Order) -> "Old | None":
        """Return the old name and entries of a moved test."""
        subject = order.moved.get(test)
        document = self._store.document(subject.file) if subject else None
        if subject is None or document is None or subject.name not in document.entries:
            return None
        return Old(subject, document)

    def take_away_moved(self, order: Order) -> None:
        """Remove the entries of old names, if all tests that came from them have taken them along."""
        for old in sorted(set(order.moved.values())):
            document = self._new.get(old.file) or self._store.document(old.file)
            takers = {test for test, subject in order.moved.items() if subject == old}
            if (
                document
                and old.name in document.entries
                and takers <= self._carried
                and order.makes(ChangeKind.REMOVED)
            ):
                entries = {name: metrics for name, metrics in document.entries.items() if name != old.name}
                self._new[old.file] = replace(document, entries=entries)

    def put_into(self, writing: Writing, *, stays: bool) -> None:
        """Plan to write the changed files; also an empty ledger, which says that nothing costs anything."""
        for file, new in self._new.items():
            known = self._store.document(file)
            even_empty = file == LEDGER and (stays or known is not None)
            if new != known and (new.entries or known or even_empty):
                writing.put(self._store.path(file), new, even_empty=even_empty)


def unreasoned_problem(changes: list[Change], command: str) -> Problem:
    """Return the problem of raises without a reason; `command` repeats the update with one."""
    shown = [
        f"{change.subject} {'' if change.metric == MEMORY_PEAK.name else f'{change.metric} '}"
        f"{format_amount(change.before or 0, change.unit)} -> {format_amount(change.after or 0, change.unit)}"
        for change in changes[:_NAMED]
    ]
    more = f" and {len(changes) - _NAMED} more" if len(changes) > _NAMED else ""
    tests = shlex.join(dict.fromkeys(str(change.subject) for change in changes)) if not more else ""
    return Problem(
        text=f"raised, so not written without a reason of its own: {', '.join(shown)}{more}",
        hint=f'say why the growth is right: {command} --reason "…" {tests}'.rstrip(),
    )
