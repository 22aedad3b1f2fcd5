"""Memory that a series of calls left behind: the input of the verdict on a leak."""

from dataclasses import dataclass

from pytest_memgate.model.site import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One series of calls under one tracker: `calls` calls in `blocks` of equal length, after `warmup` others."""

    calls: int
    blocks: int = 1
    warmup: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The memory of one call site at the end of a series: `site.size` bytes in `count` allocations.

    `blocks` are these bytes by the block of calls that allocated them; empty if another thread or task allocated them,
    as its call is not known.
    """

    site: Site
    count: int
    blocks: tuple[float, ...] = ()

    @property
    def total(self) -> float:
        """The bytes that the site holds at the end of the series."""
        return self.site.size
