"""The folder in which the processes of a test leave their captures, and what these say."""

import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import memray

from pytest_memgate.measure.children import boot
from pytest_memgate.measure.children.commands import ask_processes
from pytest_memgate.measure.children.resident import Resident
from pytest_memgate.measure.children.timeline import read_process
from pytest_memgate.measure.python.standard import Standard
from pytest_memgate.measure.stacks.call_sites import Sites
from pytest_memgate.measure.stacks.source_paths import Places
from pytest_memgate.model.metric import CHILDREN_PEAK, CHILDREN_RESIDENT
from pytest_memgate.model.site import Site

_os = Standard(os)
_LONGEST = 60  # characters of the folder for temporary files: a socket's path has 104 at most (macOS: sun_path)
_WORDS = 60  # characters of a program's words that are shown; chosen to fit a line


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """What one process held: bytes at its peak and at its end, without what its imports hold.

    `program` is how it was started. `fault` says why nothing is known of it.
    """

    program: str
    at_peak: Sites | None = None
    kept: Sites | None = None
    fault: str = ""


class Children:
    """The processes of one run of a test, read when they are asked for; as a capture is, of one test's own."""

    together = 1
    threads: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()

    def __init__(self, captures: Iterable[Path], places: Places, others: Iterable[Resident] = ()) -> None:
        self._captures = sorted(captures, key=lambda place: int(place.name.partition("-")[2]))
        self._places = places
        traced = {int(_process(place)) for place in self._captures}
        forked = {one.words for one in others if one.pid in traced}  # a fork of a traced one, before it calls exec
        self._others = [one for one in others if one.pid not in traced and one.words not in forked]

    def __bool__(self) -> bool:
        """True if there are any that may matter."""
        return bool(self._captures) or CHILDREN_RESIDENT.keeps(self.value(CHILDREN_RESIDENT.name))

    @property
    def has_captures(self) -> bool:
        """True if one of them was traced."""
        return bool(self._captures)

    @cached_property
    def all(self) -> list[Child]:
        """All of them, in the order in which they were started."""
        return [_child(place, self._places) for place in self._captures]

    @property
    def fault(self) -> str:
        """Why the values are not known, empty if they are."""
        return next((f"{one.program}: {one.fault}" for one in self.all if one.fault), "")

    @property
    def programs(self) -> tuple[str, ...]:
        """How they were started, each once."""
        return tuple(dict.fromkeys(one.program for one in self.all))

    @property
    def largest(self) -> str:
        """How the largest of those was started that were not traced, empty if there is none."""
        return "".join(_program(one.words) for one in self._largest)

    @property
    def _largest(self) -> list[Resident]:
        return sorted(self._others, key=lambda one: -one.size)[:1]

    def value(self, metric: str) -> float:
        """Return the bytes of the largest process at its peak, or those that all of them had at their ends.

        Of processes that are not traced, that is the most that the largest one had resident.
        """
        return sum(site.size for site in self.sites(metric).sites)

    def sites(self, metric: str) -> Sites:
        """Return the call sites of a metric's value."""
        if metric == CHILDREN_RESIDENT.name:
            sites = (Site(path=_program(one.words).partition(" ")[0], size=one.size) for one in self._largest)
            return Sites(sites=tuple(sites), imports=0)
        if metric == CHILDREN_PEAK.name:
            return max((one.at_peak for one in self.all if one.at_peak), key=_size, default=_NOTHING)
        return _sum(one.kept for one in self.all if one.kept)

    def close(self) -> None:
        """Remove the files."""
        for capture in self._captures:
            for suffix in (boot.CAPTURE, boot.ABOUT, boot.OTHER):
                capture.with_suffix(suffix).unlink(missing_ok=True)


_NOTHING = Sites(sites=(), imports=0)


