"""What was measured of one test, and how far it was settled."""

from dataclasses import dataclass
from enum import StrEnum

from pytest_memgate.model.site import CallSite


class Basis(StrEnum):
    """Which run of the test a value comes from."""

    BOUND = "bound"  # the first run: the test's own value is no larger
    WARM = "warm"  # a later run in the same process
    COLD = "cold"  # the first run, since the test cannot run twice


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """The peak memory of one test in one run; all sizes in bytes.

    `cold` is the first run's peak, `warm` those of the later runs. `settled` says that two warm runs agreed (or that
    the test cannot run twice): only then may the value become a baseline. `spread` is what the warm runs differ by
    when they never agreed. `modules` are those that the first run imported. `sites` are the call sites at the peak,
    largest first, and sum to `value`; empty where nobody needed them. `imports` are the bytes that imports held at the
    peak of a test that cannot run twice.
    """

    value: int
    basis: Basis
    cold: int
    warm: tuple[int, ...] = ()
    settled: bool = False
    spread: int = 0
    imports: int = 0
    modules: tuple[str, ...] = ()
    sites: tuple[CallSite, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def first_use(self) -> int:
        """Return what the first run cost above the settled value."""
        return max(0, self.cold - self.value) if self.warm else 0
