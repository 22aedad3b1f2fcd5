"""The faults of the example project: each is red beside its repair, by the right metric and with its line named."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from harness import Project

EXAMPLE = Path(__file__).parents[2] / "example_project"
LEFT_OUT = ("__pycache__", ".*_cache", ".memgate", "web")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A variant of one of the shop's modules, and what the gate says of it."""

    variant: str
    module: str
    check: str  # what is run
    test: str  # what is red
    metrics: frozenset[str]  # all that are
    first: str  # the metric that is looked at
    site: str  # the path that grew most
    code: str  # on the line that the failure names
    word: str


FAULTS = [
    Fault(
        variant="unbounded_baskets",
        module="baskets",
        check="tests/test_baskets.py",
        test="test_hundreds_of_visitors_look_and_leave",
        metrics=frozenset({"memory.retained"}),
        first="memory.retained",
        site="shop/baskets.py",
        code="_baskets[visitor] = {**basket",
        word="memory.leak 0 B -> 2",
    ),
    Fault(
        variant="waiting_couriers",
        module="couriers",
        check="tests/test_couriers.py",
        test="test_a_courier_who_never_answers_holds_nobody_up",
        metrics=frozenset({"leftover.tasks"}),
        first="leftover.tasks",
        site="shop/couriers.py",
        code="asyncio.create_task(_offer(",
        word="leftover.tasks 0 -> 10: +10 is over its budget of 0",
    ),
    Fault(
        variant="viewing_trends",
        module="trends",
        check="tests/test_trends.py",
        test="test_the_change_of_a_week_is_told",
        metrics=frozenset({"memory.retained"}),
        first="memory.retained",
        site="shop/trends.py",
        code="levels = np.frombuffer(export",
        word="memory.retained 0 B -> 351 KB",
    ),
    Fault(
        variant="heavy_report",
        module="report",
        check="memgate.yml::import[shop.report]",
        test="import[shop.report]",
        metrics=frozenset({"import.peak", "import.retained"}),
        first="import.retained",
        site="numpy",
        code="import numpy as np",
        word="imported by shop/report.py:5",
    ),
    Fault(
        variant="allocating_labels",
        module="labels",
        check="tests/test_labels.py",
        test="test_a_day_of_labels_is_printed",
        metrics=frozenset({"memory.allocations", "memory.allocated"}),
        first="memory.allocated",
        site="shop/labels.py",
        code="bitmap = memoryview(bytearray(",
        word="memory.allocations 23",
    ),
]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The example with baselines of this machine, from its repaired code."""
    project = Project(tmp_path_factory.mktemp("example") / "shop")
    shutil.copytree(EXAMPLE, project.root, dirs_exist_ok=True, ignore=shutil.ignore_patterns(*LEFT_OUT))
    (project.root / "pytest.ini").unlink()  # pyproject.toml is what counts there
    project.prepare(*(fault.check for fault in FAULTS))
    return project


def test_the_repaired_shop_is_green(shop: Project) -> None:
    result = shop.gate(*(fault.check for fault in FAULTS))
    assert (result.code, "memgate: PASSED" in result.out) == (0, True), result.out
    metrics = {finding["metric"] for finding in result.run["findings"]}
    assert {"memory.retained", "memory.allocated", "import.retained"} <= metrics


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.variant)
def test_a_fault_is_red_with_its_line_named(shop: Project, fault: Fault) -> None:
    module = f"shop/{fault.module}.py"
    repaired = (shop.root / module).read_text(encoding="utf-8")
    broken = (shop.root / "variants" / f"{fault.variant}.py").read_text(encoding="utf-8")
    shop.write(module, broken)
    try:
        result = shop.gate(fault.check)
    finally:
        shop.write(module, repaired)
    assert result.code == 1, result.out
    outcomes = result.metrics(fault.test)
    assert {name for name, outcome in outcomes.items() if outcome == "regressed"} == fault.metrics
    site = result.found(fault.test, fault.first)["growth_by_site"][0]["site"]
    assert site["path"] == fault.site
    places = (
        f"{site['path']}:{site.get('line')}",
        *(f"{lead['path']}:{lead['line']}" for lead in site.get("via", ()) if "line" in lead),
    )
    named = next(place for place in places if f"{module}:" in place)
    line = int(named.partition(":")[2])
    assert fault.code in broken.splitlines()[line - 1]
    assert named in result.out
    assert fault.word in result.out
