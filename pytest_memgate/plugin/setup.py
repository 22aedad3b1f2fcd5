"""Start the gate of a pytest run: read the options, open the baselines, register the hooks."""

import argparse
from pathlib import Path

import pytest

from pytest_memgate.budget.rule import PartError, Rule
from pytest_memgate.compare.moved import Moves
from pytest_memgate.errors import MemgateError, UsageError
from pytest_memgate.measure.environment import cannot_measure, here, in_ci
from pytest_memgate.model.metric import MEMORY_PEAK
from pytest_memgate.model.run import ChangeKind
from pytest_memgate.plugin.controller import Controller
from pytest_memgate.plugin.declared import Declared
from pytest_memgate.plugin.first_use import FirstUses
from pytest_memgate.plugin.groups import Groups
from pytest_memgate.plugin.inventory import Inventory
from pytest_memgate.plugin.leftover import Leftovers
from pytest_memgate.plugin.marker import parse_rule
from pytest_memgate.plugin.measurer import Measurer
from pytest_memgate.tasks.gate import Gate, open_gate
from pytest_memgate.tasks.moved import moves_of
from pytest_memgate.tasks.update import ALL_KINDS

_NOT_RUN = (
    "setupplan",
    "setuponly",
    "show_fixtures_per_test",
    "showfixtures",
    "markers",
    "help",
)


def start(config: pytest.Config) -> None:
    """Register the gate with pytest.

    Raises pytest.UsageError for options and configuration that have no meaning.
    """
    option = config.option
    if any(getattr(option, name, False) for name in _NOT_RUN):
        return
    kinds = option.memgate_update or []
    try:
        if option.memgate_reason is not None and not kinds:
            raise pytest.UsageError("memgate: --memgate-reason goes with --memgate-update")
        if option.memgate_base == "":
            raise pytest.UsageError("memgate: --memgate-base names no ref: it is empty")
        if kinds and option.memgate_base:
            raise pytest.UsageError(
                "memgate: --memgate-update writes the work tree's baselines: not with --memgate-base"
            )
        gate = open_gate(
            config.rootpath,
            here(),
            base=option.memgate_base or "",
            options=_options(option),
            missing=option.memgate_missing or "",
        )
        keep = _folder(option.memgate_keep) if option.memgate_keep else None
    except MemgateError as error:
        raise pytest.UsageError(f"memgate: {error}") from error
    update = bool(kinds)
    config.pluginmanager.register(Declared(config, gate, update=update), "memgate-declared")
    if option.collectonly:
        return
    inventory = Inventory(config)
    config.pluginmanager.register(inventory, "memgate-inventory")
    gate.baselines.find_moves_by(lambda: _moves(gate, inventory))
    settle = update or bool(option.memgate_settle)
    first_uses = FirstUses(gate, config, update=update)
    cannot = cannot_measure()
    if settle or cannot or _is_each(gate, option):
        measurer = Measurer(gate, first_uses, update=update, settle=settle, keep=keep, cannot=cannot)
    else:
        measurer = Groups(config, gate, first_uses, update=False, settle=False, keep=keep, cannot="")
    config.pluginmanager.register(measurer, "memgate-measurer")
    config.pluginmanager.register(Leftovers(gate, update=update, settle=settle), "memgate-leftovers")
    if not hasattr(config, "workerinput"):
        strict = option.memgate_strict if option.memgate_strict is not None else in_ci()
        controller = Controller(
            config,
            gate,
            inventory,
            strict=strict,
            kinds=ALL_KINDS if "all" in kinds else frozenset(map(ChangeKind, kinds)),
        )
        config.pluginmanager.register(controller, "memgate-controller")


def _moves(gate: Gate, inventory: Inventory) -> Moves | None:
    """Return which collected tests have moved, None before all are collected: every process finds the same."""
    seen = inventory.seen()
    return None if seen is None else moves_of(gate.root, gate.baselines.against, gate.base, seen)


def _is_each(gate: Gate, option: argparse.Namespace) -> bool:
    """Say whether each test is measured on its own.

    So it is where a run may stop at a test: its verdict must be there before the next one starts.
    """
    stops = any(getattr(option, name, None) for name in ("maxfail", "usepdb", "trace", "stepwise"))
    return stops or (option.memgate_measure or gate.own.measure) == "each"


def _options(option: argparse.Namespace) -> dict[str, Rule]:
    """Read `--memgate-growth 1MB` (of the peak memory) and `--memgate-growth web.lcp=500ms`, by metric."""
    given: dict[str, dict[str, object]] = {}
    for part in ("growth", "limit", "drift"):
        for text in getattr(option, f"memgate_{part}") or []:
            name, has_name, amount = text.rpartition("=")
            given.setdefault(name if has_name else MEMORY_PEAK.name, {})[part] = amount
    rules = {}
    for name, parts in given.items():
        try:
            rules[name] = parse_rule(name, parts, "--memgate-{part}")
        except ValueError as error:
            part = error.part if isinstance(error, PartError) else next(iter(parts))
            raise pytest.UsageError(f"memgate: --memgate-{part}: {error}") from error
    return rules


def _folder(name: str) -> Path:
    path = Path(name).absolute()
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--memgate-keep {name}: {error.strerror}") from error
    return path
