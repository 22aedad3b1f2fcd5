"""Whether a page is still the one of its baseline: what is no longer the page has become neither faster nor slower."""

from collections.abc import Mapping, Sequence
from statistics import median_low

from pytest_memgate.errors import MeasureError
from pytest_memgate.measure.lighthouse.lhr import Load
from pytest_memgate.measure.lighthouse.seen import ERROR, FAILED, LARGEST
from pytest_memgate.units import format_size

_MOST_GONE = 0.5  # of its bytes; chosen
_ACCEPT = "see the page in a browser; if it is meant: memgate baseline update"


def check_identity(page: str, loads: Sequence[Load], seen: Mapping[str, str], size: float | None) -> None:
    """Raise MeasureError if each load shows what the baseline, which has `seen` and `size` in bytes, does not.

    That is an error in the console, a request of its own that failed, or another largest element with less than half of
    the bytes.
    """
    if not seen:
        return
    kept = (load.seen.items() for load in loads)
    always = set.intersection(*map(set, kept))
    new = {kind: sorted(text for text, of in always if of == kind and text not in seen) for kind in (ERROR, FAILED)}
    for kind, words in ((FAILED, "{}"), (ERROR, "{!r} in the console")):
        if new[kind]:
            more = f" and {len(new[kind]) - 1} more" if len(new[kind]) > 1 else ""
            what = words.format(new[kind][0])
            raise MeasureError(f"{page}: {what}{more}, which its baseline does not have", hint=_ACCEPT)
    now = {text for load in loads for text, kind in load.seen.items() if kind == LARGEST}
    before = {text for text, kind in seen.items() if kind == LARGEST}
    bytes_now = median_low(load.values["bytes"] for load in loads)
    if now and before and not now & before and size and bytes_now < size * _MOST_GONE:
        what = f"{min(before)}, its largest element, is gone ({min(now)} is it now)"
        raise MeasureError(
            f"{page}: {what}, and {format_size(size - bytes_now)} of {format_size(size)} with it", hint=_ACCEPT
        )
