"""A repository with a pull request, checked out as actions/checkout does it, and the events that jobs run for."""

import json
from dataclasses import dataclass
from pathlib import Path

from composite import Job, Runner
from harness import _QUIET, DATA, Project

ROOT = Path(__file__).parents[1]
# The plugins beside the gate in the tests' own environment.
QUIET = " ".join(f"-p no:{name}" for name in _QUIET)


def event(folder: Path, name: str, *, base: str, head: str, **changes: str) -> Path:
    """Write an event's payload with these commits; `changes` replace other texts of it."""
    text = (DATA / "events" / f"{name}.json").read_text(encoding="utf-8")
    for old, new in {'"BASE"': json.dumps(base), '"HEAD"': json.dumps(head), **changes}.items():
        text = text.replace(old, new)
    path = folder / "event.json"
    path.write_text(text, encoding="utf-8")
    return path


@dataclass(frozen=True, slots=True)
class Commits:
    """The commits of a pull request: its base, its last one, and the merge of both that CI checks out."""

    base: str
    head: str
    merge: str


class Origin:
    """The project on the server, and the checkouts of its jobs."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.folder = project.root.parent
        self._jobs = 0

    def commit(self, message: str = "a change") -> str:
        self.project.commit(message)
        return self.tip

    @property
    def tip(self) -> str:
        return self.project.git("rev-parse", "HEAD").strip()

    def pull_request(self) -> Commits:
        """Make what is changed in the work tree a pull request, and merge it for CI with a base that moved on."""
        self.project.git("checkout", "-q", "-B", "pull")
        head = self.commit("the change")
        self.project.git("checkout", "-q", "main")
        self.project.write("NEWS", f"moved on, {self._jobs}\n")
        base = self.commit("something else")
        self.project.git("checkout", "-q", "-B", "merged", "main")
        self.project.git("merge", "-q", "--no-ff", "-m", "merge", "pull")
        merge = self.project.git("rev-parse", "HEAD").strip()
        self.project.git("checkout", "-q", "pull")
        return Commits(base, head, merge)

    def pull_request_of_nothing(self) -> Commits:
        """Make a pull request that changes no test."""
        self.project.write("docs.md", "words\n")
        return self.pull_request()

    def checkout(self, commit: str, *, depth: int = 1) -> Path:
        """Return a checkout of one commit, shallow and detached."""
        self._jobs += 1
        workspace = self.folder / f"workspace{self._jobs}"
        self.project.git("init", "-q", str(workspace))
        inside = ("-C", str(workspace))
        self.project.git(*inside, "remote", "add", "origin", self.project.root.as_uri())
        self.project.git(*inside, "fetch", "-q", "--no-tags", f"--depth={depth}", "origin", commit)
        self.project.git(*inside, "checkout", "-q", "--detach", commit)
        return workspace

    def runner(self, workspace: Path, name: str, payload: Path, **env: str) -> Runner:
        """Return what runs the action in a checkout."""
        temp = self.folder / f"temp{self._jobs}"
        return Runner(ROOT / "action.yml", workspace, temp, self.variables(name, payload, **env))

    def variables(self, name: str, payload: Path, **env: str) -> dict[str, str]:
        """Return what GitHub sets for a job."""
        return {
            "GITHUB_EVENT_NAME": name,
            "GITHUB_EVENT_PATH": str(payload),
            "GITHUB_REPOSITORY": "shop/shop",
            "GITHUB_RUN_ID": "99",
            "GITHUB_SERVER_URL": "https://github.com",
            **env,
        }

    def judged(self, commits: Commits, *, fork: bool = False, env: dict[str, str] | None = None, **inputs: str) -> Job:
        """Run the action on a pull request, as its checkout has it."""
        return self.begun(commits, fork=fork, env=env, **inputs)[1]

    def begun(
        self, commits: Commits, *, fork: bool = False, env: dict[str, str] | None = None, **inputs: str
    ) -> tuple[Runner, Job]:
        """Run the action on a pull request; return what can run its last steps again, too."""
        kind = "pull_request_fork" if fork else "pull_request"
        payload = event(self.folder, kind, base=commits.base, head=commits.head)
        runner = self.runner(self.checkout(commits.merge), "pull_request", payload, **(env or {}))
        given = {"pytest_args": QUIET, **inputs}
        return runner, runner.run(**given)
