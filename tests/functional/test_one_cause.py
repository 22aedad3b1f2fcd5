"""One function that grows makes many tests red: it is told once, in full for a few, and no other cause goes under."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from harness import Project, Result

_SHOP = """
    _LOG = []

    def handle(number):
        _LOG.append(number)
        return number

    def other(number):
        return len([str(i) for i in range(number)])
"""
_FILES, _TESTS = 4, 10
_CAUSE = f"shop/api.py:4 in handle explains {2 * _FILES * _TESTS} of"


@pytest.fixture(scope="module")
def leaking(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project in which 40 tests leak by one function, and one test of its own grows by another."""
    project = Project(tmp_path_factory.mktemp("cause") / "project")
    project.write("shop/api.py", _SHOP)
    for number in range(_FILES):
        calls = "\n".join(f"def test_{test}():\n    assert handle(7000)\n" for test in range(_TESTS))
        project.write(f"tests/test_{number}.py", f"from shop.api import handle\n\n{calls}")
    project.write("tests/test_own.py", "from shop.api import other\n\ndef test_own():\n    assert other(10) == 10\n")
    project.prepare()
    project.replace("shop/api.py", "_LOG.append(number)", "_LOG.append([str(i) for i in range(number)])")
    project.replace("tests/test_own.py", "other(10) == 10", "other(7000)")
    return project


def listed(result: Result) -> set[str]:
    """Return the tests that pytest's short summary names."""
    lines = result.out.partition("short test summary info")[2].splitlines()
    return {line.split()[1] for line in lines if line.startswith("FAILED ")}


@pytest.mark.parametrize(
    "args",
    [(), ("-n2",), ("-q", "--tb=short", "--memgate-measure=each")],
    ids=["plain", "workers", "quiet"],
)
def test_it_is_told_once(leaking: Project, args: tuple[str, ...]) -> None:
    result = leaking.gate("-p", "no:randomly", *args)
    assert result.code == 1
    assert f"cause        {_CAUSE} {2 * _FILES * _TESTS + 1} findings in 40 tests" in result.out
    lines = result.out.splitlines()
    assert len(lines) < 150, len(lines)
    assert sum(line.endswith(": regressed") and line.startswith("tests/test_") for line in lines) == 4
    assert len(listed(result)) == 41
    assert "41 failed" in result.out
    assert "memgate: FAILED: 81 regressed" in result.out
    # The other cause has its text in full.
    own = result.out.partition("FAILURES")[2].partition("= memgate =")[0]
    assert "shop/api.py:8 in other" in own
    assert 'if it is meant: memgate baseline update --reason "…" tests/test_own.py::test_own' in own


def test_the_command_accepts_all_of_them(leaking: Project) -> None:
    result = leaking.gate("-p", "no:randomly", "-q", "--tb=no", "tests")
    assert "FAILURES" not in result.out
    assert _CAUSE in result.out
    result = leaking.gate("-p", "no:randomly", "tests")
    assert 'next: repair the growth or, if it is meant: memgate baseline update --reason "…" tests\n' in result.out


def test_v_names_each_test_and_vv_tells_each_in_full(leaking: Project) -> None:
    few = ("-p", "no:randomly", "tests/test_0.py")
    told = leaking.gate(*few, "-v").summary()
    assert all(f"tests/test_0.py::test_{number}  memory." in told for number in range(_TESTS))
    full = leaking.gate(*few, "-vv")
    assert full.out.partition("= memgate =")[0].count("if it is meant") == _TESTS


def test_other_plugins_see_all_reports(leaking: Project) -> None:
    hook = "def pytest_terminal_summary(terminalreporter):\n    print(len(terminalreporter.stats['failed']), 'seen')\n"
    path = leaking.write("tests/conftest.py", hook)
    try:
        result = leaking.gate("-p", "no:randomly", "-s", "tests/test_0.py")
    finally:
        path.unlink()
    assert f"{_TESTS} seen" in result.out
    assert result.out.count("if it is meant: memgate baseline update") == 4  # of three tests, and the last line


def test_junit_has_the_whole_text_of_each(leaking: Project, tmp_path: Path) -> None:
    path = tmp_path / "junit.xml"
    leaking.gate("-p", "no:randomly", f"--junitxml={path}", "tests/test_0.py", "tests/test_own.py")
    failures = ET.parse(path).getroot().findall(".//failure")
    assert len(failures) == _TESTS + 1
    assert all("what grew:" in (failure.text or "") for failure in failures)


def test_what_fails_by_itself_is_shown_beside_it(leaking: Project) -> None:
    path = leaking.write("tests/test_broken.py", "def test_broken():\n    assert 'left' == 'right'\n")
    try:
        result = leaking.gate("-p", "no:randomly", "tests/test_0.py", "tests/test_broken.py")
    finally:
        path.unlink()
    assert "E       AssertionError: assert 'left' == 'right'" in result.out
    assert "shop/api.py:4 in handle explains 20 of 20 findings in 10 tests" in result.out
    assert "11 failed" in result.out
