"""OpenMetrics text, as prometheus-client's own parser reads it."""

import sys
from dataclasses import replace

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from samples import exact, finding, run_of, sampled, settled

from pytest_memgate.errors import UsageError
from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.model.measurement import Basis, Measurement
from pytest_memgate.model.run import Run, Verdict
from pytest_memgate.report.openmetrics import openmetrics

HOSTILE = 'a"b\\c\nd{e}=1 \u202e\U0001f525 # EOF'


def parsed(run: Run) -> dict[tuple[str, str, str], float]:
    """Return each sample by its name, and its test and metric or outcome."""
    found = {}
    for family in text_string_to_metric_families(openmetrics(run)):  # type: ignore[no-untyped-call]
        for sample in family.samples:
            labels = sample.labels
            key = (sample.name, labels.get("test", ""), labels.get("metric", labels.get("outcome", "")))
            assert key not in found
            found[key] = sample.value
    return found


def page(value: float) -> Finding:
    return replace(finding(Outcome.REGRESSED, sampled(value), baseline=1953), metric="web.lcp", unit="ms", allowed=300)


def test_a_bound_is_told_as_one() -> None:
    test = "tests/test_shop.py::test_order"
    bounded = Measurement(value=5000, basis=Basis.BOUND, cold=5000)
    found = parsed(run_of(finding(Outcome.PASSED, bounded, baseline=4000)))
    assert found["memgate_bound", test, "memory.peak"] == 5000
    assert ("memgate_value", test, "memory.peak") not in found


def test_amounts_are_in_base_units() -> None:
    test = "tests/test_shop.py::test_order"
    run = replace(run_of(finding(measurement=settled(5000), baseline=4000), page(2400)), verdict=Verdict.FAILED)
    found = parsed(run)
    assert found["memgate_value", test, "memory.peak"] == 5000
    assert found["memgate_baseline", test, "memory.peak"] == 4000
    assert found["memgate_value", test, "web.lcp"] == 2.4
    assert found["memgate_allowed_growth", test, "web.lcp"] == 0.3
    assert found["memgate_findings", "", "regressed"] == 1
    assert found["memgate_exit_code", "", ""] == 1


def test_what_was_not_measured_has_no_value() -> None:
    assert [key for key in parsed(run_of(finding(Outcome.UNMEASURED))) if key[0] == "memgate_value"] == []


@pytest.mark.parametrize("name", [HOSTILE, "](javascript:alert(1))", "::error::%0A"])
def test_names_are_only_labels(name: str) -> None:
    one = replace(finding(measurement=exact(9), name=name), metric="custom.x", unit=HOSTILE)
    assert len([key for key in parsed(run_of(one)) if key[0] == "memgate_value"]) == 1


def test_without_its_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(UsageError, match=r'needs prometheus-client; pip install "pytest-memgate\[openmetrics\]"'):
        openmetrics(run_of())
