"""Which code a run measured, when, where and with what: what its numbers mean to somebody who reads them later."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """A git commit by its hash, the hashes of its tree and first parent, and the branch it was on.

    `dirty` says that tracked files differed from it. All is empty where there is no commit.
    """

    id: str = ""
    tree: str = ""
    parent: str = ""
    branch: str = ""
    dirty: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """The processor's model, how many cores the process might use, and the memory in bytes."""

    cpu: str = ""
    cores: int = 0
    memory: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where a run comes from; `start` and `end` are UTC, as `2026-11-29T16:21:44Z`, `ci` is a link to the CI job.

    `versions` are those of Python and of the packages and programs that measured, by name.
    """

    commit: Commit = field(default_factory=Commit)
    start: str = ""
    end: str = ""
    ci: str = ""
    machine: Machine = field(default_factory=Machine)
    versions: Mapping[str, str] = field(default_factory=dict)
