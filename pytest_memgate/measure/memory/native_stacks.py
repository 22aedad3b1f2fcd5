"""The shared objects that allocate memory without a Python frame, from one more run of a test with native stacks."""

import functools
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import memray

from pytest_memgate.measure.memory.coroutines import is_async
from pytest_memgate.model.metric import MEMORY_PEAK, MEMORY_RETAINED

_READ = "import sys, memray; memray.dump_all_records(sys.argv[1])"
_PATIENCE = 60  # seconds for memray to dump a file; chosen
_BYTES = {MEMORY_PEAK.name: "bytes_in_high_water_mark", MEMORY_RETAINED.name: "bytes_leaked"}
# What allocates for others: the C library, the interpreter, the tracer itself.
_PLUMBING = re.compile(
    r"(?:lib(?:c|m|dl|rt|pthread|gcc_s|stdc\+\+|python)|ld|python)\b[\w.+-]*|_memray\..*|.*/memray\.libs/.*"
)

Objects = Mapping[str, Mapping[str, float]]  # bytes by metric and path


class NativeTrace:
    """One more trace of a test: `around` wraps its call, `objects` has the answer if the test came to its end."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="memgate-")
        self._file = Path(self._folder.name, "native.bin")
        self._is_whole = False

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return `function` traced; raises RuntimeError if the process has a tracker."""
        if is_async(function):

            @functools.wraps(function)
            async def call_async(*args: Any, **kwargs: Any) -> Any:
                with self._tracking():
                    return await function(*args, **kwargs)

            return call_async

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            with self._tracking():
                return function(*args, **kwargs)

        return call

    def objects(self) -> Objects:
        """Return the bytes that shared objects allocated without a Python frame; nothing without a whole trace.

        memray knows the object of a frame, but its reader gives only the names of functions: its dump has both.
        """
        if not self._is_whole:
            return {}
        dump = self._file.with_suffix(".txt")
        try:
            with dump.open("wb") as out:
                subprocess.run(  # noqa: S603
                    [sys.executable, "-I", "-c", _READ, self._file],
                    stdout=out,
                    stderr=subprocess.DEVNULL,
                    timeout=_PATIENCE,
                    check=True,
                )
            with dump.open(encoding="utf-8", errors="replace") as lines:
                return read_objects(lines)
        except (OSError, subprocess.SubprocessError, ValueError, LookupError):
            return {}

    def close(self) -> None:
        """Remove the file."""
        self._folder.cleanup()

    @contextmanager
    def _tracking(self) -> Iterator[None]:
        self._is_whole = False
        with memray.Tracker(
            destination=memray.FileDestination(str(self._file), overwrite=True, compress_on_exit=False),
            native_traces=True,
            trace_python_allocators=True,
            file_format=memray.FileFormat.AGGREGATED_ALLOCATIONS,
        ):
            yield
        self._is_whole = True


def read_objects(lines: Iterable[str]) -> Objects:
    """Return the bytes by metric and shared object in memray's dump of an aggregated file.

    A native frame has its address and the number of its caller, from 1 on. An allocation has the number of its
    innermost native frame and of its Python frame, 0 for none, and of the map of segments at that time.
    """
    frames: list[tuple[int, int]] = []
    maps: list[list[tuple[int, int, str]]] = []
    found: dict[str, Counter[str]] = {metric: Counter() for metric in _BYTES}
    name, start = "", 0
    for line in lines:
        kind, _, rest = line.rstrip("\n").partition(" ")
        if kind == "MEMORY_MAP_START":
            maps.append([])
        elif kind == "SEGMENT_HEADER":
            name, start = (
                rest.removeprefix("filename=").partition(" num_segments=")[0],
                _hex(rest.rpartition("addr=")[2]),
            )
        elif kind == "SEGMENT":
            offset, size = map(_hex, rest.split())
            maps[-1].append((start + offset, start + offset + size, name))
        elif kind == "NATIVE_TRACE_INDEX":
            fields = _fields(rest)
            frames.append((_hex(fields["ip"]), int(fields["index"])))
        elif kind == "AGGREGATED_ALLOCATION":
            fields = _fields(rest)
            if fields["python_frame_id"] != "0" or not any(int(fields[field]) for field in _BYTES.values()):
                continue
            segments = maps[int(fields["native_segment_generation"]) - 1]
            if path := _object(int(fields["native_frame_id"]), frames, segments):
                for metric, field in _BYTES.items():
                    found[metric][path] += int(fields[field])
    return found


def _object(frame: int, frames: list[tuple[int, int]], segments: list[tuple[int, int, str]]) -> str:
    """Return the shared object of the innermost frame that is more than plumbing, empty if there is none."""
    while frame:
        address, frame = frames[frame - 1]
        for low, high, path in segments:
            if low <= address < high and not (_PLUMBING.fullmatch(path) or _PLUMBING.fullmatch(Path(path).name)):
                return path
    return ""


def _fields(text: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in text.split(" ") if "=" in part)


def _hex(text: str) -> int:
    return 0 if text == "(nil)" else int(text, 16)
