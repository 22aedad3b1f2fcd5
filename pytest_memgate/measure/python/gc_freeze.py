"""Keeps gc.collect() cheap by freezing everything alive between tests; a test that would notice gets it unfrozen.

A collection costs as much as it walks, and there are some for each test. But frozen objects are neither collected nor
listed, and a test may rely on both. So, while the heap is frozen, some functions of `gc` unfreeze it first. Functions
that collect or list everything do not: that costs as much as the process is old, no two runs of a test would need the
same memory, and a test hardly ever asks for objects from before it. Such a call is noted, so that a test that fails
after it can be run again with the heap unfrozen.

When a test is run again for its value, no function unfreezes: how such a run ends is no result of the suite.
"""

import functools
import gc
from collections.abc import Callable
from gc import collect
from typing import Any

__all__ = ["ASKED", "answer", "collect", "forget", "freeze", "hide", "is_frozen", "thaw", "was_asked"]

ASKED = "<gc>"  # the file of the frame that stands between a caller and the collector
_freeze, _unfreeze = gc.freeze, gc.unfreeze
_frozen = False
_was_asked = False


def is_frozen() -> bool:
    """True if the heap is frozen."""
    return _frozen


def freeze() -> None:
    """Hide all living objects from the collector, garbage included."""
    global _frozen  # noqa: PLW0603  # as the heap is the process's
    _frozen = True
    _freeze()
    answer()


def was_asked() -> bool:
    """True if something hidden was to be collected or listed since `forget()`."""
    return _was_asked


def forget() -> None:
    """Forget that anything was asked for."""
    global _was_asked  # noqa: PLW0603  # as above
    _was_asked = False


def hide() -> None:
    """Hide all living objects also from functions that would unfreeze the heap, until `answer()`."""
    collect()
    freeze()
    _exchange(to_asked=False)


def answer() -> None:
    """Let functions unfreeze the heap again, if it is frozen."""
    if _frozen:
        _exchange(to_asked=True)


def thaw() -> None:
    """Unfreeze the heap, if it is frozen."""
    global _frozen  # noqa: PLW0603  # as above
    if not _frozen:
        return
    _frozen = False
    _unfreeze()
    _exchange(to_asked=False)


def _exchange(*, to_asked: bool) -> None:
    for name, (original, asked) in _ASKED.items():
        before, after = (original, asked) if to_asked else (asked, original)
        if getattr(gc, name) is before:
            setattr(gc, name, after)


def _asked(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of `gc` that unfreezes the heap first, or notes that it was called."""
    is_noted = original in {collect, gc.get_objects}

    def ask(*args: Any, **kwargs: Any) -> Any:
        global _was_asked  # noqa: PLW0603  # as above
        if is_noted:
            _was_asked = True
        else:
            thaw()
        found = original(*args, **kwargs)
        return [one for one in found if one is not args] if original is _get_referrers else found

    ask.__code__ = ask.__code__.replace(co_filename=ASKED)
    return functools.wraps(original)(ask)


_get_referrers = gc.get_referrers
_ASKED: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    one.__name__: (one, _asked(one))
    for one in (collect, _freeze, _unfreeze, gc.get_freeze_count, gc.get_objects, _get_referrers)
}
