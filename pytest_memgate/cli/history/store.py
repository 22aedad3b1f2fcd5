"""`memgate history add`: fill the store."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

F = TypeVar("F", bound=Callable[..., object])


def store_options(command: F) -> F:
    """Add the options that name a store, for each command that opens one."""
    with_branch = click.option("--branch", default="", help="The default branch, where git does not tell.")(command)
    return click.option(
        "--store",
        "url",
        default="",
        metavar="URL",
        help="Another store: postgresql+psycopg://host/name, sqlite:///FILE; also $MEMGATE_HISTORY_STORE.",
    )(with_branch)


@click.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@store_options
@click.pass_obj
def add(root: Path, runs: tuple[Path, ...], url: str, branch: str) -> None:
    """Store the values of RUNS, files of --memgate-report; one that is there already is passed over."""
    from pytest_memgate.tasks.history.add import add as store
    from pytest_memgate.tasks.history.opened import open_history

    store(open_history(root, url=url, branch=branch), runs, click.echo)


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("commits", metavar="FIRST..LAST")
@click.option("--every", type=click.IntRange(min=1), default=1, help="Only each Nth commit, counted from the last one.")
@click.argument("pytest_args", nargs=-1, type=click.UNPROCESSED)
@store_options
@click.pass_obj
def backfill(root: Path, commits: str, every: int, pytest_args: tuple[str, ...], url: str, branch: str) -> None:
    """Measure commits of the default branch, from FIRST to LAST, that have no run yet; PYTEST_ARGS go to pytest."""
    from pytest_memgate.tasks.history.backfill import Backfill
    from pytest_memgate.tasks.history.backfill import backfill as measure
    from pytest_memgate.tasks.history.opened import open_history

    wanted = Backfill(commits=commits, every=every, args=pytest_args)
    failed = measure(open_history(root, url=url, branch=branch), Path.cwd(), wanted, click.echo)
    if failed:
        sys.exit(3)
