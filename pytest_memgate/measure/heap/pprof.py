"""Heap profiles as files of the format pprof, which `go tool pprof` opens, too."""

import gzip
import time
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from google.protobuf.message import DecodeError

from pytest_memgate.errors import MeasureError
from pytest_memgate.measure.heap.schema import PROFILE
from pytest_memgate.model.profile import Amount, Chain, Frame, TestProfile

# By what a profile of a heap counts: in use now, and allocated since the program began.
_IN_USE, _ALLOCATED = ("inuse_objects", "inuse_space"), ("alloc_objects", "alloc_space")
_UNITS = {"inuse_objects": "count", "inuse_space": "bytes"}
_ZIPPED = b"\x1f\x8b"

Traces = Iterable[tuple[Sequence[Frame], Amount]]  # the innermost frame first, with what is in use


def read_pprof(data: bytes, name: str) -> TestProfile:
    """Return what a file of the format pprof holds, by call chain; raises MeasureError for one that is no heap's."""
    try:
        profile = PROFILE.FromString(gzip.decompress(data) if data.startswith(_ZIPPED) else data)
    except (OSError, EOFError, zlib.error, DecodeError) as error:
        raise MeasureError(
            f"{name} is no file of pprof, or cut short", hint="write it with memgate heap snapshot"
        ) from error
    texts = profile.string_table
    try:
        kinds = [texts[one.type] for one in profile.sample_type]
        frames = _frames(profile)
        if not set(_IN_USE) <= set(kinds):
            told = ", ".join(kinds) or "nothing"
            raise MeasureError(f"{name} tells {told}, and not what a heap holds", hint="take it from /debug/pprof/heap")
        found = [_chain(sample, kinds, frames) for sample in profile.sample]
    except (IndexError, KeyError) as error:
        raise MeasureError(f"{name} is no whole file of pprof: {error} is not in it") from error
    places: dict[Frame, int] = {}
    chains = [
        Chain(
            frames=tuple(places.setdefault(frame, len(places)) for frame in way),
            peak=in_use,
            retained=in_use,
            allocated=allocated,
        )
        for way, in_use, allocated in found
        if way
    ]
    return TestProfile(test=name, frames=tuple(places), chains=tuple(chains))


def write_pprof(traces: Traces) -> bytes:
    """Return a file of the format pprof."""
    profile = PROFILE(time_nanos=time.time_ns())
    texts: dict[str, int] = {"": 0}

    def text(words: str) -> int:
        return texts.setdefault(words, len(texts))

    for kind, unit in _UNITS.items():
        profile.sample_type.add(type=text(kind), unit=text(unit))
    profile.default_sample_type = text(_IN_USE[1])
    functions: dict[str, int] = {}
    locations: dict[Frame, int] = {}
    for way, amount in traces:
        ids = []
        for frame in way:
            if frame.key not in functions:
                functions[frame.key] = len(functions) + 1
                named = text(frame.function)
                profile.function.add(id=functions[frame.key], name=named, system_name=named, filename=text(frame.path))
            if frame not in locations:
                locations[frame] = len(locations) + 1
                location = profile.location.add(id=locations[frame])
                location.line.add(function_id=functions[frame.key], line=frame.line)
            ids.append(locations[frame])
        profile.sample.add(location_id=ids, value=[amount.objects, amount.bytes])
    profile.string_table.extend(texts)
    return gzip.compress(profile.SerializeToString())


def _frames(profile: Any) -> Mapping[int, tuple[Frame, ...]]:
    """Return the frames of each location, the innermost first: of inlined calls there are several."""
    texts = profile.string_table
    functions = {one.id: (texts[one.filename], texts[one.name]) for one in profile.function}
    found = {}
    for location in profile.location:
        frames = []
        for line in location.line:
            path, function = functions[line.function_id]
            frames.append(Frame(path=path, function=function, line=line.line))
        found[location.id] = tuple(frames)
    return found


def _chain(
    sample: Any, kinds: Sequence[str], frames: Mapping[int, tuple[Frame, ...]]
) -> tuple[tuple[Frame, ...], Amount, Amount]:
    """Return the frames of a sample, the outermost first, and what it has in use and has allocated."""
    way = [frame for place in sample.location_id for frame in frames[place]]
    values = dict(zip(kinds, sample.value, strict=False))
    in_use, allocated = (
        Amount(objects=values.get(objects, 0), bytes=values.get(size, 0)) for objects, size in (_IN_USE, _ALLOCATED)
    )
    return tuple(reversed(way)), in_use, allocated
