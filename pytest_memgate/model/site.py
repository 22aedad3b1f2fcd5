"""The parts of an amount: a call site that holds memory, a module in a bundle, a resource or phase of a page."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class LeadKind(StrEnum):
    """How one thing leads to another."""

    CALLER = "caller"
    IMPORTER = "importer"
    LAZY_IMPORTER = "lazy importer"  # by `import()`, when it is needed
    CAUSE = "cause"  # in the words of the tool that measured


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """One step of the way to a site: who calls or imports it.

    `path` is below the root, or the name of a module or package; for a cause, its text. `line` is 0 if it is not known.
    Only a caller has a `function`.
    """

    kind: LeadKind
    path: str
    line: int = 0
    function: str = ""

    @property
    def label(self) -> str:
        """The name that an editor opens: `path:line in function`, `path:line` or `path`."""
        return place_label(self.path, self.line, self.function)


def place_label(path: str, line: int, function: str) -> str:
    """Return the name of a place that an editor opens: `path:line in function`, without the unknown parts."""
    where = f"{path}:{line}" if line else path
    return f"{where} in {function}" if function else where


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One part of a measured value, `size` in the unit of its metric.

    For memory it is a call site: bytes held at the peak by allocations made in `function`. `path` is below the root, or
    below its place in site-packages or the standard library, so that it is the same on every machine. `line` is that of
    the largest allocation, 0 if it is not known (a baseline keeps none). For a bundle it is a package's folder
    (`node_modules/zod`) or a module of the project; for an import, a top-level package; for a page, a resource, a phase
    or an element: all without `function`.

    `via` is the way to it, step by step: its callers in the project, innermost first, or its importers. If the project
    calls a library that calls another one, the line of the first library's package comes before them. `library` is the
    innermost installed package, or else the module of the standard library, between the project's line and the
    allocation; empty if the project's own code allocates. `uses` are the installed packages behind it, as `flask
    3.1.0`, since compiled code has no frames. `modules` are the largest modules of a package, in bytes. `what`
    describes it if the place does not: the thread, task, process or file that was started there.
    """

    path: str
    size: float
    function: str = ""
    line: int = 0
    via: tuple[Lead, ...] = ()
    uses: tuple[str, ...] = ()
    modules: Mapping[str, float] = field(default_factory=dict)
    what: str = ""
    library: str = ""

    @property
    def is_foreign(self) -> bool:
        """True if the function stands in no file of the project."""
        return bool(self.library) or self.path.startswith("<")

    @property
    def callers(self) -> tuple[Lead, ...]:
        """The callers that belong to the project."""
        return tuple(lead for lead in self.via if lead.kind is LeadKind.CALLER and not self._is_of_library(lead))

    @property
    def key(self) -> str:
        """The name that survives edits: without the line number."""
        return f"{self.path}:{self.function}" if self.function else self.path

    @classmethod
    def of_key(cls, key: str) -> "Site":
        """Return a site of which only the key is known, because it is gone."""
        path, _, function = key.rpartition(":")
        return (
            cls(path=path, function=function, size=0) if path.endswith((".py", ".pyx", ">")) else cls(path=key, size=0)
        )

    @property
    def label(self) -> str:
        """The name that an editor opens: `path:line in function`."""
        return place_label(self.path, self.line, self.function) if self.function else self.path

    def _is_of_library(self, lead: Lead) -> bool:
        place = (f"{self.library}/", f"{self.library}.py")
        return bool(self.library) and (lead.path.startswith(place[0]) or lead.path == place[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """The part of a growth that one site adds: `head - base`; the sum over all sites is the growth.

    `site` is None for the sum of all sites too small to be named.
    """

    site: Site | None
    base: float
    head: float

    @property
    def growth(self) -> float:
        """The amount in the head less that in the base."""
        return self.head - self.base
