"""For `memgate selftest`: only some of the tests run, and one of them holds more memory than before."""

import functools
import inspect
import sys
from collections.abc import Callable, Generator
from types import FunctionType
from typing import Any

import pytest

from pytest_memgate.plugin.items import line_of, subject_of
from pytest_memgate.plugin.loop.tracing import around_call

_SMALL = 100  # bytes: far below the 512 up to which pymalloc serves objects itself (Objects/obmalloc.c)
_EACH = sys.getsizeof(bytes(_SMALL)) + 8  # with its place in the list


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options that name the tests and the growth."""
    parser.addoption("--memgate-only", metavar="TEST", action="append", help="A test to run; the others are left out.")
    parser.addoption("--memgate-grow", metavar="TEST", help="The test that holds more.")
    parser.addoption("--memgate-grow-by", metavar="BYTES", type=int, help="How much more it holds.")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep only the named tests."""
    # By name, not by node id: an entry of a test that is gone would stop pytest.
    only = set(config.option.memgate_only)
    chosen = [item for item in items if str(subject_of(item, config.rootpath)) in only]
    if len(chosen) < len(items):
        config.hook.pytest_deselected(items=list(set(items) - set(chosen)))
        items[:] = chosen


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Let the test hold more in each of its calls; the gate takes the function from the same place."""
    if str(subject_of(item, item.config.rootpath)) != item.config.option.memgate_grow:
        return (yield)
    by = item.config.option.memgate_grow_by
    with around_call(item, lambda function: _grown(item, function, by)):
        return (yield)


def _grown(item: pytest.Item, function: Callable[..., Any], size: int) -> Callable[..., Any]:
    """Return the test's function, holding `size` bytes more while it runs."""
    hold = _in_file(item)
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def call_async(*args: Any, **kwargs: Any) -> Any:
            held = hold(size)
            try:
                return await function(*args, **kwargs)
            finally:
                held.clear()

        return call_async

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        held = hold(size)
        try:
            return function(*args, **kwargs)
        finally:
            held.clear()

    return call


def memgate_selftest_growth(size: int) -> list[bytes]:
    """Return small objects of `size` bytes in all."""
    held = []
    for _ in range(size // _EACH + 1):
        held.append(bytes(_SMALL))  # noqa: PERF401  # a comprehension has a frame of its own
    return held


def _in_file(item: pytest.Item) -> Callable[[int], list[bytes]]:
    """Return the growth as a function of the test's own file, so that it is found and named like real code."""
    code = memgate_selftest_growth.__code__
    code = code.replace(co_filename=str(item.path), co_firstlineno=max(1, line_of(item)))
    return FunctionType(code, {"__name__": __name__, "_SMALL": _SMALL, "_EACH": _EACH})
