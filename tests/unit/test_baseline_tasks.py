"""What the command does with baselines and runs: anchor, check, show, diff, select, and the run's file."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from samples import (
    ENVIRONMENT,
    FILE,
    HEADER,
    METRIC,
    OTHER_HEADER,
    bound,
    finding,
    put_baseline,
    run_of,
    settled,
    site,
)

from pytest_memgate import __version__
from pytest_memgate.baseline.document import load
from pytest_memgate.errors import BaselineError, RunFileError, UsageError
from pytest_memgate.measure.python.environment import key
from pytest_memgate.model.environment import Environment
from pytest_memgate.model.judgement.finding import Outcome
from pytest_memgate.model.judgement.reference import Reference
from pytest_memgate.model.run import ChangeKind, Problem, Run, Verdict
from pytest_memgate.model.site import Contribution
from pytest_memgate.model.subject import Subject
from pytest_memgate.tasks.baseline.anchor import pin
from pytest_memgate.tasks.baseline.check import Fault, check
from pytest_memgate.tasks.baseline.show import entries
from pytest_memgate.tasks.run.diff import differences
from pytest_memgate.tasks.run.file import SCHEMA, json_schema, read_run, to_json, write_run
from pytest_memgate.tasks.run.select import select

MB = 1_000_000
CREPT = Reference(value=2 * MB, anchor=MB, reason="cache")


def put_here(root: Path, entries: dict[str, Reference], file: str = FILE) -> Path:
    """Write a baseline of the environment that this test runs in."""
    return put_baseline(root, entries, file=file, environment=key())


def peaks(path: Path) -> dict[str, Reference]:
    found = load(path.read_text(encoding="utf-8"), str(path))
    return {name: metrics[METRIC] for name, metrics in found.entries.items()}


def test_pinning_sets_the_anchor_of_what_was_raised(tmp_path: Path) -> None:
    path = put_here(tmp_path, {"test_a": CREPT, "test_b": Reference(value=5), "test_c": replace(CREPT, anchor=2 * MB)})
    changes = pin(tmp_path, (), "agreed")
    assert [(one.kind, one.subject.name, one.before, one.after, one.reason) for one in changes] == [
        (ChangeKind.ANCHORED, "test_a", MB, 2 * MB, "agreed"),
    ]
    assert peaks(path) == {
        "test_a": Reference(value=2 * MB, anchor=2 * MB, reason="agreed"),
        "test_b": Reference(value=5),
        "test_c": replace(CREPT, anchor=2 * MB),
    }
    assert pin(tmp_path, (), "agreed") == []
    assert len(pin(tmp_path, (f"{FILE}::test_c",), "agreed")) == 1  # named, it gets the reason


def test_pinning_one_test_leaves_the_others(tmp_path: Path) -> None:
    path = put_here(tmp_path, {"test_a": CREPT, "test_b": CREPT})
    other = put_here(tmp_path, {"test_a": CREPT}, file="tests/test_other.py")
    before = other.read_bytes()
    assert len(pin(tmp_path, (f"{FILE}::test_b",), "")) == 1
    assert peaks(path) == {"test_a": CREPT, "test_b": replace(CREPT, anchor=2 * MB)}
    assert other.read_bytes() == before


def test_pinning_without_baselines_says_how_to_make_them(tmp_path: Path) -> None:
    with pytest.raises(BaselineError, match=rf"no baseline for {key()} .*; make it: memgate baseline update"):
        pin(tmp_path, (), "")


def test_baselines_in_order_have_no_fault(tmp_path: Path) -> None:
    put_baseline(tmp_path, {"test_a": CREPT, "test_b": Reference(value=5)})
    put_baseline(tmp_path, {"test_a": CREPT}, environment="darwin-arm64-cpython3.12")
    (tmp_path / "tests").mkdir()
    (tmp_path / FILE).touch()
    found = check(tmp_path)
    assert (found.files, found.entries, found.faults) == (2, 3, [])


def test_a_file_edited_by_hand_or_without_its_tests_is_a_fault(tmp_path: Path) -> None:
    path = put_baseline(tmp_path, {"test_a": CREPT})
    path.write_text(path.read_text() + "\n# mine\n")
    name = path.relative_to(tmp_path).as_posix()
    assert check(tmp_path).faults == [
        Fault(f"{name}: not sorted or written as an update writes it; run: memgate baseline update", 1),
        Fault(f"{name}: an orphan, {FILE} is gone; delete it, or run: memgate baseline update", 1),
    ]


def test_a_file_that_cannot_be_read_is_a_fault_of_its_own(tmp_path: Path) -> None:
    put_baseline(tmp_path, {"test_a": CREPT}).write_text("format: 99\n")
    found = check(tmp_path)
    assert (found.files, found.entries, [fault.exit_code for fault in found.faults]) == (1, 0, [3])
    assert "format 99 is newer" in found.faults[0].text


def test_checking_nothing_is_no_answer(tmp_path: Path) -> None:
    with pytest.raises(BaselineError, match=r"there are no baselines in .*; make them: memgate baseline update"):
        check(tmp_path)


def test_entries_are_shown_by_file_and_name(tmp_path: Path) -> None:
    put_baseline(tmp_path, {"test_b": CREPT, "test_a": Reference(value=5)})
    put_baseline(tmp_path, {"test_z": CREPT}, file="a.py")
    found = [(str(subject), reference.value) for subject, _, reference in entries(tmp_path, (), ENVIRONMENT.key)]
    assert found == [("a.py::test_z", 2 * MB), (f"{FILE}::test_a", 5), (f"{FILE}::test_b", 2 * MB)]
    only = [subject.name for subject, _, _ in entries(tmp_path, ("tests/**",), ENVIRONMENT.key)]
    assert only == ["test_a", "test_b"]


def test_showing_another_environment_names_those_that_are_there(tmp_path: Path) -> None:
    put_baseline(tmp_path, {"test_a": CREPT}, environment="darwin-arm64-cpython3.12")
    with pytest.raises(BaselineError, match=r"there is one for darwin-arm64-cpython3.12 \(--environment\)"):
        list(entries(tmp_path, (), "linux-riscv-cpython3.11"))


SUBJECTS = [Subject("tests/a.py", "test_x"), Subject("tests/a.py", "test_y[*]"), Subject("tests/b.py", "test_x")]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ((), SUBJECTS),
        (("tests/a.py::test_x",), SUBJECTS[:1]),
        (("tests/a.py::test_y[*]",), SUBJECTS[1:2]),
        (("tests/a.py", "tests/b.py::test_x"), SUBJECTS),
        (("tests/*::test_x",), [SUBJECTS[0], SUBJECTS[2]]),
    ],
)
def test_tests_are_named_or_matched(wanted: tuple[str, ...], found: list[Subject]) -> None:
    assert select(SUBJECTS, wanted, "here") == set(found)


def test_a_name_that_is_not_there_names_the_near_one() -> None:
    with pytest.raises(UsageError, match=r"here has no 'tests/a.py::test_z'; did you mean 'tests/a.py::test_x'\?"):
        select(SUBJECTS, ("tests/a.py::test_z",), "here")
    with pytest.raises(UsageError, match=r"^here has no 'qqq'$"):
        select(SUBJECTS, ("qqq",), "here")


BEFORE = run_of(
    finding(measurement=settled(MB, sites=(site("load", 600_000), site("keep", 400_000))), name="test_a"),
    finding(measurement=bound(MB), name="test_b", baseline=900_000),
    finding(measurement=bound(MB), name="test_gone"),
)


def test_two_runs_differ_by_their_call_sites() -> None:
    after = run_of(
        finding(measurement=settled(3 * MB, sites=(site("load", 2_600_000), site("keep", 400_000))), name="test_a"),
        finding(measurement=bound(5 * MB), name="test_b"),
        finding(Outcome.UNMEASURED, name="test_gone"),
    )
    found = differences(BEFORE, after, ())
    assert [(one.subject.name, one.base, one.head, one.growth) for one in found] == [
        ("test_a", MB, 3 * MB, 2 * MB),
        ("test_b", MB, 5 * MB, None),
    ]
    assert (found[1].base_is_bound, found[1].head_is_bound, found[1].both_passed) == (True, True, True)
    assert [(one.site and one.site.function, one.growth) for one in found[0].by_site] == [("load", 2 * MB)]
    assert [one.subject.name for one in differences(BEFORE, after, (f"{FILE}::test_a",))] == ["test_a"]


def test_a_base_run_without_profiles_is_stood_for_by_its_baseline() -> None:
    grown = (Contribution(site=site("load", 2_300_000), base=200_000, head=2_300_000),)
    rest = Contribution(site=None, base=0, head=-1000)
    sites = (site("load", 2_300_000), site("keep", 699_000))
    new = finding(Outcome.REGRESSED, settled(2_999_000, sites=sites), name="test_b", baseline=900_000)
    after = run_of(replace(new, growth_by_site=(*grown, rest)))
    (found,) = differences(BEFORE, after, ())
    assert (found.base, found.head, found.by_site) == (900_000, 2_999_000, (*grown, rest))
    assert sum(one.growth for one in found.by_site) == found.head - found.base
    assert found.note == "base: the baseline, which the base run was within"
    raised = run_of(replace(new, growth_by_site=grown, baseline=1_900_000))  # the base run was not held against that
    (found,) = differences(BEFORE, raised, ())
    assert (found.base, found.base_is_bound, found.growth, found.by_site) == (MB, True, None, ())


def test_runs_of_different_environments_are_not_compared() -> None:
    elsewhere = Environment(key="darwin-arm64-cpython3.12", header=HEADER)
    with pytest.raises(RunFileError, match=f"cannot be compared: {ENVIRONMENT.key} and {elsewhere.key}"):
        differences(BEFORE, replace(BEFORE, environment=elsewhere), ())
    older = Environment(key=ENVIRONMENT.key, header=OTHER_HEADER)
    with pytest.raises(RunFileError, match=r"cannot be compared: memray '1.19' there and '1.20' here"):
        differences(replace(BEFORE, environment=older), BEFORE, ())


def test_runs_without_a_common_test_are_not_compared() -> None:
    with pytest.raises(RunFileError, match="no measured test in common"):
        differences(BEFORE, run_of(finding(measurement=bound(1), name="test_z")), ())


RUN = replace(
    run_of(
        finding(Outcome.REGRESSED, settled(2 * MB, sites=(site("load", 2 * MB, line=3),)), baseline=MB, why="größer"),
        finding(Outcome.UNMEASURED, name="test_ünï[☃]", why="why"),
        verdict=Verdict.FAILED,
    ),
    problems=(Problem(text="a problem", hint="a hint"),),
    loosened=("a line",),
)


def test_a_run_is_written_and_read_back(tmp_path: Path) -> None:
    path = tmp_path / "new" / "run.json"
    write_run(RUN, path)
    assert read_run(path) == RUN
    data = json.loads(path.read_text(encoding="utf-8"))
    assert (data["schema"], data["memgate"], data["exit_code"]) == (SCHEMA, __version__, 1)
    first, second = data["findings"]
    assert (first["test"], first["value"], first["growth"]) == (f"{FILE}::test_order", 2 * MB, MB)
    assert "value" not in second
    assert list(path.parent.iterdir()) == [path]


def test_a_runs_file_keeps_to_its_schema() -> None:
    import jsonschema

    checker = jsonschema.Draft202012Validator(json_schema())
    for run in (RUN, BEFORE, run_of(), Run(environment=ENVIRONMENT, verdict=Verdict.PASSED, findings=())):
        checker.validate(to_json(run))
    assert list(checker.iter_errors({**to_json(RUN), "verdict": "splendid"}))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", ": not JSON: .*; name a file of --memgate-report"),
        ("\udcff", ": not UTF-8 text; name a file of --memgate-report"),
        ("[]", ": not a memgate run; name a file of --memgate-report"),
        ("{}", ": not a memgate run; name a file of --memgate-report"),
        ('{"schema": "1"}', ": not a memgate run; name a file of --memgate-report"),
        ('{"schema": 99}', ": schema 99 is newer than this memgate reads; upgrade pytest-memgate"),
        ('{"schema": 1}', ": 'environment' is missing; it was changed or cut short: make it anew"),
    ],
)
def test_what_is_no_runs_file_is_told_apart(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "run.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(RunFileError, match=f"run.json{message}"):
        read_run(path)


def test_a_runs_file_that_is_not_there_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(RunFileError, match="No such file or directory; name a file of --memgate-report"):
        read_run(tmp_path / "run.json")


def test_a_report_that_cannot_be_written_is_an_error_of_usage(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"run.json: .*; give another file for the run"):
        write_run(RUN, tmp_path / "file" / "run.json")


def test_a_reason_that_is_no_text_for_a_file_still_makes_a_run(tmp_path: Path) -> None:
    run = run_of(finding(Outcome.UNMEASURED, why="\udcff"))
    write_run(run, tmp_path / "run.json")
    assert read_run(tmp_path / "run.json") == run_of(finding(Outcome.UNMEASURED, why="?"))
