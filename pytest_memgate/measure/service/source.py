"""The one face of all that tells how much a service holds."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from pytest_memgate.measure.service.place import Place
from pytest_memgate.model.site import Site

Send = Callable[[int], None]  # that many requests; raises MeasureError where one is not answered well


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What some more requests took, in bytes: the most held at once, one or several times, and what each allocated.

    `kept` are the places that hold more than before, in bytes a request, largest first. What the source cannot tell is
    None, or empty; `note` says how it could.
    """

    peaks: tuple[float, ...] = ()
    allocated: float | None = None
    kept: tuple[Site, ...] = ()
    note: str = ""


class Source(ABC):
    """Tells how many bytes a service holds.

    `name` is what memgate.yml calls it, `words` what is looked at. With `is_heap`, growth is the program's own;
    without, it may be what the allocator keeps for later. With `collects`, a look begins with a garbage collection;
    without, the least of several looks counts.
    """

    name: ClassVar[str]
    words: str
    is_heap = True
    collects = True

    @classmethod
    @abstractmethod
    def why_not(cls, place: Place) -> str:
        """Return why this service cannot be asked so, empty if it can."""

    @abstractmethod
    def held(self) -> float:
        """Return the bytes that the service holds.

        Raises MeasureError where it does not say, and CaptureError where this machine cannot look.
        """

    def pause(self) -> float | None:
        """Return how long in ms 99 % of the garbage collections since the first look have lasted at most, if known."""
        return None

    def window(self, send: Send, requests: int, sent: int) -> Window:  # noqa: ARG002  # it may have no use for that
        """Send so many requests more, after those `sent` since the first look, and return what they took."""
        send(requests)
        return Window()
