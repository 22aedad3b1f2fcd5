"""What grew between two profiles of one test: functions, each with the call chains that it grew by."""

from collections.abc import Iterable
from typing import TypeVar

from pytest_memgate.model.profile import (
    Frame,
    GrownChain,
    GrownFunction,
    ProfileGrowth,
    Sort,
    TestProfile,
    Use,
    sum_of,
)

_Grown = TypeVar("_Grown", GrownChain, GrownFunction)


def profile_growth(base: TestProfile, head: TestProfile, sort: Sort, *, retained: bool) -> ProfileGrowth:
    """Return the difference of two profiles, the largest growth in the column of `sort` first.

    A line of code that only moved is no difference. The growth of all functions sums to the growth of the test.
    """
    functions: dict[str, list[GrownChain]] = {}
    for chain in grown_chains(base, head, retained=retained):
        if chain.growth != Use():
            functions.setdefault(chain.frames[-1].key, []).append(chain)
    return ProfileGrowth(
        test=head.test,
        base=base.total(retained=retained),
        head=head.total(retained=retained),
        functions=_largest_first((_function(chains, sort) for chains in functions.values()), sort),
        notes=tuple(dict.fromkeys((*head.notes, *base.notes))),
    )


def grown_chains(base: TestProfile, head: TestProfile, *, retained: bool) -> list[GrownChain]:
    """Return every chain of either profile; its line numbers are those of the head, if the head has it."""
    olds, news = (_by_way(one, retained=retained) for one in (base, head))
    nothing: tuple[tuple[Frame, ...], Use] = ((), Use())
    return [
        GrownChain(
            frames=news.get(way, olds.get(way, nothing))[0],
            base=olds.get(way, nothing)[1],
            head=news.get(way, nothing)[1],
        )
        for way in dict.fromkeys((*news, *olds))
    ]


def _by_way(profile: TestProfile, *, retained: bool) -> dict[tuple[str, ...], tuple[tuple[Frame, ...], Use]]:
    ways = ((profile.of(chain), chain.use(retained=retained)) for chain in profile.chains)
    return {tuple(frame.key for frame in frames): (frames, use) for frames, use in ways}


def _function(chains: list[GrownChain], sort: Sort) -> GrownFunction:
    largest_first = _largest_first(chains, sort)
    return GrownFunction(
        frame=largest_first[0].frames[-1],
        base=sum_of(chain.base for chain in chains),
        head=sum_of(chain.head for chain in chains),
        chains=largest_first,
    )


def _largest_first(grown: Iterable[_Grown], sort: Sort) -> tuple[_Grown, ...]:
    return tuple(sorted(grown, key=lambda one: (-one.growth.column(sort), -one.growth.allocated.bytes)))
