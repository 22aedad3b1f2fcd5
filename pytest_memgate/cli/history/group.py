"""The group of the commands on the history; each module beside this one adds its own."""

import click


@click.group()
def history() -> None:
    """Keep the values of all runs, and show how they moved from commit to commit."""
