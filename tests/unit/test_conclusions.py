"""What a whole run comes to: each problem, its words and its remedy."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from samples import (
    ENVIRONMENT,
    FILE,
    FOLDER,
    bound,
    commit_all,
    finding,
    make_gate,
    put_baseline,
    settled,
)

from pytest_memgate.model.judgement.budget import BudgetRule, RuleKind
from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.model.judgement.reference import Reference
from pytest_memgate.model.run import Problem, Run, Verdict
from pytest_memgate.model.subject import LEDGER
from pytest_memgate.report.view import verdict_line
from pytest_memgate.report.words.reason import reason
from pytest_memgate.tasks.run.verdict import Facts, conclude

MB = 1_000_000
PASSED = finding(measurement=bound(MB), baseline=MB)
WAIVER = "waivers:\n  - {{test: '{}', metric: memory.peak, ceiling: 9MB, until: {}, reason: soon gone}}\n"
WITHOUT_MEMRAY = "3 skipped, 1 unmeasured, the first since memray is not installed"
WHOLE = {FILE: frozenset({"test_order"})}
NOTHING: Mapping[str, frozenset[str]] = {}


def concluded(
    root: Path,
    *findings: Finding,
    collected: Mapping[str, frozenset[str]] = NOTHING,
    everything: bool = False,
    skipped: int = 0,
    failed: frozenset[str] = frozenset(),
    strict: bool = False,
    base: str = "",
    missing: str = "",
) -> Run:
    facts = Facts(findings=findings, collected=collected, everything=everything, skipped=skipped, failed=failed)
    return conclude(make_gate(root, base=base, missing=missing), facts, strict=strict)


def problem_of(run: Run) -> Problem:
    assert len(run.problems) == 1, run.problems
    return run.problems[0]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    put_baseline(tmp_path, {"test_order": Reference(value=MB)})
    return tmp_path


def test_a_run_without_objections_passed(root: Path) -> None:
    run = concluded(root, PASSED, skipped=1, failed=frozenset({"x::y"}))
    assert (run.verdict, run.problems, run.changes, run.loosened) == (Verdict.PASSED, (), (), ())
    assert (run.baseline, run.compared_with, run.skipped, run.failed) == (FOLDER, "", 1, 1)


@pytest.mark.parametrize(
    ("found", "why"),
    [
        ((finding(Outcome.NEW, settled(MB)),), "1 new"),
        (
            (finding(Outcome.INCOMPARABLE, settled(MB), why="coverage"), finding(Outcome.UNMEASURED, name="x")),
            "1 incomparable (coverage), 1 unmeasured",
        ),
        ((finding(Outcome.NOT_GATED, settled(MB)),), "1 not gated"),
        ((finding(Outcome.PASSED, settled(MB), file=LEDGER), finding(Outcome.NEW, settled(MB))), "1 new"),
    ],
)
def test_a_run_that_compared_nothing_is_no_answer(root: Path, found: tuple[Finding, ...], why: str) -> None:
    run = concluded(root, *found)
    assert (run.verdict, run.compared) == (Verdict.NO_ANSWER, 0)
    assert problem_of(run).text == f"nothing was compared: {why}"


def test_a_limit_that_is_the_whole_budget_compares(root: Path) -> None:
    within = finding(Outcome.NEW, settled(MB))
    growth, limit, drift = (BudgetRule(rule=kind, amount=2 * MB) for kind in RuleKind)
    assert concluded(root, replace(within, rules=(limit,))).compared == 1
    assert concluded(root, replace(within, rules=(limit, drift))).compared == 0
    assert concluded(root, replace(within, rules=(growth, limit))).compared == 0


def test_a_test_of_the_base_that_did_not_run_is_told_once_with_why(root: Path) -> None:
    put_baseline(
        root, {"test_order": Reference(value=MB), "test_two": Reference(value=1), "test_gone": Reference(value=1)}
    )
    commit_all(root)
    facts = Facts(
        findings=(PASSED,),
        collected={FILE: frozenset({"test_order", "test_two"})},
        why_not_run=lambda subject: f"skipped: {subject.name}",
    )
    run = conclude(make_gate(root, base="HEAD"), facts, strict=False)
    assert [(one.subject.name, one.outcome, reason(one)) for one in run.findings[1:]] == [
        ("test_gone", Outcome.VANISHED, "it has a baseline, but was not collected"),
        ("test_two", Outcome.NOT_RUN, "skipped: test_two"),
    ]
    assert verdict_line(run) == "PASSED: 1 test compared, 1 not run, 1 vanished"


def test_a_test_without_a_finding_leaves_the_run_without_an_answer(root: Path) -> None:
    run = conclude(make_gate(root), Facts(findings=(PASSED,), unjudged=frozenset({f"{FILE}::test_two"})), strict=False)
    assert run.verdict is Verdict.NO_ANSWER
    assert problem_of(run).text == f"1 test without a finding of the gate: {FILE}::test_two"


def test_half_of_the_tests_unmeasured_is_said_in_the_verdict(root: Path) -> None:
    silent = [finding(Outcome.UNMEASURED, name=f"test_{number}") for number in range(2)]
    assert verdict_line(concluded(root, PASSED, *silent)) == "PASSED: 1 test compared, 2 of 3 tests unmeasured"
    others = [finding(measurement=bound(MB), baseline=MB, name=f"test_b{number}") for number in range(2)]
    assert verdict_line(concluded(root, PASSED, *others, *silent)) == "PASSED: 3 tests compared"


@pytest.mark.parametrize("outcome", [Outcome.REGRESSED, Outcome.DRIFTED])
def test_growth_fails_the_run_without_a_problem_of_its_own(root: Path, outcome: Outcome) -> None:
    run = concluded(root, finding(outcome, settled(2 * MB), baseline=MB))
    assert (run.verdict, run.problems) == (Verdict.FAILED, ())


@pytest.mark.parametrize(
    ("findings", "skipped", "failed", "why"),
    [
        ((), 0, frozenset(), "no test ran"),
        ((), 2, frozenset(), "2 skipped"),
        ((), 1, frozenset({"a", "b"}), "2 failed, 1 skipped"),
        ((finding(Outcome.UNMEASURED, why="memray is not installed"),), 3, frozenset(), WITHOUT_MEMRAY),
    ],
)
def test_a_run_that_measured_nothing_is_no_answer(
    root: Path, findings: tuple[Finding, ...], skipped: int, failed: frozenset[str], why: str
) -> None:
    run = concluded(root, *findings, skipped=skipped, failed=failed)
    assert run.verdict is Verdict.NO_ANSWER
    assert problem_of(run).text == f"nothing was measured: {why}"


def test_no_baseline_is_no_answer_and_prints_the_command(tmp_path: Path) -> None:
    run = concluded(tmp_path, finding(Outcome.NO_BASELINE, settled(MB)))
    assert run.verdict is Verdict.NO_ANSWER
    assert problem_of(run).text == f"there is no baseline for {ENVIRONMENT.key}"
    assert problem_of(run).hint == f"make it, and commit {FOLDER}: memgate baseline update"


def test_no_baseline_names_the_environments_that_have_one(tmp_path: Path) -> None:
    put_baseline(tmp_path, {"test_order": Reference(value=1)}, environment="darwin-arm64-cpython3.12")
    run = concluded(tmp_path, finding(Outcome.NO_BASELINE, settled(MB)))
    assert problem_of(run).text.endswith("(there is one for darwin-arm64-cpython3.12)")


def test_a_baseline_that_cannot_be_read_is_no_answer_once(root: Path) -> None:
    broken = finding(Outcome.UNREADABLE, name="test_two", why="x.yaml:3: conflict markers")
    run = concluded(root, PASSED, broken, broken)
    assert run.verdict is Verdict.NO_ANSWER
    assert problem_of(run).text == "x.yaml:3: conflict markers"


def test_a_baseline_of_a_file_without_tests_is_read_too(root: Path) -> None:
    put_baseline(root, {"test_x": Reference(value=1)}, file="tests/test_gone.py").write_text("format: 99\n")
    run = concluded(root, PASSED, collected={"tests/test_gone.py": frozenset()})
    assert run.verdict is Verdict.NO_ANSWER
    assert "test_gone.py.yaml: format 99 is newer" in problem_of(run).text
    assert run.findings[-1].outcome is Outcome.UNREADABLE


def test_an_entry_whose_test_was_not_collected_has_vanished(root: Path) -> None:
    put_baseline(root, {"test_order": Reference(value=MB), "test_gone": Reference(value=7)})
    run = concluded(root, PASSED, collected={FILE: frozenset({"test_order"})})
    gone = run.findings[-1]
    assert (gone.outcome, gone.subject.name, gone.baseline) == (Outcome.VANISHED, "test_gone", 7)
    assert reason(gone) == "it has a baseline, but was not collected"
    assert run.verdict is Verdict.PASSED


def test_nothing_has_vanished_from_a_file_that_was_not_collected_as_a_whole(root: Path) -> None:
    put_baseline(root, {"test_order": Reference(value=MB), "test_gone": Reference(value=7)})
    assert concluded(root, PASSED).findings == (PASSED,)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("a",), f"1 test without a baseline (missing: fail): {FILE}::a"),
        (
            ("a", "b", "c", "d", "e"),
            f"5 tests without a baseline (missing: fail): {FILE}::a, {FILE}::b, {FILE}::c and 2 more",
        ),
    ],
)
def test_new_tests_fail_the_run_where_missing_fails(root: Path, names: tuple[str, ...], words: str) -> None:
    findings = [finding(Outcome.NEW, settled(MB), name=name) for name in names]
    findings.append(PASSED)
    assert concluded(root, *findings).verdict is Verdict.PASSED
    run = concluded(root, *findings, missing="fail")
    assert run.verdict is Verdict.FAILED
    assert (problem_of(run).text, problem_of(run).hint) == (words, "memgate baseline update")


def test_vanished_entries_fail_the_run_where_missing_fails(root: Path) -> None:
    (root / "memgate.yml").write_text("missing: fail\n")
    other = finding(measurement=bound(1), file="tests/test_x.py")
    run = concluded(root, other, collected={FILE: frozenset()})
    assert run.verdict is Verdict.FAILED
    assert problem_of(run).text == (f"1 test in the baseline but not in the run (missing: fail): {FILE}::test_order")


@pytest.mark.parametrize("outcome", [Outcome.UNMEASURED, Outcome.INCOMPARABLE, Outcome.UNSTABLE])
def test_what_has_no_answer_fails_a_strict_run(root: Path, outcome: Outcome) -> None:
    unclear = finding(outcome, name="test_two", why="because")
    assert concluded(root, PASSED, unclear).verdict is Verdict.PASSED
    run = concluded(root, PASSED, unclear, strict=True)
    assert run.verdict is Verdict.FAILED
    assert problem_of(run).text == f"1 test {outcome} (strict): {FILE}::test_two: because"
    assert problem_of(run).hint == '@pytest.mark.memgate(skip="…") where it is meant, or --no-memgate-strict'


def test_a_strict_run_takes_new_improved_and_skipped_tests(root: Path) -> None:
    outcomes = (Outcome.NEW, Outcome.IMPROVED, Outcome.WAIVED)
    findings = [finding(outcome, settled(MB), name=outcome.value) for outcome in outcomes]
    run = concluded(root, *findings, finding(Outcome.SKIPPED, name="skipped"), strict=True)
    assert (run.verdict, run.strict) == (Verdict.PASSED, True)


@pytest.mark.parametrize("findings", [(), (PASSED,), (finding(Outcome.WAIVED, settled(2 * MB)),)])
def test_an_ended_waiver_fails_the_run(root: Path, findings: tuple[Finding, ...]) -> None:
    (root / "memgate.yml").write_text(WAIVER.format(FILE, "2026-06-14"))
    run = concluded(root, *findings)
    ended = [problem for problem in run.problems if problem.verdict is Verdict.FAILED]
    assert run.verdict is Verdict.FAILED
    assert [(one.text, one.hint) for one in ended] == [
        (f"memgate.yml:2: the waiver for {FILE} ended on 2026-06-14", "repair the test, or renew it")
    ]


@pytest.mark.parametrize("outcome", [Outcome.WAIVED, Outcome.REGRESSED])
def test_a_waiver_that_is_needed_is_no_problem(root: Path, outcome: Outcome) -> None:
    (root / "memgate.yml").write_text(WAIVER.format(FILE, "2026-12-31"))
    assert concluded(root, finding(outcome, settled(20 * MB), baseline=MB)).problems == ()


def test_a_waiver_that_is_not_needed_fails_the_run(root: Path) -> None:
    (root / "memgate.yml").write_text(WAIVER.format(FILE, "2026-12-31"))
    run = concluded(root, PASSED, collected=WHOLE)
    assert run.verdict is Verdict.FAILED
    assert problem_of(run).text == (
        f"memgate.yml:2: the waiver for {FILE} is not needed: the test is within its budget"
    )
    assert problem_of(run).hint == "remove it"


@pytest.mark.parametrize("outcome", [Outcome.UNSTABLE, Outcome.INCOMPARABLE, Outcome.NEW])
def test_a_waiver_whose_test_has_no_clear_answer_may_be_needed(root: Path, outcome: Outcome) -> None:
    (root / "memgate.yml").write_text(WAIVER.format(FILE, "2026-12-31"))
    unclear = finding(outcome, settled(2 * MB), name="test_two")
    assert concluded(root, PASSED, unclear, collected=WHOLE, everything=True).problems == ()


@pytest.mark.parametrize(
    ("test", "alone", "file"),
    [(FILE, 0, 1), (f"{FILE}::test_*", 0, 1), ("tests/**", 0, 0), (f"{FILE}::test_order", 1, 1)],
)
def test_a_waiver_is_called_unneeded_only_when_all_its_tests_ran(root: Path, test: str, alone: int, file: int) -> None:
    (root / "memgate.yml").write_text(WAIVER.format(test, "2026-12-31"))
    assert len(concluded(root, PASSED).problems) == alone
    assert len(concluded(root, PASSED, collected=WHOLE).problems) == file
    assert len(concluded(root, PASSED, collected=WHOLE, everything=True).problems) == 1


@pytest.mark.parametrize(("everything", "problems"), [(True, 1), (False, 0)])
def test_a_waiver_without_a_test_is_a_problem_once_everything_was_run(
    root: Path, everything: bool, problems: int
) -> None:
    (root / "memgate.yml").write_text(WAIVER.format("tests/test_none.py", "2026-12-31"))
    run = concluded(root, PASSED, everything=everything)
    assert [one.text for one in run.problems] == [
        "memgate.yml:2: the waiver for tests/test_none.py names no test"
    ] * problems


def test_a_waiver_whose_test_could_not_be_measured_is_left_in_peace(root: Path) -> None:
    (root / "memgate.yml").write_text(WAIVER.format(FILE, "2026-12-31"))
    other = finding(measurement=bound(MB), file="tests/test_x.py")
    assert concluded(root, other, finding(Outcome.UNMEASURED), everything=True).problems == ()


def test_a_raise_without_a_reason_of_its_own_fails_a_run_against_a_base(root: Path) -> None:
    commit_all(root)
    put_baseline(root, {"test_order": Reference(value=2 * MB, anchor=MB)})
    run = concluded(root, PASSED, base="HEAD")
    assert (run.verdict, run.compared_with) == (Verdict.FAILED, "HEAD")
    assert [change.kind for change in run.changes] == ["raised"]
    assert problem_of(run).text == (f"{FILE}::test_order: baseline raised (1 MB -> 2 MB) without a reason of its own")
    assert problem_of(run).hint == f'give one: memgate baseline update --reason "…" {FILE}::test_order'


def test_an_anchor_moved_without_a_reason_fails_a_run_against_a_base(root: Path) -> None:
    put_baseline(root, {"test_order": Reference(value=MB, anchor=5, reason="cache")})
    commit_all(root)
    put_baseline(root, {"test_order": Reference(value=MB, anchor=MB, reason="cache")})
    assert "baseline anchored" in problem_of(concluded(root, PASSED, base="HEAD")).text


def test_a_raise_with_a_reason_and_a_looser_budget_are_listed(root: Path) -> None:
    commit_all(root)
    put_baseline(root, {"test_order": Reference(value=2 * MB, anchor=MB, reason="cache")})
    (root / "memgate.yml").write_text("budgets: {memory.peak: {growth: 1MB}}\n")
    run = concluded(root, PASSED, base="HEAD")
    assert (run.verdict, [change.reason for change in run.changes]) == (Verdict.PASSED, ["cache"])
    assert run.loosened == ("growth of memory.peak: 200 KB -> 1 MB (memgate.yml:1); it counts once it is on the base",)
