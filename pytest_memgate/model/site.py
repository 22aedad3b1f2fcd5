"""What an amount is made of: a call site that holds memory, a module in a bundle, a resource or phase of a page."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One part of a measured value, `size` in the unit of its metric.

    Of memory, a call site: bytes held at the peak by allocations made in `function`; `path` is below the root, or below
    its place in site-packages or the standard library, so that it is the same on every machine, and `line` is that of
    the largest allocation, 0 where it is not known (a baseline keeps none). Of a bundle, a package's folder
    (`node_modules/zod`) or a module of the project; of an import, a top-level package; of a page, a resource, a phase
    or an element: all without `function`.

    `via` says how it comes to be there, a line each: the callers in the project, innermost first, or who imports it;
    before them, where a library is called by another one that the project calls, the line of that one's package.
    `library` is the innermost installed package, else the module of the standard library, that lies between the
    project's line and the allocation; empty where the project's own code allocates.
    `uses` are the installed packages behind it: compiled code has no frames of its own. `what` says what it is, where
    the place does not: of what outlives a test, the thread, task, process or file that was started there.
    """

    path: str
    size: float
    function: str = ""
    line: int = 0
    via: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    what: str = ""
    library: str = ""

    @property
    def is_foreign(self) -> bool:
        """True if the function is not one that the project has in a file."""
        return bool(self.library) or self.path.startswith("<")

    @property
    def callers(self) -> tuple[str, ...]:
        """Return the callers that are the project's own."""
        package = (f"{self.library}/", f"{self.library}.py:")
        return tuple(line for line in self.via if not (self.library and line.startswith(package)))

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
        if not self.function:
            return self.path
        return f"{self.path}:{self.line} in {self.function}" if self.line else f"{self.path} in {self.function}"


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
