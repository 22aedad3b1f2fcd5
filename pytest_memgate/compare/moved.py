"""Which tests without a baseline are old tests under another name or in another file."""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache

from pytest_memgate.model.judgement.reference import Reference
from pytest_memgate.model.site import Site
from pytest_memgate.model.subject import Subject

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_a-zA-Z]+")
_MOST_PAIRS = 100_000  # candidates of one name: a name that stands in hundreds of files identifies nothing; chosen
_SHARE = 0.5  # of its bytes that a moved test must hold at the call sites of the old one; chosen

Key = Callable[[Subject], Hashable | None]
Scope = Callable[[Subject, Subject], bool]
_Candidates = dict[Subject, list[Subject]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moves:
    """Where the entries of moved tests are.

    `old` gives the old subject by the new one. `by_sites` are pairs that count only if the call sites of the measured
    test agree. `possible` gives the entries that may be a test's, where nobody can tell which.
    """

    old: Mapping[Subject, Subject] = field(default_factory=dict)
    by_sites: Mapping[Subject, Subject] = field(default_factory=dict)
    possible: Mapping[Subject, tuple[Subject, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """What happened to test files: the `gone` ones, and the `renamed` ones (new name by old name) as git sees it."""

    gone: Collection[str] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)


def find_moves(
    new: Collection[Subject],
    gone: Collection[Subject],
    kept: Collection[Subject] = (),
    files: Files | None = None,
    body: Key = lambda _: None,
) -> Moves:
    """Return which of the `new` tests have an entry under the name of one of the `gone` tests.

    The surest sign comes first: the same name; the name without its parameters, class or form; the same body; a
    lengthened name. A sign that fits several tests counts for none. `kept` are tests with an entry of their own. `body`
    gives the body of a test's function, None if it is not known.
    """
    pairing = _Pairing(new, gone, kept, files or Files())
    near = pairing.is_near
    pairing.by(lambda test: (test.name, test.file.rpartition("/")[2]))
    pairing.by(lambda test: test.name)
    pairing.by(lambda test: _split(test.name)[:2], near)
    pairing.by(lambda test: _split(test.name)[1:], near)
    pairing.by(lambda test: (_words(test), _split(test.name)[2]), near)
    pairing.by(_words, near)
    pairing.by(body)
    pairing.by_lengthened_names()
    return pairing.moves()


class _Pairing:
    """The new and the gone tests that are not paired yet, and the pairs."""

    def __init__(
        self, new: Collection[Subject], gone: Collection[Subject], kept: Collection[Subject], files: Files
    ) -> None:
        self._new = sorted(new)
        self._gone = sorted(gone)
        self._kept = {(test.file, *_split(test.name)[:2]) for test in kept}
        self._files = files
        self._old: dict[Subject, Subject] = {}
        self._possible: dict[Subject, tuple[Subject, ...]] = {}

    def is_near(self, test: Subject, old: Subject) -> bool:
        """True if the test is in the old test's file, or in the file that this has become."""
        return test.file == old.file or self._files.renamed.get(old.file) == test.file or old.file in self._files.gone

    def by(self, key: Key, scope: Scope = lambda _, __: True) -> None:
        """Pair the tests for which `key` gives the same, where `scope` allows it; each pair may make others clear."""
        while self._pair(self._candidates(key, scope)):
            pass

    def _candidates(self, key: Key, scope: Scope) -> _Candidates:
        groups: dict[Hashable, tuple[list[Subject], list[Subject]]] = defaultdict(lambda: ([], []))
        for side, tests in enumerate((self._new, self._gone)):
            for test in tests:
                value = key(test)
                if value is not None:
                    groups[value][side].append(test)
        candidates: _Candidates = {}
        for news, olds in groups.values():
            if 0 < len(news) * len(olds) <= _MOST_PAIRS:
                candidates |= {test: [old for old in olds if scope(test, old)] for test in news}
        return candidates

    def by_lengthened_names(self) -> None:
        """Pair a test with an old one if one name begins or ends with the other."""
        if len(self._new) * len(self._gone) <= _MOST_PAIRS:
            self._pair(
                {
                    test: [old for old in self._gone if self.is_near(test, old) and _is_lengthened(test, old)]
                    for test in self._new
                }
            )

    def moves(self) -> Moves:
        """Return the pairs, and the single tests of a file that only their call sites can identify."""
        by_sites: dict[Subject, Subject] = {}
        if len(self._new) * len(self._gone) <= _MOST_PAIRS:
            near = {test: [old for old in self._gone if self.is_near(test, old)] for test in self._new}
            claims = _turned(near)
            by_sites = {test: olds[0] for test, olds in near.items() if len(olds) == 1 and len(claims[olds[0]]) == 1}
        possible = {test: (old,) for test, old in by_sites.items()} | self._possible
        return Moves(old=self._old, by_sites=by_sites, possible=possible)

    def _pair(self, candidates: _Candidates) -> bool:
        """Pair each old test with the only test that it fits; return True if there was any."""
        claims = _turned(candidates)
        shared = _shared_names(candidates)

        def nearness(test: Subject, old: Subject) -> tuple[int, ...]:
            return (
                _alike(_split(test.name)[2], _split(old.name)[2]),
                self._files.renamed.get(old.file) == test.file,
                test.file == old.file,
                _common_end(test.file, old.file),
                shared[test.file, old.file],
            )

        for test, olds in candidates.items():
            best = _best(olds, lambda old, test=test: nearness(test, old))  # type: ignore[misc]
            rivals = _best(claims[best[0]], lambda one: nearness(one, best[0])) if best else []  # noqa: B023
            if len(best) == 1 and (rivals == [test] or (test in rivals and self._are_variants(best[0], rivals))):
                self._old[test] = best[0]
                self._possible.pop(test, None)
            elif olds:
                self._possible[test] = tuple(olds)
        before = len(self._new)
        self._new = [test for test in self._new if test not in self._old]
        taken = set(self._old.values())
        self._gone = [old for old in self._gone if old not in taken]
        return len(self._new) < before

    def _are_variants(self, old: Subject, tests: list[Subject]) -> bool:
        """True if the tests are one old test that has got parameters, or other ones."""
        classes, name, parameters = _split(old.name)
        alone = not parameters or (old.file, classes, name) not in self._kept
        lengthened = all(_alike(_split(test.name)[2], parameters) for test in tests)
        return len({(test.file, *_split(test.name)[:2]) for test in tests}) == 1 and (alone or lengthened)


def _turned(candidates: _Candidates) -> _Candidates:
    claims: _Candidates = defaultdict(list)
    for test, olds in candidates.items():
        for old in olds:
            claims[old].append(test)
    return claims


def _shared_names(candidates: _Candidates) -> Mapping[tuple[str, str], int]:
    """Return how many tests two files may have in common, by the pair of files."""
    shared: dict[tuple[str, str], int] = defaultdict(int)
    for test, olds in candidates.items():
        for old in olds:
            shared[test.file, old.file] += 1
    return shared


def _best(tests: Iterable[Subject], nearness: Callable[[Subject], tuple[int, ...]]) -> list[Subject]:
    scored = [(nearness(test), test) for test in tests]
    most = max((score for score, _ in scored), default=())
    return [test for score, test in scored if score == most]


@cache
def _split(name: str) -> tuple[tuple[str, ...], str, str]:
    """Return the classes, the function and the parameters of a test's name."""
    path, bracket, parameters = name.partition("[")
    *classes, function = path.split("::")
    return tuple(classes), function, parameters.removesuffix("]") if bracket else ""


def _words(test: Subject) -> tuple[str, ...] | None:
    """Return the words of a function's name in small letters, without the first one (`test` or the like)."""
    return tuple(word.lower() for word in _WORD.findall(_split(test.name)[1])[1:]) or None


def _is_lengthened(one: Subject, other: Subject) -> bool:
    short, long = sorted((_words(one) or (), _words(other) or ()), key=len)
    return bool(short) and short in {long[: len(short)], long[-len(short) :]}


def _alike(one: str, other: str) -> int:
    """Return 2 for the same parameters, 1 if one side has all of the other's and more, else 0."""
    if one == other:
        return 2
    short, long = sorted((one.split("-"), other.split("-")), key=len)
    places = range(len(long) - len(short) + 1)
    return int(bool(one and other) and any(long[place : place + len(short)] == short for place in places))


def _common_end(one: str, other: str) -> int:
    """Return how many parts two paths have in common at their end."""
    number = 0
    for here, there in zip(reversed(one.split("/")), reversed(other.split("/")), strict=False):
        if here != there:
            break
        number += 1
    return number


def same_sites(test: Subject, sites: Iterable[Site], old: Subject, known: Mapping[str, float]) -> bool:
    """True if two tests hold most of their bytes at the same call sites, apart from their own functions."""
    here = _apart_from(test, {site.key: site.size for site in sites})
    there = _apart_from(old, known)
    common = here.keys() & there.keys()
    return bool(common) and all(
        sum(part[key] for key in common) >= _SHARE * sum(part.values()) for part in (here, there)
    )


def _apart_from(test: Subject, sites: Mapping[str, float]) -> dict[str, float]:
    own = f"{test.file}:{_split(test.name)[1]}"
    return {key: size for key, size in sites.items() if key != own and not key.startswith("<unknown>")}


def under_new_name(reference: Reference, old: Subject, test: Subject) -> Reference:
    """Return the entry of a moved test, with the call sites in its own file under their new names."""
    before, after = (_split(one.name)[1] for one in (old, test))
    sites = {}
    for key, size in reference.sites.items():
        path, colon, function = key.rpartition(":")
        if colon and path == old.file:
            key = f"{test.file}:{after if function == before else function}"  # noqa: PLW2901
        sites[key] = size
    return replace(reference, sites=sites)
