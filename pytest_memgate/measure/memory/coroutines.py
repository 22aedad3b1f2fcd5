"""Functions whose result has to be awaited."""

import inspect


def is_async(function: object) -> bool:
    """True if calling it gives a coroutine, whatever it is wrapped in."""
    while hasattr(function, "func"):  # functools.partial
        function = function.func
    own = function if inspect.isroutine(function) else getattr(type(function), "__call__", None)  # noqa: B004  # its code is looked at
    return inspect.iscoroutinefunction(own)
