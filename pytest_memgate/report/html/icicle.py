"""Profiles as one HTML file that opens offline: for each test an icicle of its calls, and a table of its functions."""

from dataclasses import dataclass, field
from typing import Any

from pytest_memgate.model.profile import Chain, Frame, Profile, TestProfile, Use
from pytest_memgate.report.html.embed import shown
from pytest_memgate.report.html.render import check_libraries
from pytest_memgate.units import format_growth, format_size

_SMALLEST = 1 / 1000  # of a test: a function below it in every amount counts for its caller; chosen
_ROWS = 50  # of the table of functions
_SCRIPTS = ("amounts", "elements", "figures", "plot", "icicle")


def icicle(head: Profile, base: Profile | None = None, base_name: str = "", *, retained: bool = False) -> str:
    """Return the page of all tests in `head`, coloured by growth if `base` is given; tests not in `head` are left out.

    The page opens on memory live after the call with `retained`, else on the peak. Raises UsageError if Plotly or
    Jinja2 is not installed.
    """
    check_libraries("the page of a profile")
    from plotly.offline import get_plotlyjs

    from pytest_memgate.report.html.assemble import assemble

    pairs = [(one, base.find(one.test) if base else None) for one in head.tests]
    pairs = [pair for pair in pairs if base is None or pair[1]]
    words = {
        "base": shown(base_name),
        "environment": head.environment.key,
        "tests": [_words(one, old, retained=retained) for one, old in pairs],
        "moment": "after the call" if retained else "at the peak",
    }
    data = {"retained": retained, "compared": base is not None, "tests": [tree(one, old) for one, old in pairs]}
    return assemble("icicle", words, scripts=_SCRIPTS, styles=("page", "icicle"), data=data, charts=get_plotlyjs())


def _words(head: TestProfile, base: TestProfile | None, *, retained: bool) -> dict[str, Any]:
    total = head.total(retained=retained)
    before = base.total(retained=retained) if base else None
    olds = {one.frame.key: one.flat for one in base.functions(retained=retained)} if base else {}
    functions = head.functions(retained=retained)
    flats = {one.frame.key: one for one in functions if one.flat != Use()}
    rows = [
        (
            shown(one.frame.label),
            f"{one.flat.in_use.objects}",
            format_size(one.flat.in_use.bytes),
            format_size(one.cumulative.in_use.bytes),
            f"{one.flat.allocated.objects}",
            format_size(one.flat.allocated.bytes),
            *([format_growth(one.flat.in_use.bytes - olds.get(key, Use()).in_use.bytes)] if base else []),
        )
        for key, one in sorted(flats.items(), key=lambda item: (-item[1].flat.in_use.bytes, item[0]))
    ]
    change = f"{format_size(before.in_use.bytes)} → " if before else ""
    growth = f" ({format_growth(total.in_use.bytes - before.in_use.bytes)})" if before else ""
    return {
        "name": shown(head.test),
        "in_use": f"{change}{format_size(total.in_use.bytes)}{growth} in {total.in_use.objects} objects",
        "allocated": f"{format_size(total.allocated.bytes)} in {total.allocated.objects} objects",
        "notes": [shown(note) for note in head.notes],
        "rows": rows[:_ROWS],
        "more": max(0, len(rows) - _ROWS),
    }


@dataclass(slots=True)
class _Node:
    """A function on one way from the test, with its own allocations in the head and in the base."""

    frame: Frame | None
    parent: "_Node | None" = None
    inner: dict[str, "_Node"] = field(default_factory=dict)
    head: list[int] = field(default_factory=lambda: [0] * 6)
    base: list[int] = field(default_factory=lambda: [0] * 6)
    place: int = 0

    def child(self, frame: Frame) -> "_Node":
        """Return the node of a called function, made if it is new."""
        return self.inner.setdefault(frame.key, _Node(frame, self))


def tree(head: TestProfile, base: TestProfile | None) -> dict[str, Any]:
    """Return the calls of a test as data for the page: each node with the index of its caller and its own six amounts.

    The amounts are in-use bytes and objects, bytes and objects live after the call, allocated bytes and objects.
    """
    root = _Node(None)
    for profile, side in ((head, "head"), (base, "base")):
        for chain in profile.chains if profile else ():
            node = root
            for frame in profile.of(chain) if profile else ():
                node = node.child(frame)
            _add(getattr(node, side), _amounts(chain))
    totals = _fold(root, None)
    _fold(root, [total * _SMALLEST for total in totals])
    nodes: list[dict[str, Any]] = []
    _list(root, nodes, compared=base is not None)
    return {"nodes": nodes}


def _amounts(chain: Chain) -> list[int]:
    amounts = (chain.peak, chain.retained, chain.allocated)
    return [number for one in amounts for number in (one.bytes, one.objects)]


def _add(one: list[int], other: list[int]) -> None:
    one[:] = [mine + its for mine, its in zip(one, other, strict=True)]


def _fold(node: _Node, least: list[float] | None) -> list[int]:
    """Return the larger of base and head for all below a node, and fold into it nodes below `least` in every amount."""
    sums = [max(pair) for pair in zip(node.head, node.base, strict=True)]
    for key, one in list(node.inner.items()):
        below = _fold(one, least)
        _add(sums, below)
        if least and all(amount <= few for amount, few in zip(below, least, strict=True)):
            _add(node.head, one.head)
            _add(node.base, one.base)
            del node.inner[key]
    return sums


def _list(node: _Node, nodes: list[dict[str, Any]], *, compared: bool) -> None:
    node.place = len(nodes)
    listed: dict[str, Any] = {
        "label": shown(node.frame.label) if node.frame else "all",
        "function": shown(node.frame.function) if node.frame else "all",
        "parent": node.parent.place if node.parent else -1,
        "head": node.head,
    }
    if compared:
        listed["base"] = node.base
    nodes.append(listed)
    for one in node.inner.values():
        _list(one, nodes, compared=compared)
