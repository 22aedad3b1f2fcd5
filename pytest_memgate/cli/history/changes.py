"""`memgate history check`, `ack` and `confirm`: what changed, for certain."""

import sys
from pathlib import Path

import click

from pytest_memgate.cli.history.store import store_options


@click.command()
@click.option("--since", default="", metavar="REF", help="Only changes at commits after this one.")
@click.option("--all", "is_all", is_flag=True, help="Those that are accepted, ended or improvements, too.")
@store_options
@click.pass_obj
def check(root: Path, since: str, is_all: bool, url: str, branch: str) -> None:
    """List changes; exit with 1 if there is growth that is confirmed and that nobody has explained."""
    from pytest_memgate.tasks.history.changes import Shown
    from pytest_memgate.tasks.history.changes import check as look
    from pytest_memgate.tasks.history.opened import open_history

    opened = open_history(root, url=url, branch=branch)
    sys.exit(look(opened, Shown(since=since, is_all=is_all), click.echo, _grey))


@click.command()
@click.argument("change")
@click.option("--reason", required=True, metavar="TEXT", help="Why the values changed.")
@store_options
@click.pass_obj
def ack(root: Path, change: str, reason: str, url: str, branch: str) -> None:
    """Acknowledge CHANGE, an id that `memgate history check` prints, with a reason."""
    from pytest_memgate.tasks.history.changes import acknowledge
    from pytest_memgate.tasks.history.opened import open_history

    acknowledge(open_history(root, url=url, branch=branch), change, reason, click.echo)


@click.command()
@click.argument("changes", metavar="[CHANGE]...", nargs=-1)
@store_options
@click.pass_obj
def confirm(root: Path, changes: tuple[str, ...], url: str, branch: str) -> None:
    """Measure both commits of each unconfirmed change in turn, on this machine, and store the answer."""
    from pytest_memgate.tasks.history.confirm import confirm as measure
    from pytest_memgate.tasks.history.opened import open_history

    if measure(open_history(root, url=url, branch=branch), changes, click.echo):
        sys.exit(3)


def _grey(text: str) -> None:
    click.secho(text, dim=True)
