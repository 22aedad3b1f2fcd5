"""The name of an item, and its place."""

from pathlib import Path

import pytest
from _pytest.unittest import TestCaseFunction

from pytest_memgate.baseline.paths import file_key
from pytest_memgate.model.subject import Subject


def subject_of(item: pytest.Item, root: Path) -> Subject:
    """Return the subject under which an item's baseline is stored."""
    path, _, name = item.nodeid.partition("::")
    if not name.endswith(item.name) and any(item.iter_markers("xdist_group")):
        name = name.rpartition("@")[0] or name  # with --dist=loadgroup, workers put the group behind it
    return Subject(file_key(item.path, root), name or path.rpartition("/")[2])


def has_fixtures(item: pytest.Item) -> bool:
    """True if an item is set up by fixtures that are not pytest's own."""
    info = getattr(item, "_fixtureinfo", None)
    found = [one for some in info.name2fixturedefs.values() for one in some] if info else []
    theirs = [one for one in found if not one.func.__module__.startswith(("_pytest.", "pytest_memgate."))]
    return bool(theirs) or any("xunit_setup" in one.argname for one in found) or isinstance(item, TestCaseFunction)


class OwnItem(pytest.Item):
    """A check that memgate.yml declares: it measures something other than its own memory."""


def is_declared(item: pytest.Item) -> bool:
    """True for a check of memgate.yml."""
    return isinstance(item, OwnItem)


def line_of(item: pytest.Item) -> int:
    """Return the line on which the test is defined, 0 if pytest does not know it."""
    line = item.location[1]
    return 0 if line is None else line + 1
