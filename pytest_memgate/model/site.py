"""What an amount is made of: a call site that holds memory, a module in a bundle, a resource or phase of a page."""

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

    `path` is below the root, or the name of a module or package; of a cause, its text. `line` is 0 where it is not
    known; only a caller has a `function`.
    """

    kind: LeadKind
    path: str
    line: int = 0
    function: str = ""

    @property
    def label(self) -> str:
        """Return the name that an editor opens: `path:line in function`, `path:line` or `path`."""
        return place_label(self.path, self.line, self.function)


def place_label(path: str, line: int, function: str) -> str:
    """Return the name of a place that an editor opens: `path:line in function`; what is not known is left out."""
    where = f"{path}:{line}" if line else path
    return f"{where} in {function}" if function else where


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One part of a measured value, `size` in the unit of its metric.

    Of memory, a call site: bytes held at the peak by allocations made in `function`; `path` is below the root, or below
    its place in site-packages or the standard library, so that it is the same on every machine, and `line` is that of
    the largest allocation, 0 where it is not known (a baseline keeps none). Of a bundle, a package's folder
    (`node_modules/zod`) or a module of the project; of an import, a top-level package; of a page, a resource, a phase
    or an element: all without `function`.

    `via` says how it comes to be there, step by step: the callers in the project, innermost first, or who imports it;
    before them, where a library is called by another one that the project calls, the line of that one's package.
    `library` is the innermost installed package, else the module of the standard library, that lies between the
    project's line and the allocation; empty where the project's own code allocates.
    `uses` are the installed packages behind it, as `flask 3.1.0`: compiled code has no frames of its own. `modules` are
    the largest ones of a package, in bytes. `what` says what it is, where
    the place does not: of what outlives a test, the thread, task, process or file that was started there.
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
        """True if the function is not one that the project has in a file."""
        return bool(self.library) or self.path.startswith("<")

    @property
    def callers(self) -> tuple[Lead, ...]:
        """Return the callers that are the project's own."""
        return tuple(lead for lead in self.via if lead.kind is LeadKind.CALLER and not self._is_of_library(lead))

    @property
    def key(self) -> str:
        """Return the name that survives edits: no line number."""
        return f"{self.path}:{self.function}" if self.function else self.path

    @classmethod
    def of_key(cls, key: str) -> "Site":
        """Return what is known of a site by its key alone: one that is gone."""
        path, _, function = key.rpartition(":")
        return (
            cls(path=path, function=function, size=0) if path.endswith((".py", ".pyx", ">")) else cls(path=key, size=0)
        )

    @property
    def label(self) -> str:
        """Return the name that an editor opens: `path:line in function`."""
        return place_label(self.path, self.line, self.function) if self.function else self.path

    def _is_of_library(self, lead: Lead) -> bool:
        place = (f"{self.library}/", f"{self.library}.py")
        return bool(self.library) and (lead.path.startswith(place[0]) or lead.path == place[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """What one site adds to a growth: `head - base`; the sum over all is the growth.

    `site` is None for everything too small to be named.
    """

    site: Site | None
    base: float
    head: float

    @property
    def growth(self) -> float:
        return self.head - self.base
