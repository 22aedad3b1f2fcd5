"""`memgate baseline …`: make, accept, show, check, rename and anchor baselines."""

import sys
from pathlib import Path

import click

from pytest_memgate.errors import UsageError
from pytest_memgate.units import counted

_KINDS = click.Choice(["all", "new", "raised", "lowered", "removed"])


def _reason(_: click.Context, __: click.Parameter, text: str) -> str:
    """Return a reason given with `--reason`; raises UsageError for one without a letter in it."""
    from pytest_memgate.model.judgement.reference import is_reason

    if text and not is_reason(text):
        raise UsageError(f"--reason {text!r} has no letter in it", hint="say why values rise")
    return text


@click.group()
def baseline() -> None:
    """Make, accept, show, check, rename and anchor baselines."""


@baseline.command(context_settings={"ignore_unknown_options": True})
@click.option("--reason", default="", callback=_reason, help="Why values rise; no value is raised without it.")
@click.option("--only", multiple=True, type=_KINDS, help="Make changes of this kind only; may be given again.")
@click.argument("pytest_args", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def update(root: Path, reason: str, only: tuple[str, ...], pytest_args: tuple[str, ...]) -> None:
    """Run pytest, with PYTEST_ARGS, and store what the tests measure."""
    from pytest_memgate.tasks.baseline.run_pytest import run_update

    sys.exit(run_update(root, pytest_args, only=only or ("all",), reason=reason))


@baseline.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("tests", nargs=-1)
@click.option("--reason", default="", callback=_reason, help="Why values rise; no value is raised without it.")
@click.option("--only", multiple=True, type=_KINDS, help="Make changes of this kind only; may be given again.")
@click.pass_obj
def accept(root: Path, run: Path, tests: tuple[str, ...], reason: str, only: tuple[str, ...]) -> None:
    """Store the values of a RUN's file (--memgate-report) without running anything: of TESTS, or of all that it has."""
    from pytest_memgate.report.lines import change_line
    from pytest_memgate.tasks.baseline.accept import accept as store
    from pytest_memgate.tasks.run.file import read_run

    done = store(root, read_run(run), tests, reason=reason, only=only, run_file=str(run))
    for change in done.changes:
        click.echo(change_line(change))
    if not done.changes and not done.problems:
        click.echo("baselines unchanged: they already say this")
    for problem in done.problems:
        click.echo(f"memgate: {problem.text}" + (f"; {problem.hint}" if problem.hint else ""), err=True)
    sys.exit(max((problem.verdict.exit_code for problem in done.problems), default=0))


@baseline.command()
@click.argument("tests", nargs=-1)
@click.option("--environment", help="Another environment than this one.")
@click.pass_obj
def show(root: Path, tests: tuple[str, ...], environment: str | None) -> None:
    """Print the baselines of TESTS, or of all; a test's name or a pattern like tests/etl/**."""
    from pytest_memgate.report.lines import entry_lines
    from pytest_memgate.tasks.baseline.show import entries

    for subject, metric, reference in entries(root, tests, environment):
        for line in entry_lines(subject, metric, reference, sites=bool(tests)):
            click.echo(line)


@baseline.command()
@click.pass_obj
def check(root: Path) -> None:
    """Check every baseline file: readable, in the form that updates write, and of a test file that is there."""
    from pytest_memgate.tasks.baseline.check import check as examine

    result = examine(root)
    for fault in result.faults:
        click.echo(f"memgate: {fault.text}", err=True)
    files, entries = counted(result.files, "baseline file"), counted(result.entries, "entry", "entries")
    click.echo(f"{files}, {entries}, {counted(len(result.faults), 'fault')}")
    sys.exit(max((fault.exit_code for fault in result.faults), default=0))


@baseline.command()
@click.argument("old")
@click.argument("new")
@click.pass_obj
def rename(root: Path, old: str, new: str) -> None:
    """Move the baselines of OLD to NEW: of a test, a class, a file or a folder, in all environments."""
    from pytest_memgate.report.lines import change_line
    from pytest_memgate.tasks.baseline.rename import rename as move

    for change in move(root, old, new):
        click.echo(change_line(change))


@baseline.command()
@click.argument("tests", nargs=-1)
@click.option("--reason", default="", callback=_reason, help="Why the growth so far is right.")
@click.pass_obj
def anchor(root: Path, tests: tuple[str, ...], reason: str) -> None:
    """Pin today's values of TESTS, or of all, as the anchor that drift is counted from."""
    from pytest_memgate.report.lines import change_line
    from pytest_memgate.tasks.baseline.anchor import pin

    changes = pin(root, tests, reason)
    for change in changes:
        click.echo(change_line(change))
    if not changes:
        click.echo("nothing to pin: no value is above its anchor")
