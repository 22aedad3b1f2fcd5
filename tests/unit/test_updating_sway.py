"""An update of unchanged code changes no byte; a new header is no amnesty; what comes after the tests loses nothing."""

from dataclasses import replace
from pathlib import Path

import pytest
from samples import (
    FILE,
    HEADER,
    METRIC,
    OTHER_HEADER,
    commit_all,
    entries_of,
    exact,
    finding,
    make_gate,
    open_store,
    put_baseline,
    sampled,
    settled,
)

from pytest_memgate.model.judgement.budget import BudgetRule, RuleKind
from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.model.judgement.reference import Reference
from pytest_memgate.model.measurement import Measurement
from pytest_memgate.model.metric import FIRST_USE
from pytest_memgate.model.run import Change, ChangeKind, Extent, Problem, Run, Verdict
from pytest_memgate.model.subject import LEDGER, Subject
from pytest_memgate.report.terminal import summary
from pytest_memgate.tasks.baseline.conclude_update import CUT_SHORT, Survey, conclude_update
from pytest_memgate.tasks.baseline.update import ALL_KINDS, Order, Updated, update
from pytest_memgate.tasks.run.verdict import Facts, conclude

MB = 1_000_000
KB = 1000


def measured(
    value: int, *, name: str = "test_a", allowed: int = 200 * KB, measurement: Measurement | None = None
) -> Finding:
    return replace(finding(measurement=measurement or settled(value), name=name), allowed=allowed)


def updated(root: Path, *findings: Finding, order: Order | None = None) -> Updated:
    return update(root, open_store(root), HEADER, findings, order or Order())


@pytest.mark.parametrize("sway", [20 * KB, 150 * KB, 200 * KB, -20 * KB, -50 * KB])
@pytest.mark.parametrize("order", [Order(), Order(reason="something else")])
def test_what_sways_within_its_budget_leaves_the_bytes_as_they_were(tmp_path: Path, sway: int, order: Order) -> None:
    path = put_baseline(tmp_path, {"test_a": Reference(value=MB, anchor=900 * KB, reason="x")})
    before = path.read_bytes()
    done = updated(tmp_path, measured(MB + sway), order=order)
    assert (done.changes, done.unreasoned, done.problems) == ([], [], [])
    assert path.read_bytes() == before


def test_sways_do_not_add_up_to_more_than_the_budget(tmp_path: Path) -> None:
    path = put_baseline(tmp_path, {"test_a": Reference(value=MB)})
    before = path.read_bytes()
    for step in range(1, 11):
        assert not updated(tmp_path, measured(MB + step * 20 * KB)).unreasoned
    done = updated(tmp_path, measured(MB + 220 * KB))
    assert [(one.before, one.after) for one in done.unreasoned] == [(MB, MB + 220 * KB)]
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("measurement", "outcome"), [(settled(900 * KB), Outcome.PASSED), (exact(990 * KB), Outcome.PASSED)]
)
def test_what_fell_by_more_than_a_sway_and_what_cannot_sway_is_written(
    tmp_path: Path, measurement: Measurement, outcome: Outcome
) -> None:
    put_baseline(tmp_path, {"test_a": Reference(value=MB)})
    found = replace(measured(0, measurement=measurement), outcome=outcome)
    assert [one.kind for one in updated(tmp_path, found).changes] == [ChangeKind.LOWERED]
    assert entries_of(tmp_path)["test_a"].value == measurement.value


@pytest.mark.parametrize(
    ("order", "kinds"),
    [
        (Order(reason="rows", exactly=True), [ChangeKind.RAISED]),
        (Order(exactly=True), []),
        (Order(reason="rows", kinds=frozenset({ChangeKind.RAISED})), [ChangeKind.RAISED]),
    ],
)
def test_a_test_that_was_named_is_raised_within_its_budget_too_with_a_reason(
    tmp_path: Path, order: Order, kinds: list[ChangeKind]
) -> None:
    put_baseline(tmp_path, {"test_a": Reference(value=MB)})
    done = updated(tmp_path, measured(MB + 100 * KB), order=order)
    assert ([one.kind for one in done.changes], done.unreasoned) == (kinds, [])


def test_a_test_that_has_drifted_is_raised_though_each_step_was_within_its_budget(tmp_path: Path) -> None:
    put_baseline(tmp_path, {"test_a": Reference(value=MB, anchor=500 * KB, reason="x")})
    found = replace(measured(MB + 100 * KB), outcome=Outcome.DRIFTED)
    assert len(updated(tmp_path, found).unreasoned) == 1


