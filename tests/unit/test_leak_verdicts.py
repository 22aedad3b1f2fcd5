"""What survivors of series of calls say of a leak: known programs, played without a process of their own."""

from collections.abc import Iterator

import pytest
from programs import Call, Program, appends, caches, each, memo, once, resizes, slope_of

from pytest_memgate.compare.leak_slope import Slope, confidence
from pytest_memgate.model.measurement import Basis, Measurement
from pytest_memgate.report.words.remarks import remark_texts
from pytest_memgate.tasks.judge.leak import repeated_calls


def told(slope: Slope) -> str:
    """Return what the report says of how sure a slope is."""
    (text,) = remark_texts(Measurement(value=0, basis=Basis.SLOPE, repeated=repeated_calls(slope)))
    return text


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        pytest.param(each(1, 16), 16, id="16 bytes a call"),
        pytest.param(each(10), 100, id="every 10th call"),
        pytest.param(each(40), 25, id="every 40th call"),
    ],
)
def test_what_every_block_keeps_is_a_leak(call: Call, expected: float) -> None:
    slope = slope_of(Program(call))
    assert slope.is_certain
    assert slope.low == pytest.approx(expected, rel=0.1)
    assert slope.calls == 840
    assert slope.leading
    assert confidence(slope.leading.grew, slope.leading.blocks) > 0.999


def test_a_list_that_grows_by_a_pointer_a_call_is_a_leak() -> None:
    slope = slope_of(Program(appends))
    assert slope.is_certain
    assert slope.low == pytest.approx(8, rel=0.2)


@pytest.mark.parametrize(
    ("call", "calls"),
    [
        pytest.param(lambda _program, _number: None, 40, id="nothing"),
        pytest.param(once(at=5), 40, id="once, while it warms up"),
        pytest.param(once(at=30), 200, id="once, later"),
        pytest.param(memo(keys=10), 40, id="a memo that fills while it warms up"),
        pytest.param(memo(keys=30), 200, id="a memo that fills soon after"),
        pytest.param(caches(1), 200, id="the last value"),
        pytest.param(caches(20), 200, id="a small cache"),
        pytest.param(caches(128), 840, id="an lru_cache that turns over"),
        pytest.param(resizes(25), 200, id="a table built anew now and then"),
        pytest.param(resizes(45), 200, id="a table built anew seldom"),
    ],
)
def test_what_has_a_bound_is_no_leak(call: Call, calls: int) -> None:
    slope = slope_of(Program(call))
    assert slope.is_certain
    assert slope.high == 0
    assert slope.calls == calls


def _pauses(program: Program, number: int) -> None:
    if number % 10 == 0 and number not in range(400, 600):
        program.keep(number, 1000)


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(_pauses, id="a leak that pauses"),
        pytest.param(caches(500), id="a cache that has begun to turn over"),
    ],
)
def test_what_the_calls_do_not_decide_is_neither_a_leak_nor_none(call: Call) -> None:
    slope = slope_of(Program(call))
    assert slope.low == 0
    assert slope.high > 0
    assert told(slope).endswith("blocks grew, which is not certain")


def test_a_list_that_was_long_before_is_not_certain_to_grow() -> None:
    slope = slope_of(Program(appends, done=250))
    assert (slope.low, slope.high > 0) == (0, True)


def test_what_a_thread_leaves_behind_is_found_by_longer_and_longer_series() -> None:
    slope = slope_of(Program(each(1, 500), loose=True))
    assert (slope.low, slope.high) == (500, 500)
    buffer = slope_of(Program(appends, loose=True))
    assert buffer.high == pytest.approx(8, rel=0.2)
    bounded = slope_of(Program(caches(5), loose=True))
    assert (bounded.high, bounded.calls) == (0, 200)


def test_a_limit_that_no_call_reaches_ends_the_calls_early() -> None:
    assert slope_of(Program(each(1, 16)), top=64).calls == 40
    assert slope_of(Program(each(1, 16)), top=8).calls == 840


@pytest.mark.parametrize("rounds", [1, 3, 7, 10, 33, 100])
def test_any_number_of_rounds_gives_the_exact_rate(rounds: int) -> None:
    slope = slope_of(Program(each(1, 16)), rounds=rounds, warmup=0)
    assert (slope.low, slope.high) == (16, 16)
    assert 21 * rounds <= slope.calls < 21 * rounds + 30


def test_a_single_cost_in_the_midst_of_a_leak_does_not_count() -> None:
    def call(program: Program, number: int) -> None:
        program.keep(number, 16)
        if number == 500:
            program.keep("table", 1_000_000)

    assert slope_of(Program(call)).low == 16


def test_a_site_that_begins_to_keep_things_on_the_ladder_is_not_passed_over() -> None:
    def call(program: Program, number: int) -> None:
        if number < 300:
            appends(program, number)
        else:
            program.keep(number, 32)

    slope = slope_of(Program(call))
    assert (slope.low, slope.high > 0) == (0, True)


def test_confidence_is_that_of_the_sign_test() -> None:
    assert confidence(10, 10) == 1 - 1 / 1024
    assert confidence(0, 0) == 0
    assert confidence(1, 2) == pytest.approx(0.25)


def test_a_verdict_says_how_sure_it_is() -> None:
    def notes() -> Iterator[str]:
        for call in (each(1, 16), lambda _program, _number: None, once(at=30)):
            yield told(slope_of(Program(call)))

    assert list(notes()) == [
        "840 calls in 3 series, after 10 to warm up: each of 30 blocks grew; confidence 99.9999 %",
        "40 calls, after 10 to warm up: nothing was left; confidence 95 % that fewer than 7.2 % of the calls leave any",
        "200 calls in 2 series, after 10 to warm up: nothing that grows with the calls",
    ]
