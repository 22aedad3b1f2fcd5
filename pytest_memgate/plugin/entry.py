"""What pytest loads at every start: the options and the marker; the gate itself only with `--memgate`."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pytest_memgate.plugin.recorder import Recorder

_KINDS = ("all", "new", "raised", "lowered", "removed")
_OPTIONS = (
    "update",
    "reason",
    "base",
    "growth",
    "limit",
    "drift",
    "missing",
    "strict",
    "report",
    "keep",
    "settle",
    "measure",
)


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


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("memgate", "performance gate")
    add = group.addoption
    add(
        "--memgate",
        action="store_true",
        help="Measure memory, declared bundles, pages and imports, and times; judge them against their baselines.",
    )
    add(
        "--memgate-update",
        *(f"--memgate-update={kind}" for kind in _KINDS),
        action=_Update,
        nargs=0,
        dest="memgate_update",
        help="Write the measured values into the baselines, all changes or only those of a kind.",
    )
    add("--memgate-reason", metavar="TEXT", help="Why values rise, for --memgate-update.")
    add("--memgate-base", metavar="REF", help="Judge by the baselines and budgets of a git ref.")
    amount: dict[str, Any] = {"action": "append", "metavar": "[METRIC=]AMOUNT"}
    add("--memgate-growth", **amount, help="Growth allowed to every test's memory (200KB, 5%%), or to web.lcp=500ms.")
    add("--memgate-limit", **amount, help="The most that any test's memory may reach (64MB), or web.bytes=2MB.")
    add("--memgate-drift", **amount, help="Growth allowed above the anchor (1MB), or bundle.initial.gzip=50KB.")
    add(
        "--memgate-missing",
        choices=("warn", "fail"),
        help="What a test without a baseline, or the reverse, does.",
    )
    add(
        "--memgate-strict",
        action=argparse.BooleanOptionalAction,
        help="Fail for what is unmeasured, incomparable or unstable too; on where CI is set.",
    )
    add(
        "--memgate-measure",
        choices=("bound", "each"),
        help="Measure tests together and prove by one bound that each is within its budget, or each on its own.",
    )
    add("--memgate-report", metavar="PATH", help="Write the run as JSON.")
    add("--memgate-keep", metavar="DIR", help="Keep the memray captures of failing tests.")
    # For `memgate calibrate` and `memgate selftest`: every test's own value, not only a bound of it.
    add("--memgate-settle", action="store_true", default=None, help=argparse.SUPPRESS)


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
    given = [name for name in _OPTIONS if getattr(config.option, f"memgate_{name}") is not None]
    if given:
        raise pytest.UsageError(f"memgate: --memgate-{given[0]} has no effect without --memgate")


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
