"""The one reader of runs' files: what it takes, and what it refuses in one line."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from samples import bound, finding, run_of, sampled, settled

from pytest_memgate.cli import main as command
from pytest_memgate.errors import RunFileError
from pytest_memgate.measure.process.git_commit import commit
from pytest_memgate.model.judgement.finding import Outcome
from pytest_memgate.model.provenance import Commit, Machine, Provenance
from pytest_memgate.model.run import Verdict
from pytest_memgate.tasks.profile.file import read_profile
from pytest_memgate.tasks.run.file import read_run, to_json, write_run
from pytest_memgate.tasks.run.provenance import provenance, together

RUNS = Path(__file__).parents[1] / "data" / "runs"
GREEN = json.dumps(to_json(run_of(finding(measurement=bound(1000)))))


@pytest.mark.parametrize("path", sorted(RUNS.glob("*.json")), ids=lambda path: path.stem)
def test_every_released_format_is_read(path: Path, tmp_path: Path) -> None:
    run = read_run(path)
    assert run.findings
    write_run(run, tmp_path / "run.json")
    assert read_run(tmp_path / "run.json") == run


def test_a_bound_in_a_file_of_format_1_is_a_bound() -> None:
    run = read_run(RUNS / "passed-1.json")
    bounds = [one for one in run.findings if one.metric == "memory.peak"]
    assert bounds
    assert all(one.value is None and one.growth is None and one.bound for one in bounds)
    assert [one.value for one in run.findings if one.metric != "memory.peak"] == [3]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("[" * 100_000, "nested too deeply"),
        ("[" * 40 + "]" * 40, "nested too deeply"),
        ('"\\ud800"', "half of a surrogate pair"),
        (GREEN.replace('"test_order"', '"\\udfff"'), "half of a surrogate pair"),
        ("1e999", "beyond all measure"),
        (GREEN.replace("1000", "1e300"), "beyond all measure"),
        (GREEN.replace("1000", "NaN"), "NaN is no number"),
        (GREEN.replace("1000", "-Infinity"), "-Infinity is no number"),
        (GREEN.replace("1000", "9" * 5000), "a number of 5000 digits"),
        (GREEN.replace("test_order", "x" * 100_001), "a text of 1000"),
        (GREEN.replace('"verdict"', '"verdict": "failed", "verdict"'), "one key twice"),
        (GREEN.replace('"verdict": "passed"', '"verdict": "failed"'), "its verdict is not that of its findings"),
        (GREEN.replace('"schema": 3', '"schema": 4'), "newer than this memgate reads"),
        (GREEN.replace('"schema": 3', '"schema": true'), "not a memgate run"),
        ("[" + "0," * 3_000_000 + "0]", "more than 3000000 values"),
        ("", "not JSON"),
        ("{", "not JSON"),
        ("\udcff", "not UTF-8 text"),
    ],
    ids=range(18),
)
def test_what_would_not_have_been_written_is_refused_in_one_line(tmp_path: Path, text: str, what: str) -> None:
    path = tmp_path / "run.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    started = time.process_time()
    with pytest.raises(RunFileError) as caught:
        read_run(path)
    assert time.process_time() - started < 2
    assert what in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"basis": "samples"}, "'samples' is missing"),
        ({"settled": True}, "a bound is not settled"),
        ({"basis": "warm"}, "'bound' contradicts the other fields"),
        ({"value": 5}, "'value' and another name of it are both there"),
        ({"basis": "guess"}, "findings[0].measurement.basis: one of bound, "),
        ({"warm": [1, "2"]}, "findings[0].measurement.warm[1]: a number is expected, not '2'"),
    ],
)
def test_a_measurement_that_contradicts_itself_is_refused(tmp_path: Path, change: dict[str, Any], what: str) -> None:
    data = json.loads(GREEN)
    data["findings"][0]["measurement"] |= change
    if change.get("basis") == "samples":
        data["findings"][0]["measurement"]["value"] = data["findings"][0]["measurement"].pop("bound")
    (tmp_path / "run.json").write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(RunFileError) as caught:
        read_run(tmp_path / "run.json")
    assert what in str(caught.value)


def _put_huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(100_000_000)


@pytest.mark.parametrize(
    ("put", "why"),
    [
        (os.mkfifo, "not a regular file"),
        (Path.mkdir, "not a regular file"),
        (lambda path: path.symlink_to("/dev/zero"), "not a regular file"),
        (lambda path: path.symlink_to(path), "Too many levels of symbolic links"),
        (_put_huge, "larger than 64 MB"),
        (lambda _: None, "No such file or directory"),
    ],
    ids=["pipe", "folder", "device", "loop", "huge", "missing"],
)
@pytest.mark.parametrize(
    "words",
    [
        ["verdict", "run.json"],
        ["report", "run.json"],
        ["diff", "run.json", "run.json"],
        ["merge", "run.json", "-o", "whole.json"],
        ["baseline", "accept", "run.json"],
    ],
    ids=lambda words: words[0],
)
def test_what_is_no_file_is_code_3_at_once(
    words: list[str],
    put: Callable[[Path], None],
    why: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    put(tmp_path / "run.json")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["memgate", *words])
    with pytest.raises(SystemExit) as caught:
        command.main()
    assert caught.value.code == 3
    assert capsys.readouterr() == ("", f"memgate: run.json: {why}; name a file of --memgate-report\n")


def test_a_link_to_a_run_is_read(tmp_path: Path) -> None:
    (tmp_path / "run-5.json").write_text(GREEN, encoding="utf-8")
    (tmp_path / "latest.json").symlink_to("run-5.json")
    assert read_run(tmp_path / "latest.json").verdict is Verdict.PASSED


def test_a_profile_is_read_as_strictly(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "profile.json")
    with pytest.raises(RunFileError, match="not a regular file; name a file of: memgate profile -o"):
        read_profile(tmp_path / "profile.json")
    (tmp_path / "deep.json").write_text("[" * 100_000, encoding="utf-8")
    with pytest.raises(RunFileError, match="nested too deeply"):
        read_profile(tmp_path / "deep.json")


def test_a_large_run_is_read_in_time(tmp_path: Path) -> None:
    findings = (finding(Outcome.NEW, settled(number), name=f"test_{number}") for number in range(10_000))
    write_run(run_of(*findings), tmp_path / "run.json")
    started = time.process_time()
    assert len(read_run(tmp_path / "run.json").findings) == 10_000
    assert time.process_time() - started < 2


def test_samples_are_read(tmp_path: Path) -> None:
    run = run_of(finding(measurement=sampled(1, 2, 3)))
    write_run(run, tmp_path / "run.json")
    assert read_run(tmp_path / "run.json") == run


def _git(folder: Path, *args: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    return subprocess.run(["git", *who, *args], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with two commits on `main`."""
    _git(tmp_path, "init", "-q", "-b", "main")
    for number in "12":
        (tmp_path / "file").write_text(number, encoding="utf-8")
        _git(tmp_path, "add", "file")
        _git(tmp_path, "commit", "-q", "-m", number)
    return tmp_path


