"""`memgate history show`, `digest`, `mark` and `rename`: what people read of a history, and what they add to it."""

import sys
from pathlib import Path

import click

from pytest_memgate.cli.history.store import store_options


@click.command()
@click.argument("names", nargs=-1, metavar="[TEST|METRIC]...")
@click.option(
    "--since",
    default="100",
    show_default=True,
    metavar="N|REF|DAY",
    help="Only the last N commits, those after a commit, or from a day on.",
)
@click.option("--top", type=click.Choice(["growth", "slack", "noise"]), help="Those first that have most of it.")
@click.option("-n", "number", type=click.IntRange(min=1), default=20, show_default=True, help="At most so many series.")
@store_options
@click.pass_obj
def show(root: Path, names: tuple[str, ...], since: str, top: str | None, number: int, url: str, branch: str) -> None:
    """Show series in the terminal: a line for each, the newest change first, or all of one that NAMES single out.

    A name is a test, a file, a folder, a pattern, a metric or a family of metrics; several narrow each other down.
    """
    import shutil

    from pytest_memgate.report.history.row import Order
    from pytest_memgate.report.history.sparkline import plain
    from pytest_memgate.tasks.history.opened import open_history
    from pytest_memgate.tasks.history.show import Wanted
    from pytest_memgate.tasks.history.show import show as lines_of

    wanted = Wanted(names=names, since=since, order=Order(top or "newest"), number=number)
    width = shutil.get_terminal_size((140, 24)).columns
    lines = lines_of(open_history(root, url=url, branch=branch), wanted, width=width)
    for at, line in enumerate(lines):
        text = line if _can_draw() else plain(line)
        click.secho(text, bold=at == 0) if at == 0 else click.echo(text)


def _can_draw() -> bool:
    """True if the terminal has the blocks of a sparkline."""
    try:
        "▁█▔·≤…".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


@click.command()
@click.option("--month", metavar="YYYY-MM", help="The commits of a month, with an agenda for its review.")
@click.option(
    "--day", is_flag=False, flag_value="", metavar="[DAY]", help="Of a day; without one, the newest commit's."
)
@click.option("--since", metavar="REF", help="The commits after REF.")
@click.option("--format", "form", type=click.Choice(["markdown", "html"]), default="markdown", show_default=True)
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="A file, instead of the screen.")
@store_options
@click.pass_obj
def digest(
    root: Path,
    month: str | None,
    day: str | None,
    since: str | None,
    form: str,
    output: Path | None,
    url: str,
    branch: str,
) -> None:
    """Write what moved in a period, and what is about to: by default, in the month of the newest commit."""
    from datetime import date

    from pytest_memgate.tasks.history.digest import Wanted
    from pytest_memgate.tasks.history.digest import digest as make
    from pytest_memgate.tasks.history.opened import open_history
    from pytest_memgate.tasks.run.report import write

    wanted = Wanted(month=month, day=day, since=since)
    text = make(open_history(root, url=url, branch=branch), wanted, form, date.today())  # noqa: DTZ011  # as the gate
    if output:
        write(text, output)
        click.echo(f"wrote {output}")
    else:
        click.echo(text, nl=False)


@click.command()
@click.argument("text")
@click.option("--commit", "ref", default="HEAD", show_default=True, metavar="REF", help="The commit that is marked.")
@click.option("--sync", "with_sync", is_flag=True, help="Then exchange what is new with the remote `origin`.")
@store_options
@click.pass_obj
def mark(root: Path, text: str, ref: str, with_sync: bool, url: str, branch: str) -> None:
    """Mark a commit of the default branch with TEXT: a release, or a deployment."""
    from pytest_memgate.tasks.history.mark import mark as put
    from pytest_memgate.tasks.history.opened import open_history
    from pytest_memgate.tasks.history.runs.sync import sync

    opened = open_history(root, url=url, branch=branch)
    click.echo(put(opened, text, ref))
    if with_sync:
        click.echo(f"memgate: {sync(opened)}")


@click.command()
@click.argument("old")
@click.argument("new")
@store_options
@click.pass_obj
def rename(root: Path, old: str, new: str, url: str, branch: str) -> None:
    """Let the past of OLD go on as NEW, two tests, files or folders: written into memgate.yml."""
    from pytest_memgate.tasks.history.opened import open_history
    from pytest_memgate.tasks.history.rename import rename as write

    click.echo(write(open_history(root, url=url, branch=branch), old, new))
