"""The heap out of the collector's sight, until somebody asks the `gc` module about it.

A collection costs as much as it walks, and there are some for each test: what is alive between two tests is frozen. But
frozen objects are neither collected nor listed, and a test may rely on both. So, while the heap is frozen, some of the
module's functions thaw it first. Collecting and listing everything does not: it costs as much as the process is old, no
two runs of a test would need the same memory, and a test hardly ever asks for what was there before it. It is noted, so
that a test which fails after it can be run again with the heap thawed.

When a test is run again for its value, none of them does either: how such a run ends is no result of the suite.
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
    return _frozen


def freeze() -> None:
    """Take all that is alive out of the collector's sight, garbage included."""
    global _frozen  # noqa: PLW0603  # as the heap is the process's
    _frozen = True
    _freeze()
    answer()


def was_asked() -> bool:
    """Say whether something was collected or listed, since `forget()`, while it could not be found."""
    return _was_asked


def forget() -> None:
    global _was_asked  # noqa: PLW0603  # as above
    _was_asked = False


def hide() -> None:
    """Take all that is alive out of the sight of whoever asks, too, until `answer()`."""
    collect()
    freeze()
    _exchange(to_asked=False)


def answer() -> None:
    """Let whoever asks meet the heap thawed, if it is frozen."""
    if _frozen:
        _exchange(to_asked=True)


def thaw() -> None:
    """Bring it back, if it is frozen."""
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
    """Return a function of the `gc` module, which thaws the heap first, or notes that it was called."""
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
