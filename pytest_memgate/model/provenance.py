"""Which code a run measured, when, where and with which tools, for those who read its numbers later."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """A git commit: its hash, the hashes of its tree and first parent, and its branch.

    `dirty` is True if tracked files differed from it, `fork` if it is the head of a pull request of another repository.
    All fields are empty if there is no commit.
    """

    id: str = ""
    tree: str = ""
    parent: str = ""
    branch: str = ""
    dirty: bool = False
    fork: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """The processor's model, the number of cores that the process might use, and the memory in bytes."""

    cpu: str = ""
    cores: int = 0
    memory: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where a run comes from; `start` and `end` are UTC, as `2026-11-29T16:21:44Z`, `ci` is a link to the CI job.

    `id` is a name that no other run has; it is empty in files of older versions.
    `versions` are those of Python and of the packages and programs that measured, by name.
    """

    id: str = ""
    commit: Commit = field(default_factory=Commit)
    start: str = ""
    end: str = ""
    ci: str = ""
    machine: Machine = field(default_factory=Machine)
    versions: Mapping[str, str] = field(default_factory=dict)
