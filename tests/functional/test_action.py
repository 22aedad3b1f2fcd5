"""The action's own steps, run as GitHub runs them, on a repository with a pull request."""

import json
from html import unescape
from pathlib import Path

import pytest
from composite import Job
from github_repository import QUIET, Commits, Origin, event
from harness import Project

TESTS = """
    from work import load

    def test_order():
        assert load(1000)

    def test_basket():
        assert load(2000)
"""
CRASH = """
    import os, signal

    def test_crash():
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def origin(project: Project) -> Origin:
    """A project whose tests have baselines, committed."""
    project.write("test_shop.py", TESTS)
    project.write(".gitignore", "__pycache__\n")
    project.prepare()
    origin = Origin(project)
    origin.commit("base")
    return origin


def grow(origin: Origin) -> Commits:
    origin.project.replace("test_shop.py", "load(1000)", "load(20000)")
    return origin.pull_request()


def unchanged(origin: Origin) -> Commits:
    origin.project.write("docs.md", "words\n")
    return origin.pull_request()


def artifact(job: Job) -> list[str]:
    """Return the files that the job uploads."""
    folder = Path(job.step("actions/upload-artifact").given["path"])
    return sorted(path.relative_to(folder).parts[0] for path in folder.rglob("*") if path.is_file())


def test_a_growth_is_red_and_shown_everywhere(origin: Origin) -> None:
    commits = grow(origin)
    job = origin.judged(commits)
    assert job.failed
    assert (job.gate.code, job.gate.out) == (1, "::error title=memgate::FAILED: 1 regressed; 2 tests compared\n")
    assert job.outputs["verdict"] == "failed"
    assert job.outputs["regressed"] == "1"
    assert "### ❌ memgate: FAILED: 1 regressed" in job.summary
    assert "gh run download 99 -n memgate" in job.summary
    (line,) = [line for line in job.step("report").out.splitlines() if line.startswith("::")]
    assert line.startswith("::error file=work.py,line=4,title=test_shop.py%3A%3Atest_order::memory.peak")
    assert artifact(job) == ["baseline.patch", "profiles", "report.html", "run.json"]
    assert json.loads(Path(job.outputs["run-json"]).read_text())["compared_with"] == commits.base
    assert "test_order" in Path(job.outputs["html"]).read_text()
    # The reader has the artifact, and not the job's machine.
    assert "python -m memray flamegraph memgate-99/profiles/test_shop.py-test_order-" in job.summary
    assert str(origin.folder) not in job.summary


def test_the_patch_applies_at_the_root_and_turns_the_next_run_green(origin: Origin) -> None:
    job = origin.judged(grow(origin))
    origin.project.git("apply", "--index", job.outputs["patch"])
    again = origin.judged(origin.pull_request())
    assert not again.failed, again.out
    assert "raised" in again.summary
    assert "Keep every body (CI run 99)" in again.summary


def test_a_second_patch_in_the_same_pull_request_has_another_reason(origin: Origin) -> None:
    job = origin.judged(grow(origin))
    origin.project.git("apply", "--index", job.outputs["patch"])
    origin.project.replace("test_shop.py", "load(20000)", "load(40000)")
    job = origin.judged(origin.pull_request(), env={"GITHUB_RUN_ID": "100"})
    assert job.gate.code == 1
    origin.project.git("apply", "--index", job.outputs["patch"])
    assert not origin.judged(origin.pull_request()).failed


def test_drift_is_taken_by_the_patch_with_its_anchor(origin: Origin) -> None:
    origin.project.write("memgate.yml", "budgets: {memory.peak: {growth: 200KB, drift: 300KB}}\n")
    origin.project.replace("test_shop.py", "load(1000)", "load(4000)")
    origin.project.prepare("--memgate-reason", "more orders", "test_shop.py::test_order")
    origin.project.git("checkout", "-q", "main")
    origin.commit("more orders")
    origin.project.replace("test_shop.py", "load(4000)", "load(7000)")
    job = origin.judged(origin.pull_request())
    assert "1 drifted" in job.gate.out
    origin.project.git("apply", "--index", job.outputs["patch"])
    again = origin.judged(origin.pull_request())
    assert not again.failed, again.out


def test_nothing_changed_is_green(origin: Origin) -> None:
    job = origin.judged(unchanged(origin))
    assert not job.failed
    assert job.gate.out == "memgate: PASSED: 2 tests compared\n"
    assert job.outputs["verdict"] == "passed"
    assert job.outputs["patch"] == ""
    assert artifact(job) == ["report.html", "run.json"]
    assert "### ✅ memgate: PASSED" in job.summary
    assert "Nothing was held against a base" not in job.summary


def test_the_base_is_the_first_parent_of_the_merge_and_not_the_tip_of_a_branch(origin: Origin) -> None:
    commits = unchanged(origin)
    origin.project.git("checkout", "-q", "main")
    origin.project.replace(f".memgate/{origin.project.baselines.name}/test_shop.py.yaml", "value:", "value: 0")
    origin.commit("main has moved on and is broken")
    job = origin.judged(commits)
    assert job.step("plan").outputs["base"] == commits.base
    assert not job.failed


def test_a_growth_may_be_let_through_on_request(origin: Origin) -> None:
    job = origin.judged(grow(origin), fail="false")
    assert not job.failed
    assert job.gate.out.startswith("::warning title=memgate::FAILED: 1 regressed")
    assert job.outputs["verdict"] == "failed"


def raise_own_baseline(origin: Origin, reason: str) -> Commits:
    origin.project.replace("test_shop.py", "load(1000)", "load(20000)")
    origin.project.prepare("--memgate-reason", "to be taken out")
    written = f".memgate/{origin.project.baselines.name}/test_shop.py.yaml"
    origin.project.replace(written, "      reason: to be taken out\n", reason)
    return origin.pull_request()


def test_a_pull_request_that_raises_its_own_baseline_without_a_reason_is_red(origin: Origin) -> None:
    job = origin.judged(raise_own_baseline(origin, ""))
    assert job.gate.code == 1
    assert "without a reason of its own" in job.gate.out
    assert "no reason given" in job.summary


def test_a_pull_request_that_says_why_its_baseline_rises_is_green_and_listed(origin: Origin) -> None:
    job = origin.judged(raise_own_baseline(origin, "      reason: orders are kept for a day\n"))
    assert not job.failed, job.out
    assert "raised" in job.summary
    assert "orders are kept for a day" in job.summary


def test_nothing_measured_is_no_answer_even_if_red_is_let_through(origin: Origin) -> None:
    origin.project.write("test_shop.py", "import pytest\n\n@pytest.mark.skip\ndef test_order(): ...\n")
    job = origin.judged(origin.pull_request(), fail="false")
    assert (job.gate.code, job.outputs["verdict"]) == (3, "no answer")
    assert "nothing was measured: 1 skipped" in job.gate.out


def test_no_tests_are_no_answer(origin: Origin) -> None:
    job = origin.judged(unchanged(origin), pytest_args=f"{QUIET} -k nothing")
    assert job.gate.code == 3
    assert "nothing was measured: no test ran" in job.gate.out


@pytest.mark.parametrize("against", ["stored", "auto"])
def test_the_patch_makes_a_missing_baseline_whether_the_base_was_measured_or_not(origin: Origin, against: str) -> None:
    origin.project.git("rm", "-q", "-r", ".memgate")
    origin.commit("no baselines")
    job = origin.judged(unchanged(origin), against=against)
    if against == "stored":
        assert job.gate.code == 3
        assert "there is no baseline for" in job.gate.out
    else:
        assert job.gate.code == 0, job.gate.out
        assert "measured here in" in job.summary
    origin.project.git("apply", "--index", job.outputs["patch"])
    judged = origin.judged(origin.pull_request(), against="stored")
    assert not judged.failed


def test_a_broken_configuration_is_a_usage_error_in_its_own_words(origin: Origin) -> None:
    origin.project.write("memgate.yml", "budgets: {memory.peek: {growth: 1MB}}\n")
    job = origin.judged(origin.pull_request())
    assert job.gate.code == 2
    assert "pytest refused its options or configuration: memgate.yml:1: unknown" in job.gate.out
    assert "memory&#46;peek" in job.summary
    assert artifact(job) == []


def test_a_crash_is_no_answer(origin: Origin) -> None:
    origin.project.write("test_crash.py", CRASH)
    job = origin.judged(origin.pull_request())
    assert job.gate.code == 3
    assert "pytest was ended by SIGKILL and left no run" in job.gate.out
    assert "### ❓ memgate: NO ANSWER" in job.summary


def test_a_crashed_worker_is_no_answer(origin: Origin) -> None:
    origin.project.write("test_crash.py", CRASH)
    job = origin.judged(origin.pull_request(), pytest_args=f"{QUIET} -n 2")
    assert job.gate.code == 3
    assert "of xdist's workers died" in job.gate.out


def test_a_test_that_fails_by_itself_is_red(origin: Origin) -> None:
    origin.project.write("test_other.py", "def test_wrong():\n    assert False\n")
    job = origin.judged(origin.pull_request())
    assert job.gate.code == 1
    assert "1 test failed by itself" in job.gate.out
    assert "### ❌ memgate: FAILED: 1 problem" in job.summary


def test_a_run_that_is_taken_away_is_no_answer(origin: Origin) -> None:
    origin.project.write(
        "conftest.py", "def pytest_unconfigure(config):\n    import os\n    os.unlink(config.option.memgate_report)\n"
    )
    job = origin.judged(origin.pull_request())
    assert job.gate.code == 3
    assert "pytest ended with exit code 0 and left no run" in job.gate.out


def test_an_update_is_no_verdict(origin: Origin) -> None:
    payload = event(origin.folder, "push", base="0" * 40, head="1" * 40)
    workspace = origin.checkout(origin.tip)
    job = origin.runner(workspace, "push", payload).run(pytest_args=f"{QUIET} --memgate-update")
    assert job.gate.code == 2
    assert "an update, which judges nothing" in job.gate.out


def test_without_the_plugin_there_is_no_green(origin: Origin) -> None:
    job = origin.judged(unchanged(origin), pytest_args="-p no:memgate")
    assert job.gate.code == 2
    assert "unrecognized arguments" in job.gate.out


def test_a_folder_of_the_repository_is_judged_alone_and_patched_from_the_root(project: Project) -> None:
    inner = Project(project.root / "shop")
    inner.write("test_shop.py", TESTS)
    inner.prepare()
    origin = Origin(project)
    origin.commit("base")
    inner.replace("test_shop.py", "load(1000)", "load(20000)")
    job = origin.judged(origin.pull_request(), working_directory="shop")
    assert job.gate.code == 1
    assert "::error file=shop/work.py,line=4" in job.step("report").out
    origin.project.git("apply", "--index", job.outputs["patch"])
    again = origin.judged(origin.pull_request(), working_directory="shop")
    assert not again.failed, again.out


def test_a_merge_queue_is_judged_against_the_groups_base(origin: Origin) -> None:
    commits = grow(origin)
    payload = event(origin.folder, "merge_group", base=commits.base, head=commits.merge)
    job = origin.runner(origin.checkout(commits.merge), "merge_group", payload).run(pytest_args=QUIET)
    assert job.step("plan").outputs["base"] == commits.base
    assert job.gate.code == 1


def test_a_push_is_judged_against_what_the_branch_was(origin: Origin) -> None:
    before = origin.tip
    origin.project.replace("test_shop.py", "load(1000)", "load(20000)")
    after = origin.commit("after")
    payload = event(origin.folder, "push", base=before, head=after)
    job = origin.runner(origin.checkout(after), "push", payload).run(pytest_args=QUIET)
    assert job.step("plan").outputs["base"] == before
    assert job.gate.code == 1
    assert "reason: accepted from CI run 99" in Path(job.outputs["patch"]).read_text()


def test_a_push_that_took_its_past_away_is_judged_by_its_own_baselines(origin: Origin) -> None:
    after = origin.tip
    payload = event(origin.folder, "push", base="e" * 40, head=after)
    job = origin.runner(origin.checkout(after), "push", payload).run(pytest_args=QUIET)
    assert "compared with nothing: eeeeeeeeeeee" in job.step("plan").out
    assert not job.failed


def test_what_options_and_markers_of_the_change_would_loosen_is_in_the_summary(origin: Origin) -> None:
    origin.project.write("pytest.ini", "[pytest]\naddopts = --memgate-growth=5MB --no-memgate-strict\n")
    origin.project.write("marking.py", "import pytest\nlarge = pytest.mark.memgate(limit='9MB', growth='300KB')\n")
    origin.project.replace("test_shop.py", "def test_order", "from marking import large\n@large\ndef test_order")
    origin.project.replace("test_shop.py", "load(1000)", "load(20000)")
    job = origin.judged(origin.pull_request())
    assert job.gate.code == 1
    told = unescape(job.summary).partition("**Loosened by this change**")[2]
    assert "growth of memory.peak: 200 KB -> 5 MB" in told
    assert "has a budget of its own for memory.peak: growth 300 KB (marker)" in told


def test_an_empty_second_push_to_a_branch_does_not_turn_red_to_green(origin: Origin) -> None:
    base = origin.tip
    origin.project.git("checkout", "-q", "-b", "topic")
    origin.project.replace("test_shop.py", "load(1000)", "load(20000)")
    first = origin.commit("a growth")
    origin.project.git("commit", "-q", "--allow-empty", "-m", "nothing")
    for before, after in (("0" * 40, first), (first, origin.tip)):
        payload = event(origin.folder, "push", base=before, head=after, **{"refs/heads/main": "refs/heads/topic"})
        job = origin.runner(origin.checkout(after), "push", payload).run(pytest_args=QUIET)
        assert job.step("plan").outputs["base"] == base
        assert (job.gate.code, "1 regressed" in job.gate.out) == (1, True)


@pytest.mark.parametrize("name", ["schedule", "workflow_dispatch", "issue_comment"])
def test_an_event_without_a_base_says_that_nothing_was_held_against_one(origin: Origin, name: str) -> None:
    payload = event(origin.folder, "push", base="0" * 40, head=origin.tip)
    job = origin.runner(origin.checkout(origin.tip), name, payload).run(pytest_args=QUIET)
    assert not job.failed
    assert f"compared with nothing: {name} has no commit before" in job.step("plan").out
    assert "Nothing was held against a base" in job.summary


def test_a_comment_on_a_pull_request_is_no_place_to_judge_it(origin: Origin) -> None:
    payload = origin.folder / "comment.json"
    payload.write_text(json.dumps({"issue": {"number": 7, "pull_request": {"url": "x"}}}), encoding="utf-8")
    job = origin.runner(origin.checkout(origin.tip), "issue_comment", payload).run(pytest_args=QUIET, base="HEAD")
    assert job.gate.code == 2
    assert job.gate.out.count("\n") == 1
    assert "issue_comment of a pull request names no base" in job.gate.out
    assert job.step("run").code is None


def test_a_pull_requests_own_head_is_judged_against_the_merge_base(origin: Origin) -> None:
    for number in range(3):
        origin.project.write("NEWS", f"{number}\n")
        past = origin.commit(f"past {number}")
    commits = grow(origin)
    payload = event(origin.folder, "pull_request", base=commits.base, head=commits.head)
    job = origin.runner(origin.checkout(commits.head), "pull_request", payload).run(pytest_args=QUIET)
    assert job.step("plan").outputs["base"] == past
    assert job.gate.code == 1


def test_a_base_that_cannot_be_had_is_said_and_red(origin: Origin) -> None:
    commits = unchanged(origin)
    payload = event(origin.folder, "merge_group", base="e" * 40, head=commits.merge)
    job = origin.runner(origin.checkout(commits.merge), "merge_group", payload).run(pytest_args=QUIET, fail="false")
    assert job.gate.code == 2
    assert "set fetch-depth: 0 on actions/checkout" in job.gate.out
    assert job.step("run").outcome == "skipped"


def test_a_base_that_is_named_is_fetched(origin: Origin) -> None:
    commits = unchanged(origin)
    payload = event(origin.folder, "workflow_dispatch", base=commits.base, head=commits.head)
    job = origin.runner(origin.checkout(commits.merge), "workflow_dispatch", payload).run(
        pytest_args=QUIET, base="main"
    )
    assert job.step("plan").outputs["base"] == commits.base


def test_the_event_that_gives_a_forks_code_rights_is_refused(origin: Origin) -> None:
    commits = unchanged(origin)
    payload = event(origin.folder, "pull_request_fork", base=commits.base, head=commits.head)
    job = origin.runner(origin.checkout(commits.merge), "pull_request_target", payload).run(pytest_args=QUIET)
    assert job.gate.code == 2
    assert "runs a fork's code with this repository's rights" in job.gate.out
    assert job.step("run").outcome == "skipped"


def test_shards_are_judged_as_one(origin: Origin) -> None:
    commits = grow(origin)
    workspace = origin.checkout(commits.merge)
    split = QUIET.replace("-p no:pytest-split", "")
    for number in (1, 2):
        job = origin.judged(commits, pytest_args=f"{split} --splits 2 --group {number}", fail="false")
        assert not job.failed, job.out
        target = workspace / "parts" / f"memgate-part-{number}" / "run.json"
        target.parent.mkdir(parents=True)
        target.write_bytes(Path(job.outputs["run-json"]).read_bytes())
    payload = event(origin.folder, "pull_request", base=commits.base, head=commits.head)
    whole = origin.runner(workspace, "pull_request", payload).run(merge="parts/*/run.json")
    assert whole.gate.code == 1
    assert whole.outputs["regressed"] == "1"
    missing = origin.runner(workspace, "pull_request", payload).run(merge="parts/memgate-part-2/run.json")
    assert missing.gate.code == 3
    assert "none of the parts ran" in missing.gate.out
    none = origin.runner(workspace, "pull_request", payload).run(merge="nowhere/*.json")
    assert none.gate.code == 2
    assert "finds no file" in none.gate.out
