"""`memgate selftest` and `memgate calibrate`: does the gate see growth here, and is it quiet without growth."""

import sys
from pathlib import Path

import click


@click.command()
@click.argument("test", required=False, default="")
@click.option("--pages", is_flag=True, help="Let pages grow too: some ten loads of each, several seconds a load.")
@click.pass_obj
def selftest(root: Path, test: str, pages: bool) -> None:
    """Make TEST, or a suitable test, allocate more memory, and check that the gate fails. Nothing is changed."""
    from pytest_memgate.tasks.prove.selftest import selftest as prove

    sys.exit(prove(root, test, pages=pages, say=click.echo))


@click.command()
@click.option("-n", "--runs", default=5, show_default=True, type=click.IntRange(min=2), help="How often to run all.")
@click.option("--json", "as_json", is_flag=True, help="Print data instead of a table.")
@click.option("--all", "every", is_flag=True, help="Show every test, not only the worst.")
@click.argument("tests", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def calibrate(root: Path, runs: int, as_json: bool, every: bool, tests: tuple[str, ...]) -> None:
    """Run the unchanged suite, or TESTS, several times: how much values vary, and which budgets that breaks.

    TESTS go to pytest as they are; put its options behind --.
    """
    import json

    from pytest_memgate.tasks.prove.calibrate import calibrate as run
    from pytest_memgate.tasks.prove.calibrate import to_json
    from pytest_memgate.tasks.prove.calibration_report import calibration_lines

    found = run(root, tests, runs, lambda line: click.echo(line, err=True))
    if as_json:
        click.echo(json.dumps(to_json(found), indent=1))
    else:
        for line in calibration_lines(found, every=every):
            click.echo(line)
    sys.exit(found.exit_code)
