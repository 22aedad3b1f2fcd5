"""`memgate ci …`: the steps of the GitHub Action; each takes its inputs from the environment, as texts."""

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from pytest_memgate.errors import MemgateError, UsageError

_PROBLEM_MOST = 2000  # characters: the text is passed on in an environment variable
_Step = Callable[..., None]


def _input(name: str, default: str = "") -> Callable[[_Step], _Step]:
    """Return an option that the action gives as a variable of the environment."""
    return click.option(f"--{name}", envvar=f"MEMGATE_CI_{name.upper().replace('-', '_')}", default=default)


def _left(step: _Step) -> _Step:
    """Add the options for what the earlier steps have left."""
    for name in ("said", "ended", "code", "problem", "folder"):
        step = _input(name)(step)
    return step


@click.group(hidden=True)
def ci() -> None:
    """The steps of the GitHub Action."""


@ci.command()
@_input("working-directory")
@_input("pytest-args")
@_input("base")
@_input("merge")
@_input("against", "auto")
@_input("strict", "true")
@_input("comment", "false")
@_input("fail", "true")
@_input("install")
def plan(
    working_directory: str, pytest_args: str, base: str, merge: str, against: str, install: str, **flags: str
) -> None:
    """Look at the inputs, and find the commit to judge against."""
    from pytest_memgate.tasks.ci import inputs as ci_inputs
    from pytest_memgate.tasks.ci.plan import find_base

    folder = Path(tempfile.mkdtemp(prefix="memgate-", dir=os.environ.get("RUNNER_TEMP")))
    _write({"folder": str(folder)})
    with _Problem():
        where = ci_inputs.folder(_workspace(), working_directory)
        ci_inputs.pytest_words(pytest_args)
        ci_inputs.words("install", install)
        for name, text in flags.items():
            ci_inputs.flag(name, text)
        ci_inputs.against(against)
        given = ci_inputs.ref(base)
        if ci_inputs.words("merge", merge):
            return  # the parts say themselves what they were compared with
        found = find_base(_event(), _checkout(where), given)
        click.echo(f"memgate: compared with {', '.join(filter(None, (found.commit[:12], found.why)))}")
        _write({"base": found.commit})


@ci.command()
@_input("working-directory")
@_input("install")
@_input("merge")
def install(working_directory: str, install: str, merge: str) -> None:
    """Install the plugin, and what the workflow names, into the job's Python."""
    from pytest_memgate.tasks.ci import inputs as ci_inputs
    from pytest_memgate.tasks.ci.install import install as put_in

    with _Problem():
        if not ci_inputs.words("merge", merge):  # parts are judged without a test run
            where = ci_inputs.folder(_workspace(), working_directory)
            put_in(_file("GITHUB_ACTION_PATH"), where, ci_inputs.words("install", install))


@ci.command()
@_input("working-directory")
@_input("pytest-args")
@_input("base")
@_input("merge")
@_input("against", "auto")
@_input("strict", "true")
@_input("folder")
def run(
    working_directory: str, pytest_args: str, base: str, merge: str, against: str, strict: str, folder: str
) -> None:
    """Run the tests under the gate, or put the runs of other jobs together."""
    from pytest_memgate.report.terminal import summary
    from pytest_memgate.tasks.ci import inputs as ci_inputs
    from pytest_memgate.tasks.ci.child import deaf, run_apart
    from pytest_memgate.tasks.ci.merge import merge_parts
    from pytest_memgate.tasks.ci.pytest_step import RUN, pytest_command

    with _Problem():
        where = ci_inputs.folder(_workspace(), working_directory)
        root = _root(where)
        if parts := ci_inputs.words("merge", merge):
            whole = merge_parts(root, _workspace(), parts, Path(folder) / RUN)
            with deaf():
                click.echo("\n".join(line.text for line in summary(whole)))
            return
        args = ci_inputs.pytest_words(pytest_args)
        command = pytest_command(
            root,
            Path(folder),
            args,
            base=base,
            against=ci_inputs.against(against),
            strict=ci_inputs.flag("strict", strict),
        )
        ended = run_apart(command, where)
        _write({"ended": str(ended.code), "said": ended.said})


@ci.command()
@_left
@_input("working-directory")
@_input("artifact", "memgate")
def report(working_directory: str, artifact: str, **left: str) -> None:
    """Write the summary, the annotations, the artifact's files and the outputs."""
    from pytest_memgate.github.files import write_outputs, write_summary
    from pytest_memgate.tasks.ci import report as ci_report
    from pytest_memgate.tasks.ci.outcome import answer
    from pytest_memgate.tasks.run.report import write

    found = answer(_what(left))
    folder = Path(left["folder"])
    job, patch, reason = _patched(working_directory, artifact, found.run)
    found = ci_report.as_downloaded(found, job.run_id)
    captures = any(finding.kept for finding in found.run.findings) if found.run else False
    footer = ci_report.footer(job, patch, reason, captures=captures)
    html = why = ""
    if found.run:
        html, why = ci_report.write_html(found.run, folder)
        for line in ci_report.commands(found.run, job):
            click.echo(line)
    if why:
        click.echo(ci_report.command("notice", f"no HTML report: {why}"))
    if patch.text:
        write(patch.text.decode(), folder / ci_report.PATCH)
    write_summary(_file("GITHUB_STEP_SUMMARY"), ci_report.summary(found, footer))
    write_outputs(_file("GITHUB_OUTPUT"), ci_report.outputs(found, folder, page=html, patch=patch, footer=footer))


