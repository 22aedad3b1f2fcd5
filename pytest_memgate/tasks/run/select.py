"""The tests that a user names on the command line."""

import difflib
from collections.abc import Collection, Iterable

from pytest_memgate.budget.match import matches
from pytest_memgate.errors import UsageError
from pytest_memgate.model.subject import Subject


def may_be_in(tests: Iterable[str], file: str) -> bool:
    """True if one of the names and patterns can mean a test in a file."""
    places = (test.partition("::")[0] for test in tests)
    return any(place == file or matches(place, Subject(file, "")) for place in places)


def select(subjects: Collection[Subject], wanted: Iterable[str], where: str) -> set[Subject]:
    """Return the subjects that `wanted` names or matches, all of them if nothing is wanted.

    Raises UsageError for a name that `where` does not hold, with the nearest one.
    """
    names = list(wanted)
    if not names:
        return set(subjects)
    found: set[Subject] = set()
    for name in names:
        hits = {subject for subject in subjects if str(subject) == name or matches(name, subject)}
        if not hits:
            near = difflib.get_close_matches(name, [str(subject) for subject in subjects], n=1, cutoff=0.5)
            raise UsageError(f"{where} has no {name!r}", hint=f"did you mean {near[0]!r}?" if near else "")
        found |= hits
    return found
