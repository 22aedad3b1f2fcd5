"""What first use has grown by, though a process never pays all of it, and each in another order."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pytest_memgate.compare.agreement import agree
from pytest_memgate.compare.attribution import PARTS, SHARE_OF_PARTS
from pytest_memgate.model.subject import Subject

_NOISE = 20_000  # bytes that loading the same modules differs by, in one order and another
_PAYERS = 20
_OWN = 0.1  # of what moved to a call site is the most that this has of its own

Parts = Mapping[str, float]  # bytes by module or call site


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """The first use that a test paid, by owner: a package, or a file of the project.

    `argument` is how pytest is told to run the test, which stands at `line` of its file. `shared` is what other threads paid while several tests were
    measured together: any of those that `causes` names, by their arguments, may have been the cause. `packages` are the
    owners that can be imported by their name.
    """

    test: Subject
    argument: str
    line: int = 0
    own: Mapping[str, Parts] = field(default_factory=dict)
    shared: Mapping[str, Parts] = field(default_factory=dict)
    causes: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()


def only_first(cold: Mapping[str, Parts], warm: Mapping[str, Parts]) -> dict[str, dict[str, float]]:
    """Return what a first run retained and a later one does not any more, by owner."""
    first = {
        owner: {part: size - warm.get(owner, {}).get(part, 0) for part, size in parts.items()}
        for owner, parts in cold.items()
    }
    return {
        owner: kept
        for owner, parts in first.items()
        if (kept := {part: size for part, size in parts.items() if size > 0})
    }


def growth(paid: Parts, known: Parts, total: float) -> float:
    """Return by how much the `paid` parts of a package are above the ledger, which holds `total` in all.

    `known` are the ledger's largest parts. A process pays some of the parts, and each at most once: what it paid can be
    held against the total, and each part against itself. A module is loaded as a whole, so what has moved to another
    one is not counted twice; a call site may have paid a share only. A part that the ledger does not list may have been
    as large as the smallest that it would. What a library takes once for all of its functions, as BLAS does buffers, is
    paid by the one that is called first: what one call site pays more is no growth where another pays as much less. One
    that was not reached in this process speaks only for a call site that has little of its own: for what it pays may be
    there as well, and what is there has grown.
    """
    less = {part: size - paid.get(part, 0) for part, size in known.items() if not is_module(part)}
    unlisted = min(known.values()) if len(known) >= PARTS else total * SHARE_OF_PARTS
    by_part = 0.0
    for part, size in paid.items():
        more = size - known.get(part, unlisted)
        if more > 0 and not is_module(part):
            moved = size - known.get(part, 0)
            is_little = size - moved <= _OWN * moved
            other = next((one for one in less if (is_little or one in paid) and agree(less[one], moved)), None)
            if other:
                del less[other]
                continue
        by_part += more if part in known and is_module(part) else max(0, more)
    return max(sum(paid.values()) - total, by_part)


def payers(payments: Sequence[Parts], known: Parts, enough: float) -> list[int]:
    """Return which payments make out what is above the ledger: the largest, in order, that go over it by `enough`."""
    paid: dict[str, float] = defaultdict(float)
    for payment in payments:
        for part, size in payment.items():
            paid[part] += size
    above = {part for part, size in paid.items() if size > known.get(part, 0)}
    shares = {
        number: share
        for number, payment in enumerate(payments)
        if (share := sum(size for part, size in payment.items() if part in above))
    }
    missing = enough + sum(known.get(part, 0) for part in above)
    chosen: list[int] = []
    for number in sorted(shares, key=lambda one: -shares[one])[:_PAYERS]:
        if missing < 0:
            break
        chosen.append(number)
        missing -= shares[number]
    return sorted(chosen)


def has_changed(paid: Parts, known: Parts) -> bool:
    """Say whether the modules paid for are others than those that the ledger lists: another release loads otherwise."""
    listed = {part: size for part, size in paid.items() if is_module(part) and part in known}
    return not (listed and agree(sum(listed.values()), sum(known[part] for part in listed), _NOISE))


def is_module(part: str) -> bool:
    """Say whether a part is a module, and not a call site."""
    return ":" not in part


def grown(paid: Parts, known: Parts) -> dict[str, float]:
    """Return the parts as they are now: those paid in this process, and of the others what the ledger says."""
    return {**known, **paid}
