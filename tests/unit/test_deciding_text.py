"""What of a test file decides about a test's marks, and what does not."""

import pytest

from pytest_memgate.plugin.session.deciding import deciding_text

_TEXT = """
import pytest
from helpers import quick
import os

LATER = pytest.mark.skipif(os.environ.get("CI"), reason="later")

@LATER
def test_a():
    assert 1

class TestB:
    @quick
    def test_b(self):
        assert 1
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("    assert 1", "    assert 2"),
        ("import pytest", "import sys\nimport pytest"),
        ("class TestB", "def test_new():\n    pass\n\nclass TestB"),
    ],
)
@pytest.mark.parametrize("name", ["test_a", "test_a[1::2]", "TestB::test_b"])
def test_bodies_and_other_tests_do_not_decide(name: str, old: str, new: str) -> None:
    assert deciding_text(_TEXT.replace(old, new), name) == deciding_text(_TEXT, name)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("test_a", "@LATER", ""),
        ("test_a", "@LATER", "@LATER\n@pytest.mark.slow"),
        ("test_a", "skipif(os", "skipif(not os"),
        ("TestB::test_b", "from helpers import quick", "from helpers import slow as quick"),
        ("TestB::test_b", "class TestB", "@pytest.mark.slow\nclass TestB"),
        ("TestB::test_b", "    @quick", "    pytestmark = pytest.mark.slow\n    @quick"),
        ("test_a", "import os", "import os\npytestmark = pytest.mark.slow"),
        ("test_a", "import os", "import os\nif os.environ:\n    pytestmark = pytest.mark.slow"),
        ("test_a", "def test_a", "def test_c"),
        ("test_a", "def test_a", "def test_a("),
    ],
)
def test_marks_decide_wherever_they_come_from(name: str, old: str, new: str) -> None:
    assert deciding_text(_TEXT.replace(old, new), name) != deciding_text(_TEXT, name)


def test_what_is_no_python_decides_as_a_whole() -> None:
    assert deciding_text("- a: {", "x") == "- a: {"
    assert deciding_text(None, "x") is None
