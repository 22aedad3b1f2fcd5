"""The part that pytest loads at every start: options, marker and fixture; the gate itself only with `--memgate`."""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from pytest_memgate.plugin.flags import OPTIONS

if TYPE_CHECKING:
    from pytest_memgate.plugin.checks.fixture import Recorder


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    group = parser.getgroup("memgate", "performance gate")
    group.addoption(
        "--memgate",
        action="store_true",
        help="Measure memory, times, and the bundles, pages, imports and services of memgate.yml; judge by baselines.",
    )
    for option in OPTIONS:
        group.addoption(option.flag, *option.spellings, help=option.help, **option.settings)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers and, with `--memgate`, start the gate.

    Raises pytest.UsageError for an option of the gate without `--memgate`, and as `start` does.
    """
    config.addinivalue_line(
        "markers",
        "memgate(metric='memory.peak', growth=None, limit=None, drift=None, leak=None, skip=None): the budget of a "
        "test's peak memory or of another metric, leak='0B' for what each of many calls of it may leave behind, or "
        "skip='reason' to leave the test out.",
    )
    if config.option.memgate:
        from _memgate_pytest import AsInstalled

        sys.meta_path.insert(0, AsInstalled)
        config.add_cleanup(lambda: sys.meta_path.remove(AsInstalled))
        _add_markers(config)
        from pytest_memgate.plugin.start import start

        start(config)
        return
    if config.option.markers:
        _add_markers(config)
    given = [option.flag for option in OPTIONS if getattr(config.option, f"memgate_{option.name}") is not None]
    if given:
        raise pytest.UsageError(f"memgate: {given[0]} has no effect without --memgate")


def _add_markers(config: pytest.Config) -> None:
    """Register the markers of declared checks; a run without the gate has no such checks."""
    from pytest_memgate.probes.table import PROBES

    for kind in (probe.check.kind for probe in PROBES):
        config.addinivalue_line("markers", f"memgate_{kind}: {kind}s that memgate.yml declares.")


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Refuse options with which no test runs; raises pytest.UsageError."""
    if config.option.memgate and not hasattr(config, "workerinput"):
        from pytest_memgate.plugin.session.asked import check_that_tests_run

        check_that_tests_run(config)


class Idle:
    """The `memgate` fixture without the gate: the same calls, which do nothing."""

    def record(self, *_: object, **__: object) -> None:
        """Record nothing."""

    def bundle(self, *_: object, **__: object) -> dict[str, float]:
        """Measure nothing; return no sizes."""
        return {}

    def lighthouse(self, *_: object, **__: object) -> dict[str, float]:
        """Load nothing; return no values."""
        return {}

    def leak(self, *_: object, **__: object) -> "Nothing":
        """Call nothing; the result may be awaited."""
        return Nothing()


class Nothing:
    """A value that may be awaited, and need not be."""

    def __await__(self) -> Iterator[None]:
        return iter(())


@pytest.fixture
def memgate(request: pytest.FixtureRequest) -> "Idle | Recorder":
    """Measure more in a test: `record(name, value, unit)`, `bundle(stats)`, `lighthouse(url)`, `leak(function)`.

    Each has its budget by `growth`, `limit` and `drift`, or by `budgets`; without `--memgate` the calls do nothing.
    """
    declared = request.config.pluginmanager.get_plugin("memgate-declared")
    if declared is None:
        return Idle()
    recorder: Recorder = declared.recorder(request.node)
    return recorder
