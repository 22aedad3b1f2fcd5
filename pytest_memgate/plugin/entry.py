"""What pytest loads at every start: the options and the marker; the gate itself only with `--memgate`."""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

if TYPE_CHECKING:
    from pytest_memgate.plugin.recorder import Recorder


class _Update(argparse.Action):
    """`--memgate-update`, alone or as `--memgate-update=new`, and as often as wanted.

    Each spelling is an option of its own: an optional value would swallow the test file behind the flag.
    """

    def __call__(
        self,
        parser: argparse.ArgumentParser,  # noqa: ARG002
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,  # noqa: ARG002
        option_string: str | None = None,
    ) -> None:
        kind = (option_string or "").partition("=")[2] or "all"
        setattr(namespace, self.dest, [*(getattr(namespace, self.dest) or []), kind])


class Option(NamedTuple):
    """One option: its flag, what argparse is told of it, and its other spellings.

    An option that `loosens` can make the gate say less: beside a base, only what is typed counts, and the `strictest`
    value wherever it stands.
    """

    flag: str
    help: str
    settings: Mapping[str, Any]
    spellings: tuple[str, ...] = ()
    loosens: bool = False
    strictest: object = None

    @property
    def name(self) -> str:
        """Return its name without the plugin's: `growth`."""
        return self.flag.removeprefix("--memgate-")


_AMOUNT: Mapping[str, Any] = {"action": "append", "metavar": "[METRIC=]AMOUNT"}

# Each has no effect without `--memgate`; the first one given is named then.
OPTIONS = (
    Option(
        "--memgate-update",
        "Write the measured values into the baselines, all changes or only those of a kind.",
        {"action": _Update, "nargs": 0, "dest": "memgate_update"},
        spellings=tuple(f"--memgate-update={kind}" for kind in ("all", "new", "raised", "lowered", "removed")),
    ),
    Option("--memgate-reason", "Why values rise, for --memgate-update.", {"metavar": "TEXT"}),
    Option("--memgate-base", "Judge by the baselines and budgets of a git ref.", {"metavar": "REF"}),
    Option(
        "--memgate-growth",
        "Growth allowed to every test's memory (200KB, 5%%), or to web.lcp=500ms.",
        _AMOUNT,
        loosens=True,
    ),
    Option(
        "--memgate-limit",
        "The most that any test's memory may reach (64MB), or web.bytes=2MB.",
        _AMOUNT,
        loosens=True,
    ),
    Option(
        "--memgate-drift",
        "Growth allowed above the anchor (1MB), or bundle.initial.gzip=50KB.",
        _AMOUNT,
        loosens=True,
    ),
    Option(
        "--memgate-missing",
        "What a test without a baseline, or the reverse, does.",
        {"choices": ("warn", "fail")},
        loosens=True,
        strictest="fail",
    ),
    Option(
        "--memgate-strict",
        "Fail for what is unmeasured, incomparable or unstable too; on where CI is set.",
        {"action": argparse.BooleanOptionalAction},
        loosens=True,
        strictest=True,
    ),
    Option(
        "--memgate-measure",
        "Measure tests together and prove by one bound that each is within its budget, or each on its own.",
        {"choices": ("bound", "each")},
        loosens=True,
        strictest="each",
    ),
    Option("--memgate-report", "Write the run as JSON.", {"metavar": "PATH"}),
    Option("--memgate-keep", "Keep the memray captures of failing tests.", {"metavar": "DIR"}),
    # For `memgate calibrate` and `memgate selftest`: every test's own value, not only a bound of it.
    Option("--memgate-settle", argparse.SUPPRESS, {"action": "store_true", "default": None}),
)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("memgate", "performance gate")
    group.addoption(
        "--memgate",
        action="store_true",
        help="Measure memory, declared bundles, pages and imports, and times; judge them against their baselines.",
    )
    for option in OPTIONS:
        group.addoption(option.flag, *option.spellings, help=option.help, **option.settings)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "memgate(metric='memory.peak', growth=None, limit=None, drift=None, leak=None, skip=None): the budget of a "
        "test's peak memory or of another metric, leak='0B' for what each of many calls of it may leave behind, or "
        "skip='reason' to leave the test out.",
    )
    for kind in ("bundle", "page", "import"):
        config.addinivalue_line("markers", f"memgate_{kind}: {kind}s that memgate.yml declares.")
    if config.option.memgate:
        from _memgate_pytest import AsInstalled

        sys.meta_path.insert(0, AsInstalled)
        config.add_cleanup(lambda: sys.meta_path.remove(AsInstalled))
        from pytest_memgate.plugin.setup import start

        start(config)
        return
    given = [option.flag for option in OPTIONS if getattr(config.option, f"memgate_{option.name}") is not None]
    if given:
        raise pytest.UsageError(f"memgate: {given[0]} has no effect without --memgate")


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    if config.option.memgate and not hasattr(config, "workerinput"):
        from pytest_memgate.plugin.asked import check_that_tests_run

        check_that_tests_run(config)


class Idle:
    """What the `memgate` fixture is without the gate: the same calls, which do nothing."""

    def record(self, *_: object, **__: object) -> None: ...

    def bundle(self, *_: object, **__: object) -> dict[str, float]:
        return {}

    def lighthouse(self, *_: object, **__: object) -> dict[str, float]:
        return {}

    def leak(self, *_: object, **__: object) -> "Nothing":
        return Nothing()


class Nothing:
    """What may be awaited, or not."""

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
