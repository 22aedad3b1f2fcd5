"""`memgate profile` as its user runs it: in real projects, real git repositories and a real Chrome."""

import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import textwrap
import time
import venv
from pathlib import Path
from typing import Any

import pytest
from chrome import Browser
from harness import Project

import pytest_memgate

QUICK = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # what is installed beside the gate takes its time
_ROOT = Path(pytest_memgate.__file__).parents[1]

TESTS = """
    import asyncio
    import subprocess
    import sys
    import unittest

    import pytest
    from work import load

    KEPT = []

    def test_load():
        for _ in range(10):
            KEPT[:] = load(1000)
        load(2000)

    class TestCase(unittest.TestCase):
        def test_case(self):
            assert load(3000)

    class TestAsync(unittest.IsolatedAsyncioTestCase):
        async def test_async(self):
            async def inner():
                return load(4000)
            assert await asyncio.create_task(inner())

    def test_starts_a_process():
        subprocess.run([sys.executable, "-c", ""], check=True)

    def test_fails():
        raise ValueError("no such order")

    @pytest.mark.skip(reason="not today")
    def test_skipped(): ...

    def test_passes_once():
        assert not KEPT or KEPT[0] != "once"
        KEPT[:] = ["once"]
"""


def functions(out: str, test: str) -> dict[str, list[str]]:
    """Return the words of each function's numbers in a test's table: objects, bytes and their unit, and so on."""
    table = out.partition(f"{test}\n")[2].partition("\n\n")[0]
    rows = (line.rpartition("  ") for line in table.splitlines())
    return {name: cells.split() for cells, _, name in rows if " in " in name}


