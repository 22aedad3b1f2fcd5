"""What was measured of one metric of one test, and how far it was settled."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from pytest_memgate.model.judgement.remark import Remark, RepeatedCalls
from pytest_memgate.model.site import Site


class Basis(StrEnum):
    """What a value comes from."""

    BOUND = "bound"  # the test's first run: its own value is no larger
    WARM = "warm"  # a later run in the same process
    COLD = "cold"  # the first run, since the test cannot run twice
    EXACT = "exact"  # nothing varies: the same input gives the same value
    SAMPLES = "samples"  # the middle of several
    SLOPE = "slope"  # what each of many calls adds


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """The value of one metric of one test in one run, in the metric's unit.

    With `is_bound`, nobody has needed to know the value: it is no larger than `value`. In files, such a number has a
    name of its own: `bound` instead of `value`, and `cold_bound` instead of `cold`.

    `settled` says that the value may become a baseline. `spread` is what the runs differ by when they never agreed.
    `sites` are what the value is made of, largest first; they sum to `value`, and are empty where nobody needed them.
    `conditions` are what it was measured under where that can differ from entry to entry: values under others are not
    compared.

    Of memory and of imports, `cold` is the first run's value, `warm` those of the later runs; of memory, `modules` are
    those that the first run imported, and `imports` the bytes of a test that cannot run twice which are imports, or in
    the ledger of first use. Where `together` is more than one, `cold` is a bound on the first runs of so many tests.

    Of a leak, `repeated` says how it was looked for; of one that is not certain, `warm` are the least and the most that
    it can be.

    Of a noisy metric, `samples` are what `value` is the middle of, and `again` those of a second, later collection,
    made where the first one spoke against the test. `audits` are a page's own hints: what each would save, in ms.
    """

    FIELDS_BY_NAME: ClassVar[Mapping[str, str]] = {"bound": "value", "cold_bound": "cold"}

    value: float
    basis: Basis
    cold: float = 0
    together: int = 1
    warm: tuple[float, ...] = ()
    settled: bool = False
    spread: float = 0
    imports: float = 0
    modules: tuple[str, ...] = ()
    samples: tuple[float, ...] = ()
    again: tuple[float, ...] = ()
    sites: tuple[Site, ...] = ()
    remarks: tuple[Remark, ...] = ()
    repeated: RepeatedCalls | None = None
    conditions: Mapping[str, str] = field(default_factory=dict)
    audits: Mapping[str, float] = field(default_factory=dict)

    @property
    def is_bound(self) -> bool:
        """True if the value can be lower than `value`."""
        if self.basis is Basis.SLOPE:
            return bool(self.warm) and self.value > min(self.warm)
        return self.basis is Basis.BOUND

    def names_of_fields(self) -> dict[str, str]:
        """Return the names in files of the fields that hold bounds."""
        names = {"value": "bound"} if self.is_bound else {}
        return names | ({"cold": "cold_bound"} if self.together > 1 else {})

    @property
    def first_use(self) -> float:
        """Return what the first run cost above the settled value, 0 where it is not known."""
        return max(0, self.cold - self.value) if self.warm and self.together == 1 else 0
