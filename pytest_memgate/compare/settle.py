"""When repeated runs of one test have given its value."""

MOST_RUNS = 5
_SHARE = 0.01
_FLOOR = 4000


def agree(one: float, other: float) -> bool:
    """Say whether two values (bytes) are the same but for what runs of an unchanged test differ by: 1 % or 4 KB."""
    return abs(one - other) <= max(_FLOOR, _SHARE * max(one, other))


def settled_value(warm: tuple[float, ...]) -> float | None:
    """Return the value once the last two warm runs agree: the larger of them, as either could be seen again."""
    if len(warm) >= 2 and agree(warm[-2], warm[-1]):
        return max(warm[-2:])
    return None
