"""What run files of formats 1 and 2 have in words becomes data as they are read."""

import json
from pathlib import Path
from typing import Any

import pytest
from samples import finding, run_of, settled

from pytest_memgate.errors import RunFileError
from pytest_memgate.model.judgement.budget import BudgetRule, Origin, OriginKind, RuleKind
from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.model.judgement.reason import Over
from pytest_memgate.model.site import LeadKind
from pytest_memgate.model.subject import LEDGER
from pytest_memgate.report.data import finding_data
from pytest_memgate.report.lines import accept_command
from pytest_memgate.tasks.run.file import read_run, to_json

MB = 1_000_000


@pytest.fixture
def read(tmp_path: Path) -> Any:
    """Return a function that reads one finding of a file of format 2 with these fields."""

    def read(**fields: Any) -> Finding:
        data = to_json(run_of(finding(Outcome.UNSTABLE, settled(3 * MB), baseline=MB)))
        (old,) = data["findings"]
        old = {key: value for key, value in old.items() if key not in {"rules", "budget"}} | fields
        (tmp_path / "run.json").write_text(json.dumps({**data, "schema": 2, "findings": [old]}), encoding="utf-8")
        (found,) = read_run(tmp_path / "run.json").findings
        return found

    return read


def test_a_budget_in_words_is_read_part_by_part(read: Any) -> None:
    words = "growth max(200 KB, 5%) (memgate.yml:3), limit 64 MB (marker), drift 10% (call in tests/sizes.py)"
    assert read(budget=words).rules == (
        BudgetRule(rule=RuleKind.GROWTH, amount=200_000, percent=5, source="memgate.yml:3"),
        BudgetRule(rule=RuleKind.LIMIT, amount=64 * MB, source="marker", origin=Origin(kind=OriginKind.MARKER)),
        BudgetRule(
            rule=RuleKind.DRIFT,
            percent=10,
            source="call in tests/sizes.py",
            origin=Origin(kind=OriginKind.CALL, file="tests/sizes.py"),
        ),
    )


def test_a_budget_that_cannot_be_read_is_what_it_allowed(read: Any) -> None:
    assert read(budget="growth a lot (default)", allowed=5).rules == (BudgetRule(rule=RuleKind.GROWTH, amount=5),)
    assert read(budget="growth a lot (default)").rules == ()
    assert read(budget="").rules == ()


def test_a_reason_stays_and_a_broken_limit_is_known(read: Any) -> None:
    words = "3 MB is over its limit of 2 MB in some of its runs, and within it in others"
    found = read(reason=words, budget="growth 200 KB (default), limit 2 MB (memgate.yml:3)")
    assert (found.why, found.is_over_limit) == (words, True)
    assert found.over == Over(rule=RuleKind.LIMIT, amount=3 * MB, allowed=2 * MB)
    assert accept_command(found) == "raise its limit (memgate.yml:3)"
    assert finding_data(found)["reason"] == words
    assert read(reason="+2 MB is over its budget of 200 KB").over is None


def test_details_and_notes_stay_in_words(read: Any) -> None:
    found = read(details=["src/admin.js was loaded lazily before"])
    assert finding_data(found)["details"] == ["src/admin.js was loaded lazily before"]
    measurement = finding_data(finding(measurement=settled(MB)))["measurement"] | {"notes": ["starts processes"]}
    assert finding_data(read(measurement=measurement))["measurement"]["notes"] == ["starts processes"]


def test_details_that_follow_from_the_finding_are_told_once(read: Any) -> None:
    payer = {"file": "test_a.py", "name": "test_x"}
    found = read(
        subject={"file": LEDGER, "name": "csv"},
        metric="memory.first_use",
        paid_by=[payer],
        details=["paid by test_a.py::test_x"],
    )
    assert finding_data(found)["details"] == ["paid by test_a.py::test_x"]


def test_who_calls_or_imports_becomes_data(read: Any) -> None:
    lines = [
        "shop/app.py:17 in handle",
        "imported by shop/report.py:5",
        "lazily imported by src/a.js",
        "Injected iframe",
    ]
    site = {"path": "node_modules/zod", "size": 9, "via": lines, "uses": ["zod 3.24.1", "lib/index.mjs 61 KB"]}
    measurement = finding_data(finding(measurement=settled(MB)))["measurement"]
    found = read(measurement={**measurement, "sites": [site]}, growth_by_site=[{"site": site, "base": 0, "head": 9}])
    (held,), (grown,) = found.measurement.sites, found.growth_by_site
    assert held == grown.site
    assert [(lead.kind, lead.label) for lead in held.via] == [
        (LeadKind.CALLER, "shop/app.py:17 in handle"),
        (LeadKind.IMPORTER, "shop/report.py:5"),
        (LeadKind.LAZY_IMPORTER, "src/a.js"),
        (LeadKind.CAUSE, "Injected iframe"),
    ]
    assert (held.uses, held.modules) == (("zod 3.24.1",), {"lib/index.mjs": 61_000})


@pytest.mark.parametrize(
    "fields",
    [{"reason": 5}, {"details": "x"}, {"details": [5]}, {"budget": 5, "unit": 5}, {"measurement": {"notes": 5}}],
)
def test_what_has_another_shape_is_refused(read: Any, fields: dict[str, Any]) -> None:
    with pytest.raises(RunFileError):
        read(**fields)
