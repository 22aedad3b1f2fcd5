"""The stored value that a measurement is compared with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from pytest_memgate.model.judgement.reason import Mismatch
from pytest_memgate.model.subject import Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A baseline entry of one metric, in the metric's unit; `unit` names it if the metric is the project's own.

    `sites` are the largest sites by their key (`path:function` for memory). `anchor` is the value before the first
    raise, `reason` the reason of the last raise. `spread` is the difference between runs that never agreed.
    `repeatable` is False for a test that cannot run twice: its value is that of a first run. `samples`, `conditions`,
    `audits`, `seen` and `paces` are as in a measurement.
    """

    value: float
    unit: str = ""
    sites: Mapping[str, float] = field(default_factory=dict)
    anchor: float | None = None
    reason: str = ""
    spread: float = 0
    repeatable: bool = True
    samples: tuple[float, ...] = ()
    conditions: Mapping[str, str] = field(default_factory=dict)
    audits: Mapping[str, float] = field(default_factory=dict)
    seen: Mapping[str, str] = field(default_factory=dict)
    paces: tuple[float, ...] = ()

    @property
    def origin(self) -> float:
        """The value that drift is counted from: the anchor, or else the value."""
        return self.value if self.anchor is None else self.anchor


def is_reason(text: str) -> bool:
    """True if a text can be a reason: it has at least one letter."""
    return any(character.isalpha() for character in text)


class Standing(Enum):
    """Whether there is a stored value to compare with."""

    KNOWN = "known"
    NEW = "new"
    NO_BASELINE = "no baseline"
    INCOMPARABLE = "incomparable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """The stored value that a measurement is held against: its standing, and the reference if it has one.

    `mismatch` says why the two cannot be compared. `may_be` are entries of tests that are gone, one of which may belong
    to a new test.
    """

    standing: Standing
    reference: Reference | None = None
    mismatch: Mismatch | None = None
    may_be: tuple[Subject, ...] = ()
