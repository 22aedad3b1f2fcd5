"""Values: to plain data and back, and what they say of themselves."""

import json
from typing import Any

import pytest
from samples import (
    ENVIRONMENT,
    FILE,
    HEADER,
    METRIC,
    OTHER_HEADER,
    SUBJECT,
    bound,
    exact,
    finding,
    run_of,
    settled,
    site,
)

from pytest_memgate.model.codec import decode, encode
from pytest_memgate.model.environment import Header
from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.model.measurement import Basis, Measurement
from pytest_memgate.model.run import Run
from pytest_memgate.model.subject import Subject


def test_a_finding_survives_json() -> None:
    full = finding(Outcome.REGRESSED, settled(2_000_000, sites=(site("order", 9, via=("a.py:1 in b",)),)), baseline=1)
    assert decode(Finding, json.loads(json.dumps(encode(full)))) == full


def test_what_has_its_default_is_left_out() -> None:
    assert encode(finding()) == {
        "subject": {"file": FILE, "name": SUBJECT.name},
        "metric": METRIC,
        "outcome": "passed",
        "rules": [{"rule": "growth", "amount": 200_000}],
    }


def test_keys_from_a_later_version_are_passed_over() -> None:
    data = {**encode(finding()), "colour": "green"}
    assert decode(Finding, data) == finding()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"outcome": "splendid"}, "outcome: one of passed, improved, "),
        ({"baseline": "12"}, "baseline: a number is expected, not '12'"),
        ({"baseline": True}, "baseline: a number is expected, not True"),
        ({"subject": []}, "subject: an object is expected, not a list"),
        ({"growth_by_site": {}}, "growth_by_site: a list is expected, not an object"),
        ({"subject": {"file": "x"}}, "subject: 'name' is missing"),
        ({"measurement": {"value": 1}}, "measurement: 'basis' is missing"),
        ({"measurement": {"bound": 1, "basis": "warm"}}, "measurement: 'bound' contradicts the other fields"),
        (
            {"measurement": {"bound": 1, "value": 1, "basis": "bound"}},
            "measurement: 'value' and another name of it are both there",
        ),
        ({"growth_by_site": [{"site": None, "base": 0, "head": "1"}]}, "growth_by_site[0].head: a number is expected"),
    ],
)
def test_data_of_another_shape_is_a_value_error(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as caught:
        decode(Finding, {**encode(finding()), **change})
    assert message in str(caught.value)


@pytest.mark.parametrize("data", [None, [], "run", 3, {"environment": None}])
def test_what_is_no_run_is_a_value_error(data: Any) -> None:
    with pytest.raises(ValueError, match="an object is expected"):
        decode(Run, data)


def test_a_run_survives_json() -> None:
    run = run_of(finding(measurement=bound(5)), finding(Outcome.NEW, settled(6), name="test_two"))
    assert decode(Run, json.loads(json.dumps(encode(run)))) == run
    assert run.count(Outcome.NEW, Outcome.REGRESSED) == 1


def test_headers_say_what_differs() -> None:
    assert HEADER.differences(HEADER) == ""
    assert OTHER_HEADER.differences(HEADER) == "memray '1.19' there and '1.20' here"
    covered = Header(allocator="malloc, traced", memray="1.20", coverage=True)
    assert covered.differences(ENVIRONMENT.header) == (
        "allocator 'malloc, traced' there and 'pymalloc, traced' here, coverage on there and off here"
    )


def test_a_subject_reads_back_with_colons_in_its_name() -> None:
    subject = Subject("tests/test_a.py", "TestX::test_y[a::b]")
    assert Subject.parse(str(subject)) == subject


def test_growth_needs_two_values() -> None:
    assert finding(measurement=settled(5), baseline=3).growth == 2
    assert finding(measurement=settled(5)).growth is None
    assert finding(baseline=3).growth is None
    assert finding(baseline=3).value is None


def test_a_bound_is_no_value_and_no_growth_follows_from_it() -> None:
    found = finding(measurement=bound(5), baseline=3)
    assert (found.value, found.bound, found.growth) == (None, 5, None)
    known = finding(measurement=settled(5), baseline=3)
    assert (known.value, known.bound, known.growth) == (5, None, 2)


def test_a_leak_that_is_not_certain_is_a_bound() -> None:
    most = Measurement(value=64, basis=Basis.SLOPE, warm=(0, 64))
    assert (finding(measurement=most).value, finding(measurement=most).bound) == (None, 64)
    at_least = Measurement(value=32, basis=Basis.SLOPE, warm=(32, 64))
    assert finding(measurement=at_least).value == 32


@pytest.mark.parametrize(
    ("measurement", "data"),
    [
        (bound(5), {"bound": 5, "basis": "bound", "cold": 5}),
        (
            Measurement(value=5, basis=Basis.BOUND, cold=5, together=3),
            {"bound": 5, "basis": "bound", "cold_bound": 5, "together": 3},
        ),
        (
            Measurement(value=5, basis=Basis.WARM, cold=9, together=3, warm=(5, 5), settled=True),
            {"value": 5, "basis": "warm", "cold_bound": 9, "together": 3, "warm": [5, 5], "settled": True},
        ),
        (Measurement(value=64, basis=Basis.SLOPE, warm=(0, 64)), {"bound": 64, "basis": "slope", "warm": [0, 64]}),
        (exact(5), {"value": 5, "basis": "exact", "settled": True}),
    ],
)
def test_a_bound_has_a_field_of_its_own_in_json(measurement: Measurement, data: dict[str, Any]) -> None:
    assert encode(measurement) == data
    assert decode(Measurement, data) == measurement


def test_first_use_is_what_the_first_run_cost_more() -> None:
    assert settled(1000).first_use == 5000
    assert bound(1000).first_use == 0
    assert Measurement(value=10, basis=Basis.WARM, cold=4, warm=(10,)).first_use == 0


def test_a_call_site_has_a_key_that_survives_edits_and_a_label_that_an_editor_opens() -> None:
    assert site("order", 9, line=12).key == site("order", 9, line=99).key == "shop/orders.py:order"
    assert site("order", 9, line=12).label == "shop/orders.py:12 in order"
    assert site("order", 9).label == "shop/orders.py in order"