def test_a_commit_is_known_with_its_tree_and_parent(repository: Path) -> None:
    head, tree, parent = (_git(repository, "rev-parse", name) for name in ("HEAD", "HEAD^{tree}", "HEAD^"))
    assert commit(repository) == Commit(id=head, tree=tree, parent=parent, branch="main")
    (repository / "another").touch()  # as the run's own file
    assert not commit(repository).dirty
    (repository / "file").write_text("3", encoding="utf-8")
    assert commit(repository).dirty


def test_a_checkout_of_ci_has_the_branch_that_ci_names(repository: Path) -> None:
    _git(repository, "checkout", "-q", "--detach")
    assert commit(repository, {}).branch == ""
    assert commit(repository, {"GITHUB_HEAD_REF": "", "GITHUB_REF_NAME": "7/merge"}).branch == "7/merge"


def test_a_shallow_clone_knows_the_parent_too(repository: Path) -> None:
    shallow = repository / "shallow"
    _git(repository, "clone", "-q", "--depth=1", repository.as_uri(), str(shallow))
    assert commit(shallow).parent == _git(repository, "rev-parse", "HEAD^")


def test_of_a_merge_the_first_parent_is_told(repository: Path) -> None:
    _git(repository, "checkout", "-q", "-b", "side", "HEAD^")
    _git(repository, "commit", "-q", "--allow-empty", "-m", "side")
    _git(repository, "checkout", "-q", "main")
    main = _git(repository, "rev-parse", "HEAD")
    _git(repository, "merge", "-q", "--no-ff", "-m", "merge", "side")
    assert commit(repository).parent == main


def test_a_folder_without_a_commit_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert commit(tmp_path) == Commit()
    _git(tmp_path, "init", "-q")
    assert commit(tmp_path) == Commit()
    assert commit(tmp_path / "nowhere") == Commit()
    monkeypatch.setenv("PATH", "/nowhere")
    assert commit(tmp_path) == Commit()


@pytest.mark.parametrize(
    ("environ", "link"),
    [
        (
            {
                "GITHUB_SERVER_URL": "https://github.com",
                "GITHUB_REPOSITORY": "owner/shop",
                "GITHUB_RUN_ID": "4711",
            },
            "https://github.com/owner/shop/actions/runs/4711",
        ),
        ({"CI_JOB_URL": "https://gitlab.example/-/jobs/5"}, "https://gitlab.example/-/jobs/5"),
        ({"BUILD_URL": "javascript:alert(1)"}, ""),
        ({}, ""),
    ],
)
def test_the_ci_job_is_linked(environ: dict[str, str], link: str, tmp_path: Path) -> None:
    assert provenance(tmp_path, (), start=0, environ=environ).ci == link


def test_programs_that_were_used_are_told(tmp_path: Path) -> None:
    page = finding(measurement=sampled(1, 2, chrome="156", lighthouse="12"))
    found = provenance(tmp_path, (page,), start=0, environ={})
    assert found.start == "1970-01-01T00:00:00Z"
    assert (found.versions["chrome"], found.versions["lighthouse"]) == ("156", "12")


def test_parts_have_the_provenance_that_they_share() -> None:
    one = Provenance(
        commit=Commit(id="a"),
        start="1",
        end="3",
        machine=Machine(cores=2),
        versions={"python": "3", "memray": "1"},
    )
    two = Provenance(
        commit=Commit(id="a"),
        start="2",
        end="4",
        machine=Machine(cores=4),
        versions={"python": "3", "memray": "2"},
    )
    whole = Provenance(commit=Commit(id="a"), start="1", end="4", versions={"python": "3"})
    assert together([one, two]) == whole
    assert together([one, None]) is None
    assert together([]) is None
