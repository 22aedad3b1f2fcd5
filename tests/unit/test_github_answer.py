"""What a job comes to, from what its steps left: every way to have no answer, in its own words."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from samples import bound, finding, run_of

from pytest_memgate.errors import RunFileError
from pytest_memgate.model.judgement.finding import Outcome
from pytest_memgate.model.run import Problem, Run, Verdict
from pytest_memgate.tasks.ci.outcome import Answer, Left, answer
from pytest_memgate.tasks.ci.report import comment, link_to, summary
from pytest_memgate.tasks.run.file import read_run, to_json, write_run

GREEN = run_of(finding(Outcome.PASSED, bound(1000)))
RED = run_of(finding(Outcome.REGRESSED, bound(1000)), verdict=Verdict.FAILED)


def after(folder: Path, run: Run | None = None, **left: object) -> Answer:
    """Return the answer for a run, where there is one, and what else was left."""
    if run:
        write_run(run, folder / "run.json")
    return answer(replace(Left(folder=folder), **left))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ended", "said", "code", "text"),
    [
        ("", "", 3, "pytest was not run to its end"),
        ("-9", "", 3, "pytest was ended by SIGKILL and left no run"),
        ("-11", "", 3, "pytest was ended by SIGSEGV"),
        ("-99", "", 3, "pytest was ended by signal 99"),
        ("4", "memgate.yml:7: unknown key", 2, "refused its options or configuration: memgate.yml:7: unknown key"),
        ("3", "", 3, "pytest broke off with an internal error"),
        ("2", "", 3, "pytest ended with exit code 2 and left no run"),
        ("0", "", 3, "pytest ended with exit code 0 and left no run"),
        ("137", "", 3, "pytest ended with exit code 137 and left no run"),
        ("verdict=passed", "", 3, "pytest was not run to its end"),
    ],
)
def test_without_a_run_there_is_no_green(tmp_path: Path, ended: str, said: str, code: int, text: str) -> None:
    found = after(tmp_path, ended=ended, said=said)
    assert found.code == code
    assert text in found.text
    assert found.verdict is Verdict.NO_ANSWER


def test_what_stopped_an_earlier_step_is_said_with_its_code(tmp_path: Path) -> None:
    assert after(tmp_path, GREEN, problem="input base: no", code=2) == Answer(code=2, text="input base: no")


def test_a_problem_is_never_green(tmp_path: Path) -> None:
    assert after(tmp_path, GREEN, problem="something", code=0).code == 2


def test_a_gate_that_did_not_start_is_no_answer() -> None:
    assert answer(Left()).code == 3


def test_a_green_run_is_green_where_pytest_agrees(tmp_path: Path) -> None:
    assert after(tmp_path, GREEN, ended="0").code == 0
    assert after(tmp_path, GREEN, ended="").code == 0  # parts put together: pytest was not run


@pytest.mark.parametrize(("ended", "code"), [("1", 1), ("2", 3), ("5", 3), ("-11", 3), ("nonsense", 3)])
def test_a_green_run_is_red_where_pytest_does_not_agree(tmp_path: Path, ended: str, code: int) -> None:
    found = after(tmp_path, GREEN, ended=ended)
    assert (found.code, found.run and found.run.verdict) == (code, found.verdict)
    assert f"pytest ended with exit code {ended}" in found.text


def test_tests_that_fail_by_themselves_are_red(tmp_path: Path) -> None:
    found = after(tmp_path, replace(GREEN, failed=2), ended="1")
    assert (found.code, found.verdict) == (1, Verdict.FAILED)
    assert found.text.startswith("2 tests failed by themselves")


def test_a_green_run_that_measured_nothing_is_not_green(tmp_path: Path) -> None:
    assert after(tmp_path, run_of(), ended="0").code == 3


def test_an_update_is_not_green(tmp_path: Path) -> None:
    assert after(tmp_path, replace(GREEN, update=True), ended="0").code == 2


def test_a_red_run_names_its_problems(tmp_path: Path) -> None:
    problems = tuple(Problem(text=f"problem {number}") for number in range(5))
    found = after(tmp_path, replace(RED, problems=problems), ended="1")
    assert found.code == 1
    assert found.text == "FAILED: 1 regressed, 5 problems; 1 test compared: problem 0; problem 1; problem 2 and 2 more"
    assert found.regressed == 1


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"schema": 2}', '{"schema": 1}', "\ufeff{}", "1e999"])
def test_what_is_no_run_is_no_answer(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.json").write_text(text, encoding="utf-8")
    found = after(tmp_path, ended="0")
    assert found.code == 3
    assert "the run cannot be read" in found.text
    assert str(tmp_path) not in found.text.replace(f"{tmp_path}/run.json", "")


def test_bytes_that_are_no_text_are_no_answer(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_bytes(b"\xff\xfe{")
    assert after(tmp_path, ended="0").code == 3


def test_a_file_beyond_the_limit_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "run.json").open("wb") as file:
        file.truncate(65 * 1024 * 1024)
    with pytest.raises(RunFileError, match="larger than"):
        read_run(tmp_path / "run.json")


def test_a_verdict_that_does_not_follow_is_no_answer(tmp_path: Path) -> None:
    data = {**to_json(RED), "verdict": "passed"}
    (tmp_path / "run.json").write_text(json.dumps(data))
    assert "its verdict is not that of its findings" in after(tmp_path, ended="0").text


@pytest.mark.parametrize("found", [Answer(code=3, text="@all <b>x</b> #7"), Answer(code=2, text="x" * 5000)])
def test_an_answer_without_a_run_is_shown_as_text_and_short(found: Answer) -> None:
    for page in (summary(found, "the footer"), comment(found, "the footer", "memgate m")):
        assert "memgate: NO ANSWER" in page
        assert "<b>" not in page
        assert page.endswith("the footer\n")
        assert len(page) < 10_000


def test_a_comment_is_within_githubs_limit_with_its_footer() -> None:
    many = run_of(*(finding(Outcome.PASSED, bound(1), name=f"test_{'é' * 200}{n}") for n in range(2000)))
    many = replace(many, loosened=tuple("é" * 100 for _ in range(2000)))
    assert len(comment(Answer(code=0, text="", run=many), "f" * 500, "memgate m").encode()) < 65_536


@pytest.mark.parametrize(
    ("server", "repository", "run"),
    [
        ("javascript:x", "o/r", "1"),
        ("https://x/)(", "o/r", "1"),
        ("https://github.com", "o/r/../../x", "1"),
        ("https://github.com", "o/r", "1)("),
        ("", "", ""),
    ],
)
def test_a_link_is_made_of_what_is_one(server: str, repository: str, run: str) -> None:
    assert link_to(server, repository, run) == ""
