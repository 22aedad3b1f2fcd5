"""`memgate profile`: the memory that a test holds and allocates, by function, and its growth over another commit."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pytest_memgate.errors import UsageError
from pytest_memgate.model.profile import Sort

if TYPE_CHECKING:
    from pytest_memgate.tasks.profile.profile import Profiled


@click.command()
@click.argument("tests", nargs=-1, required=True, type=click.UNPROCESSED)
@click.option("--base", default="", metavar="REF|FILE", help="Show the difference to a git ref, or to a file of -o.")
@click.option(
    "--sort",
    type=click.Choice([one.value for one in Sort]),
    default=Sort.IN_USE_BYTES.value,
    show_default=True,
    help="The column to sort by, or, with --base, its growth.",
)
@click.option("--cum", is_flag=True, help="Sort by what a function holds with all that it calls.")
@click.option("--top", default=20, show_default=True, type=click.IntRange(min=1), help="How many functions to show.")
@click.option("--retained", is_flag=True, help="In use is what is live after the call, instead of at the peak.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Save the profile as JSON.")
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="Write a page with an icicle.")
@click.pass_obj
def profile(
    root: Path,
    tests: tuple[str, ...],
    base: str,
    sort: str,
    cum: bool,
    top: int,
    retained: bool,
    output: Path | None,
    html: Path | None,
) -> None:
    """Show what TESTS hold at the peak of their second run, and what they allocate, by function.

    TESTS go to pytest as they are; put its options behind --.
    """
    from pytest_memgate.report.html.render import check_libraries
    from pytest_memgate.tasks.profile.profile import profile as measure

    if cum and base:
        raise UsageError("--cum has no meaning with --base", hint="a difference is shown with its call chains")
    if html:
        check_libraries("the page of a profile")
    try:
        found = measure(root, Path.cwd(), tests, base)
    except KeyboardInterrupt:
        click.echo("memgate: interrupted", err=True)
        sys.exit(130)
    for line in _lines(found, Sort(sort), top, cum=cum, retained=retained):
        click.echo(line)
    _save(found, output, html, retained=retained)
    if problems := found.problems():
        for problem in problems:
            click.echo(f"memgate: {problem}", err=True)
        sys.exit(3)


def _lines(found: "Profiled", sort: Sort, top: int, *, cum: bool, retained: bool) -> Iterator[str]:
    from pytest_memgate.report.profile import growth_lines, profile_lines

    if found.base is None:
        for one in found.head.tests:
            yield from profile_lines(one, sort, top, cum=cum, retained=retained)
        return
    for growth in found.growth(sort, retained=retained):
        yield from growth_lines(growth, sort, found.base_name, top, retained=retained)


def _save(found: "Profiled", output: Path | None, html: Path | None, *, retained: bool) -> None:
    if output:
        from pytest_memgate.tasks.profile.file import write_profile

        write_profile(found.head, output)
        click.echo(f"wrote {output}")
    if html:
        from pytest_memgate.report.html.icicle import icicle
        from pytest_memgate.tasks.run.report import write

        write(icicle(found.head, found.base, found.base_name, retained=retained), html)
        click.echo(f"wrote {html}")
