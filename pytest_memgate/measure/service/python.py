"""A service in Python: each of its processes answers by itself, and is traced for a few requests at the end."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

from pytest_memgate.errors import CaptureError, MeasureError
from pytest_memgate.measure.children import boot
from pytest_memgate.measure.children.commands import ask_processes
from pytest_memgate.measure.children.gauge import BUCKETS, SHORTEST, STEP
from pytest_memgate.measure.python.environment import cannot_measure
from pytest_memgate.measure.service.place import Place
from pytest_memgate.measure.service.source import Send, Source, Window
from pytest_memgate.measure.stacks.call_sites import read_sites
from pytest_memgate.measure.stacks.source_paths import Places

_PATIENCE = 60.0  # seconds for a collection of a large heap; chosen
_FORKING = 5.0  # seconds until a worker that was just forked answers; chosen
_PARTS = 4  # that are traced each by itself; chosen
_OFTEN = 0.1  # allocations a request from which on a stack recurs: a buffer that is kept once is no growth; chosen
_SURE = 0.99


class PythonSource(Source):
    """Asks the processes through their sockets."""

    name = "python"
    words = "Python's heap, after collections"

    def __init__(self, place: Place) -> None:
        self._held = 0
        self._folder, self._root = place.folder, place.root
        self._first: list[int] = []  # the pauses at the first look
        self._pauses: list[int] = []

    @classmethod
    def why_not(cls, place: Place) -> str:
        if why := cannot_measure():
            return why
        if not ask_processes(place.folder, "look", _PATIENCE):
            return "no process of it is Python with pytest-memgate and the gate's environment"
        deadline = time.monotonic() + _FORKING
        while silent := place.listeners() - ask_processes(place.folder, "look", _PATIENCE).keys():
            if time.monotonic() > deadline:
                return f"process {min(silent)}, which listens at {place.url}, is not one of its Python processes"
            time.sleep(0.1)
        return ""

    def held(self) -> float:
        heap, pauses = 0, [0] * BUCKETS
        for told in self._looks():
            heap += told.heap
            pauses = [one + other for one, other in zip(pauses, told.pauses, strict=True)]
        self._first, self._pauses = self._first or pauses, pauses
        self._held = heap
        return heap

    def pause(self) -> float | None:
        counts = [now - before for now, before in zip(self._pauses, self._first, strict=True)]
        total, seen = sum(counts), 0
        for bucket, count in enumerate(counts):
            seen += count
            if total and seen >= _SURE * total:
                return SHORTEST * STEP**bucket * 1000
        return None

    def window(self, send: Send, requests: int, sent: int) -> Window:  # noqa: ARG002  # see the face
        """Trace the processes for some requests, in several parts: what two hold at once is a matter of luck."""
        from pytest_memgate.measure.service.traces import Trace, read_trace, recurring  # noqa: PLC0415  # memray

        each = max(1, requests // _PARTS)
        windows: list[list[Trace]] = []
        for number in range(_PARTS):
            own = self._folder / f"window-{number}"
            self._command(f"trace {own.name}")
            send(each)
            self._command("stop")
            if fault := next((path.read_text(encoding="utf-8") for path in own.glob(f"*{boot.OTHER}")), ""):
                return Window(note=fault)
            windows.append([read_trace(path) for path in own.glob(f"*{boot.CAPTURE}") if path.stat().st_size])
        traces, total = [trace for window in windows for trace in window], _PARTS * each
        parts = [part for trace in traces for part in trace.kept]
        sites = read_sites(recurring(parts, _OFTEN * total) or parts, Places(self._root)).sites
        return Window(
            peaks=tuple(self._held + sum(trace.at_once for trace in window) for window in windows),
            allocated=sum(trace.allocated for trace in traces) / total,
            kept=tuple(replace(site, size=site.size / total) for site in sites),
        )

    def _looks(self) -> Iterator["_Look"]:
        for pid, answer in self._command("look").items():
            told = _Look(**json.loads(answer))
            if told.fault:
                raise CaptureError(f"process {pid}: {told.fault}")
            yield told

    def _command(self, command: str) -> dict[int, str]:
        answers = ask_processes(self._folder, command, _PATIENCE)
        if not answers:
            raise MeasureError("no Python process of the service is left")
        if mute := [pid for pid, answer in answers.items() if answer is None]:
            raise MeasureError(f"process {mute[0]} of the service did not answer within {_PATIENCE:g} s")
        return {pid: answer for pid, answer in answers.items() if answer is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """What one process answers: see `pytest_memgate.measure.children.gauge.look`."""

    heap: int
    fault: str
    pauses: list[int]
