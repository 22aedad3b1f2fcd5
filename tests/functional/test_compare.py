"""`memgate compare`: a git ref and the work tree are both measured now, and no baseline is needed."""

import base64
import hashlib
import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from harness import Project, Result
from test_profile import FINDER, installed_in

_SHOP = """
    def report(number):
        rows = [f"row {count}" for count in range(number)]
        return sum(map(len, rows))
"""
_TESTS = """
    from shop import report

    def test_report():
        assert report(1000)

    def test_empty():
        assert report(0) >= 0
"""
_MORE = ("range(number)", "range(number + 6000)")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with one commit and no baseline."""
    project = Project(tmp_path / "project")
    project.write("shop.py", _SHOP)
    project.write("test_shop.py", _TESTS)
    project.write(".gitignore", ".pytest_cache\n__pycache__\n.venv\n")
    project.commit()
    return project


def compare(project: Project, *args: str) -> Result:
    return project.memgate("compare", *args, env={"PYTEST_ADDOPTS": "-p no:randomly"})


def test_growth_is_red_and_named_without_any_baseline(project: Project, workers: tuple[str, ...]) -> None:
    project.replace("shop.py", *_MORE)
    result = compare(project, "HEAD", *workers)
    assert result.code == 1, result.out
    assert "shop.py:2 in report  (" in result.out
    assert "against: HEAD, measured here" in result.out
    assert "memgate: FAILED: 2 regressed; 2 tests compared" in result.out
    assert "next: see who holds it: memgate profile test_shop.py::test_" in result.out
    assert "baseline" not in result.summary()


def test_a_comment_is_green_and_nothing_is_left_behind(project: Project) -> None:
    project.replace("shop.py", "def report", "# A comment.\ndef report")
    result = compare(project, "HEAD", "--memgate-report=run.json")
    assert result.code == 0, result.out
    assert "PASSED: 2 tests compared" in result.out
    assert project.git("worktree", "list").count("\n") == 1
    assert project.git("status", "--porcelain").split() == ["M", "shop.py", "??", "run.json"]
    assert not (project.root / ".memgate").exists()
    (project.root / "run.json").unlink()


def test_only_what_both_sides_have_is_judged_and_the_rest_is_told(project: Project) -> None:
    project.write("test_new.py", "def test_new():\n    assert [str(i) for i in range(50_000)]\n")
    project.replace("test_shop.py", "test_empty", "test_nothing")
    result = compare(project, "HEAD", "test_shop.py", "test_new.py")
    assert result.code == 0, result.out
    assert "1 new (not judged)" in result.out or "new (not judged)" in result.out
    assert "new          test_new.py::test_new" in result.out


@pytest.mark.parametrize(
    ("before", "after", "code", "said"),
    [
        (
            "import missing\n",
            "",
            3,
            "memgate: in HEAD, pytest could not collect test_shop.py: ModuleNotFoundError: No module named 'missing'",
        ),
        (
            "def test_it():\n    assert False\n",
            "def test_it():\n    pass\n",
            3,
            "memgate: HEAD has no value that can be compared",
        ),
        ("", "def test_it():\n    pass\n", 3, "memgate: HEAD has no value that can be compared"),
    ],
    ids=["not importable", "failing", "no tests"],
)
def test_a_base_that_cannot_be_measured_is_no_answer(
    project: Project, before: str, after: str, code: int, said: str
) -> None:
    project.write("test_shop.py", before)
    project.commit()
    project.write("test_shop.py", after or _TESTS)
    result = compare(project, "HEAD")
    assert result.code == code, result.out
    assert said in result.out
    assert "Traceback" not in result.out


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("nowhere",), "nowhere: no such commit; name a branch, tag or commit that is fetched"),
        (("HEAD", "--memgate-update"), "--memgate-update has no place here: HEAD is measured"),
        (("HEAD", "--memgate-base=HEAD"), "--memgate-base has no place here: HEAD is measured"),
        (("HEAD", "test_gone.py"), "HEAD has none of these tests, so there is nothing to compare with"),
    ],
)
def test_what_has_no_meaning_is_said_in_a_line(project: Project, args: tuple[str, ...], said: str) -> None:
    result = compare(project, *args)
    assert result.code in {2, 3}, result.out
    assert said in result.out
    assert "Traceback" not in result.out


def test_without_a_repository_there_is_no_base(tmp_path: Path) -> None:
    project = Project(tmp_path / "project")
    result = compare(project, "HEAD")
    assert result.code == 2
    assert "is in no git repository" in result.out


@pytest.mark.parametrize("kind", ["path", "finder", "copy"])
def test_the_base_is_never_the_code_of_the_work_tree(project: Project, kind: str) -> None:
    (project.root / "src").mkdir()
    shutil.move(project.root / "shop.py", project.root / "src" / "shop.py")
    project.commit()
    python, packages = installed_in(project.root / ".venv")
    here = project.root / "src"
    if kind == "path":
        (packages / "shop.pth").write_text(f"{here}\n", encoding="utf-8")
    elif kind == "finder":
        (packages / "shop_finder.py").write_text(_dedented(FINDER.format(folder=str(here))), encoding="utf-8")
        (packages / "shop.pth").write_text("import shop_finder; shop_finder.install()\n", encoding="utf-8")
    else:
        shutil.copy(here / "shop.py", packages)
    project.replace("src/shop.py", *_MORE)
    result = project.command(
        *(str(python), "-P", "-m", "pytest_memgate", "--root", str(project.root), "compare", "HEAD"),
        env={"PYTHONPATH": "", "PYTHONSAFEPATH": "1", "PYTEST_ADDOPTS": "-p no:randomly"},
    )
    if kind == "copy":
        assert result.code == 3, result.out
        assert "is an installed copy of the project, the same for HEAD and the work tree" in result.out
        return
    assert result.code == 1, result.out
    assert "src/shop.py:2 in report  (" in result.out


def _dedented(text: str) -> str:
    return "\n".join(line[4:] for line in text.splitlines())


def _wheel(folder: Path, version: str, size: int) -> None:
    """Write a wheel of a package whose function holds `size` bytes."""
    folder.mkdir(exist_ok=True)
    about = f"tinypackage-{version}.dist-info"
    files = {
        "tinypackage.py": f"def work():\n    return len(bytearray({size}))\n",
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: tinypackage\nVersion: {version}\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = [
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip('=')},{len(text)}"
        for name, text in files.items()
    ]
    files[f"{about}/RECORD"] = "\n".join([*rows, f"{about}/RECORD,,"])
    with zipfile.ZipFile(folder / f"tinypackage-{version}-py3-none-any.whl", "w") as wheel:
        for name, text in files.items():
            wheel.writestr(name, text)


@pytest.fixture
def pinned(project: Project) -> tuple[Project, Path]:
    """A project that pins a package, and its Python: the work tree has raised the version, the commit has not."""
    _wheel(project.root / "wheels", "1.0", 10_000)
    _wheel(project.root / "wheels", "1.1", 900_000)
    project.write("requirements.txt", "--no-index\n--find-links wheels\ntinypackage==1.0\n")
    project.write("test_shop.py", "import tinypackage\n\ndef test_it():\n    assert tinypackage.work()\n")
    project.commit()
    python, _ = installed_in(project.root / ".venv")
    project.replace("requirements.txt", "1.0", "1.1")
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "-q", "-r", "requirements.txt"]
    subprocess.run(command, cwd=project.root, check=True)
    return project, python


def compared(project: Project, python: Path) -> Result:
    args = ("-P", "-m", "pytest_memgate", "--root", str(project.root), "compare", "HEAD")
    return project.command(str(python), *args, env={"PYTEST_ADDOPTS": "-p no:randomly"})


def test_a_package_that_only_changed_its_version_is_measured_in_both(pinned: tuple[Project, Path]) -> None:
    project, python = pinned
    for _ in range(2):
        result = compared(project, python)
        assert result.code == 1, result.out
        assert re.search(r"memory.peak 1\d.*KB -> 900 KB", result.out), result.out
        assert "note         HEAD has other packages: tinypackage 1.0 -> 1.1" in result.out
    kept = [one for one in (project.root / ".pytest_cache" / "memgate").iterdir() if one.is_dir()]
    assert len(kept) == 1  # the second time it was there
    assert project.git("status", "--porcelain").split() == ["M", "requirements.txt"]


def test_packages_are_installed_by_a_command_of_the_project(pinned: tuple[Project, Path]) -> None:
    project, python = pinned
    project.write(
        "memgate.yml", "setup: {run: 'python -m zipfile -e wheels/tinypackage-1.0-py3-none-any.whl $PACKAGES'}"
    )
    environment = "import site; print(site.getsitepackages()[0])"
    project.write(
        "memgate.yml",
        f"""
        setup:
          run: >-
            test "$(command -v pip)" = "$VIRTUAL_ENV/bin/pip" &&
            python -m zipfile -e wheels/tinypackage-1.0-py3-none-any.whl "$(python -c '{environment}')"
        """,
    )
    result = compared(project, python)
    assert result.code == 1, result.out
    assert re.search(r"memory.peak 1\d.*KB -> 900 KB", result.out), result.out


def test_a_version_that_is_pinned_and_not_installed_is_told(pinned: tuple[Project, Path]) -> None:
    project, python = pinned
    project.commit()
    project.replace("requirements.txt", "1.1", "1.0")
    result = compared(project, python)
    assert result.code == 0, result.out
    told = "the work tree pins tinypackage==1.0, and 1.1 is installed: what that changes was not compared"
    assert f"note         {told}" in result.out


def test_packages_that_cannot_be_installed_are_no_answer(pinned: tuple[Project, Path]) -> None:
    project, python = pinned
    project.replace("requirements.txt", "1.1", "0.9")
    project.commit()
    project.replace("requirements.txt", "0.9", "1.1")
    result = compared(project, python)
    assert result.code == 3, result.out
    assert "memgate: the packages of HEAD cannot be installed: ERROR: " in result.out
    assert "say in memgate.yml how they are: setup: {run: …}" in result.out


def test_a_bundle_is_built_on_both_sides(project: Project) -> None:
    project.write(
        "build.py",
        """
        import pathlib, shutil

        pathlib.Path("dist").mkdir(exist_ok=True)
        shutil.copy("app.js", "dist")
        """,
    )
    project.write("app.js", "x" * 1000)
    project.write(".gitignore", ".pytest_cache\n__pycache__\ndist\n")
    project.write(
        "memgate.yml",
        f"""
        setup: {{build: '{sys.executable} build.py'}}
        bundles:
          app: {{files: [dist/app.js]}}
        """,
    )
    project.commit()
    result = compare(project, "HEAD", ".", "memgate.yml")
    assert result.code == 0, result.out
    import random

    project.write("app.js", "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=600_000)))
    result = compare(project, "HEAD", ".", "memgate.yml")
    assert result.code == 1, result.out
    assert "regressed    memgate.yml::bundle[app]  bundle.initial." in result.out
    project.write("build.py", "raise SystemExit('no build today')\n")
    result = compare(project, "HEAD", ".", "memgate.yml")
    assert result.code == 3
    assert "memgate: setup.build fails in the work tree: no build today" in result.out


def test_a_test_that_fails_on_the_base_is_told_so(project: Project) -> None:
    project.write("test_more.py", "def test_more():\n    assert False\n")
    project.commit()
    project.write("test_more.py", "def test_more():\n    assert True\n")
    result = compare(project, "HEAD")
    assert result.code == 0, result.out
    assert "note         in HEAD, test_more.py::test_more fails by itself" in result.out
    assert "2 tests compared, 1 new (not judged)" in result.out


def test_a_change_cannot_raise_its_own_budget(project: Project) -> None:
    project.write("memgate.yml", "budgets: {memory.peak: {growth: 100KB}}")
    project.commit()
    project.replace("shop.py", *_MORE)
    project.write("memgate.yml", "budgets: {memory.peak: {growth: 100MB}}")
    result = compare(project, "HEAD")
    assert result.code == 1, result.out
    assert re.search(
        r"loosened +growth of memory.peak: 100 KB -> 100 MB .memgate.yml:1.; it counts once", result.out
    ), result.out


_TIMED = """
    import json

    LOOPS = 20
    DATA = [{"id": number, "words": "x" * (number % 50)} for number in range(400)]

    def work():
        for _ in range(LOOPS):
            json.loads(json.dumps(DATA))
