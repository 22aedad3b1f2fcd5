"""The owner of retained memory: a package or file, and within it a module or call site.

An import belongs to the module that it loads, whoever imports it first and whatever that module calls meanwhile. All
other memory belongs to the file whose function allocated it. So memory that is paid once a process has one owner in any
order.
"""

import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping

from pytest_memgate.measure.stacks.call_sites import Frame, Record, first_named, own_frames
from pytest_memgate.measure.stacks.import_hook import module_of
from pytest_memgate.measure.stacks.source_paths import Places

FirstUse = Mapping[str, Mapping[str, float]]  # owner -> module or call site -> bytes


def read_owners(records: Iterable[Record], places: Places) -> FirstUse:
    """Group records of retained memory by owner and part."""
    found: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for record in records:
        owner, part = owner_of(record.stack_trace(), places)
        if owner:
            found[owner][part] += record.size
    return found


def owner_of(stack: list[Frame], places: Places) -> tuple[str, str]:
    """Return the owner of an allocation, and its module or call site; both are empty if nobody owns it."""
    for _, path, _ in stack:
        if places.is_harness(path):
            break
        if module := module_of(path):
            return owner_of_module(module, places), module
    own = [frame for frame in own_frames(stack, places) if not places.is_harness(frame[1])]
    if not own:
        return "", ""
    function, path, _ = first_named(own)[0]
    place = places.place(path)
    return place.path if place.project else package_of(place.path), f"{place.path}:{function}"


def owner_of_module(module: str, places: Places) -> str:
    """Return the package of a module, or its file if it belongs to the project."""
    file = getattr(sys.modules.get(module), "__file__", None) or ""
    place = places.place(file) if file else None
    return place.path if place and place.project else module.partition(".")[0]


def package_of(path: str) -> str:
    """Return the package or module of an installed file: `json` for `json/decoder.py`, `re` for `re.py`."""
    return path.partition("/")[0].removesuffix(".py")
