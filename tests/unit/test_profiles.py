"""A profile: how it is counted, compared, written and told."""

import json
import os
from dataclasses import dataclass, replace
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from samples import ENVIRONMENT, OTHER_HEADER

from pytest_memgate.compare.profile import profile_growth
from pytest_memgate.errors import RunFileError
from pytest_memgate.measure.memory.profile import Chains
from pytest_memgate.measure.process.import_redirect import Elsewhere
from pytest_memgate.measure.stacks.call_sites import Frame as Call
from pytest_memgate.measure.stacks.source_paths import Places
from pytest_memgate.model.environment import Environment
from pytest_memgate.model.profile import Amount, Chain, Frame, Profile, Sort, TestProfile, Use
from pytest_memgate.report.html.icicle import icicle, tree
from pytest_memgate.report.profile import growth_lines, profile_lines
from pytest_memgate.tasks.profile.file import FORMAT, check_environment, read_profile, write_profile

TEST = "tests/test_shop.py::test_order"


@dataclass(frozen=True)
class Record:
    """What memray's AllocationRecord gives, innermost frame first."""

    size: int
    stack: tuple[Call, ...]
    n_allocations: int = 1

    @property
    def stack_id(self) -> int:
        return hash(self.stack)

    def stack_trace(self) -> list[Call]:
        return list(self.stack)


