"""The live heap of this process, by Python's own tracemalloc: what each chain of calls has in use."""

import ast
import gc
import linecache
import tracemalloc
from collections.abc import Iterator, Mapping
from functools import lru_cache

from pytest_memgate.measure.heap.pprof import write_pprof
from pytest_memgate.model.profile import Amount, Frame

DEPTH = 32  # frames of a chain; chosen


def watch_heap() -> None:
    """Note where each block is allocated, from now on: the program is slower then, and needs more memory."""
    if not tracemalloc.is_tracing():
        tracemalloc.start(DEPTH)


def heap_page() -> bytes:
    """Return what is in use now, after a collection, as a file of the format pprof."""
    gc.collect()
    own = tracemalloc.Filter(inclusive=False, filename_pattern=tracemalloc.__file__)
    found: dict[tracemalloc.Traceback, list[int]] = {}
    for trace in tracemalloc.take_snapshot().filter_traces((own,)).traces:
        counted = found.setdefault(trace.traceback, [0, 0])
        counted[0] += 1
        counted[1] += trace.size
    return write_pprof(
        ([_frame(one) for one in reversed(way)], Amount(objects=objects, bytes=size))
        for way, (objects, size) in found.items()
    )


def _frame(frame: tracemalloc.Frame) -> Frame:
    """Return a frame; tracemalloc knows the file and line of a call, and the file's source its function."""
    return Frame(
        path=frame.filename, function=_functions(frame.filename).get(frame.lineno, "<module>"), line=frame.lineno
    )


@lru_cache(maxsize=1000)
def _functions(file: str) -> Mapping[int, str]:
    """Return the function that each line of a file belongs to, the innermost one."""
    try:
        return dict(_lines(ast.parse("".join(linecache.getlines(file))), ""))
    except (SyntaxError, ValueError):  # it is no source, or another one by now
        return {}


def _lines(node: ast.AST, name: str) -> Iterator[tuple[int, str]]:
    """Yield each line of the functions in a node, those further in last."""
    for child in ast.iter_child_nodes(node):
        inner = name
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            inner = f"{name}.{child.name}" if name else child.name
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield from ((line, inner) for line in range(child.lineno, (child.end_lineno or child.lineno) + 1))
        yield from _lines(child, inner)
