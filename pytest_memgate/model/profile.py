"""The profile of a test: what each chain of calls held at the peak, held after the call, and allocated in all."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from pytest_memgate.model.environment import Environment
from pytest_memgate.model.site import Site


class Sort(Enum):
    """The column that a profile is sorted by."""

    IN_USE_OBJECTS = "in-use-objects"
    IN_USE_BYTES = "in-use-bytes"
    ALLOCATED_OBJECTS = "allocated-objects"
    ALLOCATED_BYTES = "allocated-bytes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """A number of allocations and their bytes; either may be negative in a difference."""

    objects: int = 0
    bytes: int = 0

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(objects=self.objects + other.objects, bytes=self.bytes + other.bytes)

    def __sub__(self, other: "Amount") -> "Amount":
        return Amount(objects=self.objects - other.objects, bytes=self.bytes - other.bytes)


NONE = Amount()


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """Memory that some code had in use at one moment, and all that it allocated during the call."""

    in_use: Amount = NONE
    allocated: Amount = NONE

    def __add__(self, other: "Use") -> "Use":
        return Use(in_use=self.in_use + other.in_use, allocated=self.allocated + other.allocated)

    def __sub__(self, other: "Use") -> "Use":
        return Use(in_use=self.in_use - other.in_use, allocated=self.allocated - other.allocated)

    def column(self, sort: Sort) -> int:
        """Return the bytes or the number of objects of one column."""
        amount = self.in_use if sort in {Sort.IN_USE_OBJECTS, Sort.IN_USE_BYTES} else self.allocated
        return amount.bytes if sort in {Sort.IN_USE_BYTES, Sort.ALLOCATED_BYTES} else amount.objects


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One function of a chain; `path` is the same on every machine, `line` is its call or allocation."""

    path: str
    function: str
    line: int = 0

    @property
    def key(self) -> str:
        """The name that survives edits: without the line number."""
        return f"{self.path}:{self.function}"

    @property
    def label(self) -> str:
        """The name that an editor opens: `path:line in function`."""
        return Site(path=self.path, function=self.function, line=self.line, size=0).label


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """One way from the test to an allocation, as indexes into the profile's frames, the test first."""

    frames: tuple[int, ...]
    peak: Amount = NONE
    retained: Amount = NONE
    allocated: Amount = NONE

    def use(self, *, retained: bool) -> Use:
        """Return the memory in use at the peak, or after the call if `retained`."""
        return Use(in_use=self.retained if retained else self.peak, allocated=self.allocated)


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionUse:
    """The allocations of one function itself (`flat`), and with all that it called (`cumulative`).

    `frame` has the line of its largest chain.
    """

    frame: Frame
    flat: Use
    cumulative: Use


@dataclass(frozen=True, slots=True, kw_only=True)
class TestProfile:
    """One run of one test, by call chain; `notes` say what is missing in it."""

    __test__ = False  # its name does not make it a test

    test: str
    frames: tuple[Frame, ...]
    chains: tuple[Chain, ...]
    notes: tuple[str, ...] = ()

    def of(self, chain: Chain) -> tuple[Frame, ...]:
        """Return the frames of a chain, the test first."""
        return tuple(self.frames[index] for index in chain.frames)

    def total(self, *, retained: bool) -> Use:
        """Return the sum over all chains."""
        return sum_of(chain.use(retained=retained) for chain in self.chains)

    def functions(self, *, retained: bool) -> list[FunctionUse]:
        """Return every function, in no order; a function that calls itself counts once."""
        flat: dict[str, Use] = {}
        cumulative: dict[str, Use] = {}
        shown: dict[str, tuple[tuple[bool, int], Frame]] = {}
        for chain in self.chains:
            use, way = chain.use(retained=retained), self.of(chain)
            for frame in dict.fromkeys(way):
                is_last = frame is way[-1]
                rank = (is_last, use.in_use.bytes)
                if frame.key not in shown or rank > shown[frame.key][0]:
                    shown[frame.key] = (rank, frame)
            for key in dict.fromkeys(frame.key for frame in way):
                cumulative[key] = cumulative.get(key, Use()) + use
            flat[way[-1].key] = flat.get(way[-1].key, Use()) + use
        return [
            FunctionUse(frame=frame, flat=flat.get(key, Use()), cumulative=cumulative[key])
            for key, (_, frame) in shown.items()
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unprofiled:
    """A test without a profile, and why."""

    test: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The tests that one command profiled; `foreign` are project files that it ran from another place."""

    environment: Environment
    tests: tuple[TestProfile, ...] = ()
    unprofiled: tuple[Unprofiled, ...] = ()
    foreign: tuple[str, ...] = ()

    def find(self, test: str) -> TestProfile | None:
        """Return the profile of a test, None if there is none."""
        return next((one for one in self.tests if one.test == test), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class GrownChain:
    """One way from the test to an allocation, the test first, in two profiles."""

    frames: tuple[Frame, ...]
    base: Use
    head: Use

    @property
    def growth(self) -> Use:
        """What the head uses above the base."""
        return self.head - self.base


@dataclass(frozen=True, slots=True, kw_only=True)
class GrownFunction:
    """The allocations of one function itself in two profiles, and its chains, the largest growth first."""

    frame: Frame
    base: Use
    head: Use
    chains: tuple[GrownChain, ...]

    @property
    def growth(self) -> Use:
        """What the head uses above the base."""
        return self.head - self.base


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileGrowth:
    """One test in two profiles: the functions that differ, the largest growth first."""

    test: str
    base: Use
    head: Use
    functions: tuple[GrownFunction, ...]
    notes: tuple[str, ...] = ()


def sum_of(uses: Iterable[Use]) -> Use:
    """Return the sum of several uses."""
    return sum(uses, Use())
