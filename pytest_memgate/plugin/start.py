"""Start the gate of a pytest run: read the options, open the baselines, register the hooks."""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_memgate.compare.moved import Moves
from pytest_memgate.config.schema import MEASURES
from pytest_memgate.errors import MemgateError, UsageError
from pytest_memgate.measure.compiling import bytecode
from pytest_memgate.measure.compiling.private_folder import open_folder
from pytest_memgate.measure.process.base_side import BaseSide
from pytest_memgate.measure.python.environment import cannot_measure, here, in_ci
from pytest_memgate.model.judgement.reference import is_reason
from pytest_memgate.model.run import ChangeKind
from pytest_memgate.plugin.checks.items import Declared
from pytest_memgate.plugin.hypothesis import storage as hypothesis_storage
from pytest_memgate.plugin.loop.first_use import FirstUses
from pytest_memgate.plugin.loop.groups import Grouping
from pytest_memgate.plugin.loop.judging import Judge
from pytest_memgate.plugin.loop.loop import Loop
from pytest_memgate.plugin.loop.observers.children import ChildProcesses
from pytest_memgate.plugin.loop.observers.leftovers import Leftovers
from pytest_memgate.plugin.loop.outside import Outside
from pytest_memgate.plugin.loop.pairs import Pairs
from pytest_memgate.plugin.loop.tracing import Tracing
from pytest_memgate.plugin.session.collected import Inventory
from pytest_memgate.plugin.session.controller import Controller
from pytest_memgate.plugin.session.marks import Marks
from pytest_memgate.plugin.session.options import Given, options_of, take_over
from pytest_memgate.tasks.baseline.moved import moves_of
from pytest_memgate.tasks.baseline.update import ALL_KINDS
from pytest_memgate.tasks.judge.gate import Gate, open_gate
from pytest_memgate.tasks.run.loosened import loosened_by_options

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
        _check(option, update=bool(kinds))
        gate = _opened(config)
        keep = _folder(option.memgate_keep) if option.memgate_keep else None
    except MemgateError as error:
        raise pytest.UsageError(f"memgate: {error}") from error
    update = bool(kinds)
    _register(config, Declared(config, gate, update=update), "declared")
    if option.collectonly:
        return
    config.add_cleanup(open_folder())
    config.add_cleanup(bytecode.close)
    hypothesis_storage.begin(config)
    inventory = Inventory(config)
    _register(config, inventory, "inventory")
    gate.baselines.find_moves_by(lambda: _moves(gate, inventory))
    measure = _measure(gate, option)
    settle = update or measure == "exact"
    tracing = Tracing(cannot_measure())
    children = ChildProcesses(gate, cannot=cannot_measure(), settle=settle)
    leftovers = Leftovers(gate, settle=settle)
    outside = Outside(gate.root, tracing)
    first_uses = FirstUses(gate.root, outside)
    side = _itself(config) if option.memgate_side == "itself" else gate.side
    pairs = Pairs(side) if side else None
    judge = Judge(gate, tracing, first_uses, children, leftovers, pairs, update=update, settle=settle, keep=keep)
    is_each = settle or tracing.recorder is None or _is_each(measure, option)
    grouping = None if is_each else Grouping(gate, tracing)
    _register(config, Loop(config, judge, tracing, grouping, update=update), "loop")
    _register(config, outside, "outside")
    _register(config, children, "children")
    _register(config, leftovers, "leftovers")
    marks = Marks(config)
    if gate.base:
        _register(config, marks, "marks")
    if not hasattr(config, "workerinput"):
        strict = option.memgate_strict if option.memgate_strict is not None else in_ci()
        controller = Controller(
            config,
            gate,
            inventory,
            marks,
            strict=strict,
            kinds=ALL_KINDS if "all" in kinds else frozenset(map(ChangeKind, kinds)),
        )
        _register(config, controller, "controller")


def _check(option: argparse.Namespace, *, update: bool) -> None:
    """Raise pytest.UsageError for options that contradict each other, or say nothing."""
    if option.memgate_reason is not None and not update:
        raise pytest.UsageError("memgate: --memgate-reason goes with --memgate-update")
    if option.memgate_reason and not is_reason(option.memgate_reason):
        raise pytest.UsageError(f"memgate: --memgate-reason {option.memgate_reason!r} has no letter in it: say why")
    if option.memgate_measured or option.memgate_side:
        option.memgate_base = None  # of an ini file: memgate compare measures what it is asked to
    if option.memgate_base == "":
        raise pytest.UsageError("memgate: --memgate-base names no ref: it is empty")
    if option.memgate_measured and (update or option.memgate_base):
        raise pytest.UsageError("memgate: memgate compare neither updates nor reads a baseline: give it no such option")
    if update and option.memgate_base:
        raise pytest.UsageError("memgate: --memgate-update writes the work tree's baselines: not with --memgate-base")


def _register(config: pytest.Config, part: object, name: str) -> None:
    """Register a part of the gate; raises pytest.UsageError if `-p no:` switches it off: the rest would be blind."""
    if config.pluginmanager.register(part, f"memgate-{name}") is None:
        raise pytest.UsageError(f"memgate: -p no:memgate-{name} switches off a part of the gate; take it away")


def _opened(config: pytest.Config) -> Gate:
    """Return the gate; beside a base, only options that the change cannot set may loosen it."""
    option = config.option
    ref = option.memgate_base or ""
    lines: list[str] = []
    given = Given(config, ref) if not take_over(config) and ref else None
    if given:
        told, held = given.given(), options_of(given.held)
        lines += given.base_line()
        given.hold()
    options = options_of(option)
    gate = open_gate(
        config.rootpath,
        here(),
        base=ref,
        measured=option.memgate_measured or "",
        options=options.rules,
        missing=options.missing,
    )
    if given:
        lines += loosened_by_options(gate.config.settings, held, told, strict=in_ci())
    return replace(gate, loosened=tuple(lines), is_base=option.memgate_side == "base", against=option.memgate_against)


def _itself(config: pytest.Config) -> BaseSide:
    """Return the work tree, in the place of a base."""
    root, cwd = str(config.rootpath.resolve()), str(config.invocation_params.dir)
    return BaseSide(ref="itself", python=sys.executable, cwd=cwd, top=root, base_top=root)


def _moves(gate: Gate, inventory: Inventory) -> Moves | None:
    """Return which collected tests have moved, None before collection ends; every process finds the same."""
    seen = inventory.seen()
    return None if seen is None else moves_of(gate.root, gate.baselines.against, gate.base, seen)


def _measure(gate: Gate, option: argparse.Namespace) -> str:
    """Return how tests are measured: `bound`, `each` or `exact`, by the option or the closest of both settings."""
    if option.memgate_measure:
        return str(option.memgate_measure)
    return max((gate.own.measure, gate.config.settings.measure), key=MEASURES.index)


def _is_each(measure: str, option: argparse.Namespace) -> bool:
    """True if each test is measured on its own.

    That is so if a run may stop at a test: its verdict must be there before the next one starts.
    """
    stops = any(getattr(option, name, None) for name in ("maxfail", "usepdb", "trace", "stepwise"))
    return stops or measure != "bound"


def _folder(name: str) -> Path:
    path = Path(name).absolute()
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--memgate-keep {name}: {error.strerror}") from error
    return path
