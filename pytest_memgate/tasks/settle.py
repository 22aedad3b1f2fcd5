"""Run a test again until its value is known."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_memgate.compare.settle import MOST_RUNS, settled_value
from pytest_memgate.measure.places import Places
from pytest_memgate.model.measurement import Basis, Measurement

if TYPE_CHECKING:
    from pytest_memgate.measure.capture import Capture  # it needs memray


@dataclass(frozen=True, slots=True)
class Again:
    """One more run of a test: its capture, or why it could not be run."""

    capture: "Capture | None"
    why: str = ""


def measure(
    cold: "Capture", again: Callable[[], Again], is_open: Callable[[Measurement], bool], places: Places
) -> tuple[Measurement, "Capture"]:
    """Return what a test measured, and the capture that its value is from.

    The first run is an upper bound. If `is_open` says that it leaves something open, and so does a second run, the test
    is run `again` until two runs agree or the most runs are spent: one good run after bad ones proves nothing. A test
    that cannot run twice keeps its first value.
    """
    first = Measurement(value=cold.peak, basis=Basis.BOUND, cold=cold.peak, notes=notes_of(cold))
    if not is_open(first):
        return first, cold
    first = replace(first, modules=cold.modules)
    runs: list[Capture] = []
    while len(runs) < MOST_RUNS - 1:
        run = again()
        if run.capture is None:
            return _cut_short(first, runs, run.why, cold, places)
        runs.append(run.capture)
        warm = tuple(capture.peak for capture in runs)
        measurement = replace(first, value=warm[-1], basis=Basis.WARM, warm=warm)
        if len(warm) == 1 and not is_open(measurement):
            return measurement, run.capture
        value = settled_value(warm)
        if value is not None:
            return _settled(measurement, value, runs[-2:], places)
    spread = max(warm) - min(warm)
    return _settled(replace(measurement, spread=spread), max(warm), runs, places)


def _settled(
    measurement: Measurement, value: float, runs: "list[Capture]", places: Places
) -> tuple[Measurement, "Capture"]:
    capture = max(runs, key=lambda run: run.peak)
    return replace(measurement, value=value, settled=True, sites=capture.sites(places).sites), capture


def _cut_short(
    first: Measurement, runs: "list[Capture]", why: str, cold: "Capture", places: Places
) -> tuple[Measurement, "Capture"]:
    first = replace(first, notes=(*first.notes, f"not repeatable: {why}"))
    if runs:
        warm = tuple(capture.peak for capture in runs)
        return _settled(replace(first, basis=Basis.WARM, warm=warm), warm[-1], runs[-1:], places)
    sites = cold.sites(places)
    return replace(first, basis=Basis.COLD, settled=True, imports=sites.imports, sites=sites.sites), cold


def notes_of(capture: "Capture") -> tuple[str, ...]:
    """Return what a capture does not hold, or holds of others."""
    notes = []
    if capture.started_processes:
        notes.append("starts processes, whose memory is not counted")
    if capture.threads:
        notes.append(f"ran beside {len(capture.threads)} other thread(s): {', '.join(capture.threads[:3])}")
    return tuple(notes)
