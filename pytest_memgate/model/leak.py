"""What calls left behind: the input of a leak's verdict."""

from dataclasses import dataclass

from pytest_memgate.model.site import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One series of calls under one tracker: `calls` of them in `blocks` of the same length, after `warmup` others."""

    calls: int
    blocks: int = 1
    warmup: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What one call site holds at the end of a series: `site.size` bytes in `count` allocations.

    `blocks` are the bytes of them by the block of calls that allocated them; empty for what another thread or task
    allocated, whose call nobody knows.
    """

    site: Site
    count: int
    blocks: tuple[float, ...] = ()

    @property
    def total(self) -> float:
        return self.site.size
