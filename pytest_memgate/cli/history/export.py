"""`memgate history export`: the history for a board that is there already."""

from pathlib import Path

import click

from pytest_memgate.cli.history.store import store_options


@click.command()
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="A file, instead of the screen.")
@store_options
@click.pass_obj
def export(root: Path, output: Path | None, url: str, branch: str) -> None:
    """Write the values of all commits, at their times, in OpenMetrics text: for Prometheus, by promtool."""
    from pytest_memgate.tasks.history.export import export as make
    from pytest_memgate.tasks.history.opened import open_history
    from pytest_memgate.tasks.run.report import write

    text = make(open_history(root, url=url, branch=branch))
    if output:
        write(text, output)
        click.echo(f"wrote {output}")
    else:
        click.echo(text, nl=False)
