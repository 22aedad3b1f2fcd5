"""The first use that a test paid for all: it is judged at the end of the session, with that of all other tests."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_memgate.compare.first_use import Parts, Payment, is_module, only_first
from pytest_memgate.measure.stacks.source_paths import Places
from pytest_memgate.model.metric import MEMORY_RETAINED
from pytest_memgate.model.subject import Subject
from pytest_memgate.plugin.items import line_of, subject_of
from pytest_memgate.plugin.loop.outside import Outside
from pytest_memgate.plugin.test import Test

if TYPE_CHECKING:
    import pytest

    from pytest_memgate.measure.memory.capture import Capture  # it needs memray


_NOTHING: Mapping[str, Parts] = {}


class FirstUses:
    """Reads the payments of the tests of one process."""

    def __init__(self, root: Path, outside: Outside) -> None:
        self.outside = outside
        self._root = root
        self._places = Places(root)
        self._span: object | None = None  # the last one whose shared payments were read
        self._together: tuple[str, ...] = ()

    def together(self, tests: Sequence[Test]) -> None:
        """Remember the tests of a group that its bound left open, as command-line arguments.

        Memory first used by background threads cannot be attributed to one of them.
        """
        self._together = tuple(argument(test.item) for test in tests)

    def payment(self, test: Test) -> Payment | None:
        """Return the first use that a test paid, once it has run again; None if it paid nothing.

        A run that settled the test by its bound paid too little to matter.
        """
        captures = test.captures
        warm = next((one for one in reversed(captures[1:]) if not one.fault), None)
        own, shared = self.outside.take(test.item), _NOTHING
        if captures and not captures[0].fault:
            own, shared = _both(own, self._own(captures[0], warm)), self._shared(captures[0], warm)
        if not own and not shared:
            return None
        return _payment(test.item, test.subject, own, shared, self._together if shared else ())

    def late_payments(self) -> list[Payment]:
        """Return what teardowns of wider fixtures left, by the tests that had set these up."""
        late = self.outside.take_late()
        return [_payment(item, subject_of(item, self._root), own, _NOTHING, ()) for item, own in late.items()]

    def _own(self, cold: "Capture", warm: "Capture | None") -> Mapping[str, Parts]:
        if warm and warm.together == 1 and cold.retained - warm.retained <= MEMORY_RETAINED.noise:
            return {}
        if warm:
            return only_first(cold.owners(self._places), warm.owners(self._places))
        if not cold.modules:
            return {}
        # It cannot run twice. What it imported it paid for everybody, all the same.
        owners = cold.owners(self._places)
        loaded = {
            owner: {part: size for part, size in parts.items() if is_module(part)} for owner, parts in owners.items()
        }
        return {owner: parts for owner, parts in loaded.items() if parts}

    def _shared(self, cold: "Capture", warm: "Capture | None") -> Mapping[str, Parts]:
        """Return the first use of other threads while tests were measured together, once for all of these tests."""
        if cold.span is None or warm is None or cold.span is self._span:
            return {}
        self._span = cold.span
        known = {**warm.owners(self._places), **warm.loose(self._places)}
        return only_first(cold.loose(self._places), known)


def _payment(
    item: "pytest.Item",
    test: Subject,
    own: Mapping[str, Parts],
    shared: Mapping[str, Parts],
    causes: tuple[str, ...],
) -> Payment:
    return Payment(
        test=test,
        argument=argument(item),
        line=line_of(item),
        own=own,
        shared=shared,
        causes=causes,
        packages=tuple(sorted(owner for owner in {*own, *shared} if owner in sys.modules)),
    )


def _both(outside: Mapping[str, Parts], inside: Mapping[str, Parts]) -> Mapping[str, Parts]:
    """Return what was paid outside of a call and in it: a part in both is paid in both."""
    added = {
        owner: {part: parts.get(part, 0) + inside.get(owner, {}).get(part, 0) for part in parts}
        for owner, parts in outside.items()
    }
    return {owner: {**inside.get(owner, {}), **added.get(owner, {})} for owner in (*inside, *outside)}


def argument(item: "pytest.Item") -> str:
    """Return the node id of an item as a command-line argument that works in any folder."""
    _, found, name = item.nodeid.partition("::")
    return f"{item.path}{found}{name}"
