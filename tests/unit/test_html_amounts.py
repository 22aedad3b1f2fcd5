"""The page's script writes amounts as every other report does, to the letter."""

import json
import os
import random
import shutil
import subprocess
from importlib.resources import files
from typing import Any

import pytest

from pytest_memgate.units import DURATION, PLAIN, SIZE, format_amount, format_growth

_RUN = """
const amounts = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
const told = amounts.map(([value, unit]) => [amount(value, unit), growth(value, unit)]);
process.stdout.write(JSON.stringify(told));
"""


def in_node(script: str, data: object) -> Any:
    """Run the page's amounts.js in Node; a test that needs Node is skipped without it, but fails in CI."""
    node = shutil.which("node")
    if node is None:
        if os.environ.get("CI"):
            pytest.fail("node is not on PATH")
        pytest.skip("node is not on PATH")
    source = files("pytest_memgate.report.html").joinpath("amounts.js").read_text(encoding="utf-8")
    done = subprocess.run(
        [node, "-e", source + script], input=json.dumps(data), capture_output=True, encoding="utf-8", check=True
    )
    return json.loads(done.stdout)


def values() -> list[float]:
    chance = random.Random(7)
    ties = [12_250, 12_350, 1_125, 1_135, 99_950, 99.95, 9.995, 9_995, 0.5, 1.5, 2.5, 999.5, 999_500, 9_999.5, 0.9995]
    small = [0.0009995, 0.00012345, 0.0000123456, 1.125, 0.0625, 0.12, 0]
    spread = [chance.random() * 10 ** chance.randint(-6, 15) for _ in range(3_000)]
    halves = [chance.randint(1, 10**6) / 2 ** chance.randint(1, 12) for _ in range(3_000)]
    whole = [chance.randint(0, 10 ** chance.randint(1, 12)) for _ in range(3_000)]
    return [*ties, *small, *spread, *halves, *whole]


@pytest.mark.parametrize("unit", [SIZE, DURATION, PLAIN, "rows"])
def test_amounts_in_the_page_read_as_everywhere(unit: str) -> None:
    pairs = [(sign * value, unit) for value in values() for sign in (1, -1)]
    expected = [[format_amount(*pair), format_growth(*pair)] for pair in pairs]
    told = in_node(_RUN, pairs)
    assert [one for one in zip(pairs, told, expected, strict=True) if one[1] != one[2]] == []


@pytest.mark.parametrize(
    ("low", "high", "marks"),
    [
        (0, 744_000, [0, 200_000, 400_000, 600_000]),
        (890, 2150, [1000, 1500, 2000]),
        (0.02, 0.0202, [0.02, 0.02005, 0.0201, 0.02015, 0.0202]),
    ],
)
def test_an_axis_has_round_marks(low: float, high: float, marks: list[float]) -> None:
    script = """
    const [low, high] = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
    process.stdout.write(JSON.stringify(ticks(low, high, 5)));
    """
    assert in_node(script, [low, high]) == pytest.approx(marks)


@pytest.mark.parametrize(
    ("marks", "unit", "texts"),
    [
        ([0, 200_000], SIZE, ["0 B", "200 KB"]),
        ([744_100, 744_200, 744_300], SIZE, ["744.1 KB", "744.2 KB", "744.3 KB"]),
        ([999_400, 1_000_100, 1_000_800], SIZE, ["0.999 MB", "1.000 MB", "1.001 MB"]),
        ([1996.5, 1997, 1997.2], DURATION, ["1996.5 ms", "1997.0 ms", "1997.2 ms"]),
        ([0.1201, 0.1202], PLAIN, ["0.1201", "0.1202"]),
    ],
)
def test_marks_that_lie_close_together_are_told_apart(marks: list[float], unit: str, texts: list[str]) -> None:
    script = """
    const [marks, unit] = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
    process.stdout.write(JSON.stringify(markTexts(marks, unit)));
    """
    assert in_node(script, [marks, unit]) == texts
