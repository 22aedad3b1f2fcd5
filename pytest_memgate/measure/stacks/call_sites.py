"""Call sites from memray's records."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Protocol

from pytest_memgate.measure.python.gc_freeze import ASKED
from pytest_memgate.measure.stacks.import_hook import IMPORT_SYSTEM, module_of
from pytest_memgate.measure.stacks.source_paths import Places
from pytest_memgate.model.site import Lead, LeadKind, Site

Frame = tuple[str, str, int]  # function, file, line
_CALLERS = 3  # callers that a site names; chosen to be read at a glance


class Record(Protocol):
    """The part of memray's AllocationRecord that is read here."""

    @property
    def size(self) -> int:
        """The bytes of the allocations."""

    def stack_trace(self) -> list[Frame]:
        """Return the frames, innermost first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sites:
    """The call sites at a peak, largest first, and the bytes among them that imports held."""

    sites: tuple[Site, ...]
    imports: int


def read_sites(records: Iterable[Record], places: Places) -> Sites:
    """Group allocation records by the function that allocated; their sizes sum to the peak.

    An allocation of the import system belongs to the line that imports. The callers named are those in the project, as
    far out as the test. A site's line and callers are those of its largest allocation.
    """
    found: dict[str, Site] = {}
    largest: dict[str, int] = {}
    imports = 0
    for record in records:
        stack = record.stack_trace()
        size = record.size
        if any(path.startswith(IMPORT_SYSTEM) for _, path, _ in stack):
            imports += size
        site = _site(own_frames(stack, places), size, places)
        known = found.get(site.key)
        if size > largest.get(site.key, -1):
            largest[site.key] = size
            found[site.key] = replace(site, size=size + (known.size if known else 0))
        elif known:
            found[site.key] = replace(known, size=known.size + size)
    return Sites(sites=tuple(sorted(found.values(), key=lambda site: (-site.size, site.key))), imports=imports)


def own_frames(stack: list[Frame], places: Places) -> list[Frame]:
    """Return the frames from the allocation out to the test, without import system, `gc` module and pytest."""
    inner = [frame for frame in stack if not (frame[1].startswith((IMPORT_SYSTEM, ASKED)) or module_of(frame[1]))]
    ends = (index for index, (_, path, _) in enumerate(inner) if places.is_harness(path))
    return inner[: next(ends, len(inner))] or inner[:1]


def _site(stack: list[Frame], size: int, places: Places) -> Site:
    line = stack[0][2] if stack else 0
    stack = first_named(stack)
    function, path, _ = stack[0] if stack else ("<unknown>", "<unknown>", 0)
    library, frame = library_of(stack, places)
    callers = [(places.place(path), function, line) for function, path, line in stack[1:]]
    named = dict.fromkeys((where.path, line, function) for where, function, line in callers if where.project)
    between = [(places.place(frame[1]).path, frame[2], frame[0])] if frame else []
    return Site(
        path=places.place(path).path,
        function=function,
        size=size,
        line=line,
        via=callers_of((*between, *tuple(named)[:_CALLERS])),
        library=library,
    )


def callers_of(frames: Iterable[tuple[str, int, str]]) -> tuple[Lead, ...]:
    """Return frames (path, line, function) as the way to a site."""
    return tuple(Lead(kind=LeadKind.CALLER, path=path, line=line, function=function) for path, line, function in frames)


def library_of(stack: list[Frame], places: Places) -> tuple[str, Frame | None]:
    """Return the library between the project's line and the allocation, and its frame if it calls another one.

    An installed package counts before the standard library that it uses.
    """
    names: list[tuple[str, Frame]] = []
    for frame in stack:
        where = places.place(frame[1])
        if where.project:
            break
        if not where.path.startswith("<"):
            names.append((where.path.partition("/")[0].removesuffix(".py"), frame))
    if not names:
        return "", None
    library, frame = next((one for one in names if one[0] not in sys.stdlib_module_names), names[0])
    return library, frame if library != names[0][0] else None


def first_named(stack: list[Frame]) -> list[Frame]:
    """Return the stack from its first named function: a comprehension or lambda belongs to the code around it."""
    for index, (function, path, _) in enumerate(stack):
        if not function.startswith("<") or function == "<module>":
            return stack[index:]
        if index + 1 == len(stack) or stack[index + 1][1] != path:
            break
    return stack
