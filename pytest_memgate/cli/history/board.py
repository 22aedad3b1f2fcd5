"""`memgate history build` and `memgate board`: the board as a static site, and served from the store."""

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


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to serve at.")
@click.option("--port", type=click.IntRange(0, 65535), default=8470, show_default=True, help="0 takes a free one.")
@click.option(
    "--token", default="", envvar="MEMGATE_BOARD_TOKEN", help="What a reader must have; also $MEMGATE_BOARD_TOKEN."
)
@store_options
@click.pass_obj
def board(root: Path, host: str, port: int, token: str, url: str, branch: str) -> None:
    """Serve the board of the store until it is interrupted; who reads it can change nothing."""
    from pytest_memgate.tasks.history.opened import open_as_stored
    from pytest_memgate.tasks.history.serve import Place, serve

    serve(lambda: open_as_stored(root, url=url, branch=branch), Place(host=host, port=port, token=token), click.echo)
