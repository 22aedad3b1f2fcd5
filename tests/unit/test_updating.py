"""Updates of baselines: what is written, what is asked for first, and what is left alone."""

from pathlib import Path

import pytest
from samples import (
    ENVIRONMENT,
    FILE,
    FOLDER,
    HEADER,
    METRIC,
    OTHER_HEADER,
    bound,
    cold,
    entries_of,
    finding,
    make_gate,
    open_store,
    put_baseline,
    run_of,
    settled,
    site,
)

from pytest_memgate.errors import RunFileError, UsageError
from pytest_memgate.model.environment import Environment, Header
from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.model.judgement.reference import Reference
from pytest_memgate.model.measurement import Measurement
from pytest_memgate.model.run import Change, ChangeKind, Verdict
from pytest_memgate.model.subject import Subject
from pytest_memgate.tasks.baseline.accept import accept
from pytest_memgate.tasks.baseline.conclude_update import conclude_update
from pytest_memgate.tasks.baseline.update import ALL_KINDS, Order, Updated, unreasoned_problem, update
from pytest_memgate.tasks.run.verdict import Facts

MB = 1_000_000
ALL = {FILE: frozenset({"test_a", "test_b"})}


def measured(name: str, measurement: Measurement) -> Finding:
    return finding(measurement=measurement, name=name)


def updated(root: Path, *findings: Finding, header: Header = HEADER, order: Order | None = None) -> Updated:
    return update(root, open_store(root), header, findings, order or Order())


def kinds(done: Updated) -> list[tuple[ChangeKind, str]]:
    return [(change.kind, change.subject.name) for change in done.changes]


def test_a_new_test_gets_an_entry_with_its_largest_call_sites(tmp_path: Path) -> None:
    sites = (site("load", 900_000, line=12), site("small", 10_000))
    done = updated(tmp_path, measured("test_a", settled(MB, sites=sites)))
    assert kinds(done) == [(ChangeKind.NEW, "test_a")]
    assert entries_of(tmp_path) == {"test_a": Reference(value=MB, sites={"shop/orders.py:load": 900_000})}


def test_a_raise_asks_for_a_reason_and_writes_nothing_without_it(tmp_path: Path) -> None:
    path = put_baseline(tmp_path, {"test_a": Reference(value=MB)})
    before = path.read_bytes()
    done = updated(tmp_path, measured("test_a", settled(2 * MB)))
    assert done.changes == []
    assert [(one.before, one.after) for one in done.unreasoned] == [(MB, 2 * MB)]
    assert path.read_bytes() == before


def test_a_raise_with_a_reason_keeps_the_value_before_it_as_the_anchor(tmp_path: Path) -> None:
    put_baseline(tmp_path, {"test_a": Reference(value=MB)})
    done = updated(tmp_path, measured("test_a", settled(2 * MB)), order=Order(reason="new cache"))
    assert done.changes == [
        Change(
            subject=Subject(FILE, "test_a"),
            metric=METRIC,
            kind=ChangeKind.RAISED,
            before=MB,
            after=2 * MB,
            reason="new cache",
        )
    ]
    assert entries_of(tmp_path) == {"test_a": Reference(value=2 * MB, anchor=MB, reason="new cache")}


def test_the_anchor_is_the_value_before_the_first_raise(tmp_path: Path) -> None:
    put_baseline(tmp_path, {"test_a": Reference(value=2 * MB, anchor=MB, reason="new cache")})
    updated(tmp_path, measured("test_a", settled(3 * MB)), order=Order(reason="longer rows"))
    assert entries_of(tmp_path) == {"test_a": Reference(value=3 * MB, anchor=MB, reason="longer rows")}


def test_a_reason_is_good_for_one_raise(tmp_path: Path) -> None:
    put_baseline(tmp_path, {"test_a": Reference(value=2 * MB, anchor=MB, reason="new cache")})
    done = updated(tmp_path, measured("test_a", settled(3 * MB)), order=Order(reason="new cache"))
    assert (done.changes, len(done.unreasoned)) == ([], 1)
    assert entries_of(tmp_path)["test_a"].value == 2 * MB


