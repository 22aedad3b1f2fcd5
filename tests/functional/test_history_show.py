"""`memgate history show`, `digest`, `mark` and `rename` on a repository of ten commits with a store."""

import sys
from pathlib import Path

import pytest
from harness import Project, Result
from history_project import MB, HistoryProject, series

from pytest_memgate.model.history import Level

LOADS = series("test_load")
OLD, NEW = "tests/test_a.py::test_one", "tests/test_a.py::test_two"


@pytest.fixture
def shop(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project whose test_one is called test_two from the seventh commit on, and whose test_load grew in November."""
    (project.root / ".git" / "memgate").mkdir(parents=True)
    store = HistoryProject(project.root, url=f"sqlite:///{project.root / '.git' / 'memgate' / 'history.sqlite'}")
    for number in range(10):
        day = f"2026-{10 + number // 5}-{10 + number}T12:00:00Z"
        monkeypatch.setenv("GIT_COMMITTER_DATE", day)
        commit = store.commit(f"commit {number}")
        name = "test_one" if number < 6 else "test_two"
        load = Level(value=(1 if number < 8 else 3) * MB, baseline=1 * MB, allowed=0.2 * MB)
        store.measure(commit, {series(name): Level(value=2 * MB), LOADS: load})
    return project


def history(project: Project, *args: str, **env: str) -> Result:
    return project.memgate("history", *args, env=env)


def test_series_are_listed_with_the_commit_of_their_newest_change(shop: Project) -> None:
    shown = history(shop, "show")
    assert shown.code == 0
    first = shown.out.splitlines()[1]
    assert first.startswith("tests/test_a.py::test_load")
    assert "▁▁▁▁▁▁▁▁██" in first
    assert "3 MB" in first
    assert "2026-11-18 Ann: commit 8" in first


def test_a_narrow_terminal_has_narrow_lines(shop: Project) -> None:
    shown = history(shop, "show", COLUMNS="60")
    assert max(map(len, shown.out.splitlines()[:5])) <= 60


def test_a_terminal_without_blocks_gets_other_marks(shop: Project) -> None:
    shown = history(shop, "show", "test_load", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert shown.code == 0
    assert "________##" in shown.out


def test_one_test_is_shown_at_length(shop: Project) -> None:
    shown = history(shop, "show", "test_load")
    assert shown.code == 0
    assert "over by 1.8 MB" in shown.out
    assert "+2 MB (+200 %)" in shown.out


def test_a_name_that_means_nothing_is_told_with_near_ones(shop: Project) -> None:
    shown = history(shop, "show", "test_laod")
    assert shown.code == 2
    assert shown.out.startswith("memgate: no series is named 'test_laod'; did you mean 'test_load'")
    assert shown.out.count("\n") == 1


@pytest.mark.parametrize(
    ("since", "commits"),
    [("3", "3 commits of main"), ("2026-11-17", "3 commits of main"), ("HEAD~2", "2 commits of main")],
)
def test_a_window_begins_where_since_says(shop: Project, since: str, commits: str) -> None:
    assert commits in history(shop, "show", "--since", since).out


def test_a_window_without_commits_is_refused(shop: Project) -> None:
    shown = history(shop, "show", "--since", "HEAD")
    assert (shown.code, shown.out) == (2, "memgate: main has no commit after 'HEAD'; name an older one\n")


def test_the_digest_of_a_month_names_step_author_and_agenda(shop: Project) -> None:
    shown = history(shop, "digest", "--month", "2026-11")
    assert shown.code == 0
    assert "memgate-digest 2026-11" in shown.out
    assert "## Agenda" in shown.out
    assert "+2 MB (+200 %)" in shown.out
    assert "Ann" in shown.out


def test_the_digest_of_the_newest_day_needs_no_date(shop: Project) -> None:
    shown = history(shop, "digest", "--day")
    assert shown.code == 0
    assert "memgate-digest 2026-11-19" in shown.out
    assert history(shop, "digest", "--day", "2026-11-19").out == shown.out


def test_the_digest_as_html_is_a_file(shop: Project, tmp_path: Path) -> None:
    file = tmp_path / "digest.html"
    shown = history(shop, "digest", "--since", "HEAD~3", "--format", "html", "-o", str(file))
    assert (shown.code, shown.out) == (0, f"wrote {file}\n")
    assert "Performance digest: since HEAD~3" in file.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("args", "code", "line"),
    [
        (("--month", "2026-08"), 3, "has no commit of August 2026; its commits are from 2026-10-10 to 2026-11-19"),
        (("--month", "2026-13"), 2, "not a month: '2026-13'; write it as 2026-11"),
        (("--day", "2026-11-01"), 3, "has no commit of 2026-11-01; its commits are from 2026-10-10 to 2026-11-19"),
        (("--day", "--since", "HEAD~2"), 2, "do not go together"),
    ],
)
def test_a_period_without_an_answer_is_one_line(shop: Project, args: tuple[str, ...], code: int, line: str) -> None:
    shown = history(shop, "digest", *args)
    assert shown.code == code
    assert line in shown.out
    assert shown.out.count("\n") == 1


def test_a_history_without_runs_has_no_answer(project: Project) -> None:
    project.write("code.py", "")
    project.commit()
    for command in ("show", "digest"):
        shown = history(project, command)
        assert (shown.code, shown.out.count("\n")) == (3, 1)
        assert "the history has no runs yet" in shown.out


def test_a_mark_is_stored_once_and_told(shop: Project) -> None:
    assert "marked" in history(shop, "mark", "release 2.1", "--commit", "HEAD~1").out
    assert "already marked" in history(shop, "mark", "release 2.1", "--commit", "HEAD~1").out
    assert "mark: release 2.1, at" in history(shop, "show", "test_load").out
    assert "Marks: release 2.1" in history(shop, "digest", "--format", "html").out


def test_a_mark_off_the_line_is_refused(shop: Project) -> None:
    shop.git("checkout", "-qb", "side")
    shop.write("side.py", "")
    shop.commit("beside")
    done = history(shop, "mark", "release 2.1")
    assert done.code == 2
    assert "'HEAD' is no commit on the line of main" in done.out


def test_a_rename_is_proposed_and_gives_the_new_name_its_past(shop: Project) -> None:
    assert f"memgate history rename {OLD} {NEW}" in history(shop, "show", "test_two").out
    shop.write("memgate.yml", "# ours\nmissing: warn  # for now\n")
    done = history(shop, "rename", OLD, NEW)
    assert (done.code, done.out) == (0, "wrote memgate.yml: commit it, so that everybody's history follows\n")
    text = (shop.root / "memgate.yml").read_text(encoding="utf-8")
    assert text == f'# ours\nmissing: warn  # for now\n\nrenamed:\n  "{OLD}": "{NEW}"\n'
    shown = history(shop, "show", "test_two").out
    assert "10 of 10 commits of main measured" in shown
    assert "looks renamed" not in shown
    assert history(shop, "rename", OLD, NEW).out == "memgate.yml says so already\n"


@pytest.mark.parametrize(
    ("names", "line"),
    [
        (("tests/test_a.py::test_on", NEW), "the history has nothing under 'tests/test_a.py::test_on'; did you mean"),
        ((OLD, "tests/test_b.py"), "cannot become"),
        ((OLD, OLD), "cannot become"),
    ],
)
def test_a_rename_of_nothing_changes_no_file(shop: Project, names: tuple[str, str], line: str) -> None:
    done = history(shop, "rename", *names)
    assert done.code == 2
    assert line in done.out
    assert not (shop.root / "memgate.yml").exists()


def test_showing_a_history_imports_no_board_and_no_charts(shop: Project) -> None:
    code = (
        "import sys, pytest_memgate.cli.main; print({'sqlalchemy', 'alembic', 'jinja2', 'plotly'} & set(sys.modules))"
    )
    done = shop.command(sys.executable, "-c", code)
    assert done.out == "set()\n"


def test_a_check_of_nothing_is_not_green(project: Project) -> None:
    project.write("code.py", "")
    project.commit()
    assert history(project, "check").code == 3


def test_a_check_follows_renamed_tests(shop: Project) -> None:
    shop.write("memgate.yml", f'renamed:\n  "{OLD}": "{NEW}"\n')
    assert "test_one" not in history(shop, "check", "--all").out
