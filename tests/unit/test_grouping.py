"""How many tests one tracker is expected to settle, from what is known of each."""

import pytest

from pytest_memgate.tasks.plans.grouping import MOST, Known, Outlook

_SMALL = Known(peak=5_000, room=205_000, held_room=64_000)


def _most(outlook: Outlook, test: Known) -> int:
    """Return how many tests like this one are expected to be settled together."""
    return max(number for number in range(1, MOST + 1) if outlook.settles([test] * number))


def test_what_tests_leave_limits_how_many_are_settled_together() -> None:
    assert _most(Outlook(), _SMALL) == MOST
    assert _most(Outlook(16_000), _SMALL) == 12  # 5 KB and twelve times 16 KB
    assert not Outlook(256_000).settles([_SMALL, _SMALL])  # 256 KB each


@pytest.mark.parametrize(
    ("peak", "is_expected"), [(180_000, True), (1_000_000, False)], ids=["within the room of the small", "above it"]
)
def test_a_large_test_settles_no_small_one(peak: float, is_expected: bool) -> None:
    large = Known(peak=peak, room=int(peak) + 200_000, held_room=64_000)
    outlook = Outlook()
    assert outlook.settles([_SMALL, large]) is is_expected
    assert outlook.settles([large, _SMALL]) is is_expected


def test_a_block_shows_what_is_retained_and_leaves_room_for_what_was_left_before() -> None:
    outlook = Outlook()
    sizes = [outlook.probe_size([_SMALL] * 24, number) for number in range(24)]
    assert sizes[:3] == [141_000, 136_000, 131_000]  # 205 KB less 64 KB, and less 5 KB for each before
    assert sizes[-1] == 26_000


def test_the_test_behind_is_taken_into_account() -> None:
    outlook = Outlook()
    ample = Known(peak=5_000, room=1_000_000, held_room=64_000)
    assert outlook.probe_size([ample, ample], 0) == 936_000
    assert outlook.probe_size([ample, _SMALL], 0) == 141_000
