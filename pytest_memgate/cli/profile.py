"""`memgate profile`: what a test holds and allocates, by function, and what that is more than in another commit."""

import sys
from pathlib import Path

import click

from pytest_memgate.errors import UsageError
from pytest_memgate.model.profile import Sort


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
    from pytest_memgate.report.profile import growth_lines, profile_lines
    from pytest_memgate.tasks.profile import profile as measure
    from pytest_memgate.tasks.profile_file import write_profile

    if cum and base:
        raise UsageError("--cum has no meaning with --base", hint="a difference is shown with its call chains")
    if html:
        from pytest_memgate.report.html import check_libraries

        check_libraries("the page of a profile")
    try:
        found = measure(root, Path.cwd(), tests, base)
    except KeyboardInterrupt:
        click.echo("memgate: interrupted", err=True)
        sys.exit(130)
    if output:
        write_profile(found.head, output)
    column = Sort(sort)
    if base:
        growths = found.growth(column, retained=retained)
        for line in (line for one in growths for line in growth_lines(one, column, base, top, retained=retained)):
            click.echo(line)
    else:
        for line in (
            line for one in found.head.tests for line in profile_lines(one, column, top, cum=cum, retained=retained)
        ):
            click.echo(line)
    if output:
        click.echo(f"wrote {output}")
    if html:
        from pytest_memgate.report.icicle import icicle
        from pytest_memgate.tasks.report import write

        write(icicle(found.head, found.base, base, retained=retained), html)
        click.echo(f"wrote {html}")
    if problems := found.problems():
        for problem in problems:
            click.echo(f"memgate: {problem}", err=True)
        sys.exit(3)
