"""Beside greenlet (SQLAlchemy, gevent, playwright): measured, updated and gated like all else, without a word."""

import subprocess
import sys
from pathlib import Path

import pytest
from harness import Project

from pytest_memgate.measure.imports.clean_import import CleanImport

SHOP = """
    import greenlet

    def rows(n):
        out = []

        def read():
            for i in range(n):
                out.append(str(i))
                greenlet.getcurrent().parent.switch()

        reader = greenlet.greenlet(read)
        while not reader.dead:
            reader.switch()
        return out
"""
TESTS = """
    from shop import rows

    def test_a_day(capsys):
        assert len(rows(100)) == 100
        assert capsys.readouterr() == ("", "")

    def test_an_hour(capfd):
        assert len(rows(10)) == 10
        assert capfd.readouterr() == ("", "")
"""
LATE = """
    import sys

    def test_late(capfd):
        assert "greenlet" not in sys.modules
        from shop import rows
        assert len(rows(100)) == 100
        assert capfd.readouterr() == ("", "")
"""


@pytest.mark.parametrize(
    ("tests", "measure", "workers"),
    [(TESTS, "bound", ()), (TESTS, "each", ()), (LATE, "each", ()), (TESTS, "bound", ("-n2",))],
)
def test_code_in_greenlets_is_updated_and_gated_without_a_word_of_memray(
    project: Project, workers: tuple[str, ...], tests: str, measure: str
) -> None:
    project.write("shop.py", SHOP)
    project.write("test_shop.py", tests)
    updated = project.update(*workers)
    assert "imported once more, in a clean process" in updated.out
    green = project.gate(f"--memgate-measure={measure}", *workers)
    assert green.code == 0, green.out
    assert set(green.outcomes().values()) == {"passed"}
    project.replace("test_shop.py", "rows(100)) == 100", "rows(30_000)) == 30_000")
    red = project.gate(f"--memgate-measure={measure}", *workers, "-s")
    assert red.code == 1
    name = "test_a_day" if tests == TESTS else "test_late"
    assert red.metrics(name)["memory.peak"] == "regressed"
    (grown, *_) = red.found(name, "memory.peak")["growth_by_site"]
    assert grown["site"]["path"] == "shop.py"
    for out in (updated.out, green.out, red.out):
        assert "experimental" not in out.lower()
        assert "Traceback" not in out


def test_greenlet_is_imported_in_a_clean_interpreter(tmp_path: Path) -> None:
    with CleanImport(["greenlet"], tmp_path) as clean:
        found = clean.measure()
    assert "greenlet._greenlet" in found.modules
    assert not found.failed
    assert found.peak < 2_000_000  # rich's symbols alone would be more


BLANKS = """
    import sys
    from pytest_memgate.measure.imports import runner as import_runner
    sys.meta_path.insert(0, import_runner._Blank)
    import rich
    from rich import print as pprint
    from rich.progress import Progress, SpinnerColumn, TextColumn
    from rich.table import Table
    pprint("a line", file=sys.stderr)
    with Progress(SpinnerColumn(), TextColumn("x"), transient=True) as progress:
        task = progress.add_task("reading", total=3)
        progress.update(task, advance=1)
    table = Table.grid(padding=1)
    table.add_row("a", "b")
    rich.get_console().print(table, style="bold")
    class Bar(Progress):
        def get_renderables(self):
            yield Table()
    Bar("x").stop()
    assert [*Progress.get_default_columns()] == []
    print("fine")
"""


def test_what_stands_in_for_a_library_can_be_used_as_it(tmp_path: Path) -> None:
    """Whatever memray draws or prints, in this release or the next, the interpreter that measures goes on."""
    script = tmp_path / "blanks.py"
    script.write_text("\n".join(line[4:] for line in BLANKS.splitlines()), encoding="utf-8")
    done = subprocess.run([sys.executable, script], capture_output=True, encoding="utf-8", check=False)
    assert (done.stdout, done.stderr) == ("fine\n", "")


def test_an_import_that_breaks_only_while_traced_is_left_out_and_named(project: Project) -> None:
    project.write("shop.py", "import fragile\nimport solid\n")
    project.write(
        "fragile.py",
        """
        import sys
        if "trace" in sys.orig_argv:  # the run of the clean interpreter that is measured
            raise SystemError("cannot be traced")
        """,
    )
    project.write("solid.py", "NAMES = [str(number) for number in range(30_000)]\n")
    project.write("test_shop.py", "def test_shop():\n    import shop\n    assert shop.solid.NAMES\n")
    result = project.update()
    assert "wrote" in result.out
    told = "the import of fragile raised SystemError: cannot be traced while memray traced it"
    assert f"note         first use: not measured in a clean process: {told}" in result.out
    assert "solid" in project.baseline("first-use")


def test_a_clean_interpreter_that_ends_throws_away_nothing(project: Project) -> None:
    """What the tests were measured at is written, whatever the steps after them come to."""
    project.write("shop.py", "NAMES = [str(number) for number in range(30_000)]\n")
    project.write("test_shop.py", "def test_shop():\n    import shop\n    assert shop.NAMES\n")
    site = project.write(
        "sitecustomize.py",
        """
        import sys
        if any(part.endswith("runner.py") for part in sys.orig_argv):
            raise SystemExit("no interpreter today")
        """,
    )
    result = project.gate("--memgate-update", env={"PYTHONPATH": str(site.parent)})
    assert (result.code, result.out.count("problem ")) == (1, 2)  # a line of the gate, and pytest's last one
    assert "Traceback" not in result.out
    assert "first use is not updated: importing 1 module in a clean process: an interpreter to import in" in result.out
    assert "no interpreter today" in result.out
    assert "test_shop" in project.baseline("test_shop.py")
