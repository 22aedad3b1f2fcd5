"""A moved test takes its entry along: what it is held against, what an update writes, what a change brings."""

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
    settled,
    site,
)

from pytest_memgate.errors import BaselineError, UsageError
from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.model.judgement.reference import Reference, Standing
from pytest_memgate.model.run import Change, ChangeKind, Run, Verdict
from pytest_memgate.model.subject import Subject
from pytest_memgate.report.terminal import summary
from pytest_memgate.report.words.reason import reason
from pytest_memgate.tasks.baseline.accept import accept
from pytest_memgate.tasks.baseline.conclude_update import conclude_update
from pytest_memgate.tasks.baseline.moved import Collected, moves_of
from pytest_memgate.tasks.baseline.rename import rename
from pytest_memgate.tasks.baseline.update import ALL_KINDS, Order, Updated, update
from pytest_memgate.tasks.judge.gate import Gate
from pytest_memgate.tasks.run.verdict import Facts, conclude

MB = 1_000_000
OLD, NEW = Subject(FILE, "test_order"), Subject("checks/test_shop.py", "test_order")
ENTRY = Reference(value=MB, anchor=700_000, reason="new cache", sites={"shop/orders.py:load": 900_000})
WHOLE = {NEW.file: frozenset({NEW.name}), FILE: frozenset[str]()}


def gate_of(root: Path, *, base: str = "") -> Gate:
    """Return the gate of a run that collected the test under its new name only."""
    gate = make_gate(root, base=base)
    seen = Collected(names={NEW.file: {NEW.name}}, whole={NEW.file})
    gate.baselines.find_moves_by(lambda: moves_of(root, gate.baselines.against, gate.base, seen))
    return gate


def judged(gate: Gate, value: int) -> Finding:
    return gate.assess(NEW, METRIC, settled(value, sites=(site("load", value),)), {})


def updated(root: Path, value: int, *, reason: str = "") -> Updated:
    gate = gate_of(root)
    order = Order(reason=reason, collected=WHOLE, moved=gate.baselines.moves.old)
    return update(root, gate.baselines.head, gate.environment.header, [judged(gate, value)], order)


