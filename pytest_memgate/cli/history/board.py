"""`memgate history build`: the board as a static site."""

from pathlib import Path

import click

from pytest_memgate.cli.history.store import store_options


@click.command()
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), help="The folder of the site, made or replaced."
)
@store_options
@click.pass_obj
def build(root: Path, output: Path, url: str, branch: str) -> None:
    """Write the board: a static site of all charts, which opens from its files without a server."""
    from pytest_memgate.tasks.history.build import build as write
    from pytest_memgate.tasks.history.build import read_board
    from pytest_memgate.tasks.history.opened import open_history
    from pytest_memgate.units import counted

    past, changes = read_board(open_history(root, url=url, branch=branch))
    write(past, changes, output)
    click.echo(f"wrote {counted(len(past.charts), 'series', 'series')} to {output / 'index.html'}")
