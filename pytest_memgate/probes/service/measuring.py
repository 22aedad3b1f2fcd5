"""What a service holds while it is sent requests, and the verdict on it."""

import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import median_low

from pytest_memgate.compare.judge import ceiling
from pytest_memgate.compare.soak import Answer, Soak, measure_soak
from pytest_memgate.errors import MeasureError
from pytest_memgate.measure.children import boot
from pytest_memgate.measure.process.server import Server
from pytest_memgate.measure.process.workspace import Workspace
from pytest_memgate.measure.service.place import Place
from pytest_memgate.measure.service.requests import ready, sender
from pytest_memgate.measure.service.source import Send, Source, Window
from pytest_memgate.measure.service.sources import source_of
from pytest_memgate.model.judgement.finding import Outcome
from pytest_memgate.model.judgement.reason import Doubt, DoubtKind
from pytest_memgate.model.judgement.remark import Remark, RemarkKind
from pytest_memgate.model.measurement import Basis, Measurement
from pytest_memgate.model.metric import SERVICE_LEAK, named
from pytest_memgate.model.site import Site
from pytest_memgate.probes.face import Case, Findings, Reading
from pytest_memgate.probes.service.probe import AUTO, ServiceCheck

_TRACED = 200  # requests in the window that names what is kept; chosen: docs/services.md
_LOOKS = 5  # in a block, of a source that cannot collect
_ENDING = 0.3  # seconds in which a program ends that has gone to the background; chosen
# Of so many bytes, Go's profile of its heap samples one block: by default 512 KiB, which misses small leaks. Chosen.
_GO_RATE, _GO_SAMPLE = "memprofilerate=", 16384
_CALM = 0.3  # seconds after the last request, until threads that it kept busy have ended; chosen
_DIGITS = 1  # of bytes a request


def service_reading(check: ServiceCheck, case: Case) -> Reading:
    """Return what a service leaves behind with each request, and what it holds.

    Raises MeasureError for a service that cannot be started, does not answer or does not tell what it holds.
    """
    name = named(SERVICE_LEAK.name, case.part)
    limit = ceiling(case.budget(name), case.reference(name)) or 0.0
    with Workspace() as workspace:
        folder = workspace.place()
        server = Server(
            check.start,
            check.url,
            case.root,
            workspace,
            asked=ready(check.ready),
            ready_seconds=check.start_within / 1000,
            setting="the service's `start_within`",
            env=_environment(folder),
        )
        place = Place(server=server, root=case.root, folder=folder, metrics=check.heap)
        try:
            source = source_of(place, "" if check.gauge == AUTO else check.gauge)
            load = sender(check.send, check.load, server, case.root, workspace)
            server.check(_ENDING)
            soaked = _soaked(source, load, check, limit)
            time.sleep(_CALM)
            files, threads = place.counts()
        except MeasureError:
            server.check()  # that it has ended says more
            raise
    values = dict(_values(soaked, source, limit, files, threads))
    return Reading(
        values={named(metric, case.part): one for metric, one in values.items()},
        explained=partial(_explained, soaked.soak, is_heap=source.is_heap),
    )


def _environment(folder: Path) -> dict[str, str | None]:
    """Return what lets a Python process answer and its C library tell all that it holds, and Go look more closely."""
    given = os.environ.get("GODEBUG", "")
    return {
        "GODEBUG": given if _GO_RATE in given else f"{given},{_GO_RATE}{_GO_SAMPLE}".lstrip(","),
        boot.VARIABLE: f"{folder}{os.sep}{boot.SERVICE}1",
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath))),
        "PYTHONMALLOC": "malloc",
        "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0",
        "PYTHONUNBUFFERED": "1",
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Soaked:
    """The verdict, the bytes held at the end, the longest pauses in ms, and what a last window took."""

    soak: Soak
    held: float
    pause: float | None
    window: Window


