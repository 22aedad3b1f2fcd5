"""The patch of the baselines: what is in it, what is not, and that nothing else can get into it."""

from dataclasses import replace
from pathlib import Path

import pytest
from samples import ENVIRONMENT, FILE, commit_all, entries_of, finding, git, put_baseline, run_of, settled

from pytest_memgate.github.event import Event
from pytest_memgate.model.judgement.finding import Outcome
from pytest_memgate.model.judgement.reference import Reference
from pytest_memgate.model.run import Run, Verdict
from pytest_memgate.model.subject import Subject
from pytest_memgate.tasks.ci.patch import make_patch, reason_of

PULL = Event(name="pull_request", number=7, title="Keep every body")


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """A repository whose project is in a folder of it, with two baselines."""
    folder = tmp_path / "repository"
    put_baseline(folder / "shop", {"test_order": Reference(value=1_000_000), "test_basket": Reference(value=5_000)})
    commit_all(folder)
    return folder


def grown() -> Run:
    return run_of(
        finding(Outcome.REGRESSED, settled(2_000_000), baseline=1_000_000),
        finding(Outcome.PASSED, settled(50_000), name="test_basket", baseline=5_000),
        verdict=Verdict.FAILED,
    )


def apply(top: Path, patch: bytes) -> None:
    path = top.parent / "baseline.patch"
    path.write_bytes(patch)
    git(top, "apply", "--index", str(path))


def test_what_grew_is_raised_and_what_did_not_is_left_alone(top: Path) -> None:
    apply(top, make_patch(top / "shop", top, grown(), "a reason").text)
    entries = entries_of(top / "shop")
    assert (entries["test_order"].value, entries["test_order"].reason) == (2_000_000, "a reason")
    assert entries["test_order"].anchor == 1_000_000
    assert entries["test_basket"] == Reference(value=5_000)


def test_the_work_tree_and_the_index_are_not_touched(top: Path) -> None:
    make_patch(top / "shop", top, grown(), "a reason")
    assert git(top, "status", "--porcelain") == ""


def test_it_is_made_against_the_commit_and_not_against_what_the_tests_left(top: Path) -> None:
    before = entries_of(top / "shop")
    put_baseline(top / "shop", {"test_order": Reference(value=9_000_000, reason="written by a test")})
    patch = make_patch(top / "shop", top, grown(), "a reason").text
    git(top, "checkout", "--quiet", ".")
    assert entries_of(top / "shop") == before
    apply(top, patch)
    assert entries_of(top / "shop")["test_order"].value == 2_000_000


@pytest.mark.parametrize(
    "title",
    ["a\nvalue: 1\n", "' \" ` $(x) #", "🐍 \u202e reversed", "x" * 1000, ": - ? | >", "\x1b[31m\x00", "%s {0}"],
)
def test_no_title_breaks_the_file_or_adds_to_it(top: Path, title: str) -> None:
    reason = reason_of(replace(PULL, title=title), "99")
    apply(top, make_patch(top / "shop", top, grown(), reason).text)
    entries = entries_of(top / "shop")
    assert entries["test_order"].reason == reason
    assert entries["test_basket"] == Reference(value=5_000)
    assert len(reason) < 200
    assert "\n" not in reason


def test_the_reason_says_where_the_values_are_from() -> None:
    assert reason_of(PULL, "99") == "#7 Keep every body (CI run 99)"
    assert reason_of(Event(name="push"), "99") == "accepted from CI run 99"
    assert reason_of(Event(name="push"), "") == "accepted from a CI run"


def test_the_machines_own_git_settings_change_nothing(top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = make_patch(top / "shop", top, grown(), "a reason").text
    settings = top.parent / "settings"
    settings.write_text("[diff]\n noprefix = true\n external = false\n[core]\n autocrlf = true\n excludesFile = all\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", "false")
    assert make_patch(top / "shop", top, grown(), "a reason").text == plain


def test_a_run_within_its_baselines_has_no_patch(top: Path) -> None:
    run = run_of(finding(Outcome.PASSED, settled(1_050_000), baseline=1_000_000))
    assert make_patch(top / "shop", top, run, "a reason").text == b""


@pytest.mark.parametrize("file", ["../../x", "/etc/x", ".git/../../x", "a/../b", "a\\b", "a//b"])
def test_a_path_that_leads_out_makes_no_patch(top: Path, file: str) -> None:
    (found, *_) = grown().findings
    run = replace(grown(), findings=(replace(found, subject=Subject(file, "test_x")),))
    patch = make_patch(top / "shop", top, run, "a reason")
    assert patch.text == b""
    assert "is no place for a baseline" in patch.problems[0]


def test_an_environment_that_leads_out_makes_no_patch(top: Path) -> None:
    run = replace(grown(), environment=replace(ENVIRONMENT, key=".."))
    assert make_patch(top / "shop", top, run, "a reason").text == b""


def test_a_file_of_gits_own_makes_no_patch(top: Path) -> None:
    (found, *_) = grown().findings
    run = replace(grown(), findings=(replace(found, subject=Subject(".git/hooks/x", "test_x")),))
    patch = make_patch(top / "shop", top, run, "a reason")
    assert b".git/" not in patch.text


def test_only_baselines_are_in_it(top: Path) -> None:
    patch = make_patch(top / "shop", top, grown(), "a reason").text.decode()
    heads = [line for line in patch.splitlines() if line.startswith("diff ")]
    path = f"shop/.memgate/{ENVIRONMENT.key}/{FILE}.yaml"
    assert heads == [f"diff --git a/{path} b/{path}"]