def of(*chains: tuple[str, int, int], lines: int = 0) -> TestProfile:
    """Return a profile of chains, each `"test_order>load"` with its bytes at the peak and allocated, 100 an object."""
    names = sorted({name for way, _, _ in chains for name in way.split(">")})
    frames = [Frame(path="shop.py", function=name, line=at + 1 + lines) for at, name in enumerate(names)]
    return TestProfile(
        test=TEST,
        frames=tuple(frames),
        chains=tuple(
            Chain(
                frames=tuple(names.index(name) for name in way.split(">")),
                peak=Amount(objects=peak // 100, bytes=peak),
                allocated=Amount(objects=made // 100, bytes=made),
            )
            for way, peak, made in chains
        ),
    )


def ways(profile: TestProfile) -> list[str]:
    return [" > ".join(f"{one.path}:{one.line} {one.function}" for one in profile.of(way)) for way in profile.chains]


# Counting


@pytest.fixture
def counted(tmp_path: Path) -> Chains:
    return Chains(("test_order", str(tmp_path / "test_shop.py"), 1), Places(tmp_path))


def test_a_chain_begins_with_the_test_and_has_no_frame_of_pytest_or_the_import_system(
    counted: Chains, tmp_path: Path
) -> None:
    shop, test = str(tmp_path / "shop.py"), str(tmp_path / "test_shop.py")
    stack: tuple[Call, ...] = (
        ("<listcomp>", shop, 8),
        ("load", shop, 7),
        ("load", shop, 5),
        ("_load_unlocked", "<frozen importlib._bootstrap>", 1),
        ("test_order", test, 3),
        ("run", "asyncio/runners.py", 1),
        ("pytest_pyfunc_call", str(Path(pytest.__file__).parents[1] / "_pytest" / "python.py"), 1),
    )
    counted.add(0, [Record(50, stack), Record(30, stack)])
    profile = counted.profile(TEST, ())
    assert ways(profile) == ["test_shop.py:3 test_order > shop.py:8 load"]
    assert profile.chains[0].peak == Amount(objects=2, bytes=80)


def test_what_the_gate_itself_allocates_belongs_to_the_test(counted: Chains) -> None:
    import pytest_memgate.measure.memory.capture as gate

    counted.add(0, [Record(10, (("call", gate.__file__, 1),))])
    assert ways(counted.profile(TEST, ())) == ["test_shop.py:1 test_order"]


def test_lines_are_those_of_the_largest_allocation_and_no_chain_of_their_own(counted: Chains, tmp_path: Path) -> None:
    shop, test = str(tmp_path / "shop.py"), str(tmp_path / "test_shop.py")
    stacks = [(("load", shop, line), ("test_order", test, 2)) for line in (7, 8, 9)]
    counted.add(0, [Record(size, stack) for size, stack in zip((10, 90, 20), stacks, strict=True)])
    counted.add(2, [Record(500, stacks[0], 5)])
    profile = counted.profile(TEST, ())
    assert ways(profile) == ["test_shop.py:2 test_order > shop.py:8 load"]
    assert profile.chains[0].allocated == Amount(objects=5, bytes=500)


# Functions


def test_a_function_that_calls_itself_through_another_counts_once() -> None:
    profile = of(("test_order>walk>visit>walk", 100, 100), ("test_order>walk", 200, 200))
    found = {one.frame.function: one for one in profile.functions(retained=False)}
    assert found["walk"].cumulative.in_use.bytes == 300
    assert found["walk"].flat.in_use.bytes == 300
    assert found["visit"].flat == Use()
    assert found["test_order"].cumulative == profile.total(retained=False)


PROFILE = of(
    ("test_order", 1000, 1000),
    ("test_order>load", 5000, 90_000),
    ("test_order>load>parse", 2_000_000, 10_000),
)


def test_a_profile_is_told_by_function() -> None:
    assert profile_lines(PROFILE, Sort.IN_USE_BYTES, 2, cum=False, retained=False) == [
        "tests/test_shop.py::test_order",
        "in use at the peak: 2.01 MB in 20060 objects; allocated: 101 KB in 1010 objects",
        "in-use objects  in-use bytes  cumulative  allocated objects  allocated bytes  cumulative  function",
        "         20000          2 MB        2 MB                100            10 KB       10 KB  shop.py:2 in parse",
        "            50          5 KB        2 MB                900            90 KB      100 KB  shop.py:1 in load",
        "and 1 more function (--top)",
        "",
    ]


@pytest.mark.parametrize(
    ("sort", "cum", "first"),
    [
        (Sort.IN_USE_OBJECTS, False, "parse"),
        (Sort.ALLOCATED_BYTES, False, "load"),
        (Sort.ALLOCATED_OBJECTS, False, "load"),
        (Sort.IN_USE_BYTES, True, "test_order"),
    ],
)
def test_each_column_can_be_sorted_by(sort: Sort, cum: bool, first: str) -> None:
    lines = profile_lines(PROFILE, sort, 5, cum=cum, retained=False)
    assert lines[3].endswith(f"in {first}")


def test_what_is_live_after_the_call_is_told_instead_of_the_peak() -> None:
    chains = tuple(replace(chain, retained=Amount(objects=3, bytes=300)) for chain in PROFILE.chains[:1])
    lines = profile_lines(replace(PROFILE, chains=chains), Sort.IN_USE_BYTES, 5, cum=False, retained=True)
    assert lines[1].startswith("in use after the call: 300 B in 3 objects")


# Differences


def test_the_growth_of_all_functions_is_the_growth_of_the_test() -> None:
    head = of(("test_order", 1500, 0), ("test_order>load>parse", 100, 0), ("test_order>cache", 9000, 0))
    growth = profile_growth(PROFILE, head, Sort.IN_USE_BYTES, retained=False)
    assert sum(one.growth.in_use.bytes for one in growth.functions) == (growth.head - growth.base).in_use.bytes
    assert [one.frame.function for one in growth.functions] == ["cache", "test_order", "load", "parse"]


def test_a_moved_line_is_no_difference() -> None:
    chains = (("test_order", 1000, 1000), ("test_order>load", 5000, 90_000))
    growth = profile_growth(of(*chains), of(*chains, lines=40), Sort.IN_USE_BYTES, retained=False)
    assert growth.functions == ()
    assert growth_lines(growth, Sort.IN_USE_BYTES, "main", 5, retained=False)[-2] == "no difference in in-use-bytes"


def test_what_grew_is_told_with_its_largest_chain() -> None:
    base = of(("test_order>load", 5000, 5000), ("test_order>old", 700, 700), ("test_order>a", 100, 100))
    head = of(
        ("test_order>load", 6000, 6000),
        ("test_order>report>rows>load", 2_000_000, 2_000_000),
        ("test_order>a", 200, 200),
        ("test_order>b", 100, 100),
    )
    growth = profile_growth(base, head, Sort.IN_USE_BYTES, retained=False)
    assert growth_lines(growth, Sort.IN_USE_BYTES, "main", 1, retained=False) == [
        "tests/test_shop.py::test_order  against main",
        "in use at the peak 5.8 KB -> 2.01 MB: +2 MB",
        "in-use objects  in-use bytes  allocated objects  allocated bytes  function",
        "        +20010         +2 MB             +20010            +2 MB  shop.py:3 in load  (5 KB -> 2.01 MB)",
        f"{' ' * 68}called from shop.py:5 in rows",
        f"{' ' * 68}called from shop.py:4 in report",
        f"{' ' * 68}called from shop.py:6 in test_order",
        f"{' ' * 68}and by 1 more chain: +1 KB",
        "            -7        -700 B                 -7           -700 B  shop.py:3 in old  (700 B -> 0 B)",
        "and 2 more functions: +200 B",
        "",
    ]


def test_the_middle_of_an_endless_chain_is_left_out() -> None:
    way = ">".join(["test_order", *(f"f{number:02}" for number in range(30))])
    growth = profile_growth(of((way, 0, 0)), of((way, 100, 0)), Sort.IN_USE_BYTES, retained=False)
    lines = growth_lines(growth, Sort.IN_USE_BYTES, "main", 5, retained=False)
    assert sum("called from" in line for line in lines) == 12
    assert lines[10].strip() == "… 18 more …"
    assert lines[-2].endswith("in test_order")


# The icicle's data


def test_the_icicle_sums_to_the_profile_and_folds_what_is_tiny() -> None:
    tiny = tuple((f"test_order>load>f{number}", 100, 1) for number in range(5))
    data = tree(of(("test_order>load", 2_000_000, 2_000_000), *tiny), of(("test_order>gone", 3000, 0)))
    assert [node["function"] for node in data["nodes"]] == ["all", "test_order", "load", "gone"]
    assert sum(node["head"][0] for node in data["nodes"]) == 2_000_500
    assert sum(node["base"][0] for node in data["nodes"]) == 3000
    assert [node["parent"] for node in data["nodes"]] == [-1, 0, 1, 1]


def test_nothing_foreign_is_markup_in_the_page() -> None:
    name = "</script><b>&x"
    profile = Profile(environment=ENVIRONMENT, tests=(replace(of((name, 5000, 5000)), test=name, notes=(name,)),))
    page = icicle(profile, profile, name)
    assert name not in page
    assert "<b>&x" not in page


# Files


def test_a_profile_that_is_written_reads_back(tmp_path: Path) -> None:
    profile = Profile(environment=ENVIRONMENT, tests=(PROFILE,))
    write_profile(profile, tmp_path / "new" / "base.json")
    assert read_profile(tmp_path / "new" / "base.json") == profile


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "not JSON"),
        ("[]", "not a profile"),
        ('{"schema": 1}', "not a profile"),
        (json.dumps({"profile": FORMAT + 1}), f"format {FORMAT + 1} is newer than this memgate reads; upgrade"),
        (json.dumps({"profile": FORMAT}), "it was changed or cut short"),
    ],
)
def test_a_file_that_is_no_profile_is_told_in_one_line(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "base.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(RunFileError) as caught:
        read_profile(path)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 3


def test_a_chain_without_its_frame_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "base.json"
    write_profile(Profile(environment=ENVIRONMENT, tests=(replace(PROFILE, frames=PROFILE.frames[:1]),)), path)
    with pytest.raises(RunFileError, match="a chain names a frame that is not there"):
        read_profile(path)


def test_a_profile_of_another_environment_is_refused() -> None:
    path = Path("base.json")
    check_environment(path, ENVIRONMENT, ENVIRONMENT)
    with pytest.raises(RunFileError, match=r"linux-x86_64-cpython3\.12 there and linux-x86_64-cpython3\.11 here"):
        check_environment(path, replace(ENVIRONMENT, key="linux-x86_64-cpython3.12"), ENVIRONMENT)
    with pytest.raises(RunFileError, match=r"memray '1\.19' there and '1\.20' here"):
        check_environment(path, Environment(key=ENVIRONMENT.key, header=OTHER_HEADER), ENVIRONMENT)


# Another checkout's code


@pytest.fixture
def checkouts(tmp_path: Path) -> tuple[Path, Path]:
    """Two folders with the same module in each."""
    for name in ("here", "there"):
        (tmp_path / name / "src" / "shop").mkdir(parents=True)
        (tmp_path / name / "src" / "shop" / "__init__.py").write_text(f"where = {name!r}\n", encoding="utf-8")
    return tmp_path / "here", tmp_path / "there"


def test_a_path_of_the_source_has_its_twin_in_the_target(checkouts: tuple[Path, Path], tmp_path: Path) -> None:
    here, there = checkouts
    elsewhere = Elsewhere(here, there)
    assert elsewhere.moved(str(here / "src")) == str(there / "src")
    assert elsewhere.moved(str(here)) == str(there)
    unmoved = ["", str(tmp_path / "hereafter"), str(there / "src"), os.path.dirname(json.__file__)]  # noqa: PTH120
    assert [elsewhere.moved(path) for path in unmoved] == unmoved


def test_an_environment_within_the_source_stays_where_it_is(
    checkouts: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = checkouts
    monkeypatch.setattr("sys.prefix", str(here / ".venv"))
    packages = str(here / ".venv" / "lib" / "site-packages")
    assert Elsewhere(here, there).moved(packages) == packages


def test_a_foreign_finder_gives_the_twin_of_what_it_finds(
    checkouts: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    import importlib.util
    import sys

    here, there = checkouts
    file = here / "src" / "shop" / "__init__.py"

    def find_spec(name: str, *_: object) -> ModuleSpec | None:
        if name != "shop":
            return None
        return importlib.util.spec_from_file_location(name, file, submodule_search_locations=[str(file.parent)])

    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, SimpleNamespace(find_spec=find_spec)])
    monkeypatch.setattr(sys, "path", list(sys.path))
    elsewhere = Elsewhere(here, there)
    elsewhere.redirect()
    spec = importlib.util.find_spec("shop")
    assert spec is not None
    assert spec.origin == str(there / "src" / "shop" / "__init__.py")
    assert spec.submodule_search_locations == [str(there / "src" / "shop")]


def test_a_module_of_the_source_and_an_installed_copy_are_foreign(
    checkouts: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys
    from types import ModuleType

    here, there = checkouts
    elsewhere, places = Elsewhere(here, there), Places(there)
    assert elsewhere.foreign(places) == ()
    module = ModuleType("shop")
    monkeypatch.setitem(sys.modules, "shop", module)
    module.__file__ = str(there / "src" / "shop" / "__init__.py")
    assert elsewhere.foreign(places) == ()
    module.__file__ = str(here / "src" / "shop" / "__init__.py")
    assert elsewhere.foreign(places) == (module.__file__,)
    for name in ("json", "yaml"):  # one of the standard library, which is no copy of anything, and one installed
        (there / name).mkdir()
        (there / name / "__init__.py").touch()
    module.__file__ = None
    assert elsewhere.foreign(places) == (yaml.__file__,)
