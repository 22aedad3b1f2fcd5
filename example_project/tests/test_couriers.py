"""Couriers: the cheapest in time is chosen, and one who never answers holds nobody up."""

import asyncio

import pytest
from shop.couriers import NoCourierError, cheapest


async def bike(_: str) -> int:
    return 690


async def van(postcode: str) -> int:
    return 450 if postcode.startswith("1") else 990


async def silent(_: str) -> int:
    await asyncio.sleep(3600)
    return 1


@pytest.mark.parametrize(("postcode", "offer"), [("10115", (450, "van")), ("20095", (690, "bike"))])
def test_the_cheapest_courier_gets_the_parcel(postcode: str, offer: tuple[int, str]) -> None:
    assert asyncio.run(cheapest({"bike": bike, "van": van}, postcode)) == offer


def test_a_parcel_that_nobody_takes_is_an_error() -> None:
    with pytest.raises(NoCourierError, match="10115"):
        asyncio.run(cheapest({"silent": silent}, "10115", patience=0.01))


def test_a_courier_who_never_answers_holds_nobody_up() -> None:
    async def morning() -> None:
        for _ in range(10):
            assert await cheapest({"bike": bike, "silent": silent}, "10115", patience=0.01) == (690, "bike")

    asyncio.run(morning())
