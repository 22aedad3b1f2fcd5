"""The comment of the action: in the gate's own job, and from the second workflow for forks."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from composite import Job, Runner
from fake_github import Fault, Github, fake_github
from github_repository import ROOT, Commits, Origin, event
from harness import Project

MARK = "<!-- memgate memgate -->"
COMMITS = Commits("a" * 40, "b" * 40, "c" * 40)  # of a job that has left nothing


@pytest.fixture
def github() -> Iterator[Github]:
    with fake_github() as server:
        yield server


@pytest.fixture
def origin(project: Project) -> Origin:
    project.write("test_shop.py", "from work import load\n\ndef test_order():\n    assert load(1000)\n")
    project.prepare()
    origin = Origin(project)
    origin.commit("base")
    return origin


class Ended:
    """A job that has run, whose last steps run again with each test's own API: its report, its comment, its gate."""

    def __init__(self, folder: Path, *, grown: bool) -> None:
        project = Project(folder / "project")
        project.write("test_shop.py", "from work import load\n\ndef test_order():\n    assert load(1000)\n")
        project.prepare()
        origin = Origin(project)
        origin.commit("base")
        self.commits = grow(origin) if grown else origin.pull_request_of_nothing()
        with fake_github() as github:
            env = {"GITHUB_API_URL": github.url}
            self._runner, self.job = origin.begun(self.commits, fork=True, env=env, comment="true")
            self.asked = github.asked
        assert self.job.failed is grown, self.job.out
        self._own = event(folder, "pull_request", base=self.commits.base, head=self.commits.head)

    def again(self, github: Github, **inputs: str) -> Job:
        """Run the last steps for a pull request of the repository's own."""
        env = {"GITHUB_API_URL": github.url, "GITHUB_EVENT_PATH": str(self._own)}
        return self._runner.again("report", env, **{"comment": "true", **inputs})


@pytest.fixture(scope="module")
def red(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """A fork's job whose gate was red."""
    return Ended(tmp_path_factory.mktemp("red"), grown=True)


@pytest.fixture(scope="module")
def green(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """A fork's job whose gate was green."""
    return Ended(tmp_path_factory.mktemp("green"), grown=False)


def grow(origin: Origin) -> Commits:
    origin.project.replace("test_shop.py", "load(1000)", "load(20000)")
    return origin.pull_request()


def judged(origin: Origin, commits: Commits, github: Github) -> Job:
    return origin.judged(commits, env={"GITHUB_API_URL": github.url}, comment="true")


def test_the_comment_is_written_once_and_kept_up_to_date(origin: Origin, github: Github) -> None:
    github.comment("hello", login="somebody", kind="User")
    job = judged(origin, grow(origin), github)
    assert job.gate.code == 1
    body = github.comments[-1]["body"]
    assert body.startswith(f"{MARK}\n\n### ❌ memgate: FAILED: 1 regressed")
    assert "git apply memgate-99" in body
    assert "[This run](https://github.com/shop/shop/actions/runs/99)" in body
    origin.project.replace("test_shop.py", "load(20000)", "load(1000)")
    origin.project.write("NOTES", "repaired\n")
    judged(origin, origin.pull_request(), github)
    assert len(github.comments) == 2
    assert github.comments[-1]["body"].startswith(f"{MARK}\n\n### ✅ memgate: PASSED")
    assert github.tokens == {"Bearer the-token"}
    assert "the-token" not in job.out


def test_without_an_answer_the_comment_says_so_in_place_of_an_old_green(origin: Origin, github: Github) -> None:
    github.comment(f"{MARK}\n\n### ✅ memgate: PASSED")
    origin.project.write("memgate.yml", "budgets: [\n")
    judged(origin, origin.pull_request(), github)
    (comment,) = github.comments
    assert "### ❓ memgate: NO ANSWER" in comment["body"]
    assert "refused its options or configuration" in comment["body"]


def test_a_forks_job_asks_nothing_of_the_api(red: Ended) -> None:
    assert not red.asked
    assert "::notice title=memgate::no comment: a fork's token may not write one; the second workflow" in red.job.out
    assert red.job.gate.code == 1


def test_no_comment_is_written_unasked(green: Ended, github: Github) -> None:
    assert green.again(github, comment="false").gate.code == 0
    assert not github.asked


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault(403, "Resource not accessible by integration"), "give the job permissions: pull-requests: write"),
        (Fault(404, "Not Found"), "404: Not Found; give the job permissions: pull-requests: write"),
        (Fault(403, "API rate limit exceeded", {"Retry-After": "3600"}), "API rate limit exceeded"),
    ],
)
def test_a_comment_that_cannot_be_is_no_verdict(green: Ended, github: Github, fault: Fault, words: str) -> None:
    github.faults = [fault]
    job = green.again(github)
    assert not job.failed
    assert words in job.out
    assert not github.comments


def test_passing_faults_of_the_api_are_waited_out(green: Ended, github: Github) -> None:
    github.faults = [Fault(502), Fault(403, "You have exceeded a secondary rate limit", {"Retry-After": "1"})]
    green.again(github)
    assert len(github.comments) == 1


