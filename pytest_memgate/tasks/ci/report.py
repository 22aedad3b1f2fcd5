"""Show the answer of a job where people look: the summary, the lines of the diff, the artifact, the outputs."""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from pytest_memgate.errors import MemgateError
from pytest_memgate.model.run import Run
from pytest_memgate.report.annotations import annotations
from pytest_memgate.report.escape import command_data, markdown_code, markdown_text
from pytest_memgate.report.html.render import html
from pytest_memgate.report.markdown import markdown
from pytest_memgate.report.view import SYMBOLS
from pytest_memgate.tasks.ci.outcome import Answer
from pytest_memgate.tasks.ci.patch import Patch
from pytest_memgate.tasks.ci.pytest_step import PROFILES, RUN
from pytest_memgate.tasks.run.report import locate, write

HTML = "report.html"
PATCH = "baseline.patch"
_SUMMARY = 900_000  # bytes: GitHub shows a summary of 1 MiB at most
_COMMENT = 65_000  # bytes: GitHub takes a comment of 65,536 characters at most
_ANNOTATIONS = 9  # of the ten that GitHub shows for the action, which counts as one step: the gate's own is the tenth
_PROBLEMS, _PROBLEM_MOST = 5, 500
_OF_ITSELF = "Nothing was held against a base: the baselines and budgets are those of the checkout itself."
_SERVER = re.compile(r"https://[\w.:-]+")
_PLACE = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Where a job runs: the repository's root, the project's root, and GitHub's names for the run."""

    top: Path
    root: Path
    artifact: str
    github: Mapping[str, str] = field(default_factory=dict)

    @property
    def prefix(self) -> str:
        """The path from the repository to the project, as in `shop/`."""
        way = self.root.relative_to(self.top).as_posix() if self.root.is_relative_to(self.top) else "."
        return "" if way == "." else f"{way}/"

    @property
    def run_id(self) -> str:
        """The id of the workflow's run."""
        return _digits(self.github.get("GITHUB_RUN_ID", ""))


def as_downloaded(answer: Answer, run_id: str) -> Answer:
    """Return the answer with each capture's path in the artifact, in place of the one on the job's machine."""
    if not answer.run:
        return answer
    findings = tuple(
        replace(one, kept=tuple(_downloaded(path, run_id) for path in one.kept)) for one in answer.run.findings
    )
    return replace(answer, run=replace(answer.run, findings=findings))


def _downloaded(path: str, run_id: str) -> str:
    _, found, name = path.rpartition(f"/{PROFILES}/")
    return f"{_target(run_id)}/{PROFILES}/{name}" if found else path


def _target(run_id: str) -> str:
    """Return the folder that a reader downloads a run's artifact to."""
    return f"memgate-{run_id}"


def summary(answer: Answer, footer: str) -> str:
    """Return the text of a job's summary."""
    return _page(answer, footer, most=_SUMMARY)


def comment(answer: Answer, footer: str, marker: str) -> str:
    """Return the text of a pull request's comment."""
    return _page(answer, footer, most=_COMMENT, marker=marker)


def _page(answer: Answer, footer: str, *, most: int, marker: str = "") -> str:
    end = f"\n{footer}\n" if footer else ""
    if answer.run:
        if not (answer.run.compared_with or answer.run.update):
            end = f"\n{_OF_ITSELF}\n{end}"
        return markdown(answer.run, most=most - len(end.encode()), marker=marker) + end
    head = f"### {SYMBOLS[answer.verdict]} memgate: {answer.verdict.upper()}"
    parts = [f"<!-- {marker} -->"] if marker else []
    return "\n\n".join([*parts, head, f"- **{markdown_text(answer.text[:2000])}**"]) + f"\n{end}"


def footer(job: Job, patch: Patch, reason: str, *, captures: bool) -> str:
    """Return the last lines: a link to the run, how to apply the patch, and where the captures are."""
    run, place = job.run_id, job.github.get("GITHUB_REPOSITORY", "")
    fetch = f"gh run download {run} -n {job.artifact} -D {_target(run)}"
    lines = []
    if patch.text:
        kinds = ", ".join(f"{sum(one.kind is kind for one in patch.changes)} {kind}" for kind in _kinds(patch))
        said = f"A patch of the baselines is in the artifact {markdown_code(job.artifact)} ({kinds})"
        lines.append(f"{said}: {markdown_code(f'{fetch} && git apply {_target(run)}/{PATCH}')}")
        if any(change.reason for change in patch.changes):
            lines.append(
                f"Its reason for what rises is {markdown_code(reason)}. Write a better one where it says too little."
            )
    elif captures:
        lines.append(f"The captures are in the artifact {markdown_code(job.artifact)}: {markdown_code(fetch)}")
    lines += [markdown_text(problem[:_PROBLEM_MOST]) for problem in patch.problems[:_PROBLEMS]]
    lines.append(link_to(job.github.get("GITHUB_SERVER_URL", ""), place, run))
    return "\n\n".join(line for line in lines if line)


def link_to(server: str, repository: str, run_id: str) -> str:
    """Return a link to a workflow's run, empty if it is not known."""
    known = _SERVER.fullmatch(server) and _PLACE.fullmatch(repository) and run_id.isdecimal()
    return f"[This run]({server}/{repository}/actions/runs/{run_id})" if known else ""


def _kinds(patch: Patch) -> Iterator[str]:
    yield from dict.fromkeys(change.kind for change in patch.changes)


def commands(run: Run, job: Job) -> list[str]:
    """Return the annotations of a run, as workflow commands."""
    root = job.root
    return annotations(run, most=_ANNOTATIONS, prefix=job.prefix, locate=lambda path, word: locate(root, path, word))


def write_html(run: Run, folder: Path) -> tuple[str, str]:
    """Write the page of a run; return its path, or an empty one and the reason."""
    try:
        write(html(run), folder / HTML)
    except MemgateError as error:
        return "", str(error)
    return str(folder / HTML), ""


def outputs(answer: Answer, folder: Path, *, page: str, patch: Patch, footer: str) -> dict[str, str]:
    """Return the step's outputs; a path is empty where there is no file."""
    run = folder / RUN
    return {
        "verdict": str(answer.verdict),
        "regressed": str(answer.regressed),
        "run-json": str(run) if run.is_file() else "",
        "html": page,
        "patch": str(folder / PATCH) if patch.text else "",
        "footer": footer,
    }


def command(level: str, text: str) -> str:
    """Return a workflow command with a message of the gate: `error`, `warning` or `notice`."""
    return f"::{level} title=memgate::{command_data(text)}"


def job_of(top: Path, root: Path, artifact: str, environ: Mapping[str, str] = os.environ) -> Job:
    """Return where this job runs."""
    names = ("GITHUB_RUN_ID", "GITHUB_REPOSITORY", "GITHUB_SERVER_URL")
    github = {name: environ[name] for name in names if name in environ}
    return Job(top=top, root=root, artifact=re.sub(r"[^\w.-]", "-", artifact), github=github)


def _digits(text: str) -> str:
    return text if text.isdecimal() else ""
