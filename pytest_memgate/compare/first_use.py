"""By how much first use has grown, although each process pays only a part of it, in an order of its own."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pytest_memgate.compare.agreement import agree
from pytest_memgate.compare.attribution import PARTS, SHARE_OF_PARTS
from pytest_memgate.model.subject import Subject

# bytes that the same modules may differ by in another order; chosen: benchmarks/false_alarms.py holds it
_NOISE = 20_000
_PAYERS = 20  # tests that run in one fresh process at most; chosen to bound its time
_OWN = 0.1  # share of a growth: a call site with less memory of its own may have taken over another one's; chosen

Parts = Mapping[str, float]  # bytes by module or call site


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """The first use that one test paid, in bytes by owner: a package, or a file of the project.

    `argument` is how pytest is told to run the test, which stands at `line` of its file. `shared` is what other threads
    paid while several tests were measured together: any of those that `causes` names, by their arguments, may have been
    the cause. `packages` are the owners that can be imported by their name.
    """

    test: Subject
    argument: str
    line: int = 0
    own: Mapping[str, Parts] = field(default_factory=dict)
    shared: Mapping[str, Parts] = field(default_factory=dict)
    causes: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()


def only_first(cold: Mapping[str, Parts], warm: Mapping[str, Parts]) -> dict[str, dict[str, float]]:
    """Return the bytes that a first run (`cold`) retained and a later one (`warm`) does not, by owner and part."""
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
    """Return by how many bytes the `paid` parts of a package exceed the ledger.

    `known` are the ledger's largest parts, `total` is the sum of all of its parts. A process pays some of the parts,
    each at most once. So the sum that it paid is held against the total, and each part against the same part of the
    ledger; the larger excess is the growth.

    - A module is loaded as a whole. If code moved to another module, one part grew and the other shrank: the shrinking
      one counts against it.
    - A part that the ledger does not list may have been as large as the smallest listed one.
    - A call site may have paid a share only. What a library takes once for all of its functions, as BLAS takes its
      buffers, is paid by the function that is called first. So a larger call site is no growth where another call site
      is smaller by the same amount. A call site that this process did not reach excuses only one that has little memory
      of its own.
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
    """Return the numbers of the payments that explain the growth, in their order.

    These are the largest payments for parts above the ledger, until they exceed it by `enough` bytes. After them come
    those for parts that are as the ledger has them: a new part may be as large as one that none of these tests needs.
    """
    paid: dict[str, float] = defaultdict(float)
    for payment in payments:
        for part, size in payment.items():
            paid[part] += size
    above = {part for part, size in paid.items() if size > known.get(part, 0)}
    same = {part for part, size in paid.items() if part not in above and agree(size, known[part])}
    shares = _shares(payments, above)
    missing = enough + sum(known.get(part, 0) for part in above)
    chosen: list[int] = []
    for number in sorted(shares, key=lambda one: -shares[one])[:_PAYERS]:
        if missing < 0:
            break
        chosen.append(number)
        missing -= shares[number]
    others = _shares(payments, same)
    chosen += sorted(others.keys() - chosen, key=lambda one: -others[one])[: _PAYERS - len(chosen)]
    return sorted(chosen)


def _shares(payments: Sequence[Parts], parts: set[str]) -> dict[int, float]:
    """Return what each payment, by its number, paid for some parts, without those that paid nothing for them."""
    found = (sum(size for part, size in payment.items() if part in parts) for payment in payments)
    return {number: share for number, share in enumerate(found) if share}


def has_changed(paid: Parts, known: Parts) -> bool:
    """True if the paid modules are not those that the ledger lists, as with another release of the package."""
    listed = {part: size for part, size in paid.items() if is_module(part) and part in known}
    return not (listed and agree(sum(listed.values()), sum(known[part] for part in listed), _NOISE))


def is_module(part: str) -> bool:
    """True if a part is a module, False if it is a call site (`path:function`)."""
    return ":" not in part


def grown(paid: Parts, known: Parts) -> dict[str, float]:
    """Return all parts as they are now: the paid ones as this process paid them, the others as in the ledger."""
    return {**known, **paid}