def _soaked(source: Source, load: Send, check: ServiceCheck, limit: float) -> _Soaked:
    held = _after(source, load)
    held(check.warmup)
    plan = measure_soak(check.requests, limit)
    step = next(plan)
    while True:
        try:
            step = plan.send(last := held(step))
        except StopIteration as end:
            soak: Soak = end.value
            break
    pause = source.pause()
    return _Soaked(
        soak=soak, held=last, pause=pause, window=source.window(load, min(_TRACED, check.requests), soak.sent)
    )


def _after(source: Source, load: Send) -> Callable[[int], float]:
    """Return what sends some requests and tells what is held after them."""

    def held(requests: int) -> float:
        if source.collects or requests < _LOOKS:
            if requests:
                load(requests)
            return source.held()
        looks = []
        for number in range(_LOOKS):
            load((requests + number) // _LOOKS)  # their sum is `requests`
            looks.append(source.held())
        return min(looks)

    return held


def _values(soaked: _Soaked, source: Source, limit: float, files: int, threads: int) -> Mapping[str, Measurement]:
    soak, window = soaked.soak, soaked.window
    told = {
        "service.leak": _leak(soak, source, limit, window),
        "service.retained": _sampled((soaked.held,)),
        "service.peak": _sampled(window.peaks) if window.peaks else None,
        "service.allocation_rate": None if window.allocated is None else _sampled((round(window.allocated),)),
        "service.gc_pause": None if soaked.pause is None else _sampled((round(soaked.pause, 3),)),
        "service.files": _sampled((files,)),
        "service.threads": _sampled((threads,)),
    }
    conditions = {"gauge": source.name}
    return {name: replace(one, conditions=conditions) for name, one in told.items() if one}


def _sampled(samples: tuple[float, ...]) -> Measurement:
    return Measurement(value=median_low(samples), basis=Basis.SAMPLES, samples=samples, settled=True)


def _leak(soak: Soak, source: Source, limit: float, window: Window) -> Measurement:
    """Return what a request leaves: the most that it may be, or the rate of a leak.

    Where the most is over the limit, but what was seen is not, the latter is the value: nothing speaks of a leak.
    """
    is_leak = soak.answer is Answer.LEAK and source.is_heap
    is_harmless = soak.answer is Answer.UNDECIDED and soak.rate <= limit
    is_known = is_leak or is_harmless or soak.answer is Answer.NONE
    high = round(soak.high, _DIGITS)
    least = 0 if soak.answer is not Answer.LEAK else round(soak.low, _DIGITS)
    remarks = [Remark(kind=RemarkKind.SOAK, text=source.words, amounts=(least, high, soak.requests))]
    sites = _named(window.kept, soak.rate) if soak.answer is not Answer.NONE else ()
    if soak.answer is not Answer.NONE and window.note and not sites:
        remarks.append(Remark(kind=RemarkKind.TEXT, text=window.note))
    return Measurement(
        value=round(soak.rate, _DIGITS) if is_leak or is_harmless else high,
        basis=Basis.SLOPE,
        settled=is_known,
        warm=() if is_known else (0.0, high),
        sites=sites,
        remarks=tuple(remarks),
    )


def _named(kept: tuple[Site, ...], rate: float) -> tuple[Site, ...]:
    """Return the sites, the largest first, that make up a rate: what is beyond it grew in the window alone."""
    sites, left = [], rate
    for site in kept:
        if left <= 0:
            break
        sites.append(replace(site, size=round(min(site.size, left), _DIGITS)))
        left -= site.size
    return tuple(one for one in sites if one.size)


def _explained(soak: Soak, findings: Findings, *, is_heap: bool) -> Findings:
    """Return the findings; one that is not certain says why."""
    return {
        metric: replace(finding, over=None, doubt=_doubt(soak, is_heap=is_heap))
        if finding.outcome is Outcome.UNSTABLE
        else finding
        for metric, finding in findings.items()
    }


def _doubt(soak: Soak, *, is_heap: bool) -> Doubt:
    if not is_heap:
        return Doubt(kind=DoubtKind.NOT_THE_HEAP, amount=soak.high)
    return Doubt(kind=DoubtKind.SLOWS if soak.slows else DoubtKind.SOAK, amount=soak.high)
