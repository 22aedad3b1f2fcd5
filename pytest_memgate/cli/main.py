"""The `memgate` command: exit codes 0 passed, 1 the gate says no, 2 usage or configuration, 3 no answer."""

import sys
from pathlib import Path

import click

from pytest_memgate import __version__
from pytest_memgate.cli.baseline import baseline
from pytest_memgate.cli.ci import ci
from pytest_memgate.cli.compare import compare
from pytest_memgate.cli.heap import heap
from pytest_memgate.cli.history.board import board
from pytest_memgate.cli.history.group import history
from pytest_memgate.cli.profile import profile
from pytest_memgate.cli.proof import calibrate, selftest
from pytest_memgate.cli.root import find_root
from pytest_memgate.errors import MemgateError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="memgate")
@click.option(
    "--root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The project's folder; found from the current one by default.",
)
@click.pass_context
def cli(context: click.Context, root: Path | None) -> None:
    """A performance gate for pytest: `pytest --memgate` judges, this command keeps its baselines and shows its runs."""
    context.obj = root.resolve() if root else find_root(Path.cwd())


@cli.command()
@click.option(
    "--from",
    "source",
    type=click.Path(path_type=Path),
    help="A lighthouserc: its pages, server, settings and limits are written.",
)
@click.pass_obj
def init(root: Path, source: Path | None) -> None:
    """Write a commented memgate.yml with the bundles found, or one with the pages and limits of a lighthouserc."""
    from pytest_memgate.tasks.baseline.init import init as write
    from pytest_memgate.tasks.baseline.init import init_from

    path, lines = init_from(root, source) if source else write(root)
    for line in lines:
        click.echo(f"left out: {line}" if source else line)
    click.echo(f"wrote {path}")
    click.echo("next: memgate baseline update   (runs your tests and stores what they measure)")


@cli.command()
@click.option("--schema", is_flag=True, help="Print the JSON Schema of memgate.yml, for editors.")
@click.pass_obj
def config(root: Path, schema: bool) -> None:
    """Print each setting, its value and where it comes from."""
    import json

    from pytest_memgate.baseline.source import WorkTree
    from pytest_memgate.config.schema import json_schema
    from pytest_memgate.config.sources import load_settings
    from pytest_memgate.config.table import table

    if schema:
        click.echo(json.dumps(json_schema(), indent=2))
        return
    rows = table(load_settings(WorkTree(root)))
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    for key, value, source in rows:
        click.echo(f"{key:<{widths[0]}}  {value:<{widths[1]}}  {source}")


@cli.command()
@click.option("--page", metavar="NAME", help="Load this page, and show what of it the bundles count.")
@click.pass_obj
def doctor(root: Path, page: str | None) -> None:
    """Show what can be measured here, and what cannot."""
    from pytest_memgate.tasks.prove.doctor import examine
    from pytest_memgate.tasks.prove.examine_page import examine_page

    checks = examine_page(root, page) if page else examine(root)
    for check in checks:
        click.echo(f"{click.style(f'{check.state:<5}', fg=_COLOURS[check.state])} {check.what}: {check.found}")
    if any(check.state == "bad" for check in checks):
        sys.exit(3)


_COLOURS = {"ok": "green", "note": "yellow", "bad": "red"}


@cli.command()
@click.argument("base", type=click.Path(path_type=Path))
@click.argument("head", type=click.Path(path_type=Path))
@click.argument("tests", nargs=-1)
def diff(base: Path, head: Path, tests: tuple[str, ...]) -> None:
    """Show what grew between two runs, written by --memgate-report."""
    from pytest_memgate.report.lines import change_between, difference_lines
    from pytest_memgate.tasks.run.diff import differences
    from pytest_memgate.tasks.run.file import read_run

    for one in differences(read_run(base), read_run(head), tests):
        change = change_between(
            one.base,
            one.head,
            one.unit,
            base_is_bound=one.base_is_bound,
            head_is_bound=one.head_is_bound,
            both_passed=one.both_passed,
        )
        for line in difference_lines(one.subject, one.metric, change, one.unit, one.by_site, one.note):
            click.echo(line)


@cli.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["markdown", "html", "github", "openmetrics", "json"]),
    default="markdown",
    show_default=True,
    help="github: annotations, as workflow commands.",
)
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="A file, instead of the screen.")
@click.option("--prefix", default="", help="With github: the way from the repository to the project, as in shop/.")
@click.pass_obj
def report(root: Path, runs: tuple[Path, ...], form: str, output: Path | None, prefix: str) -> None:
    """Show the last of RUNS, files of --memgate-report; those before it are its history, the oldest first."""
    from pytest_memgate.tasks.run.report import report as make
    from pytest_memgate.tasks.run.report import write

    text = make(root, runs, form, prefix=prefix)
    if output:
        write(text, output)
        click.echo(f"wrote {output}")
    else:
        click.echo(text, nl=False)


@cli.command()
@click.argument("run", type=click.Path(path_type=Path))
def verdict(run: Path) -> None:
    """Print the verdict of a RUN's file and exit with it: 0 passed, 1 failed, 3 no answer; an update is 2."""
    from pytest_memgate.report.view import verdict_line
    from pytest_memgate.tasks.ci.outcome import Left, answer_of
    from pytest_memgate.tasks.run.file import read_run

    read = read_run(run)
    found = answer_of(read, Left())
    if found.code != read.verdict.exit_code:
        click.echo(f"memgate: {run}: {found.text}", err=True)
    click.echo(f"memgate: {verdict_line(read)}")
    sys.exit(found.code)


@cli.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The run's file.")
@click.option("--partial", is_flag=True, help="Tests that none of the parts ran are left out on purpose.")
@click.pass_obj
def merge(root: Path, runs: tuple[Path, ...], output: Path, partial: bool) -> None:
    """Put RUNS together, the parts of one plan, and take the verdict on the whole."""
    from pytest_memgate.report.terminal import summary
    from pytest_memgate.tasks.run.file import write_run
    from pytest_memgate.tasks.run.merge import merge as put_together

    run = put_together(root, runs, partial=partial)
    write_run(run, output)
    for line in summary(run):
        click.echo(line.text)
    sys.exit(run.verdict.exit_code)


cli.add_command(heap)
cli.add_command(history)
cli.add_command(board)
cli.add_command(baseline)
cli.add_command(selftest)
cli.add_command(calibrate)
cli.add_command(profile)
cli.add_command(compare)
cli.add_command(ci)


def main() -> None:
    """Run the command; only here does a user's mistake become a line and an exit code."""
    try:
        sys.exit(cli(standalone_mode=False))
    except MemgateError as error:
        click.echo(f"memgate: {error}", err=True)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort as error:
        said = str(error.__cause__ or "")
        click.echo(f"memgate: interrupted{f': {said}' if said else ''}", err=True)
        sys.exit(130)