def test_a_value_under_another_header_above_its_budget_needs_a_reason_and_the_file_waits_for_it(tmp_path: Path) -> None:
    path = put_baseline(
        tmp_path,
        {"test_a": Reference(value=MB, anchor=9, reason="x"), "test_b": Reference(value=5)},
        header=OTHER_HEADER,
    )
    before = path.read_bytes()
    found = (measured(2 * MB), measured(5, name="test_b"))
    done = updated(tmp_path, *found)
    assert (done.changes, [one.subject.name for one in done.unreasoned]) == ([], ["test_a"])
    assert path.read_bytes() == before
    done = updated(tmp_path, *found, order=Order(reason="the allocator of 3.13"))
    assert [one.kind for one in done.changes] == [ChangeKind.REMEASURED] * 2
    assert entries_of(tmp_path)["test_a"] == Reference(value=2 * MB, anchor=9, reason="the allocator of 3.13")


def remeasured(root: Path, head: Reference) -> Run:
    """Return the run of a change whose baselines have another header than those of its base."""
    put_baseline(root, {"test_a": Reference(value=MB, anchor=900 * KB, reason="x")}, header=OTHER_HEADER)
    commit_all(root)
    put_baseline(root, {"test_a": head})
    gate = make_gate(root, base="main")
    found = gate.assess(Subject(FILE, "test_a"), METRIC, settled(int(head.value)), {})
    return conclude(gate, Facts(findings=(found,), collected={FILE: frozenset({"test_a"})}), strict=True)


@pytest.mark.parametrize(
    ("head", "verdict"),
    [
        (Reference(value=MB + 150 * KB, anchor=900 * KB, reason="x"), Verdict.PASSED),
        (Reference(value=2 * MB, anchor=900 * KB, reason="x"), Verdict.FAILED),
        (Reference(value=2 * MB, anchor=900 * KB, reason="all of 3.13"), Verdict.PASSED),
        (Reference(value=MB), Verdict.FAILED),  # its anchor is gone
    ],
)
def test_a_new_header_is_no_amnesty(tmp_path: Path, head: Reference, verdict: Verdict) -> None:
    run = remeasured(tmp_path, head)
    assert run.verdict is verdict, run.problems
    assert [("without a reason of its own" in one.text) for one in run.problems] == [True] * (verdict is Verdict.FAILED)


def test_what_is_remeasured_above_its_old_value_comes_before_the_rest() -> None:
    changes = [
        Change(subject=Subject(FILE, name), metric=METRIC, kind=ChangeKind.REMEASURED, before=MB, after=after)
        for name, after in (("test_a", MB), ("test_b", 2 * MB), ("test_c", MB + 9 * KB))
    ]
    run = replace(conclude(make_gate(Path("nowhere")), Facts(findings=()), strict=False), changes=tuple(changes))
    lines = [line.text for line in summary(replace(run, compared_with="main"))]
    (place,) = (number for number, line in enumerate(lines) if line.startswith("changed in"))
    assert lines[place].endswith(": 3 remeasured (1 above their old values by more than 1 %)")
    assert [line.split()[1].rpartition("::")[2] for line in lines[place + 1 : place + 4]] == [
        "test_b",
        "test_a",
        "test_c",
    ]


def paid(value: int) -> Finding:
    return Finding(
        subject=Subject(LEDGER, "csv"),
        metric=FIRST_USE.name,
        outcome=Outcome.NEW,
        measurement=exact(value),
        rules=(BudgetRule(rule=RuleKind.GROWTH, amount=500_000),),
    )


def concluded(root: Path, survey: Survey | BaseException) -> Run:
    """Return the run of an update of one new test whose survey of first use gives or raises this."""

    def made() -> Survey:
        assert set(entries_of(root)) == {"test_a"}  # by now they are written
        if isinstance(survey, BaseException):
            raise survey
        return survey

    facts = Facts(findings=(measured(MB), paid(2 * MB)), everything=True, extent=Extent())
    return conclude_update(make_gate(root), facts, ALL_KINDS, "", strict=False, survey=made)


def test_the_entries_of_tests_are_written_before_the_ledger_is_looked_into(tmp_path: Path) -> None:
    run = concluded(tmp_path, Survey(anew={"csv": {"csv": 3 * MB}}))
    assert (run.verdict, len(run.changes)) == (Verdict.PASSED, 2)
    assert open_store(tmp_path).own.files() == [LEDGER, FILE]


