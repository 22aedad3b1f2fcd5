"""`--memgate-base REF`: a change is judged by the ref's baselines and budgets, and what it changes of them is told."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from harness import LAST_DAY, Project, Result

from pytest_memgate.baseline.document import Document, dump, load
from pytest_memgate.model.judgement.reference import Reference

_TESTS = """
    from work import load

    def test_one():
        load(1000)

    def test_two():
        load(2000)
"""
_BASE = "--memgate-base=main"
_Edit = Callable[[Reference], Reference | None]


@pytest.fixture(scope="module")
def committed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with two tests, their baselines, and one commit on main."""
    project = Project(tmp_path_factory.mktemp("base") / "project")
    project.write("test_it.py", _TESTS)
    project.write(".gitignore", "__pycache__/\n")
    project.prepare()
    project.commit()
    return project.root


@pytest.fixture
def branch(project: Project, committed: Path) -> Project:
    """A project of its own with that one commit; what is done to it is the change under test."""
    shutil.copytree(committed, project.root, dirs_exist_ok=True)
    return project


def _edit(project: Project, change: _Edit, *names: str) -> None:
    """Edit entries of the baseline file by hand; None takes one away."""
    path = project.baselines / "test_it.py.yaml"
    document = load(path.read_text(encoding="utf-8"), str(path))
    entries = {name: dict(metrics) for name, metrics in document.entries.items()}
    for name in names:
        edited = change(entries[name]["memory.peak"])
        if edited is None:
            del entries[name]
        else:
            entries[name]["memory.peak"] = edited
    path.write_text(dump(Document(header=document.header, entries=entries)), encoding="utf-8")


def _raise(by: int, reason: str = "") -> _Edit:
    return lambda old: replace(old, value=old.value + by, anchor=old.origin, reason=reason)


def _grow(project: Project) -> None:
    project.replace("test_it.py", "load(2000)", "load(9000)")


def _changes(result: Result) -> list[tuple[str, str, str]]:
    changes = result.run.get("changes", [])
    return [(change["kind"], change["subject"]["name"], change.get("reason", "")) for change in changes]


def _lines(result: Result, first: str) -> list[str]:
    return [line for line in result.summary().splitlines() if line.startswith(first)]


def test_nothing_changed_is_green_and_says_what_it_was_compared_with(branch: Project) -> None:
    result = branch.gate(_BASE)
    assert (result.code, result.run["verdict"], result.run["compared_with"]) == (0, "passed", "main")
    assert _changes(result) == []
    assert "of main" in result.summary()


def test_a_raise_without_a_reason_does_not_count_and_is_named(branch: Project) -> None:
    _grow(branch)
    _edit(branch, _raise(450_000), "test_two")
    assert branch.gate().code == 0
    result = branch.gate(_BASE)
    assert (result.code, result.run["verdict"]) == (1, "failed")
    assert result.outcomes() == {"test_one": "passed", "test_two": "regressed"}
    assert _changes(result) == [("raised", "test_two", "")]
    (problem,) = _lines(result, "problem")
    assert "test_it.py::test_two: " in problem
    assert "raised (122 KB -> 572 KB) without a reason of its own" in problem
    assert "raised       test_it.py::test_two  122 KB -> 572 KB  (no reason given)" in result.summary()


def test_a_raise_without_need_is_refused_too(branch: Project) -> None:
    _edit(branch, _raise(450_000), "test_two")
    result = branch.gate(_BASE)
    assert (result.code, len(_lines(result, "problem"))) == (1, 1)


def test_a_raise_with_its_reason_counts_and_is_listed_with_it(branch: Project) -> None:
    _grow(branch)
    branch.prepare("--memgate-reason=rows are kept for the export")
    branch.commit()
    branch.git("branch", "-q", "base", "HEAD~1")
    result = branch.gate("--memgate-base=base")
    assert (result.code, result.outcomes()["test_two"]) == (0, "passed"), result.out
    assert _changes(result) == [("raised", "test_two", "rows are kept for the export")]
    assert "(rows are kept for the export)" in _lines(result, "raised")[0]


def test_an_old_reason_does_not_cover_a_new_raise(branch: Project) -> None:
    _edit(branch, _raise(1000, "a cache"), "test_two")
    branch.commit()
    _grow(branch)
    _edit(branch, _raise(450_000, "a cache"), "test_two")
    result = branch.gate(_BASE)
    assert (result.code, result.outcomes()["test_two"]) == (1, "regressed")
    assert "without a reason of its own" in _lines(result, "problem")[0]


def test_a_lowered_entry_counts_and_needs_no_reason(branch: Project) -> None:
    _edit(branch, lambda old: replace(old, value=old.value - 50_000), "test_two")
    result = branch.gate(_BASE)
    assert (result.code, _changes(result)) == (0, [("lowered", "test_two", "")])
    strict = branch.gate(_BASE, "--memgate-growth=10KB")
    assert (strict.code, strict.outcomes()["test_two"]) == (1, "regressed")


