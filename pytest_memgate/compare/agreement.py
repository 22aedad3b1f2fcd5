"""When the repeated runs of one test agree: their value is then settled."""

MOST_RUNS = 5  # runs of one test, the first included; chosen: docs/concepts.md, "The settle rule"
_SHARE = 0.01  # of the larger value; chosen: benchmarks/false_alarms.py holds it
NOISE = 4000  # bytes, where a metric names no noise of its own; chosen: benchmarks/false_alarms.py holds it


def agree(one: float, other: float, noise: float = NOISE) -> bool:
    """True if two values differ by no more than runs of an unchanged test do: 1 % of the larger one, or `noise`.

    All three are in the metric's unit.
    """
    return abs(one - other) <= max(noise, _SHARE * max(one, other))


def settled_value(warm: tuple[float, ...], noise: float = NOISE) -> float | None:
    """Return the value once the last two `warm` runs agree, None before that.

    It is the larger of the two, as either could be seen again.
    """
    if len(warm) >= 2 and agree(warm[-2], warm[-1], noise):
        return max(warm[-2:])
    return None