"""


@pytest.fixture
def timed(project: Project) -> Project:
    """A project with benchmarks of each kind, which have a budget."""
    project.write("work.py", _TIMED)
    project.write("memgate.yml", "budgets: {time.median: {growth: 20%}}")
    project.write(
        "test_shop.py",
        """
        import work

        def test_work(benchmark):
            assert benchmark(work.work) is None

        def test_pedantic(benchmark):
            benchmark.pedantic(lambda data: work.json.dumps(data), setup=lambda: (([1] * 10_000,), {}), rounds=20)
        """,
    )
    project.commit()
    return project


def compare_times(project: Project) -> Result:
    result = compare(project, "HEAD", "--memgate-report=../run.json")
    run = json.loads((project.root.parent / "run.json").read_text(encoding="utf-8"))
    return Result(result.code, result.out, run)


def test_times_are_judged_by_pairs_of_both_sides(timed: Project) -> None:
    """Both sides are living processes that are timed in turn: what slows the machine slows both."""
    result = compare_times(timed)
    assert result.code == 0, result.out
    for test in ("test_work", "test_pedantic"):
        found = result.found(test, "time.median")
        remark, *controls = found["measurement"]["remarks"]
        assert (found["outcome"], remark["kind"]) == ("passed", "pairs")
        assert {one["kind"] for one in controls} <= {"control"}  # of one test in ten
        assert remark["amounts"][0] in {10, 20, 40, 80}
    timed.replace("work.py", "LOOPS = 20", "LOOPS = 40")
    result = compare_times(timed)
    assert result.code == 1, result.out
    found = result.found("test_work", "time.median")
    assert (found["outcome"], found["measured_from"]) == ("regressed", "HEAD")
    ratio, low, high = found["measurement"]["remarks"][0]["amounts"][1:]
    assert 1.2 < low <= ratio <= high
    assert "pairs of both sides, in turn: " in result.out
    assert result.found("test_pedantic", "time.median")["outcome"] == "passed"


def test_a_side_that_does_not_come_to_the_call_leaves_the_times_as_they_are(timed: Project) -> None:
    """It runs in a pytest of its own once more, in which it fails."""
    timed.write("memgate.yml", "budgets: {time.median: {growth: 2000%}}")  # without pairs, another process may slow it
    timed.write(
        "conftest.py",
        """
        import os
        import pytest

        @pytest.fixture(autouse=True)
        def _refuses():
            if "MEMGATE_PAIRED" in os.environ:
                pytest.fail("not again")
        """,
    )
    timed.commit()
    result = compare_times(timed)
    assert result.code == 0, result.out
    told = "test_shop.py::test_work: its times are judged one after the other, without pairs: a side did not come to"
    assert f"note         {told}" in result.out
    assert "rounds" in {one["kind"] for one in result.found("test_work", "time.median")["measurement"]["remarks"]}


def test_submodules_are_at_their_commits_of_then(project: Project) -> None:
    library = Project(project.root.parent / "library")
    library.write("lib.py", "def rows(number):\n    return [f'row {count}' for count in range(number)]\n")
    library.commit()
    project.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(library.root), "library")
    project.write("conftest.py", "import sys\n\nsys.path.insert(0, f'{__file__[:-11]}library')\n")
    project.write("test_lib.py", "import lib\n\ndef test_lib():\n    assert lib.rows(1000)\n")
    project.commit()
    same = compare(project, "HEAD", "test_lib.py")
    assert (same.code, "PASSED: 1 test compared" in same.out) == (0, True), same.out
    project.replace("library/lib.py", "range(number)", "range(number + 6000)")
    dirty = compare(project, "HEAD", "test_lib.py")
    assert dirty.code == 1, dirty.out
    assert "library/lib.py:2 in rows" in dirty.out
    assert (project.root / "library" / "lib.py").read_text(encoding="utf-8").count("6000") == 1
    assert project.command("git", "-C", "library", "worktree", "list").out.count("\n") == 1
