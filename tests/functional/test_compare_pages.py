"""`memgate compare` of pages: both sides are served at once and loaded in turn."""

import re
from pathlib import Path

import pytest
from harness import Project, Result
from test_page_gate import SERVE

from pytest_memgate.measure.lighthouse.tools import Tools

pytestmark = pytest.mark.timeout(1200)

_PAGES = """
    pages:
      home: {serve: web}
      shop: {url: "http://127.0.0.1:{port}/", start: "python serve.py {port}", runs: 2}
"""
_TEST = "def test_nothing():\n    pass\n"


@pytest.fixture
def project(tools: Tools, node_modules: Path, tmp_path: Path) -> Project:  # noqa: ARG001
    """A project of two pages with one commit."""
    project = Project(tmp_path / "project", patience=600)
    (project.root / "node_modules").symlink_to(node_modules)
    project.lay("pages/still", "web")
    project.write("memgate.yml", _PAGES)
    project.write("serve.py", SERVE)
    project.write("seconds", "0")
    project.write("test_nothing.py", _TEST)
    project.write(".gitignore", "node_modules\n.lighthouseci\n.pytest_cache\n__pycache__\n")
    project.commit()
    return project


def compare(project: Project, *args: str) -> Result:
    return project.memgate("compare", "HEAD", *args, env={"PYTEST_ADDOPTS": "-p no:randomly"})


def test_a_slower_page_is_red_by_pairs_and_the_other_one_is_not(project: Project) -> None:
    project.write("seconds", "0.6")
    result = compare(project)
    assert result.code == 1, result.out
    assert "memgate.yml:3: regressed" in result.out
    assert "memgate: FAILED: 2 regressed; 3 tests compared" in result.out
    assert "web.ttfb" in result.out
    assert "web.observed.lcp" in result.out  # the page is there later, too
    assert re.search(
        r"pairs of both sides, in turn: \+[56]\d\d ms, \+[56]\d\d ms to \+[56]\d\d ms for certain", result.out
    )
    assert re.search(r"E +\+[56]\d\d ms  /  ", result.out)  # what grew
    assert "against: HEAD, measured here" in result.out


def test_a_page_that_the_base_cannot_serve_is_no_answer(project: Project) -> None:
    project.git("rm", "-q", "--cached", "-r", "web")
    project.git("commit", "-q", "-m", "the site is built, and not committed")
    alone = compare(project, "memgate.yml::page[home]")
    assert alone.code == 3, alone.out
    assert "HEAD has no value that can be compared: memgate.yml::page[home] is no answer: web: no such" in alone.out
    beside = compare(project, "test_nothing.py", "memgate.yml::page[home]")
    assert beside.code == 3, beside.out
    assert "no value to compare with: in HEAD, memgate.yml::page[home] is no answer: web: no such folder" in beside.out


def test_the_first_page_of_a_project_is_new(project: Project) -> None:
    project.write("memgate.yml", "budgets: {}\n")
    project.commit()
    project.write("memgate.yml", "pages:\n  home: {serve: web, runs: 1}\n")
    result = compare(project)
    assert result.code == 0, result.out
    assert "new" in result.out
