"""A service in Go, by its own pages of net/http/pprof: the heap in bytes after a collection, and who holds it.

The page in text (`debug=1`) begins with the profile, a record for each stack, and ends with `runtime.MemStats`. A stack
is sampled once in so many bytes (`runtime.MemProfileRate`); the sums of MemStats are exact.
"""

import math
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from pytest_memgate.errors import MeasureError
from pytest_memgate.measure.service.place import Place
from pytest_memgate.measure.service.source import Send, Source, Window
from pytest_memgate.model.site import Lead, LeadKind, Site

PATH = "/debug/pprof/heap?debug=1"
_COLLECTED = "&gc=1"
_HEAD = re.compile(r"heap profile: .* @ heap/(\d+)\s*$", re.MULTILINE)
_RECORD = re.compile(r"^(\d+): (\d+) \[\d+: \d+\] @")
_FRAME = re.compile(r"^#\t0x[0-9a-f]+\t(\S+?)(?:\+0x[0-9a-f]+)?\s+(\S+):(\d+)$")
_SUM = re.compile(r"^# (\w+) = (.*)$", re.MULTILINE)
_PAUSES = 256  # that MemStats remembers
_CALLERS = 3  # that a site names
_SURE = 0.99
_UNSEEN = "its profile has no sample of it: with runtime.MemProfileRate = 1 in the service, each allocation is one"


class GoSource(Source):
    """Reads /debug/pprof/heap."""

    name = "go"
    words = "Go's heap, after collections"

    def __init__(self, place: Place) -> None:
        self._place = place
        self._first: _Page | None = None
        self._peak = 0

    @classmethod
    def why_not(cls, place: Place) -> str:
        try:
            _read(place, PATH)
        except MeasureError as error:
            return str(error)
        return ""

    def held(self) -> float:
        self._peak = max(self._peak, _read(self._place, PATH).number("HeapAlloc"))
        self._last = _read(self._place, PATH + _COLLECTED)
        self._first = self._first or self._last
        return self._last.number("HeapAlloc")

    def pause(self) -> float | None:
        number = self._last.number("NumGC")
        pauses = sorted(map(int, self._last.sums.get("PauseNs", "").strip("[]").split()))[-min(number, _PAUSES) :]
        return pauses[math.ceil(_SURE * len(pauses)) - 1] / 1e6 if pauses else None

    def window(self, send: Send, requests: int, sent: int) -> Window:
        """Send requests; what the pages themselves allocate is left out of what these allocate."""
        assert self._first  # noqa: S101  # it has been asked how much is held
        one, two = (_read(self._place, PATH).number("TotalAlloc") for _ in range(2))
        send(requests)
        allocated = _read(self._place, PATH).number("TotalAlloc") - two - (two - one)
        self.held()
        before, now = self._first.held_by, self._last.held_by
        grown = {stack: (size - before.get(stack, 0.0)) / (requests + sent) for stack, size in now.items()}
        kept = tuple(_sites({stack: size for stack, size in grown.items() if size > 0}, str(self._place.root)))
        return Window(
            peaks=(self._peak,),
            allocated=max(0, allocated) / requests,
            kept=kept,
            note="" if self._last.rate <= 1 else _UNSEEN,
        )


Frame = tuple[str, str, int]  # function, file, line


@dataclass(frozen=True, slots=True)
class _Page:
    """One page: the bytes in use by stack, innermost frame first, and the sums of MemStats."""

    rate: float  # bytes for one sample
    held_by: Mapping[tuple[Frame, ...], float]
    sums: Mapping[str, str]

    def number(self, name: str) -> int:
        """Return one of the sums. Raises MeasureError where the page does not have it."""
        try:
            return int(self.sums[name])
        except (KeyError, ValueError) as error:
            raise MeasureError(f"{PATH}: the page has no {name}: it is cut short, or not Go's") from error


def _read(place: Place, path: str) -> _Page:
    text = place.get(path).decode("utf-8", "replace")
    head = _HEAD.match(text)
    if not head:
        raise MeasureError(f"{place.url}{path}: this is no heap profile of Go", hint='import _ "net/http/pprof"')
    page = _Page(rate := int(head[1]) / 2, dict(_records(text, rate)), dict(_SUM.findall(text)))
    page.number("HeapAlloc")
    return page


def _records(text: str, rate: float) -> Iterator[tuple[tuple[Frame, ...], float]]:
    """Yield the bytes of each stack, as many as those sampled stand for: runtime/pprof scales its files so, too."""
    held: dict[tuple[Frame, ...], float] = defaultdict(float)
    size, frames = 0.0, list[Frame]()
    for line in (*text.splitlines(), ""):
        if record := _RECORD.match(line):
            number, sampled = int(record[1]), float(record[2])
            seen = 1.0 if rate <= 1 or not number else -math.expm1(-sampled / number / rate)
            size = sampled / seen if seen else 0.0
        elif frame := _FRAME.match(line):
            frames.append((frame[1], frame[2], int(frame[3])))
        elif frames:
            held[tuple(frames)] += size
            frames = []
    yield from held.items()


def _sites(sizes: Mapping[tuple[Frame, ...], float], root: str) -> Iterator[Site]:
    """Yield a site for each function of the project, or else the innermost one, largest first."""
    found: dict[tuple[str, str], tuple[float, int, tuple[Lead, ...]]] = {}
    for stack, size in sorted(sizes.items(), key=lambda item: -item[1]):
        own = [frame for frame in stack if _is_below(frame[1], root)]
        function, path, line = (own or stack)[0]
        callers = tuple(
            Lead(kind=LeadKind.CALLER, path=_short(path, root), line=line, function=function)
            for function, path, line in own[1 : 1 + _CALLERS]
        )
        known = found.get((path, function), (0.0, line, callers))
        found[path, function] = (known[0] + size, *known[1:])
    for (path, function), (size, line, callers) in sorted(found.items(), key=lambda item: -item[1][0]):
        yield Site(path=_short(path, root), function=function, line=line, size=size, via=callers)


def _is_below(path: str, root: str) -> bool:
    return path.startswith(f"{root}/")


def _short(path: str, root: str) -> str:
    parts = PurePosixPath(path)
    return str(parts.relative_to(root)) if _is_below(path, root) else "/".join(parts.parts[-2:])
