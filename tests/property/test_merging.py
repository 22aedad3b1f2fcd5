"""Two branches that change different tests of one file merge without conflict, and to the sum of both."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from samples import commit_all, document, entries_of, git, put_baseline

from pytest_memgate.baseline.document import dump, load
from pytest_memgate.model.judgement.reference import Reference

Entries = dict[str, Reference]
Edit = tuple[str, str]  # the test, and what happens to its entry

CHANGES: dict[str, Callable[[Reference], Reference]] = {
    "value": lambda one: replace(one, value=one.value + 7),
    "sites": lambda one: replace(one, sites={**one.sites, "zoo/new.py:last": 77, "a/new.py:first": 7}),
    "no sites": lambda one: replace(one, sites={}),
    "last site": lambda one: replace(one, sites={key: size + 1 for key, size in one.sites.items()}),
    "anchor and reason": lambda one: replace(one, value=one.value * 2, anchor=one.value, reason="new cache"),
    "spread": lambda one: replace(one, spread=5000),
    "samples": lambda one: replace(one, samples=(3, 1.5, 2), conditions={"cpu": "new", "cores": "2"}),
    "audits": lambda one: replace(one, audits={"a": 150, "z": 10}),
    "all": lambda one: Reference(value=one.value + 9, repeatable=False, sites={"other.py:f": 9}),
}
SAME = Reference(value=1000, sites={"shop/a.py:load": 900, "shop/b.py:<module>": 50})


def entries(kind: str) -> Entries:
    """Return four neighbours: all alike, each with its own values, or without call sites."""
    names = ("test_a", "test_b", "test_c", "test_d")
    if kind == "alike":
        return dict.fromkeys(names, SAME)
    if kind == "bare":
        return {name: Reference(value=1000 * place) for place, name in enumerate(names, 1)}
    return {
        name: replace(SAME, value=1000 * place, anchor=10 * place, reason=f"reason {place}")
        for place, name in enumerate(names, 1)
    }


def edited(base: Entries, edit: Edit) -> Entries:
    name, what = edit
    rest = {key: one for key, one in base.items() if key != name}
    if what == "removed":
        return rest
    return {**rest, name: SAME if what == "new" else CHANGES[what](base[name])}


def merged(folder: Path, base: Entries, ours: Entries, theirs: Entries) -> str:
    """Return what git makes of the three; raises AssertionError for a conflict."""
    for name, content in (("base", base), ("ours", ours), ("theirs", theirs)):
        (folder / name).write_bytes(dump(document(content)).encode())
    return git(folder, "merge-file", "-p", "ours", "base", "theirs")


def faults(folder: Path, base: Entries, pairs: Iterable[tuple[Edit, Edit]]) -> list[tuple[Edit, Edit, str]]:
    """Return the pairs of edits that do not merge to what both of them make together."""
    found = []
    for one, other in pairs:
        ours, theirs, both = edited(base, one), edited(base, other), document(edited(edited(base, one), other))
        try:
            text = merged(folder, base, ours, theirs)
        except AssertionError:
            found.append((one, other, "conflict"))
            continue
        if text != dump(both) or load(text, "merged") != both:
            found.append((one, other, "another result"))
    return found


NEIGHBOURS = [("test_a", "test_b"), ("test_b", "test_c"), ("test_c", "test_d")]


@pytest.mark.parametrize("pair", NEIGHBOURS, ids="-".join)
def test_any_two_changes_to_neighbours_merge(tmp_path: Path, pair: tuple[str, str]) -> None:
    edits = [((pair[0], one), (pair[1], other)) for one, other in product(CHANGES, CHANGES)]
    assert faults(tmp_path, entries("alike"), edits) == []


@pytest.mark.parametrize("kind", ["different", "bare"])
def test_the_same_change_to_neighbours_merges(tmp_path: Path, kind: str) -> None:
    edits = [((first, change), (second, change)) for first, second in NEIGHBOURS for change in CHANGES]
    assert faults(tmp_path, entries(kind), edits) == []


def test_a_removal_merges_with_a_change_to_the_entry_before_or_after_it(tmp_path: Path) -> None:
    pairs = [("test_a", "test_b"), ("test_b", "test_a"), ("test_b", "test_c"), ("test_c", "test_b")]
    edits = [((gone, "removed"), (name, change)) for gone, name in pairs for change in ("value", "last site", "all")]
    assert faults(tmp_path, entries("alike"), edits) == []


@pytest.mark.parametrize(
    ("new", "neighbours"),
    [("test_0", ("test_a",)), ("test_ab", ("test_a", "test_b")), ("test_cc", ("test_c", "test_d"))],
)
def test_a_new_entry_merges_with_a_change_to_its_neighbours(
    tmp_path: Path, new: str, neighbours: tuple[str, ...]
) -> None:
    edits = [((new, "new"), (name, change)) for name in neighbours for change in CHANGES]
    assert faults(tmp_path, entries("alike"), edits) == []


def test_a_new_last_entry_merges_with_a_change_to_the_last_one(tmp_path: Path) -> None:
    for kind in ("alike", "different", "bare"):
        edits = [(("test_e", "new"), ("test_d", change)) for change in CHANGES]
        both_ways = [*edits, *((other, one) for one, other in edits)]
        assert faults(tmp_path, entries(kind), both_ways) == []


def test_two_branches_of_a_repository_merge(tmp_path: Path) -> None:
    base = entries("different")
    put_baseline(tmp_path, base)
    commit_all(tmp_path)
    git(tmp_path, "switch", "--quiet", "--create", "other")
    theirs = edited(base, ("test_c", "anchor and reason"))
    put_baseline(tmp_path, theirs)
    commit_all(tmp_path)
    git(tmp_path, "switch", "--quiet", "main")
    put_baseline(tmp_path, edited(edited(base, ("test_b", "all")), ("test_ab", "new")))
    commit_all(tmp_path)
    git(tmp_path, "merge", "--quiet", "--no-edit", "other")
    assert entries_of(tmp_path) == edited(edited(theirs, ("test_b", "all")), ("test_ab", "new"))
