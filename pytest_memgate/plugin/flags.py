"""The options on the command line, each declared once."""

import argparse
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


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
    """One option: its flag, its settings for argparse, and its other spellings.

    An option that `loosens` can weaken the gate. Beside a base it counts only if it is typed; its `strictest` values
    count wherever they stand.
    """

    flag: str
    help: str
    settings: Mapping[str, Any]
    spellings: tuple[str, ...] = ()
    loosens: bool = False
    strictest: tuple[object, ...] = ()

    @property
    def name(self) -> str:
        """The flag without the plugin's prefix: `growth`."""
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
        strictest=("fail",),
    ),
    Option(
        "--memgate-strict",
        "Fail for what is unmeasured, incomparable or unstable too; on where CI is set.",
        {"action": argparse.BooleanOptionalAction},
        loosens=True,
        strictest=(True,),
    ),
    Option(
        "--memgate-measure",
        "Prove by one bound that several tests are within budget, measure each on its own, or to its exact value.",
        {"choices": ("bound", "each", "exact")},
        loosens=True,
        strictest=("each", "exact"),
    ),
    Option(
        "--memgate-against",
        "Beside a base, what decides: its stored values, a measurement of it now, or what can (auto).",
        {"choices": ("auto", "stored", "measured")},
        loosens=True,
        strictest=("stored",),
    ),
    Option("--memgate-report", "Write the run as JSON.", {"metavar": "PATH"}),
    Option("--memgate-keep", "Keep the memray captures of failing tests.", {"metavar": "DIR"}),
    # For `memgate compare`: this run measures the base; the folder with the values of a base that it has measured. For
    # `memgate calibrate`: each timed test is paired with itself.
    Option("--memgate-side", argparse.SUPPRESS, {"choices": ("base", "itself")}),
    Option("--memgate-measured", argparse.SUPPRESS, {"metavar": "DIR"}),
)
