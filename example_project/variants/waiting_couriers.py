"""The couriers without a time-out: the answer is in time, and who did not give one is waited for all the same."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

Courier = Callable[[str], Awaitable[int]]  # from a postcode to a price in cents
Offer = tuple[int, str]  # the price, and who asks it

_PATIENCE = 2.0  # seconds


class NoCourierError(Exception):
    """Nobody answered in time."""


async def cheapest(couriers: Mapping[str, Courier], postcode: str, patience: float = _PATIENCE) -> Offer:
    """Return the best offer for a parcel to a postcode."""
    asked = [asyncio.create_task(_offer(name, courier, postcode)) for name, courier in couriers.items()]
    answered, _ = await asyncio.wait(asked, timeout=patience)
    if not answered:
        raise NoCourierError(postcode)
    return min(task.result() for task in answered)


async def _offer(name: str, courier: Courier, postcode: str) -> Offer:
    return await courier(postcode), name
