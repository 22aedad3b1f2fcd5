"""Amounts as people write and read them: sizes, durations, plain numbers, and units of a project's own."""

import math

import pytest

from pytest_memgate.units import (
    DURATION,
    PLAIN,
    SIZE,
    counted,
    format_amount,
    format_growth,
    format_size,
    parse_amount,
    parse_any,
    parse_duration,
    parse_size,
    to_base,
)


@pytest.mark.parametrize(
    ("number", "text"), [(0, "no entries"), (1, "1 entry"), (2, "2 entries")], ids=["none", "one", "two"]
)
def test_a_number_takes_its_word_along(number: int, text: str) -> None:
    assert counted(number, "entry", "entries") == text


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0B", 0),
        ("200KB", 200_000),
        ("200kb", 200_000),
        (" 200 KB ", 200_000),
        ("200KiB", 204_800),
        ("1.5MB", 1_500_000),
        ("1.5 MiB", 1_572_864),
        ("2GB", 2_000_000_000),
        ("2GiB", 2 * 1024**3),
        ("17B", 17),
        (4096, 4096),
        (0, 0),
    ],
)
def test_kb_is_1000_bytes_and_kib_is_1024(text: str | int, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "200", "KB", "200K", "200 TB", "-5KB", "1e3KB", "1,5MB", "iB", "5ib", "5%"])
def test_what_is_no_size_says_how_to_write_one(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a size: .*write it as 200KB, 1.5MB or 64MiB"):
        parse_size(text)


def test_a_size_is_not_negative() -> None:
    with pytest.raises(ValueError, match="a size is not negative"):
        parse_size(-1)


def test_a_truth_value_is_no_size() -> None:
    with pytest.raises(ValueError, match="not a size: True"):
        parse_size(True)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 KB"),
        (1240, "1.24 KB"),
        (9_994, "9.99 KB"),
        (9_995, "10 KB"),
        (12_340, "12.3 KB"),
        (99_950, "100 KB"),
        (200_000, "200 KB"),
        (999_499, "999 KB"),
        (999_500, "1 MB"),
        (1_240_000, "1.24 MB"),
        (999_600_000, "1 GB"),
        (4_200_000_000_000, "4200 GB"),
        (-12, "-12 B"),
        (-1_500_000, "-1.5 MB"),
    ],
)
def test_a_size_is_shown_with_three_digits(size: int, text: str) -> None:
    assert format_size(size) == text


@pytest.mark.parametrize(("size", "text"), [(4_200_000, "+4.2 MB"), (0, "+0 B"), (-12, "-12 B")])
def test_a_growth_has_its_sign(size: int, text: str) -> None:
    assert format_growth(size) == text


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("300ms", 300),
        ("1.5 s", 1500),
        ("40us", 0.04),
        ("40\u00b5s", 0.04),
        ("7ns", 0.000007),
        ("2min", 120_000),
        (" 30S ", 30_000),
        (300, 300),
        (0.25, 0.25),
        (0, 0),
    ],
)
def test_a_duration_is_read_in_milliseconds(text: str | float, milliseconds: float) -> None:
    assert parse_duration(text) == pytest.approx(milliseconds, rel=1e-12)


@pytest.mark.parametrize("text", ["", "300", "ms", "3 hours", "200KB", "-5ms", "1e3ms", "1,5s", "5%", True])
def test_what_is_no_duration_says_how_to_write_one(text: str | float) -> None:
    with pytest.raises(ValueError, match=r"not a duration: .*write it as 300ms, 1.5s or 40us"):
        parse_duration(text)


@pytest.mark.parametrize("number", [-1, -0.5])
def test_no_amount_is_negative(number: float) -> None:
    for unit, what in ((DURATION, "a duration"), (PLAIN, "an amount"), ("rows", "an amount")):
        with pytest.raises(ValueError, match=f"{what} is not negative, nor endless: {number}"):
            parse_amount(number, unit)


@pytest.mark.parametrize("number", [math.nan, math.inf])
@pytest.mark.parametrize("unit", [SIZE, DURATION, PLAIN, "rows"])
def test_an_amount_is_a_number_that_can_be_exceeded(number: float, unit: str) -> None:
    with pytest.raises(ValueError):
        parse_amount(number, unit)


