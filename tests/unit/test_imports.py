"""What importing modules costs, measured in real interpreters of their own."""

import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_memgate.compare.agreement import agree
from pytest_memgate.measure.imports.clean_import import CleanImport, Imported, measure_imports
from pytest_memgate.measure.imports.runner import _NAMES
from pytest_memgate.measure.stacks.by_module import Part, parts_of
from pytest_memgate.measure.stacks.call_sites import Frame
from pytest_memgate.measure.stacks.import_hook import file_of
from pytest_memgate.measure.stacks.source_paths import Places

SHOP = {
    "shop/__init__.py": "",
    "shop/report.py": "import helper\nimport heavy.data\n",
    "helper.py": "import heavy\n",
    "heavy/__init__.py": "",
    "heavy/data.py": "TABLE = [str(i) for i in range(40_000)]\n",  # 61 bytes each
    "light.py": "import heavy.data\nFEW = [str(i) for i in range(2_000)]\n",
    "passing.py": "len([str(i) for i in range(80_000)])\n",
    "raises.py": "import light\nraise ValueError('no\\nway')\n",
    "quits.py": "import sys\nsys.exit(2)\n",
    "ends.py": "import os\nprint('goodbye')\nos._exit(0)\n",
    "dies.py": "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n",
    "hangs.py": "import time\nprint('waiting')\ntime.sleep(600)\n",
    "busy.py": """
        import os, threading, time
        threading.Thread(target=time.sleep, args=(600,)).start()
        if os.fork() == 0:
            raise RuntimeError("in the child")
    """,
    "looks.py": """
        import os, sys
        with open("seen.txt", "w") as file:
            variables = sorted(name for name in os.environ if "PYTEST" in name or "COV" in name)
            print(os.getcwd(), sys.argv, sys.path[:2], variables, hash("a"),
                  "pytest" in sys.modules, "rich" in sys.modules, "typing" in sys.modules, file=file)
    """,
}


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of modules to import, on the path of this process."""
    for name, text in SHOP.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def total(parts: tuple[Part, ...]) -> int:
    return sum(part.size for part in parts)


# Whose bytes


def labels(part: Part) -> tuple[str, ...]:
    return tuple(importer.label for importer in part.importers)


def test_each_package_pays_for_itself_and_the_first_importer_is_named(shop: Path) -> None:
    found = measure_imports(["shop.report", "light"], shop)
    assert found.failed == {}
    assert set(found.modules) == {"shop", "shop.report", "helper", "heavy", "heavy.data", "light"}
    assert total(found.at_peak) == found.peak
    assert total(found.kept) == found.retained
    kept = found.retained_by_package()
    assert 2_200_000 < kept["heavy"] < 3_200_000
    assert 110_000 < kept["light"] < 200_000
    assert kept["shop"] < 30_000
    assert found.retained_by_module()["heavy.data"] > 0.95 * kept["heavy"]
    heavy = found.kept[0]
    assert (heavy.module, labels(heavy)) == ("heavy.data", ("shop/report.py:2",))
    (init,) = (part for part in found.kept if part.module == "heavy")
    assert labels(init) == ("helper.py:1",)


def test_what_is_freed_again_is_in_the_peak_alone(shop: Path) -> None:
    found = measure_imports(["passing"], shop)
    assert found.peak > 4_500_000
    assert found.peak_by_package()["passing"] > 4_500_000
    assert found.retained < 100_000


@dataclass(frozen=True)
class Record:
    """An allocation as memray gives it, the innermost frame first."""

    size: int
    stack: tuple[str, ...]

    def stack_trace(self) -> list[Frame]:
        return [("f", path, line) for line, path in enumerate(self.stack, 1)]


SYSTEM = "<frozen importlib._bootstrap>"


def test_importers_are_told_from_the_nearest_up_to_the_projects_own_code(tmp_path: Path) -> None:
    own = str(tmp_path / "shop" / "report.py")
    deep = (
        "a.py",
        file_of("b.core"),
        SYSTEM,
        "b.py",
        file_of("b"),
        SYSTEM,
        "/elsewhere/a/main.py",
        file_of("a.main"),
        SYSTEM,
    )
    stack = (*deep, "/elsewhere/a/init.py", file_of("a"), SYSTEM, own, file_of("shop.report"), SYSTEM, "x/runner.py")
    compiled = (file_of("_ssl"), SYSTEM, file_of("ssl"), SYSTEM, own, file_of("shop.report"))
    records = [Record(10, deep), Record(90, stack), Record(50, compiled), Record(7, ("x/runner.py",))]
    parts = parts_of(records, Places(tmp_path), "shop")
    assert [(part.module, part.size, labels(part)) for part in parts] == [
        ("b.core", 100, ("a/main.py:7", "shop/report.py:13")),
        ("_ssl", 50, ("ssl", "shop/report.py:5")),
        ("shop", 7, ()),
    ]


def test_native_bytes_count_for_the_package_whose_import_takes_them() -> None:
    found = measure_imports(["ssl"], Path.cwd())
    assert found.retained_by_package()["_ssl"] > 250_000  # OpenSSL, most of it
    (own,) = (part for part in found.kept if part.module == "_ssl")
    assert own.importers[0].path == "ssl.py"


# What cannot be imported


def test_modules_that_fail_are_left_out_and_named(shop: Path) -> None:
    asked = ["raises", "nothere", "quits", "ends", "dies", "sys", "memray", "light"]
    found = measure_imports(asked, shop)
    already = "does nothing, since Python or memray has it loaded already: it cannot be measured"
    assert found.failed == {
        "ends": "ended the interpreter with exit code 0 (goodbye)",
        "dies": "ended the interpreter with SIGKILL",
        "sys": already,
        "memray": already,
        "raises": "raised ValueError: no",
        "nothere": "raised ModuleNotFoundError: No module named 'nothere'",
        "quits": "raised SystemExit: 2",
    }
    assert found.retained_by_package()["light"] > 110_000
    assert "raises" not in found.modules


def test_nothing_that_can_be_imported_is_nothing(shop: Path) -> None:
    found = measure_imports(["nothere"], shop)
    assert (found.peak, found.modules, list(found.failed)) == (0, (), ["nothere"])


def test_an_import_that_does_not_end_is_ended(shop: Path) -> None:
    found = measure_imports(["hangs"], shop, timeout_seconds=2)
    assert found.failed == {"hangs": "did not end within 2 s (waiting)"}


def test_threads_and_processes_that_an_import_starts_do_not_keep_it(shop: Path) -> None:
    found = measure_imports(["busy"], shop, timeout_seconds=30)
    assert found.failed == {}
    assert found.peak > 0


# A clean interpreter


def test_the_interpreter_is_clean_and_stands_in_the_projects_root(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COV_CORE_SOURCE", "shop")
    monkeypatch.setenv("PYTHONHASHSEED", "77")
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    monkeypatch.chdir(shop / "heavy")
    monkeypatch.setattr(sys, "path", ["", "no.folder.but.a.hook", *sys.path])
    measure_imports(["looks"], shop)
    seed = subprocess.run(
        [sys.executable, "-c", "print(hash('a'))"], env={"PYTHONHASHSEED": "0"}, capture_output=True, check=True
    )
    words = (shop / "seen.txt").read_text(encoding="utf-8")
    variables = "['PYTEST_VERSION']" if "PYTEST_VERSION" in words else "[]"
    path = [str(shop / "heavy"), "no.folder.but.a.hook"]
    assert words == f"{shop.resolve()} [''] {path} {variables} {seed.stdout.decode().strip()} False False False\n"


CLEAN = f"""
import gc, sys
for name in [sys.intern(f"memgate {{number}}") for number in range({_NAMES})]:
    del name
