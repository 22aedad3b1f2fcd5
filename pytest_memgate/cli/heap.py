"""`memgate heap`: what a running program holds, and what has grown between two moments, by function."""

from pathlib import Path

import click

from pytest_memgate.errors import MeasureError, UsageError
from pytest_memgate.model.profile import Profile, Sort, TestProfile

_EXTRA = 'pip install "pytest-memgate[services]"'
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.group()
def heap() -> None:
    """Look into the heap of a running program, Python or Go: take two snapshots, and show what grew."""


@heap.command()
@click.argument("program")
@click.option("-o", "--output", type=_FILE, required=True, help="Where to write it, in the format pprof.")
@click.option("--token", envvar="MEMGATE_LIVE_TOKEN", default="", help="That of the program, or MEMGATE_LIVE_TOKEN.")
def snapshot(program: str, output: Path, token: str) -> None:
    """Write what a running PROGRAM holds now, after a garbage collection.

    PROGRAM is its URL, the id of its process, or a part of its command line. It needs a page that tells its heap: of
    pytest_memgate.live with --heap (Python), or of net/http/pprof (Go).
    """
    from pytest_memgate.measure.heap.fetch import fetch_heap

    data, page = fetch_heap(program, token)
    total = _read(data, page).total(retained=False).in_use
    try:
        output.write_bytes(data)
    except OSError as error:
        raise UsageError(f"{output}: {error.strerror}") from error
    click.echo(f"wrote {output}: {_size(total.bytes)} in {total.objects} objects, of {page}")


@heap.command()
@click.argument("before", type=_FILE)
@click.argument("after", type=_FILE)
@click.option(
    "--sort",
    type=click.Choice([one.value for one in Sort]),
    default=Sort.IN_USE_BYTES.value,
    show_default=True,
    help="The column by whose growth to sort.",
)
@click.option("--top", default=20, show_default=True, type=click.IntRange(min=1), help="How many functions to show.")
@click.option("--html", type=_FILE, help="Write a page with an icicle, coloured by growth.")
def diff(before: Path, after: Path, sort: str, top: int, html: Path | None) -> None:
    """Show which functions hold more in AFTER than in BEFORE, two files of the format pprof, with their callers."""
    from pytest_memgate.compare.profile import profile_growth
    from pytest_memgate.report.html.render import check_libraries
    from pytest_memgate.report.profile import growth_lines

    if html:
        check_libraries("the page of a heap")
    olds, news = (_read(_content(path), path.name) for path in (before, after))
    column = Sort(sort)
    growth = profile_growth(olds, news, column, retained=False)
    for line in growth_lines(growth, column, before.name, top, retained=False, is_live=True):
        click.echo(line)
    if html:
        from dataclasses import replace

        from pytest_memgate.measure.python.environment import here
        from pytest_memgate.report.html.icicle import icicle
        from pytest_memgate.tasks.run.report import write

        base, head = (Profile(environment=here(), tests=(replace(one, test=after.name),)) for one in (olds, news))
        write(icicle(head, base, before.name), html)
        click.echo(f"wrote {html}")


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise MeasureError(f"{path}: {error.strerror}") from error


def _read(data: bytes, name: str) -> TestProfile:
    try:
        from pytest_memgate.measure.heap.pprof import read_pprof
    except ImportError as error:
        raise UsageError("memgate heap needs protobuf, which is not installed", hint=_EXTRA) from error
    return read_pprof(data, name)


def _size(number: int) -> str:
    from pytest_memgate.units import format_size

    return format_size(number)
