"""The base of a comparison: a checkout of it, and how its processes are started."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseSide:
    """A git `ref` that is checked out; all paths are real ones.

    The work tree's folder `top` is `base_top` there. `python` is the interpreter that takes the project's modules from
    the base; pytest starts in `cwd`. `env` is what differs in the environment of all its processes, None for a
    variable that is removed. `error` is the probability that one answer of a run by pairs is wrong; an
    answer that `is_strict` is never given before that probability is known.
    """

    ref: str
    python: str
    cwd: str
    top: str
    base_top: str
    env: Mapping[str, str | None] = field(default_factory=dict)
    error: float = 0.01
    is_strict: bool = False

    def there(self, path: Path) -> Path:
        """Return the place in the base of a path in the work tree; any other path stays."""
        real = path.resolve()
        return Path(self.base_top) / real.relative_to(self.top) if real.is_relative_to(self.top) else real