gc.collect()
import _tracemalloc  # tracemalloc itself would load much
_tracemalloc.start(1)
start, _ = _tracemalloc.get_traced_memory()
__import__(sys.argv[1])
gc.collect()
print(_tracemalloc.get_traced_memory()[0] - start)
"""


@pytest.mark.parametrize("name", ["rich.console", "jinja2", "decimal", "threading"])
def test_what_memray_itself_uses_is_measured_as_well(name: str) -> None:
    alone = subprocess.run([sys.executable, "-c", CLEAN, name], capture_output=True, check=True)
    there = int(alone.stdout)
    found = measure_imports([name], Path.cwd())
    # Of what memray and the module share, some strings and types are there before.
    assert 0.8 * there < found.retained < 1.2 * there
    assert name in found.modules


def test_two_measurements_agree() -> None:
    with CleanImport(["rich.console"], Path.cwd()) as clean:
        first, second = clean.measure(), clean.measure()
    assert agree(first.peak, second.peak)
    assert agree(first.retained, second.retained)
    assert first.modules == second.modules


# Bytecode


def compiled(shop: Path) -> Imported:
    return measure_imports(["large"], shop)


@pytest.fixture
def large(shop: Path) -> Path:
    """A module that takes much more to compile than to load; the folder where its bytecode goes."""
    rows = "\n".join(f"    {{'id': {number}, 'name': 'n{number}', 'of': ({number}, 2)}}," for number in range(3_000))
    (shop / "large.py").write_text(f"ROWS = [\n{rows}\n]\n", encoding="utf-8")
    return shop / "__pycache__"


def test_bytecode_is_there_before_an_import_is_measured(
    shop: Path, large: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    first = compiled(shop)
    assert list(large.glob("large.*.pyc"))
    again = compiled(shop)
    assert agree(first.peak, again.peak)
    assert first.notes == ()
    for file in large.iterdir():
        file.unlink()
    large.rmdir()
    large.write_text("no folder, so that nothing can be written into it", encoding="utf-8")
    elsewhere = compiled(shop)
    assert agree(first.peak, elsewhere.peak)
    assert elsewhere.notes == ()
