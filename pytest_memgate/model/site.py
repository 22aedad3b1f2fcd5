"""A place in the code that holds memory."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSite:
    """Bytes held at the peak by allocations made in one function.

    `path` is below the root, or below its place in site-packages or the standard library, so that it is the same
    on every machine. `line` is that of the largest allocation, 0 where it is not known (a baseline keeps none).
    `via` are the callers in the project, innermost first, as `path:line in function`.
    `uses` are installed packages that the function's code refers to: compiled code has no frames of its own.
    """

    path: str
    function: str
    size: int
    line: int = 0
    via: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Return the name that survives edits: no line number."""
        return f"{self.path}:{self.function}"

    @property
    def label(self) -> str:
        """Return the name that an editor opens: `path:line in function`."""
        return f"{self.path}:{self.line} in {self.function}" if self.line else f"{self.path} in {self.function}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """What one call site adds to a growth: `head - base` bytes; the sum over all is the growth.

    `site` is None for everything too small to be named.
    """

    site: CallSite | None
    base: int
    head: int

    @property
    def growth(self) -> int:
        return self.head - self.base
