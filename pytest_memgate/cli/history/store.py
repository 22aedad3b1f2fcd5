"""`memgate history add`: fill the store."""

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