@ci.command()
@_left
@_input("artifact", "memgate")
@_input("footer")
def comment(artifact: str, footer: str, **left: str) -> None:
    """Write or renew the comment on the pull request: of this job, or of the one that this workflow follows."""
    from pytest_memgate.github.event import WORKFLOW_RUN
    from pytest_memgate.tasks.ci.comment import comment_elsewhere, comment_here
    from pytest_memgate.tasks.ci.outcome import answer
    from pytest_memgate.tasks.ci.report import as_downloaded, command, link_to

    event = _event()
    if event.name == WORKFLOW_RUN:
        footer = link_to(os.environ.get("GITHUB_SERVER_URL", ""), event.repository, str(event.run))
        found = as_downloaded(answer(_what(_downloaded(left))), str(event.run))
        said = comment_elsewhere(_client(), event, found, footer, artifact)
    else:
        found = as_downloaded(answer(_what(left)), os.environ.get("GITHUB_RUN_ID", ""))
        said = comment_here(_client(), event, found, footer, artifact)
    click.echo(command("notice", said) if said.startswith("no comment") else said)


@ci.command()
@_left
@_input("fail", "true")
def gate(fail: str, **left: str) -> None:
    """Decide: the one step whose exit code is the verdict."""
    from pytest_memgate.tasks.ci import inputs as ci_inputs
    from pytest_memgate.tasks.ci.outcome import answer
    from pytest_memgate.tasks.ci.report import command

    found = answer(_what(left))
    if not found.code:
        click.echo(f"memgate: {found.text}")
        return
    # A growth may be let through by whoever asks for that; a gate that gives no answer is broken.
    lets_through = found.code == 1 and not ci_inputs.flag("fail", fail)
    click.echo(command("warning" if lets_through else "error", found.text))
    sys.exit(0 if lets_through else found.code)


class _Problem:
    """Keeps a user's mistake for the gate step, which alone decides: reports are made of it first."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if not isinstance(error, MemgateError):
            return False
        _write({"problem": str(error)[:_PROBLEM_MOST], "code": str(error.exit_code)})
        return True


def _what(left: dict[str, str]) -> Any:
    from pytest_memgate.tasks.ci.outcome import Left

    code = int(left["code"]) if left["code"].isdecimal() else 2
    folder = Path(left["folder"]) if left["folder"] else None
    return Left(folder=folder, problem=left["problem"], code=code, ended=left["ended"], said=left["said"])


def _downloaded(left: dict[str, str]) -> dict[str, str]:
    """Return what another workflow has left: a run, or the reason why there is none."""
    from pytest_memgate.tasks.ci.pytest_step import RUN

    if left["folder"] and Path(left["folder"], RUN).exists():
        return left
    return {**left, "problem": "the gate left no run: see the log of its job", "code": "3"}


def _patched(working_directory: str, artifact: str, run: Any) -> Any:
    """Return the job, the patch of its baselines, and the reason in it."""
    from pytest_memgate.tasks.ci import inputs as ci_inputs
    from pytest_memgate.tasks.ci.patch import Patch, make_patch, reason_of
    from pytest_memgate.tasks.ci.report import job_of

    try:
        root = _root(ci_inputs.folder(_workspace(), working_directory))
        top = _checkout(root).top()
    except MemgateError:
        return job_of(_workspace(), _workspace(), artifact), Patch(b""), ""
    job = job_of(top, root, artifact)
    reason = reason_of(_event(), job.run_id)
    return job, make_patch(root, top, run, reason) if run else Patch(b""), reason


def _root(where: Path) -> Path:
    from pytest_memgate.cli.root import find_root

    return find_root(where).resolve()


def _checkout(where: Path) -> Any:
    from pytest_memgate.github.checkout import Checkout

    return Checkout(where, token=os.environ.get("GITHUB_TOKEN", ""))


def _event() -> Any:
    from pytest_memgate.github.event import read_event

    path = os.environ.get("GITHUB_EVENT_PATH", "")
    return read_event(os.environ.get("GITHUB_EVENT_NAME", ""), Path(path) if path else None)


def _client() -> Any:
    from pytest_memgate.github.client import Client

    token = os.environ.get("GITHUB_TOKEN", "")
    if not token:
        raise UsageError("GITHUB_TOKEN is not set", hint="give the input github-token")
    return Client(os.environ.get("GITHUB_API_URL", "https://api.github.com"), token)


def _workspace() -> Path:
    return Path(os.environ.get("GITHUB_WORKSPACE", ".")).resolve()


def _write(values: dict[str, str]) -> None:
    from pytest_memgate.github.files import write_outputs

    write_outputs(_file("GITHUB_OUTPUT"), values)


def _file(name: str) -> Path:
    if not os.environ.get(name):
        raise UsageError(f"{name} is not set", hint="`memgate ci` runs as a step of GitHub Actions")
    return Path(os.environ[name])
