"""`memgate compare`: the work tree against a git ref, both measured now, on this machine."""

import sys
from pathlib import Path

import click


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("base")
@click.argument("pytest_args", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def compare(root: Path, base: str, pytest_args: tuple[str, ...]) -> None:
    """Measure BASE, a git ref, and then the work tree, and judge by that: no baseline is needed.

    PYTEST_ARGS go to pytest, on both sides.
    """
    from pytest_memgate.tasks.compare.compare import compare as measure

    try:
        sys.exit(measure(root, Path.cwd(), base, pytest_args, click.echo))
    except KeyboardInterrupt:
        click.echo("memgate: interrupted", err=True)
        sys.exit(130)
