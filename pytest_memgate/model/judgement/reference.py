"""What a test's measurement is compared with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from pytest_memgate.model.judgement.reason import Mismatch
from pytest_memgate.model.subject import Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A baseline entry of one metric, in the metric's unit; `unit` names it where the metric is the project's own.

    `sites` are the largest sites by their key (`path:function` for memory). `anchor` is the value before the first
    raise, `reason` why it was last raised. `spread` is what the runs differed by when they never agreed. `repeatable`
    is False for a test that cannot run twice: its value is then that of a first run. `samples`, `conditions` and
    `audits` are as in a measurement.
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

    @property
    def origin(self) -> float:
        """Return the value that drift is counted from."""
        return self.value if self.anchor is None else self.anchor


def is_reason(text: str) -> bool:
    """Return True if a text can say why: without a letter in it, it is none."""
    return any(character.isalpha() for character in text)


class Standing(Enum):
    """What there is to compare a test with."""

    KNOWN = "known"
    NEW = "new"
    NO_BASELINE = "no baseline"
    INCOMPARABLE = "incomparable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """What a test is held against: its standing, and the reference if it has one.

    `mismatch` says why it cannot be compared; `may_be` are the entries of tests that are gone, one of which may be a
    new test's.
    """

    standing: Standing
    reference: Reference | None = None
    mismatch: Mismatch | None = None
    may_be: tuple[Subject, ...] = ()