@pytest.mark.parametrize(
    "edit",
    [
        lambda old: replace(old, spread=5_000_000),
        lambda old: replace(old, anchor=old.value + 5_000_000),
    ],
    ids=["spread", "anchor"],
)
def test_an_entry_is_not_made_looser_by_the_back_door(branch: Project, edit: _Edit) -> None:
    branch.write("memgate.yml", "budgets: {memory.peak: {growth: 2MB, drift: 300KB}}")
    branch.commit()
    _grow(branch)
    _edit(branch, edit, "test_two")
    result = branch.gate(_BASE)
    assert (result.code, result.outcomes()["test_two"]) == (1, "drifted")
    assert "test_it.py::test_two" in _lines(result, "problem")[0]


def test_a_loosened_budget_is_listed_and_does_not_count(branch: Project, workers: tuple[str, ...]) -> None:
    branch.write("memgate.yml", "budgets: {memory.peak: {growth: 200KB, limit: 1MB, drift: 1MB}}\nmissing: fail\n")
    branch.commit()
    branch.write("memgate.yml", "budgets:\n  memory.peak: {growth: 5MB, limit: 9MB}\n")
    _grow(branch)
    branch.write("test_new.py", "def test_three(): pass")
    result = branch.gate(_BASE, *workers)
    assert result.code == 1
    assert result.outcomes() == {"test_one": "passed", "test_two": "regressed", "test_three": "new"}
    assert "test_new.py::test_three" in _lines(result, "problem")[0]
    told = _lines(result, "loosened")
    assert [line.split(";")[0] for line in told] == [
        "loosened     growth of memory.peak: 200 KB -> 5 MB (memgate.yml:2)",
        "loosened     drift of memory.peak: 1 MB -> none",
        "loosened     limit of memory.peak: 1 MB -> 9 MB (memgate.yml:2)",
        "loosened     missing: fail -> warn (default)",
    ]
    assert result.run["loosened"] == [line.removeprefix("loosened").strip() for line in told]


def test_a_new_pattern_and_a_configuration_taken_away_are_listed(branch: Project) -> None:
    branch.write("memgate.yml", "budgets: {memory.peak: {growth: 50KB}}\n")
    branch.commit()
    branch.replace("test_it.py", "load(2000)", "load(4000)")
    override = "budgets:\n  memory.peak: {growth: 50KB}\n  overrides: [{tests: '*.py', memory.peak: {growth: 5MB}}]\n"
    branch.write("memgate.yml", override)
    result = branch.gate(_BASE)
    assert (result.code, result.outcomes()["test_two"]) == (1, "regressed")
    assert "memory.peak of *.py" in _lines(result, "loosened")[0]
    (branch.root / "memgate.yml").unlink()
    gone = branch.gate(_BASE)
    assert (gone.code, gone.outcomes()["test_two"]) == (1, "regressed")
    assert "growth of memory.peak: 50 KB -> 200 KB (default)" in _lines(gone, "loosened")[0]


def test_a_new_waiver_counts_and_is_listed_with_its_reason(branch: Project) -> None:
    _grow(branch)
    branch.write(
        "memgate.yml",
        f"""
        waivers:
          - {{test: "test_it.py::test_two", metric: memory.peak, ceiling: 1MB, until: {LAST_DAY}, reason: "until #7"}}
        """,
    )
    result = branch.gate(_BASE)
    assert (result.code, result.outcomes()["test_two"]) == (0, "waived")
    (told,) = _lines(result, "loosened")
    assert f"waiver for test_it.py::test_two up to 1 MB until {LAST_DAY}: until #7 (memgate.yml:2)" in told


@pytest.mark.parametrize("marker", ["growth='5MB'", "skip='too slow to mend'"])
def test_a_marker_that_loosens_a_test_is_not_quiet(branch: Project, marker: str) -> None:
    _grow(branch)
    branch.replace("test_it.py", "def test_two", f"import pytest\n@pytest.mark.memgate({marker})\ndef test_two")
    result = branch.gate(_BASE)
    told = [line for line in _lines(result, "loosened") if "test_two" in line]
    assert result.code == 1 or told, result.out


def test_an_entry_that_the_change_deletes_still_counts(branch: Project) -> None:
    _grow(branch)
    _edit(branch, lambda _: None, "test_two")
    result = branch.gate(_BASE)
    assert (result.code, result.outcomes()["test_two"]) == (1, "regressed")
    assert _changes(result) == [("removed", "test_two", "")]