@pytest.mark.parametrize(
    ("value", "anchor", "reason"),
    [(1_500_000, MB, "new cache"), (MB, None, ""), (500_000, None, "")],
)
def test_an_anchor_is_kept_until_the_value_is_back_at_it(
    tmp_path: Path, value: int, anchor: int | None, reason: str
) -> None:
    put_baseline(tmp_path, {"test_a": Reference(value=2 * MB, anchor=MB, reason="new cache")})
    done = updated(tmp_path, measured("test_a", settled(value)))
    assert kinds(done) == [(ChangeKind.LOWERED, "test_a")]
    assert entries_of(tmp_path) == {"test_a": Reference(value=value, anchor=anchor, reason=reason)}


@pytest.mark.parametrize("value", [MB, MB + 9_900, MB - 9_900])
def test_noise_leaves_the_bytes_as_they_were(tmp_path: Path, value: int) -> None:
    path = put_baseline(tmp_path, {"test_a": Reference(value=MB, sites={"a.py:old": 900})})
    before = path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino
    done = updated(tmp_path, measured("test_a", settled(value, sites=(site("new", value),))), order=Order(reason="x"))
    assert (done.changes, done.unreasoned) == ([], [])
    assert (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino) == before


def test_what_lies_within_the_runs_own_spread_is_noise(tmp_path: Path) -> None:
    put_baseline(tmp_path, {"test_a": Reference(value=MB, spread=300_000)})
    assert kinds(updated(tmp_path, measured("test_a", settled(MB - 300_000)))) == []
    assert kinds(updated(tmp_path, measured("test_a", settled(MB - 300_001)))) == [(ChangeKind.LOWERED, "test_a")]


def test_a_spread_and_a_first_run_are_written_as_such(tmp_path: Path) -> None:
    updated(tmp_path, measured("test_a", settled(MB, spread=300_000)), measured("test_b", cold(2 * MB)))
    assert entries_of(tmp_path) == {
        "test_a": Reference(value=MB, spread=300_000),
        "test_b": Reference(value=2 * MB, repeatable=False),
    }


def test_a_test_that_can_be_repeated_again_gets_its_own_value(tmp_path: Path) -> None:
    put_baseline(tmp_path, {"test_a": Reference(value=MB, repeatable=False)})
    assert kinds(updated(tmp_path, measured("test_a", settled(MB)))) == [(ChangeKind.LOWERED, "test_a")]
    assert entries_of(tmp_path) == {"test_a": Reference(value=MB)}


@pytest.mark.parametrize("measurement", [None, bound(9 * MB)])
def test_what_is_not_settled_is_never_written(tmp_path: Path, measurement: Measurement | None) -> None:
    put_baseline(tmp_path, {"test_a": Reference(value=MB)})
    found = finding(Outcome.UNMEASURED, measurement, name="test_a")
    assert kinds(updated(tmp_path, found, order=Order(reason="x"))) == []
    assert entries_of(tmp_path) == {"test_a": Reference(value=MB)}


