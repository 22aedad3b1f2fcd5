"""Labels: what is on one, and how much is allocated for a day of them."""

import pytest
from shop.labels import print_label


class Printer:
    """Counts the black dots of each label."""

    def __init__(self) -> None:
        self.dots: list[int] = []

    def write(self, bitmap: memoryview) -> None:
        self.dots.append(8 * (len(bitmap) - bytes(bitmap).count(0)))


class Spooler:
    """Passes labels on, and counts them."""

    def __init__(self) -> None:
        self.labels = 0

    def write(self, bitmap: memoryview) -> None:
        self.labels += bitmap.nbytes == 40_000


def test_a_label_has_a_bar_for_each_bit_of_the_number() -> None:
    printer = Printer()
    for number in (1, 3, 4):
        print_label(number, printer)
    assert printer.dots == [3200, 6400, 3200]


@pytest.mark.memgate(track="allocations")
def test_a_day_of_labels_is_printed() -> None:
    spooler = Spooler()
    for number in range(1, 201):
        print_label(number, spooler)
    assert spooler.labels == 200
