"""The files of a step: no value ends early, no summary is too large, no input is evaluated."""

from pathlib import Path

import pytest
from composite import _pairs

from pytest_memgate.errors import UsageError
from pytest_memgate.github.files import SUMMARY_MOST, write_outputs, write_summary
from pytest_memgate.tasks.ci import inputs as ci_inputs
from pytest_memgate.tasks.ci.child import environment
from pytest_memgate.tasks.ci.pytest_step import pytest_command


@pytest.mark.parametrize("value", ["", "plain", "a\nb=c\nverdict=passed", "x<<end\ny\nend", "end-", "🐍\r\n"])
def test_an_output_is_read_back_as_it_was_given(tmp_path: Path, value: str) -> None:
    file = tmp_path / "output"
    write_outputs(file, {"first": value, "second": "2"})
    write_outputs(file, {"third": "3"})
    lines = value.replace("\r\n", "\n")
    assert _pairs(file) == {"first": lines, "second": "2", "third": "3"}


def test_a_summary_is_added_to_what_is_there(tmp_path: Path) -> None:
    file = tmp_path / "summary"
    file.write_text("before\n")
    write_summary(file, "after\n")
    assert file.read_text() == "before\nafter\n"


def test_a_summary_that_github_would_drop_says_where_the_report_is(tmp_path: Path) -> None:
    file = tmp_path / "summary"
    write_summary(file, "é" * (SUMMARY_MOST // 2 + 1))
    assert file.read_text() == "memgate: the summary has no room for the report; see the artifact.\n"


@pytest.mark.parametrize("text", ["$(touch x)", "`touch x`", "$HOME", "*", "~", "a;b", "a|b", "a&&b", ">x"])
def test_words_are_split_and_not_evaluated(text: str) -> None:
    joined = text.split()
    assert ci_inputs.words("pytest-args", f"-k '{text}' {text}") == ["-k", text, *joined]


def test_flags_are_true_or_false() -> None:
    assert ci_inputs.flag("fail", " True ")
    assert not ci_inputs.flag("fail", "false")
    with pytest.raises(UsageError, match="input fail: '1' is neither true nor false"):
        ci_inputs.flag("fail", "1")


@pytest.mark.parametrize("name", ["main", "HEAD^1", "HEAD~2", "v1.0", "feature/x", "a" * 40, "origin/main", "HEAD@{1}"])
def test_a_ref_is_a_ref(name: str) -> None:
    assert ci_inputs.ref(f" {name} ") == name


@pytest.mark.parametrize("name", ["--upload-pack=x", "-n", "a:b", "+a", "a b", "a\nb", "$(x)", "^main", "a;b", "é"])
def test_what_could_be_an_option_or_a_refspec_is_no_ref(name: str) -> None:
    with pytest.raises(UsageError, match="is no ref"):
        ci_inputs.ref(name)


def test_the_gates_own_options_come_after_all_others() -> None:
    args = ["tests", "--memgate-report=mine.json", "--memgate-base=mine", "--no-memgate-strict"]
    line = pytest_command(Path("/p"), Path("/out"), args, base="abc", against="measured", strict=True)
    last = {word.partition("=")[0]: word for word in line}
    assert last["--memgate-report"] == "--memgate-report=/out/run.json"
    assert last["--memgate-base"] == "--memgate-base=abc"
    assert line.index("--memgate-strict") > line.index("--no-memgate-strict")
    assert {"--rootdir=/p", "--memgate-against=measured"} <= {*line}


def test_a_root_of_another_place_is_refused() -> None:
    for text in ("--rootdir=x", "tests --rootdir x"):
        with pytest.raises(UsageError, match="give the input working-directory"):
            ci_inputs.pytest_words(text)


def test_the_tests_get_the_jobs_environment_without_what_steers_it() -> None:
    given = {"GITHUB_ENV": "f", "GITHUB_OUTPUT": "f", "MEMGATE_CI_FAIL": "x", "GITHUB_SHA": "s", "HOME": "h"}
    assert environment(given) == {"GITHUB_SHA": "s", "HOME": "h"}
