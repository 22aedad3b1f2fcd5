"""The group of the commands on the history."""

import importlib.util

import click

from pytest_memgate.cli.history.board import build
from pytest_memgate.cli.history.changes import ack, check, confirm
from pytest_memgate.cli.history.export import export
from pytest_memgate.cli.history.show import digest, mark, rename, show
from pytest_memgate.cli.history.store import add, backfill, move, prune, sync
from pytest_memgate.errors import UsageError


@click.group()
def history() -> None:
    """Keep the values of all runs, and show how they moved from commit to commit."""
    if missing := [name for name in ("sqlalchemy", "alembic") if importlib.util.find_spec(name) is None]:
        raise UsageError(f"a history needs {missing[0]}", hint="pip install 'pytest-memgate[history]'")


history.add_command(ack)
history.add_command(add)
history.add_command(backfill)
history.add_command(check)
history.add_command(confirm)
history.add_command(build)
history.add_command(export)
history.add_command(move)
history.add_command(prune)
history.add_command(sync)
history.add_command(show)
history.add_command(digest)
history.add_command(mark)
history.add_command(rename)
