"""What no mixture of programs may change about the verdict on a leak."""

from hypothesis import given, settings
from hypothesis import strategies as st
from programs import Call, Program, appends, caches, each, memo, once, resizes, slope_of

_BOUNDED = st.one_of(
    st.integers(1, 200).map(caches),
    st.integers(1, 400).map(memo),
    st.integers(0, 900).map(once),
    st.integers(1, 300).map(resizes),
)
_ROUNDS = st.integers(20, 60)


def _together(*calls: Call) -> Call:
    """Return a program of several, all in one call site."""
    parts = [Program(call) for call in calls]

    def call(program: Program, number: int) -> None:
        for place, part in enumerate(parts):
            part.done = number
            part.call(part, number)
            for name in [name for name in program.alive if isinstance(name, tuple) and name[0] == place]:
                if name[1] not in part.alive:
                    del program.alive[name]
            program.alive.update({(place, name): held for name, held in part.alive.items()})

    return call


@settings(max_examples=30)
@given(st.lists(_BOUNDED, min_size=1, max_size=2), _ROUNDS)
def test_what_has_a_bound_is_never_certain_to_leak(calls: list[Call], rounds: int) -> None:
    assert slope_of(Program(_together(*calls)), rounds=max(rounds, 40)).low == 0


@settings(max_examples=30)
@given(st.integers(1, 20), st.sampled_from([16, 56, 1000, 70_000]), st.integers(0, 900), _ROUNDS)
def test_a_leak_is_found_whatever_is_paid_once_beside_it(every: int, size: int, at: int, rounds: int) -> None:
    slope = slope_of(Program(_together(each(every, size), once(at))), rounds=rounds)
    assert slope.low > 0
    assert size / every * 0.7 < slope.low < size / every * 1.5


@given(st.integers(0, 200), st.integers(0, 20), st.integers(20, 60))
def test_a_growing_list_is_never_certain_not_to_grow_once_it_was_moved(done: int, warmup: int, rounds: int) -> None:
    slope = slope_of(Program(appends, done=done), rounds=rounds, warmup=warmup)
    assert slope.high > 0 or slope.series == 1
    assert slope.low in {0, slope.high}


@given(st.integers(1, 30), st.integers(0, 30), st.floats(0, 200))
def test_no_more_calls_are_made_than_a_limit_asks_for(rounds: int, warmup: int, top: float) -> None:
    slope = slope_of(Program(each(1, 100)), rounds=rounds, warmup=warmup, top=top)
    assert slope.high <= top or slope.low > top
    assert (slope.series == 1) == (slope.high <= top)