def test_each_job_of_a_matrix_has_its_comment(green: Ended, github: Github) -> None:
    for artifact in ("memgate-3.11", "memgate-3.12", "memgate-3.11"):
        assert green.again(github, artifact=artifact).gate.code == 0
    assert len(github.comments) == 2


class Second:
    """The second workflow, which follows the gate's."""

    def __init__(self, folder: Path, github: Github) -> None:
        self.folder = folder
        self.artifact = self.folder / "temp" / "memgate-artifact"
        self._github = github

    def take(self, job: Job) -> None:
        """Download the artifact."""
        self.artifact.mkdir(parents=True)
        run = Path(job.outputs["run-json"])
        (self.artifact / "run.json").write_bytes(run.read_bytes())

    def run(self, commits: Commits, **changes: str) -> Job:
        payload = event(self.folder, "workflow_run", base=commits.base, head=commits.head, **changes)
        env = {
            "GITHUB_EVENT_NAME": "workflow_run",
            "GITHUB_EVENT_PATH": str(payload),
            "GITHUB_API_URL": self._github.url,
            "GITHUB_REPOSITORY": "shop/shop",
            "GITHUB_SERVER_URL": "https://github.com",
        }
        runner = Runner(ROOT / "comment" / "action.yml", self.folder, self.folder / "temp", env)
        return runner.run()


@pytest.fixture
def second(tmp_path: Path, github: Github) -> Second:
    return Second(tmp_path, github)


def test_the_second_workflow_comments_for_a_fork(red: Ended, github: Github, second: Second) -> None:
    commits = red.commits
    second.take(red.job)
    github.pull(3, "c" * 40)
    github.pull(8, commits.head)
    job = second.run(commits)
    assert not job.failed, job.out
    assert job.step("artifact").given["name"] == "memgate"
    (comment,) = github.comments
    assert comment["body"].startswith(f"{MARK}\n\n### ❌ memgate: FAILED: 1 regressed")
    assert "[This run](https://github.com/shop/shop/actions/runs/4711)" in comment["body"]
    assert "POST /repos/shop/shop/issues/8/comments" in github.asked


def test_the_second_workflow_offers_no_patch_that_a_fork_has_made(red: Ended, github: Github, second: Second) -> None:
    commits = red.commits
    second.take(red.job)
    (second.artifact / "baseline.patch").write_text("forged")
    github.pull(8, commits.head)
    second.run(commits)
    assert "git apply" not in github.comments[0]["body"]


def test_a_number_in_the_artifact_is_not_looked_at(red: Ended, github: Github, second: Second) -> None:
    commits = red.commits
    second.take(red.job)
    (second.artifact / "pr_number").write_text("1")
    job = second.run(commits)
    assert not github.comments
    assert f"no open pull request is at {commits.head[:12]} any more" in job.out


def test_a_green_run_of_a_red_workflow_is_not_shown_as_green(green: Ended, github: Github, second: Second) -> None:
    commits = green.commits
    second.take(green.job)
    github.pull(8, commits.head)
    second.run(commits)
    body = github.comments[0]["body"]
    assert "### ❓ memgate: NO ANSWER" in body
    assert "its workflow ended as failure" in body


def test_a_green_run_of_a_green_workflow_is_green(green: Ended, github: Github, second: Second) -> None:
    commits = green.commits
    second.take(green.job)
    github.pull(8, commits.head)
    second.run(commits, **{'"failure"': '"success"'})
    assert "### ✅ memgate: PASSED" in github.comments[0]["body"]


def test_a_run_that_is_none_is_said_and_not_rendered(github: Github, second: Second) -> None:
    commits = COMMITS
    second.artifact.mkdir(parents=True)
    (second.artifact / "run.json").write_text(json.dumps({"schema": 1, "verdict": "<img src=x>@everyone"}))
    github.pull(8, commits.head)
    second.run(commits)
    body = github.comments[0]["body"]
    assert "### ❓ memgate: NO ANSWER" in body
    assert "<img" not in body


def test_a_gate_that_left_nothing_is_no_answer(github: Github, second: Second) -> None:
    commits = COMMITS
    github.pull(8, commits.head)
    second.run(commits)
    assert "the gate left no run" in github.comments[0]["body"]


@pytest.mark.parametrize("conclusion", ["cancelled", "skipped", "success"])
def test_a_workflow_without_the_gate_gets_no_comment(github: Github, second: Second, conclusion: str) -> None:
    commits = COMMITS
    github.pull(8, commits.head)
    job = second.run(commits, **{'"failure"': f'"{conclusion}"'})
    assert not github.asked
    assert f"no comment: the workflow ended as {conclusion} and left no run" in job.out


def test_a_run_for_a_push_gets_no_comment(github: Github, second: Second) -> None:
    commits = COMMITS
    second.run(commits, **{'"pull_request"': '"push"'})
    assert not github.asked


def test_a_second_workflow_that_cannot_comment_is_red(github: Github, second: Second) -> None:
    commits = COMMITS
    github.faults = [Fault(403, "Resource not accessible by integration")]
    job = second.run(commits)
    assert job.failed
    assert "Resource not accessible by integration" in job.out
    assert "Traceback" not in job.out
