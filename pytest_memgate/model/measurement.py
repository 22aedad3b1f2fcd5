"""One measured metric of one test, and how far it was settled."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from pytest_memgate.model.judgement.remark import Remark, RepeatedCalls
from pytest_memgate.model.site import Site


class Basis(StrEnum):
    """Where a value comes from."""

    BOUND = "bound"  # the test's first run: its own value is no larger
    WARM = "warm"  # a later run in the same process
    COLD = "cold"  # the first run, since the test cannot run twice
    EXACT = "exact"  # nothing varies: the same input gives the same value
    SAMPLES = "samples"  # the middle of several
    SLOPE = "slope"  # what each of many calls adds


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """The value of one metric of one test in one run, in the metric's unit.

    With `is_bound`, only a bound is known: the value is no larger than `value`. In files such a number has another
    name: `bound` instead of `value`, and `cold_bound` instead of `cold`.

    `settled` is True if the value may become a baseline. `spread` is the difference between runs that never agreed.
    `sites` are the parts of the value, largest first; they sum to `value`, and are empty if nobody needed them.
    `conditions` are those under which it was measured, if they can differ from entry to entry: values under other
    conditions are not compared.

    For memory and imports, `cold` is the first run's value, `warm` are those of the later runs. For memory, `modules`
    are those that the first run imported; `imports` are the bytes, in a test that cannot run twice, that imports hold
    or that the ledger of first use lists. If `together` is more than one, `cold` is a bound of the first runs of so
    many tests.

    For a leak, `repeated` says how it was looked for; if it is not certain, `warm` are the least and the most that it
    can be.

    For a noisy metric, `value` is the middle of `samples`. `again` are the samples of a second collection, made if the
    first one spoke against the test. `audits` are a page's own hints: the ms that each would save. `seen` is what the
    page showed, each with its kind: its largest elements, errors in its console, requests that failed. `paces` say how
    fast the machine was beside each collection of times: the nanoseconds of a step of a fixed work.
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
    seen: Mapping[str, str] = field(default_factory=dict)
    paces: tuple[float, ...] = ()

    @property
    def is_bound(self) -> bool:
        """True if the real value may be lower than `value`."""
        if self.basis is Basis.SLOPE:
            return bool(self.warm) and self.value > min(self.warm)
        return self.basis is Basis.BOUND

    def names_of_fields(self) -> dict[str, str]:
        """Return the names in files of the fields that hold bounds."""
        names = {"value": "bound"} if self.is_bound else {}
        return names | ({"cold": "cold_bound"} if self.together > 1 else {})

    @property
    def first_use(self) -> float:
        """The first run's value above the settled one, 0 if it is not known."""
        return max(0, self.cold - self.value) if self.warm and self.together == 1 else 0
