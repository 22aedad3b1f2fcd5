"""The subject of a measurement: a test, named by its file and by its name in that file."""

from dataclasses import dataclass

LEDGER = "first-use"  # in place of a test file's path: first use, paid once a process by whichever test comes first


@dataclass(frozen=True, slots=True, order=True)
class Subject:
    """A test.

    `file` is its path below the root, with `/`; `pytest_memgate.baseline.paths` gives files outside the root a place
    there. `name` is the rest of pytest's node id. In the ledger of first use, `name` is a package or a file of the
    project.
    """

    file: str
    name: str

    @property
    def is_first_use(self) -> bool:
        """True for an entry of the ledger of first use."""
        return self.file == LEDGER

    def __str__(self) -> str:
        return f"{self.file}::{self.name}"

    @classmethod
    def parse(cls, text: str) -> "Subject":
        """Read what `str()` wrote."""
        file, _, name = text.partition("::")
        return cls(file, name)
