"""`memgate history add`: fill the store."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

from pytest_memgate.units import counted

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
@click.option("--sync", "with_sync", is_flag=True, help="Exchange what is new with `origin`, before and after.")
@store_options
@click.pass_obj
def add(root: Path, runs: tuple[Path, ...], with_sync: bool, url: str, branch: str) -> None:
    """Store the values of RUNS, files of --memgate-report; one that is there already is passed over."""
    from pytest_memgate.tasks.history.opened import open_history
    from pytest_memgate.tasks.history.runs.add import add as store
    from pytest_memgate.tasks.history.runs.sync import sync as exchange

    opened = open_history(root, url=url, branch=branch)
    if with_sync:  # first, too: a run is stored as a difference to those that are there
        exchange(opened)
    store(opened, runs, click.echo)
    if with_sync:
        click.echo(f"memgate: {exchange(opened)}")


@click.command()
@click.option("--remote", help="Another remote than origin; an empty name keeps all in this repository.")
@store_options
@click.pass_obj
def sync(root: Path, remote: str | None, url: str, branch: str) -> None:
    """Exchange runs with other jobs by the git ref refs/memgate/history: fetch, store what is new, push the rest."""
    from pytest_memgate.tasks.history.opened import open_history
    from pytest_memgate.tasks.history.runs.sync import sync as exchange

    click.echo(f"memgate: {exchange(open_history(root, url=url, branch=branch), remote)}")


@click.command()
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
def move(source: str, target: str) -> None:
    """Bring all runs from one store to another: FROM and TO are SQLite files or URLs, as --store takes."""
    from pytest_memgate.tasks.history.runs.move import move as bring

    click.echo(f"memgate: {bring(source, target)}")


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("commits", metavar="FIRST..LAST")
@click.option("--every", type=click.IntRange(min=1), default=1, help="Only each Nth commit, counted from the last one.")
@click.argument("pytest_args", nargs=-1, type=click.UNPROCESSED)
@store_options
@click.pass_obj
def backfill(root: Path, commits: str, every: int, pytest_args: tuple[str, ...], url: str, branch: str) -> None:
    """Measure commits of the default branch, from FIRST to LAST, that have no run yet; PYTEST_ARGS go to pytest."""
    from pytest_memgate.tasks.history.opened import open_history
    from pytest_memgate.tasks.history.runs.backfill import Backfill
    from pytest_memgate.tasks.history.runs.backfill import backfill as measure

    wanted = Backfill(commits=commits, every=every, args=pytest_args)
    failed = measure(open_history(root, url=url, branch=branch), Path.cwd(), wanted, click.echo)
    if failed:
        sys.exit(3)


@click.command()
@click.option("--before", required=True, metavar="REF", help="Runs of commits before this one.")
@click.option("--yes", is_flag=True, help="Do it; without it, only what would go is told.")
@store_options
@click.pass_obj
def prune(root: Path, before: str, yes: bool, url: str, branch: str) -> None:
    """Take old runs out of the store; those at releases and changes stay, and the git ref keeps all of them."""
    from pytest_memgate.tasks.history.opened import open_history
    from pytest_memgate.tasks.history.runs.prune import planned
    from pytest_memgate.tasks.history.runs.prune import prune as take_out

    opened = open_history(root, url=url, branch=branch)
    pruning = planned(opened, before)
    click.echo(f"memgate: {pruning}")
    if not yes:
        click.echo("memgate: nothing was dropped: --yes does it")
    elif pruning.drop:
        take_out(opened, pruning)
        click.echo(f"memgate: dropped {counted(len(pruning.drop), 'run')}")