def test_entries_that_were_not_run_stay(tmp_path: Path) -> None:
    put_baseline(tmp_path, {"test_a": Reference(value=MB), "test_gone": Reference(value=MB)})
    updated(tmp_path, measured("test_a", settled(MB // 2)))
    assert set(entries_of(tmp_path)) == {"test_a", "test_gone"}


def test_an_entry_is_removed_once_its_whole_file_was_run_without_it(tmp_path: Path) -> None:
    put_baseline(tmp_path, {"test_a": Reference(value=MB), "test_gone": Reference(value=MB)})
    done = updated(tmp_path, measured("test_a", settled(MB)), order=Order(collected=ALL))
    assert kinds(done) == [(ChangeKind.REMOVED, "test_gone")]
    assert set(entries_of(tmp_path)) == {"test_a"}


def test_the_baselines_of_a_file_that_is_gone_are_taken_away(tmp_path: Path) -> None:
    path = put_baseline(tmp_path, {"test_a": Reference(value=MB)})
    updated(tmp_path, order=Order(collected={FILE: frozenset()}))
    assert not path.exists()


@pytest.mark.parametrize("kind", sorted(ALL_KINDS))
def test_an_update_of_one_kind_makes_no_other_change(tmp_path: Path, kind: ChangeKind) -> None:
    names = ("raised", "lowered", "removed")
    put_baseline(tmp_path, {f"test_{name}": Reference(value=MB) for name in names})
    order = Order(
        kinds=frozenset({kind}),
        reason="why",
        collected={FILE: frozenset({"test_raised", "test_lowered", "test_new"})},
    )
    done = updated(
        tmp_path,
        measured("test_raised", settled(2 * MB)),
        measured("test_lowered", settled(MB // 2)),
        measured("test_new", settled(MB)),
        order=order,
    )
    assert kinds(done) == [(kind, f"test_{kind}")]
    found = {name: reference.value for name, reference in entries_of(tmp_path).items()}
    expected = {f"test_{name}": MB for name in names}
    changed = {"new": {"test_new": MB}, "raised": {"test_raised": 2 * MB}, "lowered": {"test_lowered": MB // 2}}
    expected |= changed.get(kind, {})
    if kind is ChangeKind.REMOVED:
        del expected["test_removed"]
    assert found == expected


def test_values_under_another_header_are_all_measured_anew_at_once(tmp_path: Path) -> None:
    put_baseline(
        tmp_path,
        {"test_a": Reference(value=MB, anchor=1, reason="x"), "test_b": Reference(value=5)},
        header=OTHER_HEADER,
    )
    done = updated(tmp_path, measured("test_a", settled(2 * MB)), measured("test_b", settled(5)))
    assert kinds(done) == [(ChangeKind.REMEASURED, "test_a"), (ChangeKind.REMEASURED, "test_b")]
    anchored = Reference(value=2 * MB, anchor=1, reason="x")
    assert entries_of(tmp_path) == {"test_a": anchored, "test_b": Reference(value=5)}
    found = open_store(tmp_path).own.document(FILE)
    assert found is not None
    assert found.header == HEADER


@pytest.mark.parametrize("only", [ALL_KINDS, frozenset({ChangeKind.LOWERED})])
def test_a_part_of_a_file_under_another_header_is_not_updated(tmp_path: Path, only: frozenset[ChangeKind]) -> None:
    names = ("test_a", "test_b") if only is ALL_KINDS else ("test_a",)
    path = put_baseline(tmp_path, {name: Reference(value=MB) for name in names}, header=OTHER_HEADER)
    before = path.read_bytes()
    done = updated(tmp_path, measured("test_a", settled(MB // 2)), order=Order(kinds=only))
    assert done.changes == []
    assert [(one.text, one.hint) for one in done.problems] == [
        (
            f"the baselines of {FILE} were measured with memray '1.19' there and '1.20' here: not updated",
            f"update all its tests at once: memgate baseline update {FILE}",
        )
    ]
    assert path.read_bytes() == before


@pytest.mark.parametrize("outcome", [None, Outcome.UNMEASURED, Outcome.SKIPPED])
def test_a_file_under_another_header_whose_tests_gave_no_value_stays(tmp_path: Path, outcome: Outcome | None) -> None:
    path = put_baseline(tmp_path, {"test_a": Reference(value=MB)}, header=OTHER_HEADER)
    before = path.read_bytes()
    other = finding(measurement=settled(MB), file="tests/test_z.py")
    found = (other, finding(outcome, name="test_a")) if outcome else (other,)
    facts = Facts(findings=found, collected={FILE: frozenset({"test_a"})})
    run = conclude_update(make_gate(tmp_path), facts, ALL_KINDS, "", strict=False)
    assert path.read_bytes() == before
    assert [change.subject.file for change in run.changes] == ["tests/test_z.py"]


def test_a_reason_that_cannot_be_written_is_a_problem_and_leaves_the_file(tmp_path: Path) -> None:
    path = put_baseline(tmp_path, {"test_a": Reference(value=MB)})
    before = path.read_bytes()
    done = updated(tmp_path, measured("test_a", settled(2 * MB)), order=Order(reason="caf\udce9"))
    assert (path.read_bytes(), done.changes) == (before, [])
    assert "nothing was written" in done.problems[0].text


def test_the_harness_never_stands_in_a_baseline(tmp_path: Path) -> None:
    ours = site("call", 400_000, path="pytest_memgate/measure/memory/capture.py")
    updated(tmp_path, measured("test_a", settled(MB, sites=(site("load", 600_000), ours))))
    assert entries_of(tmp_path)["test_a"].sites == {"shop/orders.py:load": 600_000}


def test_a_file_that_cannot_be_read_is_left_and_the_others_are_updated(tmp_path: Path) -> None:
    path = put_baseline(tmp_path, {"test_a": Reference(value=MB)})
    path.write_text("format: 99\n")
    other = finding(measurement=settled(MB), file="tests/test_z.py", name="test_z")
    done = updated(tmp_path, measured("test_a", settled(MB)), other)
    assert path.read_text() == "format: 99\n"
    assert [(one.text.partition("; ")[0], one.verdict) for one in done.problems] == [
        (f"{FOLDER}/{FILE}.yaml: format 99 is newer than this memgate reads", Verdict.NO_ANSWER)
    ]
    assert entries_of(tmp_path, "tests/test_z.py") == {"test_z": Reference(value=MB)}


def test_raises_without_a_reason_come_as_one_problem() -> None:
    change = Change(subject=Subject(FILE, "test_a"), metric=METRIC, kind=ChangeKind.RAISED, before=MB, after=2 * MB)
    one = f"{FILE}::test_a 1 MB -> 2 MB"
    problem = unreasoned_problem([change] * 7, "memgate baseline update")
    assert problem.text == (f"raised, so not written without a reason of its own: {', '.join([one] * 5)} and 2 more")
    assert problem.hint == 'say why the growth is right: memgate baseline update --reason "…"'
    few = unreasoned_problem([change], "x")
    assert few.text.endswith("1 MB -> 2 MB")
    assert few.hint.endswith(f'x --reason "…" {FILE}::test_a')


def test_an_update_that_wrote_everything_passed(tmp_path: Path) -> None:
    facts = Facts(findings=(measured("test_a", settled(MB)),), skipped=2, failed=frozenset({"tests/test_b.py::x"}))
    run = conclude_update(make_gate(tmp_path), facts, ALL_KINDS, "", strict=True)
    assert (run.verdict, run.update, run.strict, run.skipped, run.failed) == (Verdict.PASSED, True, True, 2, 1)
    assert [change.kind for change in run.changes] == [ChangeKind.NEW]
    assert run.baseline == FOLDER


def test_an_update_without_a_reason_failed_but_wrote_the_rest(tmp_path: Path) -> None:
    put_baseline(tmp_path, {"test_a": Reference(value=MB)})
    facts = Facts(findings=(measured("test_a", settled(2 * MB)), measured("test_b", settled(MB))))
    run = conclude_update(make_gate(tmp_path), facts, ALL_KINDS, "", strict=False)
    assert run.verdict is Verdict.FAILED
    assert [problem.text.partition(":")[0] for problem in run.problems] == [
        "raised, so not written without a reason of its own"
    ]
    assert {name: one.value for name, one in entries_of(tmp_path).items()} == {"test_a": MB, "test_b": MB}


def test_an_update_that_measured_nothing_is_no_answer(tmp_path: Path) -> None:
    path = put_baseline(tmp_path, {"test_a": Reference(value=MB)})
    before = path.read_bytes()
    facts = Facts(
        findings=(finding(Outcome.UNMEASURED, name="test_a", why="a crash"),),
        collected={FILE: frozenset({"test_a"})},
    )
    run = conclude_update(make_gate(tmp_path), facts, ALL_KINDS, "", strict=False)
    assert run.verdict is Verdict.NO_ANSWER
    assert [problem.text for problem in run.problems] == ["nothing was measured: 1 unmeasured, the first since a crash"]
    assert path.read_bytes() == before


def test_an_update_over_a_file_that_cannot_be_read_is_no_answer(tmp_path: Path) -> None:
    put_baseline(tmp_path, {"test_a": Reference(value=MB)}).write_text("format: 99\n")
    facts = Facts(findings=(measured("test_a", settled(MB)),))
    run = conclude_update(make_gate(tmp_path), facts, ALL_KINDS, "", strict=False)
    assert run.verdict is Verdict.NO_ANSWER
    assert "format 99 is newer" in run.problems[0].text


@pytest.mark.parametrize(
    ("failed", "gone"),
    [("tests/test_shop.py::test_b", False), ("@up/test_shop.py::test_b", True), ("tests/test_x.py::test_b", True)],
)
def test_nothing_is_removed_from_a_file_with_a_failed_test(tmp_path: Path, failed: str, gone: bool) -> None:
    put_baseline(tmp_path, {"test_a": Reference(value=MB), "test_gone": Reference(value=MB)})
    facts = Facts(findings=(measured("test_a", settled(MB)),), collected=ALL, failed=frozenset({failed}))
    conclude_update(make_gate(tmp_path), facts, ALL_KINDS, "", strict=False)
    assert ("test_gone" not in entries_of(tmp_path)) is gone


def test_a_runs_values_are_accepted_without_running_again(tmp_path: Path) -> None:
    put_baseline(tmp_path, {"test_a": Reference(value=MB), "test_b": Reference(value=MB)})
    run = run_of(measured("test_a", settled(3 * MB)), measured("test_b", settled(2 * MB)))
    done = accept(tmp_path, run, (f"{FILE}::test_a",), reason="new cache", only=(), run_file="run.json")
    assert kinds(done) == [(ChangeKind.RAISED, "test_a")]
    assert entries_of(tmp_path) == {
        "test_a": Reference(value=3 * MB, anchor=MB, reason="new cache"),
        "test_b": Reference(value=MB),
    }


def test_a_run_is_accepted_into_its_own_environment(tmp_path: Path) -> None:
    there = Environment(key="darwin-arm64-cpython3.12", header=HEADER)
    run = run_of(measured("test_a", settled(MB)), environment=there)
    accept(tmp_path, run, (), reason="", only=(), run_file="run.json")
    assert (tmp_path / ".memgate" / there.key / f"{FILE}.yaml").exists()
    assert not (tmp_path / ".memgate" / ENVIRONMENT.key).exists()


def test_accepting_growth_without_a_reason_is_a_problem(tmp_path: Path) -> None:
    put_baseline(tmp_path, {"test_a": Reference(value=MB)})
    run = run_of(measured("test_a", settled(3 * MB)))
    done = accept(tmp_path, run, (), reason="", only=(), run_file="run.json")
    assert done.changes == []
    assert (
        done.problems[0].hint
        == 'say why the growth is right: memgate baseline accept run.json --reason "…" tests/test_shop.py::test_a'
    )


def test_accepting_can_be_kept_to_one_kind(tmp_path: Path) -> None:
    put_baseline(tmp_path, {"test_a": Reference(value=MB)})
    run = run_of(measured("test_a", settled(MB // 2)), measured("test_b", settled(MB)))
    assert kinds(accept(tmp_path, run, (), reason="", only=("new",), run_file="r")) == [(ChangeKind.NEW, "test_b")]
    assert kinds(accept(tmp_path, run, (), reason="", only=("all",), run_file="r")) == [(ChangeKind.LOWERED, "test_a")]


def test_a_test_that_the_run_did_not_settle_cannot_be_accepted(tmp_path: Path) -> None:
    run = run_of(measured("test_a", bound(MB)), measured("test_b", settled(MB)))
    with pytest.raises(UsageError, match=rf"run.json has no value to accept for {FILE}::test_a: it passed"):
        accept(tmp_path, run, (f"{FILE}::test_a",), reason="", only=(), run_file="run.json")
    with pytest.raises(UsageError, match=r"run.json has no '.*test_c'; did you mean '.*test_[ab]'\?"):
        accept(tmp_path, run, (f"{FILE}::test_c",), reason="", only=(), run_file="run.json")


def test_a_run_without_settled_values_has_nothing_to_accept(tmp_path: Path) -> None:
    with pytest.raises(RunFileError, match=r"run.json has no value to accept; its tests are within their baselines"):
        accept(tmp_path, run_of(measured("test_a", bound(MB))), (), reason="", only=(), run_file="run.json")
