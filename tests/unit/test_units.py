"""Sizes as people write and read them."""

import pytest

from pytest_memgate.units import format_growth, format_size, parse_size


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
    with pytest.raises(ValueError, match="a size is not negative: -1"):
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