@pytest.mark.parametrize(
    ("text", "unit", "amount"),
    [
        ("200KB", SIZE, 200_000),
        ("1.5s", DURATION, 1500),
        ("0.1", PLAIN, 0.1),
        (0.1, PLAIN, 0.1),
        ("20 rows", "rows", 20),
        ("20rows", "rows", 20),
        ("20", "rows", 20),
        (20, "rows", 20),
    ],
)
def test_an_amount_is_read_in_the_unit_of_its_metric(text: str | float, unit: str, amount: float) -> None:
    assert parse_amount(text, unit) == amount


@pytest.mark.parametrize(
    ("text", "unit", "message"),
    [
        ("300ms", SIZE, "not a size"),
        (1.5, SIZE, "not a size: 1.5"),
        ("200KB", DURATION, "not a duration"),
        ("300ms", PLAIN, "not a number: '300ms'"),
        ("20 queries", "rows", "not a number of rows: '20 queries'"),
        ("5%", PLAIN, "not a number: '5%'"),
        (True, PLAIN, "not a number: True"),
        ("many", "rows", "not a number of rows: 'many'"),
    ],
)
def test_an_amount_in_another_unit_is_none(text: str | float, unit: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_amount(text, unit)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("20 rows", (20, "rows")),
        ("2.5 rows", (2.5, "rows")),
        ("20", (20, PLAIN)),
        (20, (20, PLAIN)),
        (0.5, (0.5, PLAIN)),
        ("1.5 MB", (1_500_000, SIZE)),
        ("2KiB", (2048, SIZE)),
        ("2 s", (2000, DURATION)),
        ("2 S", (2, "S")),
        ("2 gb", (2, "gb")),
    ],
)
def test_a_number_with_a_word_names_its_own_unit(text: str | float, found: tuple[float, str]) -> None:
    assert parse_any(text) == found


@pytest.mark.parametrize("text", ["", "rows", "5%", "5, 6", "20 db queries", "-5 rows", "1,000 rows", "(5)", True])
def test_what_is_no_number_with_a_word_says_how_to_write_one(text: str | float) -> None:
    with pytest.raises(ValueError, match=r"not an amount: .*write it as 20, 200KB, 300ms or 20 rows"):
        parse_any(text)


@pytest.mark.parametrize(
    ("value", "unit", "kept"),
    [
        (2, "MB", (2_000_000, "B")),
        (0.5, "KiB", (512, "B")),
        (2, "s", (2000, "ms")),
        (3, "us", (0.003, "ms")),
        (20, "rows", (20, "rows")),
        (20, "", (20, "")),
        (2, "S", (2, "S")),
        (2, "mb", (2, "mb")),
    ],
)
def test_a_value_is_kept_in_the_unit_of_its_kind(value: float, unit: str, kept: tuple[float, str]) -> None:
    assert to_base(value, unit) == kept


@pytest.mark.parametrize(
    ("amount", "unit", "text"),
    [
        (0, DURATION, "0 ms"),
        (300, DURATION, "300 ms"),
        (0.04, DURATION, "40 us"),
        (0.0000071, DURATION, "7.1 ns"),
        (1.234, DURATION, "1.23 ms"),
        (99.94, DURATION, "99.9 ms"),
        (99.96, DURATION, "100 ms"),
        (0.9994, DURATION, "999 us"),
        (0.9996, DURATION, "1 ms"),
        (1953.4, DURATION, "1953 ms"),
        (9999, DURATION, "9999 ms"),
        (9999.5, DURATION, "10 s"),
        (12_345, DURATION, "12.3 s"),
        (90_000, DURATION, "90 s"),
        (-350, DURATION, "-350 ms"),
        (0.12, PLAIN, "0.12"),
        (0.12345, PLAIN, "0.123"),
        (0, PLAIN, "0"),
        (41, "queries", "41 queries"),
        (1_234_567, "rows", "1234567 rows"),
        (999.6, "rows", "1000 rows"),
        (2.55, "rows", "2.55 rows"),
        (-3, "rows", "-3 rows"),
        (1240, SIZE, "1.24 KB"),
    ],
)
def test_an_amount_is_shown_in_its_unit(amount: float, unit: str, text: str) -> None:
    assert format_amount(amount, unit) == text


@pytest.mark.parametrize(
    ("amount", "unit", "text"),
    [(350, DURATION, "+350 ms"), (-350, DURATION, "-350 ms"), (0, DURATION, "+0 ms"), (0.05, PLAIN, "+0.05"),
     (-2, "rows", "-2 rows")],
)  # fmt: skip
def test_a_growth_of_any_unit_has_its_sign(amount: float, unit: str, text: str) -> None:
    assert format_growth(amount, unit) == text