def test_a_folder_of_baselines_that_the_change_deletes_still_counts(branch: Project) -> None:
    _grow(branch)
    shutil.rmtree(branch.root / ".memgate")
    result = branch.gate(_BASE)
    assert (result.code, result.outcomes()) == (1, {"test_one": "passed", "test_two": "regressed"})
    assert [kind for kind, _, _ in _changes(result)] == ["removed", "removed"]


def test_a_new_test_with_its_new_entry_is_green_and_listed(branch: Project) -> None:
    branch.write("test_new.py", "from work import load\ndef test_three(): load(5000)")
    branch.prepare()
    result = branch.gate(_BASE, "--memgate-missing=fail")
    assert (result.code, result.outcomes()["test_three"]) == (0, "passed"), result.out
    assert _changes(result) == [("new", "test_three", "")]
    assert "test_new.py::test_three" in _lines(result, "new  ")[0]


def test_values_measured_anew_under_another_memray_are_not_red(branch: Project) -> None:
    path = branch.baselines / "test_it.py.yaml"
    now = path.read_text()
    path.write_text(now.replace("memray: '", "memray: '0.").replace("value: ", "value: 1"))
    branch.commit()
    path.write_text(now)
    result = branch.gate(_BASE, "--memgate-strict")
    assert (result.code, set(result.outcomes().values())) == (0, {"passed"}), result.out
    assert {kind for kind, _, _ in _changes(result)} == {"remeasured"}


def test_a_header_edited_in_the_change_does_not_lift_the_bar(branch: Project) -> None:
    _grow(branch)
    path = branch.baselines / "test_it.py.yaml"
    path.write_text(path.read_text().replace("memray: '", "memray: '0."))
    assert branch.gate(_BASE).outcomes()["test_two"] == "regressed"


def test_a_base_that_had_no_baselines_takes_those_of_the_change(project: Project) -> None:
    project.write("test_it.py", _TESTS)
    project.write(".gitignore", "__pycache__/\n")
    project.commit()
    without = project.gate(_BASE, "--memgate-against=stored")
    assert (without.code, without.run["verdict"]) == (1, "no answer")
    measured = project.gate(_BASE)
    assert (measured.code, measured.run["verdict"]) == (0, "passed")
    assert {one["measured_from"] for one in measured.run["findings"]} == {"main"}
    project.update()
    result = project.gate(_BASE)
    assert (result.code, set(result.outcomes().values())) == (0, {"passed"})
    assert {kind for kind, _, _ in _changes(result)} == {"new"}


def test_a_project_in_a_folder_of_its_repository_is_judged_the_same(project: Project, committed: Path) -> None:
    shutil.copytree(committed, project.root, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".git"))
    project.write("memgate.yml", "budgets: {memory.peak: {growth: 300KB}}\n")
    project.git("-C", "..", "init", "-q", "-b", "main")
    project.git("-C", "..", "add", "project")
    project.git("-C", "..", "commit", "-q", "-m", "all")
    project.write("memgate.yml", "budgets: {memory.peak: {growth: 9MB}}\n")
    _grow(project)
    _edit(project, _raise(450_000), "test_two")
    result = project.gate(_BASE)
    assert (result.code, result.outcomes()["test_two"]) == (1, "regressed")
    assert _changes(result) == [("raised", "test_two", "")]
    assert "300 KB -> 9 MB" in _lines(result, "loosened")[0]


def _told_in_one_line(result: Result, words: str) -> None:
    assert result.code == 4, result.out
    (line,) = [line for line in result.out.splitlines() if line.strip()]
    assert line.startswith("ERROR: memgate: --memgate-base ")
    assert words in line


def test_a_ref_that_git_does_not_know_is_a_usage_error(branch: Project) -> None:
    _told_in_one_line(branch.gate("--memgate-base=nope"), "nope: no such commit; name a branch, tag or commit")


def test_a_folder_without_a_repository_is_a_usage_error(project: Project) -> None:
    project.write("test_it.py", _TESTS)
    _told_in_one_line(project.gate(_BASE), "not a git repository")


def test_a_commit_that_a_shallow_clone_lacks_is_a_usage_error_with_the_way_out(branch: Project) -> None:
    branch.git("commit", "-q", "--allow-empty", "-m", "another")
    branch.git("clone", "-q", "--depth=1", f"file://{branch.root}", "../shallow/project")
    shutil.rmtree(branch.root)
    shutil.move(branch.root.parent / "shallow" / "project", branch.root)
    assert branch.gate("--memgate-base=HEAD").code == 0
    _told_in_one_line(branch.gate("--memgate-base=HEAD~1"), "fetch-depth: 0")


@pytest.mark.parametrize("ref", ["--output=stolen", "main:work.py", ""])
def test_a_ref_is_never_read_as_anything_else(branch: Project, ref: str) -> None:
    result = branch.gate(f"--memgate-base={ref}")
    assert result.code == 4, result.out
    assert not (branch.root / "stolen").exists()
