"""Amounts of any unit: what is written reads back, signs are kept, three digits are enough."""

import math

from hypothesis import given
from hypothesis import strategies as st

from pytest_memgate.budget.rule import Allowance, PartError, Rule
from pytest_memgate.units import (
    DURATION,
    PLAIN,
    SIZE,
    format_amount,
    format_growth,
    parse_amount,
    parse_any,
    parse_duration,
    to_base,
)

UNITS = st.sampled_from([SIZE, DURATION, PLAIN, "rows", "queries", "S", "Mb", "_x", "größe"])
# What a page, a benchmark or a count gives: a tenth of a nanosecond to eleven days, and no more digits than that.
NUMBERS = st.just(0.0) | st.floats(min_value=1e-3, max_value=1e9)
WORDS = st.sampled_from(["ns", "us", "\u00b5s", "ms", "s", "min", "B", "KB", "MB", "GB", "KiB", "MiB", "GiB"])


def number_of(text: str) -> float:
    return float(text.partition(" ")[0])


@given(NUMBERS, UNITS)
def test_what_is_shown_reads_back_to_three_digits(number: float, unit: str) -> None:
    amount = round(number) if unit == SIZE else number
    shown = parse_amount(format_amount(amount, unit), unit)
    assert math.isclose(shown, amount, rel_tol=0.005, abs_tol=1e-9)
    assert format_amount(shown, unit) == format_amount(amount, unit)


@given(NUMBERS, UNITS)
def test_three_digits_are_shown_or_all_whole_ones(number: float, unit: str) -> None:
    digits = format_amount(number, unit).partition(" ")[0]
    assert "e" not in digits
    whole, _, decimals = digits.partition(".")
    assert not decimals or len((whole + decimals).lstrip("0")) <= 3
    assert not decimals.endswith("0")


@given(NUMBERS, NUMBERS, UNITS)
def test_a_larger_amount_is_never_shown_as_smaller(one: float, other: float, unit: str) -> None:
    low, high = (parse_amount(format_amount(amount, unit), unit) for amount in sorted((one, other)))
    assert low <= high


@given(NUMBERS.filter(bool), UNITS)
def test_a_growth_and_its_reverse_differ_by_their_sign(number: float, unit: str) -> None:
    up, down = format_growth(number, unit), format_growth(-number, unit)
    assert (up[0], down[0]) == ("+", "-")
    assert up[1:] == down[1:] == format_amount(number, unit)


@given(st.integers(min_value=0, max_value=10**9), WORDS)
def test_the_unit_of_a_text_and_of_a_value_mean_the_same(number: int, word: str) -> None:
    amount, unit = parse_any(f"{number}{word}")
    assert (amount, unit) == to_base(number, word)
    assert unit in {SIZE, DURATION}
    assert math.isclose(parse_amount(f"{number} {word}", unit), amount)


@given(NUMBERS, UNITS)
def test_what_is_kept_is_kept_as_it_is(number: float, unit: str) -> None:
    assert to_base(*to_base(number, unit)) == to_base(number, unit)


ANYTHING = st.text(max_size=30) | st.integers() | st.floats() | st.sampled_from([math.nan, math.inf, True])


@given(ANYTHING, UNITS)
def test_anything_is_a_finite_amount_or_a_value_error(given_: str | float, unit: str) -> None:
    for parse in (parse_any, parse_duration, lambda text: parse_amount(text, unit)):
        try:
            found = parse(given_)
        except ValueError as error:
            assert str(error)  # noqa: PT017  # either way is right
        else:
            amount = found[0] if isinstance(found, tuple) else found
            assert 0 <= amount < math.inf


def _amount(number: float, unit: str) -> str:
    return f"{number:g} {unit}".strip()


AMOUNTS = st.builds(_amount, st.integers(min_value=0, max_value=999), st.sampled_from(["ms", "s", "", "rows", "KB"]))
PERCENTS = st.integers(min_value=0, max_value=100_000).map(lambda number: f"{number / 1000:g}%")
TEXTS = AMOUNTS | PERCENTS | st.builds("{}({}, {})".format, st.sampled_from(["max", "min"]), AMOUNTS, PERCENTS)


@given(TEXTS)
def test_the_text_of_an_allowance_of_any_unit_reads_back(text: str) -> None:
    allowance = Allowance.parse(text, None)
    assert Allowance.parse(str(allowance), None) == allowance
    assert Allowance.parse(str(allowance), allowance.unit) == allowance


@given(TEXTS, NUMBERS, NUMBERS)
def test_a_larger_base_of_any_unit_never_allows_less(text: str, one: float, other: float) -> None:
    allowance = Allowance.parse(text, None)
    low, high = sorted((one, other))
    assert 0 <= allowance.of(low) <= allowance.of(high)
    assert not allowance.looser_than(allowance)


@given(TEXTS, TEXTS)
def test_the_parts_of_a_rule_are_in_one_unit_or_it_is_refused(growth: str, drift: str) -> None:
    units = {Allowance.parse(text, None).unit for text in (growth, drift)} - {""}
    try:
        rule = Rule.parse({"growth": growth, "drift": drift}, None, {})
    except PartError as error:
        assert len(units) == 2
        assert error.part == "drift"  # noqa: PT017
    else:
        assert rule.unit == (units.pop() if units else "")
