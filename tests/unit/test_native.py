"""Which shared object is behind memory without a Python frame, from what memray's dump says."""

from dataclasses import replace
from pathlib import Path

import pytest
from samples import finding, settled, site

from pytest_memgate.measure.memory.native_stacks import read_objects
from pytest_memgate.measure.stacks.source_paths import Places
from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.model.site import Contribution
from pytest_memgate.tasks.judge.packages import is_led_by_unknown, with_objects

# A native frame has the number of its caller; the first map is that of before the library was loaded.
_DUMP = """\
HEADER magic=memray version=13
MEMORY_MAP_START
SEGMENT_HEADER filename=/usr/bin/python3.11 num_segments=1 addr=(nil)
SEGMENT 0x1000 1000
MEMORY_MAP_START
SEGMENT_HEADER filename=/lib/libc.so.6 num_segments=2 addr=0x7f0000000000
SEGMENT (nil) 1000
SEGMENT 0x2000 1000
SEGMENT_HEADER filename=/opt/a folder/libarrow.so.1200 num_segments=1 addr=0x7f1000000000
SEGMENT 0x1000 1000
NATIVE_TRACE_INDEX ip=0x7f0000000010 index=0
NATIVE_TRACE_INDEX ip=0x7f1000001010 index=1
NATIVE_TRACE_INDEX ip=0x7f0000002010 index=2
AGGREGATED_ALLOCATION tid=2 native_frame_id=3 python_frame_id=0 native_segment_generation=2 \
bytes_in_high_water_mark=900 bytes_leaked=500
AGGREGATED_ALLOCATION tid=2 native_frame_id=3 python_frame_id=7 native_segment_generation=2 \
bytes_in_high_water_mark=70 bytes_leaked=70
AGGREGATED_ALLOCATION tid=2 native_frame_id=1 python_frame_id=0 native_segment_generation=2 \
bytes_in_high_water_mark=80 bytes_leaked=80
"""


def test_it_is_that_of_the_innermost_frame_that_is_no_plumbing() -> None:
    assert read_objects(_DUMP.splitlines()) == {
        "memory.peak": {"/opt/a folder/libarrow.so.1200": 900},
        "memory.retained": {"/opt/a folder/libarrow.so.1200": 500},
    }


def grown(*parts: tuple[str, float]) -> Finding:
    sites = (Contribution(site=site("f", 9, path=path), base=0, head=size) for path, size in parts)
    return replace(finding(Outcome.REGRESSED, settled(9), baseline=1), growth_by_site=tuple(sites))


def test_only_what_leads_is_looked_at() -> None:
    assert is_led_by_unknown(grown(("<unknown>", 9), ("a.py", 4)))
    assert not is_led_by_unknown(grown(("a.py", 9), ("<unknown>", 4)))
    assert not is_led_by_unknown(grown(("<unknown>", -9)))
    assert not is_led_by_unknown(grown())


@pytest.mark.parametrize(
    ("objects", "named"),
    [
        ({"/opt/libarrow.so.12": 90.0, "/opt/libsmall.so": 5.0}, ("libarrow.so.12",)),
        ({"/opt/liba.so": 40.0, "/opt/libb.so": 60.0}, ("libb.so", "liba.so")),
        ({}, ()),
    ],
)
def test_the_largest_are_named(tmp_path: Path, objects: dict[str, float], named: tuple[str, ...]) -> None:
    first = with_objects(grown(("<unknown>", 9)), objects, Places(tmp_path)).growth_by_site[0].site
    assert first is not None
    assert first.uses == named