def test_a_step_that_failed_is_one_problem_and_loses_nothing(tmp_path: Path) -> None:
    failed = Problem(text="first use is not updated: importing 3 modules in a clean process: it broke")
    run = concluded(tmp_path, Survey(anew={}, is_all=False, problems=(failed,)))
    assert (run.verdict, run.problems) == (Verdict.FAILED, (failed,))
    assert ChangeKind.NEW in {one.kind for one in run.changes if one.subject.file == FILE}


def test_ctrl_c_in_a_later_step_says_what_is_written(tmp_path: Path) -> None:
    run = concluded(tmp_path, KeyboardInterrupt())
    assert run.verdict is Verdict.FAILED
    assert [one.text for one in run.problems] == [
        "interrupted: the entries of tests are written; of first-use, nothing was written"
    ]
    assert [one.subject.file for one in run.changes] == [FILE]
    assert run.extent is not None
    assert run.extent.cut_short == CUT_SHORT


CONFIG = "memgate.yml"
NO_ANSWER = Finding(subject=Subject(CONFIG, "page[shop]"), metric="web", outcome=Outcome.NO_ANSWER, why="it is away")


def loaded() -> Finding:
    return replace(measured(900, measurement=sampled(900)), subject=Subject(CONFIG, "page[home]"), metric="web.lcp")


def test_ctrl_c_loses_no_page_that_was_measured(tmp_path: Path) -> None:
    facts = Facts(findings=(measured(MB), loaded()), cut_short="the run was interrupted", extent=Extent())
    run = conclude_update(make_gate(tmp_path), facts, ALL_KINDS, "", strict=False)
    assert [one.text for one in run.problems] == ["the run was interrupted: 1 check written, nothing else"]
    assert [str(one.subject) for one in run.changes] == ["memgate.yml::page[home]"]
    assert open_store(tmp_path).own.files() == []
    assert summary(run)[-1].text == "memgate: not all of it updated"


def test_an_update_that_was_cut_short_before_any_check_wrote_nothing(tmp_path: Path) -> None:
    facts = Facts(findings=(measured(MB),), cut_short="the run was interrupted")
    run = conclude_update(make_gate(tmp_path), facts, ALL_KINDS, "", strict=False)
    assert [one.text for one in run.problems] == ["the run was interrupted: nothing was written"]
    assert summary(run)[-1].text == "memgate: not updated"


def test_a_file_with_a_check_without_an_answer_loses_no_entry(tmp_path: Path) -> None:
    known = Facts(findings=(loaded(),), extent=Extent())
    conclude_update(make_gate(tmp_path), known, ALL_KINDS, "", strict=False)
    collected = {CONFIG: frozenset({"page[shop]"})}
    for findings, kinds in (((NO_ANSWER,), []), ((), [ChangeKind.REMOVED])):
        answered = measured(900, measurement=sampled(900))
        answered = replace(answered, subject=NO_ANSWER.subject, metric="web.lcp")
        facts = Facts(findings=findings or (answered,), collected=collected, everything=True, extent=Extent())
        run = conclude_update(make_gate(tmp_path), facts, ALL_KINDS, "", strict=False)
        assert [one.kind for one in run.changes if one.subject.name == "page[home]"] == kinds


@pytest.mark.parametrize(
    ("before", "now", "is_written"),
    [
        ({}, {"h1": "largest"}, True),  # stored before a page was known by what it shows
        ({"h1": "largest"}, {"h1": "largest"}, False),
        ({"h1": "largest"}, {"h1": "largest", "p": "largest"}, False),
        ({"h1": "largest"}, {"p": "largest"}, True),
        ({"h1": "largest"}, {"h1": "largest", "TypeError: x": "error"}, True),
        ({"h1": "largest", "TypeError: x": "error"}, {"h1": "largest"}, False),
    ],
)
def test_what_a_page_shows_for_the_first_time_is_stored(
    tmp_path: Path, before: dict[str, str], now: dict[str, str], is_written: bool
) -> None:
    samples = (1000.0, 1010.0, 1020.0)
    put_baseline(tmp_path, {"test_a": Reference(value=1010, samples=samples, seen=before)})
    page = replace(sampled(*samples), seen=now)
    done = updated(tmp_path, measured(1010, measurement=page, allowed=300))
    assert [change.kind for change in done.changes] == ([ChangeKind.REMEASURED] if is_written else [])
