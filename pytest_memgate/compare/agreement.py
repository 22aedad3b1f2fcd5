"""When repeated runs of one test have given its value."""

MOST_RUNS = 5
_SHARE = 0.01
NOISE = 4000  # bytes


def agree(one: float, other: float, noise: float = NOISE) -> bool:
    """Say whether two values are the same but for what runs of an unchanged test differ by: 1 %, or `noise`."""
    return abs(one - other) <= max(noise, _SHARE * max(one, other))


def settled_value(warm: tuple[float, ...], noise: float = NOISE) -> float | None:
    """Return the value once the last two warm runs agree: the larger of them, as either could be seen again."""
    if len(warm) >= 2 and agree(warm[-2], warm[-1], noise):
        return max(warm[-2:])
    return None
