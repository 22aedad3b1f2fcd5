"""What one tracker over several calls says of memory that no call allocated."""

import mmap
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_memgate.measure.memory.recorder import Recorder
from pytest_memgate.measure.memory.shared_tracker import Share, Span
from pytest_memgate.measure.stacks.source_paths import Places

if TYPE_CHECKING:
    from pytest_memgate.measure.memory.capture import Capture

_ARENA = 1 << 20  # bytes
_SMALL = 60_000  # objects of some 60 bytes: more than fit into the arenas that are there
RECORDER = Recorder()
kept: list[object] = []


@pytest.fixture
def places() -> Places:
    return Places(Path(__file__).parent)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """A thread that was there before any test, as that of a connection pool is."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(int).result()
        yield pool


@pytest.fixture
def span() -> Iterator[Span]:
    """Return a tracker that the test starts: memray knows no frame further out than the one it was started in."""
    for _ in range(40):  # into what other tests of the process have left free: what comes then needs arenas
        keep_small_objects()
    span = RECORDER.span()
    assert span
    yield span
    span.close()
    kept.clear()


def keep_small_objects() -> None:
    """Keep objects that are all below the 512 bytes of Python's own allocator."""
    chain: list[object] = []
    for number in range(_SMALL):
        chain = [str(number) * 4, chain]
    kept.append(chain)


def map_a_megabyte() -> None:
    kept.append(mmap.mmap(-1, _ARENA))


def ended(span: Span, call: Callable[[], None]) -> Share:
    """Return the share of a last call under the tracker, which is then stopped."""
    share = span.share(probe=0)
    share.is_last = True
    captures: list[Capture] = []
    share.traced(call, captures.append)()
    assert captures == [share]
    return share


def test_arenas_are_mapped_while_small_objects_are_not_traced(span: Span, pool: ThreadPoolExecutor) -> None:
    """Otherwise the tests below prove nothing."""
    assert span.start()
    pool.submit(keep_small_objects).result()
    share = ended(span, lambda: None)
    arenas = sum(one.size for one in span.left if one.is_arena)
    assert arenas >= 2 * _ARENA
    assert share.peak >= arenas  # a bound may be too large


def test_an_arena_is_nobodys_first_use(span: Span, pool: ThreadPoolExecutor, places: Places) -> None:
    assert span.start()
    pool.submit(keep_small_objects).result()
    keep_small_objects()  # as a hook of the harness may, between two tests
    share = ended(span, lambda: None)
    assert sum(size for parts in share.loose(places).values() for size in parts.values()) < 10_000
    assert not share.owners(places)


def test_what_a_call_maps_is_its_own_though_it_has_the_size_of_an_arena(span: Span, places: Places) -> None:
    assert span.start()
    share = ended(span, map_a_megabyte)
    (paid,) = share.owners(places).values()
    assert paid == {f"{Path(__file__).name}:map_a_megabyte": pytest.approx(_ARENA, abs=1000)}


def test_what_a_call_keeps_small_is_seen_and_needs_no_arena(span: Span, places: Places) -> None:
    assert span.start()
    share = ended(span, keep_small_objects)
    (paid,) = share.owners(places).values()
    assert sum(paid.values()) > _SMALL * 50
    assert not any(one.is_arena for one in span.left)


def test_what_the_harness_allocates_between_two_tests_is_nobodys(
    span: Span, pool: ThreadPoolExecutor, places: Places
) -> None:
    assert span.start()
    kept.append(bytearray(3_000_000))  # below pytest's own frames
    pool.submit(lambda: kept.append(bytearray(2_000_000))).result()
    share = ended(span, lambda: None)
    loose = max(sum(parts.values()) for parts in share.loose(places).values())
    assert loose == pytest.approx(2_000_000, abs=2000)