class ChildFolder:
    """The folder of this process; while it has an owner, each Python process that is started traces itself.

    Raises OSError if it cannot be made.
    """

    def __init__(self, root: Path) -> None:
        temporary = tempfile.gettempdir()
        short = temporary if len(temporary) <= _LONGEST else "/tmp"  # noqa: S108  # it is made for this user alone
        self._path = Path(tempfile.mkdtemp(prefix="memgate-", dir=short))
        self._places = Places(root)
        self.owned_by("")
        os.register_at_fork(after_in_child=self._forked)

    def owned_by(self, owner: str) -> None:
        """Let processes that are started from now on belong to somebody, or to nobody."""
        self._owner = owner
        if owner:
            os.environ[boot.VARIABLE] = f"{self._path}{os.sep}{owner}"
        else:
            os.environ.pop(boot.VARIABLE, None)

    def listens(self) -> bool:
        """True if a process that outlives a test takes commands."""
        return any(self._path.glob(f"*{boot.SOCKET}"))

    def turn_to(self, owner: str) -> bool:
        """Let processes that outlive a test begin a capture for somebody, or end the one that they write.

        Return False if one of them does not answer in time.
        """
        answers = ask_processes(self._path, f"trace {owner}" if owner else "stop")
        return all(answer is not None for answer in answers.values())

    def of(self, owner: str, wide: Iterable[str], others: Iterable[Resident] = ()) -> Children | None:
        """Return the processes of a run, None if there are none: next to nothing is to be held while tests wait.

        `others` are those that somebody has watched, traced or not.

        A process that a `wide` owner has started in it, and that was not yet there when the run went on, was in its
        start-up then: its first capture counts.
        """
        if not (wide or others or _os.path.isdir(f"{self._path}{os.sep}{owner}")):
            return None
        own = self._path / owner
        there = {_process(place) for place in _captures(own)}
        late = [place for one in wide for place in _captures(self._path / one) if _process(place) not in there]
        return Children([*_captures(own), *late], self._places, others)

    def nobodys(self) -> Children:
        """Return no processes."""
        return Children((), self._places)

    def close(self) -> None:
        """Remove it all."""
        self.owned_by("")
        shutil.rmtree(self._path, ignore_errors=True)

    def _forked(self) -> None:
        boot.forked(str(self._path), self._owner)


def _captures(folder: Path) -> list[Path]:
    return [path.with_suffix("") for path in folder.glob(f"*{boot.ABOUT}")]


def _process(place: Path) -> str:
    return place.name.partition("-")[0]


def _child(place: Path, places: Places) -> Child:
    program = _program(_text(place.with_suffix(boot.ABOUT)))
    capture = place.with_suffix(boot.CAPTURE)
    if fault := _text(place.with_suffix(boot.OTHER)):
        return Child(program=program, fault=fault)
    if not capture.exists() or not capture.stat().st_size:
        return Child(program=program)  # killed as it was started
    try:
        with _silent(), memray.FileReader(str(capture)) as reader:
            at_peak, kept = read_process(reader, places)
    except (OSError, RuntimeError, ValueError) as error:
        return Child(program=program, fault=f"its capture cannot be read: {error}")
    return Child(program=program, at_peak=at_peak, kept=kept)


@contextmanager
def _silent() -> Iterator[None]:
    """Keep memray from saying that a file has no end: those of killed processes have none."""
    tell: Callable[[int], None] = memray._memray.set_log_level  # noqa: SLF001  # it has no public name
    tell(logging.CRITICAL)
    try:
        yield
    finally:
        tell(logging.WARNING)  # as it is by default


def _size(sites: Sites) -> float:
    return sum(site.size for site in sites.sites)


def _sum(several: Iterable[Sites]) -> Sites:
    found: dict[str, Site] = {}
    for sites in several:
        for site in sites.sites:
            known = found.get(site.key)
            found[site.key] = replace(known, size=known.size + site.size) if known else site
    return Sites(sites=tuple(sorted(found.values(), key=lambda site: (-site.size, site.key))), imports=0)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _program(text: str) -> str:
    """Return how a process was started, without the interpreter's folder: `python server.py --port 0`."""
    words = text.split(boot.SEPARATOR)
    if words == [boot.FORK]:
        return "a fork"
    if any("multiprocessing" in word for word in words):
        return "multiprocessing"
    said = " ".join([Path(words[0]).name, *(Path(word).name if word.startswith("/") else word for word in words[1:])])
    said = " ".join(said.split())
    return said if len(said) <= _WORDS else f"{said[: _WORDS - 1]}…"
