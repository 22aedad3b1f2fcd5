"""What can be measured on this machine, and why other things cannot."""

import importlib.metadata
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_memgate.baseline.source import WorkTree
from pytest_memgate.baseline.store import Store, environments
from pytest_memgate.config.sources import load_settings
from pytest_memgate.errors import MemgateError
from pytest_memgate.measure.lighthouse.tools import find_tools
from pytest_memgate.measure.python import environment
from pytest_memgate.measure.python.machine_class import machine_class
from pytest_memgate.model.metric import WEB
from pytest_memgate.probes.page.probe import PageCheck
from pytest_memgate.units import counted, format_size

if TYPE_CHECKING:
    from pytest_memgate.measure.memory.capture import Capture

_PROOF = 1_000_000  # bytes of the block that is measured as a proof


@dataclass(frozen=True, slots=True)
class Check:
    """One check: `state` is ok, note or bad."""

    state: str
    what: str
    found: str


def examine(root: Path) -> list[Check]:
    """Return the checks, in the order in which a person would ask."""
    return [
        Check("ok", "project", str(root)),
        Check(
            "ok", "environment", f"{environment.key()}, {platform.python_implementation()} {platform.python_version()}"
        ),
        *_memory(),
        _pytest(),
        _benchmark(),
        *_web(root),
        _config(root),
        _baselines(root),
        Check("ok" if shutil.which("git") else "note", "git", shutil.which("git") or "not found: no --memgate-base"),
        Check(
            "ok",
            "strict",
            "on: CI is set" if environment.in_ci() else "off, until CI is set or --memgate-strict given",
        ),
    ]


def _memory() -> list[Check]:
    why = environment.cannot_measure()
    if why:
        return [Check("bad", "memory", why)]
    checks = [
        Check("ok", "memray", environment.memray_version()),
        Check("ok", "allocator", environment.allocator()),
        _proof(),
    ]
    if bad := environment.known_bad():
        checks.append(Check("note", "known to fail", bad))
    if others := [name for name in ("pyarrow", "polars") if _installed(name)]:
        found = f"of {' and '.join(others)} (its own allocator): seen by resident size, as memory.untraced"
        more = "; ARROW_DEFAULT_MEMORY_POOL=system lets pyarrow's be traced" if "pyarrow" in others else ""
        checks.append(Check("note", "untraced memory", found + more))
    if _installed("pytest-memray"):
        checks.append(
            Check("note", "pytest-memray", "installed: a test that it traces (--memray, its markers) is unmeasured")
        )
    return checks


def _proof() -> Check:
    """Measure a block of known size."""
    from pytest_memgate.measure.memory.recorder import Recorder  # noqa: PLC0415  # not where memray does not load

    captures: list[Capture] = []
    refusals: list[str] = []
    Recorder().traced(lambda: [str(number) for number in range(_PROOF // 50)], captures.append, refusals.append)()
    fault = refusals[0] if refusals else captures[0].fault
    if fault:
        return Check("bad", "measuring", fault)
    peak = captures[0].peak
    captures[0].close()
    state = "ok" if peak > _PROOF else "bad"
    return Check(state, "measuring", f"{_PROOF // 50} small objects were seen as {format_size(peak)}")


def _installed(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _pytest() -> Check:
    version = _installed("pytest")
    others = [f"{name} {found}" for name in ("pytest-xdist", "pytest-cov") if (found := _installed(name))]
    return Check("ok" if version else "bad", "pytest", ", ".join([version or "not installed", *others]))


def _benchmark() -> Check:
    version = _installed("pytest-benchmark")
    kind = ", ".join(machine_class().values())
    found = f"pytest-benchmark {version} on {kind}" if version else "pytest-benchmark is not installed: no time.*"
    return Check("ok" if version else "note", "times", found)


def _web(root: Path) -> list[Check]:
    """Return whether pages can be loaded; only a project that has pages needs it."""
    try:
        pages = load_settings(WorkTree(root)).of(PageCheck)
    except MemgateError:
        return []  # the configuration's own line says it
    try:
        near = next((near for page in pages.values() if (near := page.page(root).near)), None)
        tools = find_tools(root, near)
    except MemgateError as error:
        return [Check("bad" if pages else "note", "pages", str(error))]
    return [
        Check("ok", "lhci", f"{tools.lhci_version} with Node {tools.node_version}: {' '.join(tools.lhci)}"),
        Check("ok", "Chrome", f"{tools.chrome_version}: {tools.chrome}"),
    ]


def _config(root: Path) -> Check:
    try:
        settings = load_settings(WorkTree(root))
    except MemgateError as error:
        return Check("bad", "configuration", str(error))
    return Check("ok", "configuration", settings.file or "none: defaults (memgate init writes one)")


def _baselines(root: Path) -> Check:
    tree = WorkTree(root)
    store = Store(tree, environment.key())
    web = Store(tree, WEB)
    found = [f"{one.folder}: {counted(len(one.files()), 'file')}" for one in (store, web) if one.files()]
    if found:
        return Check("ok", "baselines", ", ".join(found))
    others = ", ".join(name for name in environments(tree) if name != WEB)
    there = f" (there are some for {others})" if others else ""
    return Check("note", "baselines", f"none for {environment.key()}{there}: memgate baseline update")
