"""What first use has grown by: told in any order of tests, from any part of what there is to pay."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_memgate.compare.attribution import largest
from pytest_memgate.compare.first_use import grown, growth, only_first, payers
from pytest_memgate.model.site import Site

KNOWN = {"emoji": 15_000, "emoji.data": 2_000_000, "emoji/tokenizer.py:get_search_tree": 1_600_000}
TOTAL = 3_620_000  # with what is too small to be listed


def test_what_the_ledger_knows_has_not_grown() -> None:
    assert growth(KNOWN, KNOWN, TOTAL) <= 0


@pytest.mark.parametrize("part", KNOWN)
def test_a_part_of_it_is_no_growth(part: str) -> None:
    assert growth({part: KNOWN[part]}, KNOWN, TOTAL) <= 0


def test_a_module_that_grew_is_seen_by_a_test_that_pays_for_it_alone() -> None:
    assert growth({"emoji.data": 2_700_000}, KNOWN, TOTAL) == 700_000


def test_what_moved_from_one_module_to_another_is_no_growth() -> None:
    assert growth({"emoji": 1_500_000, "emoji.data": 515_000}, KNOWN, TOTAL) <= 0


def test_a_call_site_that_paid_a_share_does_not_hide_what_grew() -> None:
    paid = {"emoji/tokenizer.py:get_search_tree": 400_000, "emoji.data": 2_700_000}
    assert growth(paid, KNOWN, TOTAL) == 700_000


def test_what_is_paid_once_by_whichever_function_comes_first_has_not_grown() -> None:
    assert growth({"emoji/core.py:demojize": 1_601_000}, KNOWN, TOTAL) <= 0
    both = {"emoji/core.py:demojize": 1_600_000, "emoji/core.py:emojize": 1_600_000}
    assert growth(both, KNOWN, TOTAL) > 1_500_000
    beside = {"emoji/core.py:demojize": 1_600_000, "emoji/tokenizer.py:get_search_tree": 1_600_000}
    assert growth(beside, KNOWN, TOTAL) > 1_500_000
    assert growth({"emoji/core.py:demojize": 2_400_000}, KNOWN, TOTAL) > 2_300_000
    known = {"lib/a.py:solve": 33_557_655, "lib/b.py:eigh": 122_878}
    assert growth({"lib/a.py:solve": 90_000, "lib/b.py:eigh": 33_557_011}, known, 34_000_000) <= 0


def test_what_grew_in_its_place_is_not_held_to_have_moved_there() -> None:
    known = {"lib.py:alpha": 1_000_000, "lib.py:beta": 1_000_000}
    assert growth({"lib.py:alpha": 2_000_000}, known, 2_000_000) == 1_000_000
    assert growth({"lib.py:alpha": 2_000_000, "lib.py:beta": 1_000}, known, 2_000_000) <= 1_000


@pytest.mark.parametrize(
    ("payments", "known", "enough", "expected"),
    [
        ([{"a": 400}, {"b": 400}, {"c": 400}, {"d": 400}], {}, 1000, [0, 1, 2]),
        ([{"a": 5000}, {"b": 400}, {"b": 200}], {"a": 9900, "b": 100}, 1000, [1, 2]),
        ([{"a": 5000}, {"b": 400}, {"b": 200}], {"a": 5000, "b": 100}, 1000, [0, 1, 2]),
        ([{"a": 600}, {"b": 1}, {"a": 600}], {"a": 1000, "b": 9000}, 1000, [0, 2]),
        ([{"b": 10}, {"a": 9000}], {}, 1000, [1]),
        ([], {}, 1000, []),
        ([{f"{number}": 1} for number in range(50)], {}, 1000, list(range(20))),
    ],
    ids=[
        "as many as it takes",
        "of what has grown",
        "of what is the same",
        "shares of one part",
        "the largest",
        "none",
        "not too many",
    ],
)
def test_growth_is_made_out_of_what_its_payers_paid(
    payments: list[dict[str, int]], known: dict[str, int], enough: int, expected: list[int]
) -> None:
    assert payers(payments, known, enough) == expected


def test_a_part_that_is_not_listed_may_have_been_as_large_as_the_list_leaves_room_for() -> None:
    assert growth({"emoji.small": 7_000}, KNOWN, TOTAL) <= 0
    assert growth({"emoji.large": 700_000}, KNOWN, TOTAL) > 690_000


def test_a_package_that_the_ledger_does_not_know_has_grown_by_all_of_it() -> None:
    assert growth({"pandas": 5_000_000, "pandas.core": 9_000_000}, {}, 0) == 14_000_000


def test_the_parts_now_are_those_paid_and_the_others_as_they_were() -> None:
    assert grown({"emoji": 1}, KNOWN) == {**KNOWN, "emoji": 1}


def test_what_a_later_run_retains_too_is_not_first_use() -> None:
    cold = {"shop/log.py": {"shop/log.py:keep": 500, "shop/log.py:open": 90}, "json": {"json": 7}}
    warm = {"shop/log.py": {"shop/log.py:keep": 520}}
    assert only_first(cold, warm) == {"shop/log.py": {"shop/log.py:open": 90}, "json": {"json": 7}}


@given(
    sizes=st.dictionaries(
        st.from_regex(r"p\.[a-z]{1,3}(:f)?", fullmatch=True), st.integers(1, 10**7), min_size=1, max_size=200
    ),
    data=st.data(),
)
def test_no_part_of_unchanged_code_has_grown(sizes: dict[str, int], data: st.DataObject) -> None:
    """Whatever a process pays of what the ledger was made from, and however much of it the ledger lists."""
    total = sum(sizes.values())
    listed = largest([Site(path=part, size=size) for part, size in sizes.items()], total, share=0.002, most=100)
    some = data.draw(st.sets(st.sampled_from(sorted(sizes))))
    assert growth({part: sizes[part] for part in some}, listed, total) <= 0