def changes(done: Updated) -> list[tuple[ChangeKind, str, str]]:
    return [(change.kind, change.moved_from, str(change.subject)) for change in done.changes]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project whose test had its entry in a file that is gone."""
    put_baseline(tmp_path, {OLD.name: ENTRY})
    return tmp_path


@pytest.mark.parametrize(("value", "outcome"), [(MB, Outcome.PASSED), (2 * MB, Outcome.REGRESSED)])
def test_a_moved_test_is_held_against_its_old_entry(root: Path, value: int, outcome: Outcome) -> None:
    found = judged(gate_of(root), value)
    assert (found.outcome, found.baseline, found.anchor, found.moved_from) == (outcome, MB, 700_000, str(OLD))


def test_its_old_name_has_not_vanished_and_the_summary_tells(root: Path) -> None:
    gate = gate_of(root)
    run = conclude(gate, Facts(findings=(judged(gate, MB),), collected=WHOLE), strict=True)
    assert (run.verdict, [one.outcome for one in run.findings]) == (Verdict.PASSED, [Outcome.PASSED])
    assert f"moved        {OLD} -> {NEW}" in [line.text for line in summary(run)]


def test_what_the_processes_of_a_run_found_by_call_sites_counts_where_it_is_concluded(root: Path) -> None:
    told = Finding(subject=NEW, metric=METRIC, outcome=Outcome.PASSED, measurement=settled(MB), moved_from=str(OLD))
    run = conclude(make_gate(root), Facts(findings=(told,), collected=WHOLE), strict=True)
    assert [one.outcome for one in run.findings] == [Outcome.PASSED]


def test_an_entry_whose_file_is_there_and_was_not_collected_is_not_gone(root: Path) -> None:
    (root / FILE).parent.mkdir(exist_ok=True)
    (root / FILE).touch()
    gate = gate_of(root)
    assert (gate.baselines.bar(NEW, METRIC).standing, gate.baselines.moves.old) == (Standing.NEW, {})


def test_a_new_test_names_the_entries_that_may_be_its_own(root: Path) -> None:
    put_baseline(root, {OLD.name: ENTRY}, file="a/test_shop.py")
    gate = gate_of(root)
    bar = gate.baselines.bar(NEW, METRIC)
    assert bar.may_be == (Subject("a/test_shop.py", "test_order"), OLD)
    why = reason(gate.judge(NEW, METRIC, settled(MB), gate.budget(NEW, METRIC, {}), bar))
    assert why.startswith(f"it may be a/test_shop.py::test_order or {OLD}, which is gone: if so, ")
    assert f"memgate baseline rename OLD {NEW}" in why


def test_call_sites_tell_once_the_test_is_measured(tmp_path: Path) -> None:
    put_baseline(tmp_path, {"test_rows": ENTRY, "test_other": Reference(value=5)})
    gate = make_gate(tmp_path)
    seen = Collected(names={FILE: {"test_lines", "test_other"}}, whole={FILE})
    gate.baselines.find_moves_by(lambda: moves_of(tmp_path, gate.baselines.against, None, seen))
    test = Subject(FILE, "test_lines")
    assert gate.baselines.bar(test, METRIC).standing is Standing.NEW
    assert not gate.baselines.recognise(test, METRIC, (site("save", MB),))
    assert gate.baselines.recognise(test, METRIC, (site("load", 2 * MB),))
    assert gate.baselines.bar(test, METRIC).reference == ENTRY


@pytest.mark.parametrize("value", [MB, MB + 150_000, MB - 45_000])
def test_an_update_takes_value_anchor_and_reason_along(root: Path, value: int) -> None:
    done = updated(root, value)
    assert changes(done) == [(ChangeKind.MOVED, str(OLD), str(NEW))]
    assert entries_of(root, NEW.file) == {NEW.name: ENTRY}
    assert open_store(root).own.files() == [NEW.file]
    assert updated(root, value).changes == []


def test_a_moved_test_that_has_grown_moves_and_is_raised_only_with_a_reason(root: Path) -> None:
    done = updated(root, 2 * MB)
    assert changes(done) == [(ChangeKind.MOVED, str(OLD), str(NEW))]
    assert [(one.before, one.after) for one in done.unreasoned] == [(MB, 2 * MB)]
    assert entries_of(root, NEW.file) == {NEW.name: ENTRY}


def test_a_moved_test_that_has_grown_keeps_its_anchor_with_the_reason(root: Path) -> None:
    done = updated(root, 2 * MB, reason="longer rows")
    assert changes(done) == [(ChangeKind.RAISED, str(OLD), str(NEW))]
    raised = entries_of(root, NEW.file)[NEW.name]
    assert (raised.value, raised.anchor, raised.reason) == (2 * MB, 700_000, "longer rows")


def test_an_old_entry_stays_until_all_tests_that_came_of_it_are_written(tmp_path: Path) -> None:
    put_baseline(tmp_path, {"test_a": ENTRY})
    moved = {Subject(FILE, f"test_a[{number}]"): Subject(FILE, "test_a") for number in (1, 2)}
    found = [finding(measurement=settled(MB), name=f"test_a[{number}]") for number in (1, 2)]
    order = Order(collected={FILE: frozenset({"test_a[1]", "test_a[2]"})}, moved=moved)
    update(tmp_path, open_store(tmp_path), HEADER, found[:1], order)
    assert set(entries_of(tmp_path)) == {"test_a", "test_a[1]"}
    update(tmp_path, open_store(tmp_path), HEADER, found, order)
    assert set(entries_of(tmp_path)) == {"test_a[1]", "test_a[2]"}


def test_accepting_a_run_takes_the_entry_along_too(root: Path) -> None:
    gate = gate_of(root)
    run = conclude(gate, Facts(findings=(judged(gate, MB),), collected=WHOLE), strict=False)
    assert changes(accept(root, run, (), reason="", only=(), run_file="run.json")) == [
        (ChangeKind.MOVED, str(OLD), str(NEW))
    ]
    assert open_store(root).own.files() == [NEW.file]


def test_a_moved_test_under_another_header_is_measured_anew_with_its_anchor(tmp_path: Path) -> None:
    put_baseline(tmp_path, {OLD.name: ENTRY}, header=OTHER_HEADER)
    gate = gate_of(tmp_path)
    found = judged(gate, MB + 50_000)
    assert (found.outcome, found.moved_from) == (Outcome.INCOMPARABLE, str(OLD))
    done = updated(tmp_path, MB + 50_000)
    assert changes(done) == [(ChangeKind.REMEASURED, str(OLD), str(NEW))]
    kept = entries_of(tmp_path, NEW.file)[NEW.name]
    assert (kept.value, kept.anchor, kept.reason) == (MB + 50_000, 700_000, "new cache")


def brought(root: Path, new: Reference, value: int) -> Run:
    """Return the run of a change that moves the test and its entry, held against the base."""
    commit_all(root)
    (root / ".memgate" / "linux-x86_64-cpython3.11" / f"{FILE}.yaml").unlink()
    put_baseline(root, {NEW.name: new}, file=NEW.file)
    gate = gate_of(root, base="main")
    return conclude(gate, Facts(findings=(judged(gate, value),), collected=WHOLE), strict=True)


def test_a_change_that_moves_an_entry_as_it_was_is_told_in_one_line(root: Path) -> None:
    run = brought(root, ENTRY, MB)
    assert run.verdict is Verdict.PASSED
    assert run.changes == (
        Change(subject=NEW, metric=METRIC, kind=ChangeKind.MOVED, before=MB, after=MB, moved_from=str(OLD)),
    )


def test_a_test_that_was_renamed_grown_and_updated_in_one_change_needs_a_reason(root: Path) -> None:
    run = brought(root, Reference(value=2 * MB), 2 * MB)
    assert run.verdict is Verdict.FAILED
    assert [one.outcome for one in run.findings] == [Outcome.REGRESSED]
    assert [(one.kind, one.moved_from) for one in run.changes] == [
        (ChangeKind.RAISED, str(OLD)),
        (ChangeKind.ANCHORED, str(OLD)),
    ]
    assert run.problems[0].text == (f"{NEW} (it was {OLD}): baseline raised (1 MB -> 2 MB) without a reason of its own")


def test_the_same_with_a_reason_is_listed_as_raised_and_passes(root: Path) -> None:
    run = brought(root, Reference(value=2 * MB, anchor=700_000, reason="longer rows"), 2 * MB)
    assert (run.verdict, [one.kind for one in run.changes]) == (Verdict.PASSED, [ChangeKind.RAISED])
    assert run.changes[0].reason == "longer rows"


def test_git_tells_a_renamed_test_by_its_body_and_a_renamed_file(tmp_path: Path) -> None:
    put_baseline(tmp_path, {"test_rows": ENTRY, "test_b": Reference(value=5)}, file="tests/test_one.py")
    path = tmp_path / "tests" / "test_one.py"
    path.parent.mkdir()
    path.write_text("def test_rows():\n    assert load(5)\n\ndef test_b():\n    '''Words.'''\n    save(7)\n")
    commit_all(tmp_path)
    new = tmp_path / "tests" / "test_two.py"
    new.write_text("class TestAll:\n    def test_lines(self): pass\n\ndef test_lines():\n    assert load(5)\n")
    path.unlink()
    names = {"tests/test_two.py": {"test_lines", "TestAll::test_lines"}}
    for base in ("", "main"):
        gate = make_gate(tmp_path, base=base)
        seen = Collected(names=names, whole=set(names))
        moves = moves_of(tmp_path, gate.baselines.against, gate.base, seen)
        assert moves.old == {Subject("tests/test_two.py", "test_lines"): Subject("tests/test_one.py", "test_rows")}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (str(OLD), str(NEW)),
        (FILE, NEW.file),
        ("tests", "checks"),
        ("tests/", "checks/"),
    ],
)
def test_a_rename_by_hand_moves_all_that_the_name_stands_for(root: Path, old: str, new: str) -> None:
    other = put_baseline(root, {OLD.name: Reference(value=5)}, environment="darwin-arm64-cpython3.12")
    before = other.read_text(encoding="utf-8")
    found = rename(root, old, new)
    assert [(one.kind, one.moved_from, str(one.subject)) for one in found] == [
        (ChangeKind.MOVED, str(OLD), str(NEW))
    ] * 2
    assert entries_of(root, NEW.file) == {NEW.name: ENTRY}
    there = root / ".memgate" / "darwin-arm64-cpython3.12"
    assert [path.relative_to(there).as_posix() for path in there.rglob("*.yaml")] == [f"{NEW.file}.yaml"]
    assert (there / f"{NEW.file}.yaml").read_text(encoding="utf-8") == before


def test_a_rename_of_a_test_takes_its_parameters_and_of_a_class_its_tests(tmp_path: Path) -> None:
    names = ("test_a", "test_a[1]", "test_ab", "TestX::test_a")
    put_baseline(tmp_path, dict.fromkeys(names, Reference(value=5)))
    rename(tmp_path, f"{FILE}::test_a", f"{FILE}::test_c")
    rename(tmp_path, f"{FILE}::TestX", f"{FILE}::TestY")
    assert set(entries_of(tmp_path)) == {"test_c", "test_c[1]", "test_ab", "TestY::test_a"}


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (f"{FILE}::test_ordre", str(NEW), rf"no baseline for .*; did you mean '{FILE}::test_order'\?"),
        ("nowhere.py", "x.py", "no baseline for 'nowhere.py'; memgate baseline show"),
        (str(OLD), f"{FILE}::test_there", f"{FILE}::test_there has a baseline in .memgate/"),
        (str(OLD), str(OLD), "cannot become"),
        (str(OLD), "x.py", "cannot become"),
        ("", "x.py", "cannot become"),
    ],
)
def test_a_rename_that_cannot_be_is_one_line_and_changes_nothing(root: Path, old: str, new: str, why: str) -> None:
    path = put_baseline(root, {OLD.name: ENTRY, "test_there": Reference(value=5)})
    before = path.read_bytes()
    with pytest.raises(UsageError, match=why):
        rename(root, old, new)
    assert path.read_bytes() == before


def test_a_rename_out_of_the_folder_or_into_values_of_another_header_is_refused(root: Path) -> None:
    with pytest.raises(BaselineError, match="is no place for a baseline"):
        rename(root, str(OLD), "../x.py::test_order")
    put_baseline(root, {"test_other": Reference(value=5)}, file=NEW.file, header=OTHER_HEADER)
    with pytest.raises(UsageError, match="were measured with memray"):
        rename(root, str(OLD), str(NEW))
    assert entries_of(root) == {OLD.name: ENTRY}


def test_an_update_that_concludes_finds_the_moves_by_itself(root: Path) -> None:
    gate = gate_of(root)
    facts = Facts(findings=(judged(gate, MB),), collected=WHOLE)
    run = conclude_update(gate, facts, ALL_KINDS, "", strict=False)
    assert (run.verdict, [(one.kind, one.moved_from) for one in run.changes]) == (
        Verdict.PASSED,
        [(ChangeKind.MOVED, str(OLD))],
    )


def test_other_metrics_of_the_old_entry_come_along(root: Path) -> None:
    path = put_baseline(root, {OLD.name: ENTRY})
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("# end", "    custom.rows:\n      value: 7\n\n# end"), encoding="utf-8")
    gate = gate_of(root)
    rows = gate.assess(NEW, "custom.rows", exact(7), {})
    assert (rows.baseline, rows.moved_from) == (7, str(OLD))
    order = Order(collected=WHOLE, moved=gate.baselines.moves.old)
    done = update(root, gate.baselines.head, gate.environment.header, [judged(gate, MB)], order)
    assert [one.metric for one in done.changes] == [METRIC]
