"""What an item is called and where it stands."""

from pathlib import Path

import pytest

from pytest_memgate.baseline.place import file_key
from pytest_memgate.model.subject import Subject


def subject_of(item: pytest.Item, root: Path) -> Subject:
    """Return the name that an item's baseline goes by."""
    path, _, name = item.nodeid.partition("::")
    return Subject(file_key(item.path, root), name or path.rpartition("/")[2])


def line_of(item: pytest.Item) -> int:
    """Return the line on which the test is defined, 0 where pytest does not know."""
    line = item.reportinfo()[1]
    return 0 if line is None else line + 1
