"""Call sites out of memray's records, and paths that are the same on every machine."""

import importlib
import importlib.metadata
import json
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from samples import callers

from pytest_memgate.measure.stacks.call_sites import Frame, read_sites
from pytest_memgate.measure.stacks.packages import packages_used
from pytest_memgate.measure.stacks.source_paths import Place, Places
from pytest_memgate.model.site import Site

STDLIB = Path(sysconfig.get_path("stdlib"))
PURELIB = Path(sysconfig.get_path("purelib"))


@dataclass(frozen=True)
class Record:
    """What memray's AllocationRecord gives, innermost frame first."""

    size: int
    stack: tuple[Frame, ...]

    def stack_trace(self) -> list[Frame]:
        return list(self.stack)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "project"


@pytest.fixture
def places(root: Path) -> Places:
    root.mkdir()
    return Places(root)


def test_a_path_is_told_from_its_root_or_its_installation(root: Path, places: Places, tmp_path: Path) -> None:
    assert places.place(str(root / "shop" / "orders.py")) == Place("shop/orders.py", project=True)
    assert places.place(str(PURELIB / "networkx" / "convert.py")) == Place("networkx/convert.py", project=False)
    assert places.place(str(STDLIB / "json" / "decoder.py")) == Place("json/decoder.py", project=False)
    assert places.place("<string>") == Place("<string>", project=False)
    assert places.place(str(tmp_path / "far" / "away" / "x.py")) == Place("away/x.py", project=False)


def test_a_path_elsewhere_is_told_from_its_folder_on_the_search_path(
    places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path / "lib"))
    assert places.place(str(tmp_path / "lib" / "deep" / "er" / "x.py")) == Place("deep/er/x.py", project=False)


def test_an_installation_inside_the_project_is_not_the_projects_code(tmp_path: Path) -> None:
    around = Places(PURELIB.parent)
    assert around.place(str(PURELIB / "networkx" / "convert.py")) == Place("networkx/convert.py", project=False)
    assert around.is_installed(str(PURELIB / "x.py"))
    assert around.is_installed(json.__file__)
    assert not around.is_installed(str(tmp_path / "x.py"))


def test_what_runs_the_test_is_known(places: Places) -> None:
    for path in ("_pytest/python.py", "pluggy/_callers.py", "pytest_memgate/measure/memory/capture.py"):
        assert places.is_harness(str(PURELIB / path))
    assert places.is_harness(str(STDLIB / "unittest" / "case.py"))
    assert not places.is_harness(str(STDLIB / "unittest" / "mock.py"))
    assert not places.is_harness(str(places.root / "tests" / "test_a.py"))


def frames(root: Path, *functions: str) -> tuple[Frame, ...]:
    """Return frames in the shop's module, innermost first, then the test and pytest."""
    shop, test = str(root / "shop.py"), str(root / "tests" / "test_shop.py")
    return (
        *((function, shop, 10 + place) for place, function in enumerate(functions)),
        ("test_order", test, 5),
        ("pytest_pyfunc_call", str(PURELIB / "_pytest" / "python.py"), 150),
        ("main", str(root / "runner.py"), 1),
    )


def test_sizes_sum_to_the_peak_largest_first(root: Path, places: Places) -> None:
    found = read_sites(
        [
            Record(100, frames(root, "load", "order")),
            Record(700, frames(root, "parse", "load", "order")),
            Record(50, frames(root, "load")),
        ],
        places,
    )
    assert [(site.key, site.size) for site in found.sites] == [("shop.py:parse", 700), ("shop.py:load", 150)]
    assert found.imports == 0


def test_a_site_shows_the_line_and_callers_of_its_largest_allocation(root: Path, places: Places) -> None:
    small = Record(10, (("load", str(root / "shop.py"), 99), ("test_other", str(root / "tests" / "test_shop.py"), 9)))
    large = Record(900, frames(root, "load", "order"))
    for records in ([small, large], [large, small]):
        assert read_sites(records, places).sites == (
            Site(
                path="shop.py",
                function="load",
                size=910,
                line=10,
                via=callers("shop.py:11 in order", "tests/test_shop.py:5 in test_order"),
            ),
        )