def file_of(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def test_the_live_heap_is_told_by_function_of_every_kind_of_test(project: Project) -> None:
    project.write("tests/test_work.py", TESTS)
    # The project's own options do not matter: here they want the gate, and workers.
    project.write("pytest.ini", "[pytest]\naddopts = --memgate -n 2 -p no:randomly --junitxml=mine.xml\n")
    result = project.memgate("profile", "tests/test_work.py", "-o", "base.json")
    assert result.code == 3, result.out
    tests = {one["test"].rpartition(":")[2]: one for one in file_of(project.root / "base.json")["tests"]}
    assert set(tests) == {"test_load", "test_case", "test_async", "test_starts_a_process"}
    loads = functions(result.out, "tests/test_work.py::test_load")["work.py:4 in load"]
    # The list of the last round and 3000 strings; at least 12000 have been allocated.
    assert 3000 < int(loads[0]) < 3050
    assert int(loads[5]) > 12_000
    for name in ("TestCase::test_case", "TestAsync::test_async"):
        assert "work.py:4 in load" in functions(result.out, f"tests/test_work.py::{name}")
    assert "pytest_memgate/" not in result.out
    assert "_pytest/" not in result.out
    assert "note: starts processes, whose memory is not counted" in result.out
    for line in (
        "test_fails: it fails: ValueError: no such order",
        "test_skipped: it is skipped: not today",
        "test_passes_once: it is profiled in its second run, which fails: AssertionError",
    ):
        assert f"memgate: tests/test_work.py::{line}" in result.out
    left = {one.name for one in project.root.iterdir()}
    assert left.isdisjoint({"mine.xml", ".memgate", ".pytest_cache"})

    retained = project.memgate("profile", "tests/test_work.py::test_load", "--retained", "--sort", "in-use-objects")
    assert retained.code == 0, retained.out
    assert "in use after the call: " in retained.out
    assert 1000 < int(functions(retained.out, "test_load")["work.py:4 in load"][0]) < 1050

    project.replace("work.py", "str(i)", "str(i) * 2")
    grown = project.memgate("profile", "tests/test_work.py::test_load", "--base", "base.json")
    assert grown.code == 0, grown.out
    assert "tests/test_work.py::test_load  against base.json" in grown.out
    assert "work.py:4 in load  (" in grown.out


def test_the_profile_is_the_peak_that_the_gate_judges(project: Project) -> None:
    project.write("test_work.py", "from work import load\n\ndef test_load():\n    assert load(20_000)\n")
    gate = project.gate("--memgate-measure=exact", "--memgate-update")
    result = project.memgate("profile", "test_work.py", "-o", "p.json")
    assert result.code == 0, result.out
    (test,) = file_of(project.root / "p.json")["tests"]
    peak = sum(chain.get("peak", {}).get("bytes", 0) for chain in test["chains"])
    assert abs(peak - gate.finding("test_load")["value"]) < 4000


BEFORE = """
    from shop.work import load

    def report(n):
        return len(load(n))
"""
AFTER = """
    from shop.work import load

    _CACHE = []

    def report(n):
        rows = load(n)
        _CACHE.append([row * 3 for row in rows])
        return len(rows)
"""


def lay_shop(project: Project, source: str = "") -> None:
    """Make a repository with a package and a test of it, and leave a change of it uncommitted."""
    project.write(f"{source}shop/__init__.py", "")
    project.write(f"{source}shop/work.py", "def load(n):\n    return [str(i) for i in range(n)]\n")
    project.write(f"{source}shop/report.py", BEFORE)
    project.write("tests/test_report.py", "from shop.report import report\n\ndef test_report():\n    report(5000)\n")
    project.write(".gitignore", "__pycache__/\n.venv/\n")
    project.commit()
    project.write(f"{source}shop/report.py", AFTER)


def test_growth_since_a_ref_is_told_with_its_chain_and_leaves_no_trace(
    project: Project, browser: Browser, tmp_path: Path
) -> None:
    project.write("pytest.ini", "[pytest]\npythonpath = src\n")
    lay_shop(project, "src/")
    project.write(".git/hooks/post-checkout", f"#!/bin/sh\ntouch {project.root}/.git/hooked\n").chmod(0o755)
    before = (project.git("status", "--porcelain"), project.git("for-each-ref"), project.git("worktree", "list"))
    page = tmp_path / "profile.html"
    result = project.memgate(
        "profile", "tests/test_report.py::test_report", "--base", "main", "--html", str(page), env=QUICK
    )
    assert result.code == 0, result.out
    lines = [line.strip() for line in result.out.splitlines()]
    at = next(at for at, line in enumerate(lines) if "src/shop/report.py:7 in report" in line)
    assert lines[at].startswith("+50")
    assert lines[at + 1] == "called from tests/test_report.py:4 in test_report"
    assert before == (
        *(project.git("status", "--porcelain"), project.git("for-each-ref"), project.git("worktree", "list")),
    )
    assert not (project.root / ".git" / "hooked").exists()
    assert project.git("worktree", "prune", "--verbose", "--dry-run") == ""
    assert not (project.root / ".git" / "worktrees").exists() or not list((project.root / ".git/worktrees").iterdir())

    script = """
        await drawn();
        const texts = () => page.$$eval(".chart .slicetext", (all) => all.map((one) => one.textContent));
        const first = await texts();
        await page.select("#amount", "2");
        await drawn();
        return [first, await texts(), await page.$eval("tbody", (one) => one.innerText)];
    """
    visit = browser.open(page, script)
    peak, retained, table = visit.result
    assert visit.is_quiet(page), visit
    assert any(text.startswith("report") and "(+" in text for text in peak)
    assert any(text.startswith("report") and "(+" in text for text in retained)
    assert not any(text.startswith("load") and "(+" in text for text in retained)
    assert "src/shop/report.py:7 in report" in table


FINDER = """
    import sys
    from importlib.machinery import PathFinder

    class Finder:
        @staticmethod
        def find_spec(name, path=None, target=None):
            return PathFinder.find_spec(name, [{folder!r}]) if name == "shop" else None

    def install():
        sys.meta_path.append(Finder)
"""


def installed_in(folder: Path) -> tuple[Path, Path]:
    """Make an environment with this one's packages; return its Python and the folder of its packages."""
    venv.create(folder, with_pip=False, symlinks=True)
    packages = next(folder.glob("lib/python*/site-packages"))
    ours = f"{sysconfig.get_path('purelib')}\n{_ROOT}\n"
    (packages / "ours.pth").write_text(ours, encoding="utf-8")
    return folder / "bin" / "python", packages


@pytest.mark.parametrize(("kind", "source"), [("path", "src/"), ("finder", ""), ("copy", "src/")])
def test_the_base_is_never_the_code_of_the_work_tree(project: Project, kind: str, source: str) -> None:
    lay_shop(project, source)
    python, packages = installed_in(project.root / ".venv")
    here = project.root / source
    if kind == "path":
        (packages / "shop.pth").write_text(f"{here}\n", encoding="utf-8")
    elif kind == "finder":
        finder = textwrap.dedent(FINDER).format(folder=str(here))
        (packages / "shop_finder.py").write_text(finder, encoding="utf-8")
        (packages / "shop.pth").write_text("import shop_finder; shop_finder.install()\n", encoding="utf-8")
    else:
        shutil.copytree(here / "shop", packages / "shop")
    result = project.command(
        *(str(python), "-P", "-m", "pytest_memgate", "--root", str(project.root), "profile", "--base", "main"),
        "tests/test_report.py",
        env={**QUICK, "PYTHONPATH": "", "PYTHONSAFEPATH": "1"},
    )
    if kind == "copy":
        assert result.code == 3, result.out
        assert "is an installed copy of the project, the same for main and the work tree" in result.out
        return
    assert result.code == 0, result.out
    assert "shop/report.py:7 in report  (" in result.out
    assert "called from tests/test_report.py:4 in test_report" in result.out


def test_an_interrupted_profile_leaves_no_worktree(project: Project) -> None:
    project.write("test_slow.py", "import time\n\ndef test_slow():\n    time.sleep(60)\n")
    project.commit()
    project.write("test_slow.py", "def test_slow():\n    pass\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest_memgate", "profile", "test_slow.py", "--base", "HEAD"],
        cwd=project.root,
        env=project.environ(QUICK),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        start_new_session=True,
    )
    trees = project.root / ".git" / "worktrees"
    until = time.monotonic() + 60
    while not trees.exists() and time.monotonic() < until:
        time.sleep(0.2)
    time.sleep(1)
    folder = Path(project.git("worktree", "list").splitlines()[-1].split()[0])
    assert folder != project.root
    os.killpg(process.pid, signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "memgate: interrupted\n")
    assert len(project.git("worktree", "list").splitlines()) == 1
    assert not folder.parent.exists()
    assert project.git("worktree", "prune", "--verbose", "--dry-run") == ""


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (("memgate.yml::bundle[app]",), 2, "memgate.yml::bundle[app] is a check: only tests have a memory profile"),
        (("test_new.py::test_gone",), 2, "there is no test test_new.py::test_gone; see: pytest --collect-only -q"),
        (("test_new.py", "--base", "nowhere"), 2, "--base nowhere: no such commit"),
        (("test_new.py", "--base", "HEAD"), 3, "test_new.py: not in HEAD, so there is no difference; without --base"),
        (("test_new.py", "--base", "work.py"), 3, "work.py: not JSON"),
        (("test_old.py", "--base", "HEAD"), 3, "test_old.py::test_old: in HEAD, it fails: NameError"),
        (("test_new.py", "--base", "main", "--cum"), 2, "--cum has no meaning with --base"),
        (("test_new.py", "--", "-k", "other"), 2, "no test is selected by test_new.py -k other"),
    ],
)
def test_what_has_no_answer_is_told_in_one_line(project: Project, args: tuple[str, ...], code: int, said: str) -> None:
    project.write("test_old.py", "def test_old():\n    missing\n")
    project.commit()
    project.write("test_old.py", "def test_old():\n    pass\n")
    project.write("test_new.py", "def test_new():\n    pass\n")
    result = project.memgate("profile", *args, env=QUICK)
    assert result.code == code, result.out
    (line,) = result.out.splitlines()
    assert said in line


def test_without_a_repository_there_is_no_ref(project: Project) -> None:
    project.write("test_new.py", "def test_new():\n    pass\n")
    result = project.memgate("profile", "test_new.py", "--base", "main", env=QUICK)
    assert (result.code, len(result.out.splitlines())) == (2, 1), result.out
    assert "is in no git repository" in result.out
