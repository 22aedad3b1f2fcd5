"""Which courier takes a parcel: all are asked at once, and the cheapest of those who answer in time gets it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

Courier = Callable[[str], Awaitable[int]]  # from a postcode to a price in cents
Offer = tuple[int, str]  # the price, and who asks it

_PATIENCE = 2.0  # seconds


class NoCourierError(Exception):
    """Nobody answered in time."""


async def cheapest(couriers: Mapping[str, Courier], postcode: str, patience: float = _PATIENCE) -> Offer:
    """Return the best offer for a parcel to a postcode."""
    asked = (_offer(name, courier, postcode, patience) for name, courier in couriers.items())
    offers = [offer for offer in await asyncio.gather(*asked) if offer]
    if not offers:
        raise NoCourierError(postcode)
    return min(offers)


async def _offer(name: str, courier: Courier, postcode: str, patience: float) -> Offer | None:
    try:
        async with asyncio.timeout(patience):
            return await courier(postcode), name
    except TimeoutError:
        return None