def test_callers_are_the_projects_three_at_most_and_none_of_pytests(root: Path, places: Places) -> None:
    library = ("call", str(PURELIB / "networkx" / "x.py"), 3)
    stack = (library, *frames(root, "a", "b", "c", "d"))
    found = read_sites([Record(1, stack)], places).sites[0]
    assert (found.key, found.line) == ("networkx/x.py:call", 3)
    assert found.via == callers("shop.py:10 in a", "shop.py:11 in b", "shop.py:12 in c")


def test_a_comprehension_belongs_to_the_function_around_it(root: Path, places: Places) -> None:
    found = read_sites([Record(1, frames(root, "<listcomp>", "<lambda>", "load"))], places).sites[0]
    assert (found.key, found.line) == ("shop.py:load", 10)


def test_a_lambda_called_from_another_file_keeps_its_place(root: Path, places: Places) -> None:
    stack = (("<lambda>", str(root / "keys.py"), 2), *frames(root, "load"))
    assert read_sites([Record(1, stack)], places).sites[0].key == "keys.py:<lambda>"


def test_a_modules_own_code_has_its_name(root: Path, places: Places) -> None:
    stack = (("<module>", str(root / "consts.py"), 1), *frames(root, "load"))
    assert read_sites([Record(1, stack)], places).sites[0].key == "consts.py:<module>"


def test_what_an_import_holds_belongs_to_the_line_that_imports(root: Path, places: Places) -> None:
    machinery = (
        ("get_data", "<frozen importlib._bootstrap_external>", 1073),
        ("_find_and_load", "<frozen importlib._bootstrap>", 1176),
    )
    found = read_sites([Record(500, (*machinery, *frames(root, "load"))), Record(7, frames(root, "load"))], places)
    assert [(site.key, site.size, site.line) for site in found.sites] == [("shop.py:load", 507, 10)]
    assert found.imports == 500


def test_an_allocation_without_frames_is_counted_all_the_same(places: Places) -> None:
    found = read_sites([Record(5, ()), Record(6, (("get_code", "<frozen importlib._bootstrap>", 1),))], places)
    assert sum(site.size for site in found.sites) == 11
    assert [site.key for site in found.sites] == ["<unknown>:<unknown>"]


def test_an_allocation_of_pytest_itself_keeps_its_frame(places: Places) -> None:
    stack = (("call", str(PURELIB / "_pytest" / "x.py"), 4), ("main", str(PURELIB / "_pytest" / "y.py"), 1))
    assert read_sites([Record(5, stack)], places).sites[0].key == "_pytest/x.py:call"


CODE = """\
import json
import yaml as y
from networkx import Graph
from numpy import poly1d

def plain():
    return [1]

def one_line():
    a = y.safe_load("3")
    return json.dumps([])

def in_a_loop(items):
    for item in items:
        g = poly1d(item)
        yield item

def inner_import():
    import numpy.linalg
    from os import path
    return 1

def plain_python():
    return Graph()
"""


@pytest.fixture
def module(root: Path, places: Places, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    path = places.root / "shop_code.py"
    path.write_text(CODE)
    monkeypatch.syspath_prepend(str(root))
    importlib.import_module("shop_code")
    yield path
    del sys.modules["shop_code"]


YAML, NUMPY = f"yaml {yaml.__version__}", f"numpy {importlib.metadata.version('numpy')}"


@pytest.mark.parametrize(
    ("line", "used"),
    [
        (7, ()),  # nothing installed
        (10, (YAML,)),  # by the line
        (11, (YAML,)),  # json has no version: then by the function
        (15, (NUMPY,)),  # a name from a package
        (19, (NUMPY,)),  # an import
        (21, (NUMPY,)),  # by the function
        (24, ()),  # networkx is plain Python: it stands in the call sites by itself
        (999, (YAML, NUMPY)),  # outside of any function: the whole module
    ],
)
def test_the_compiled_packages_behind_a_line_are_named(
    module: Path, places: Places, line: int, used: tuple[str, ...]
) -> None:
    assert packages_used(module, line, places) == used


def test_a_file_that_is_no_module_or_no_python_uses_nothing(module: Path, places: Places) -> None:
    assert packages_used(module.with_name("other.py"), 1, places) == ()
    module.write_text("def broken(:")
    assert packages_used(module, 1, places) == ()
