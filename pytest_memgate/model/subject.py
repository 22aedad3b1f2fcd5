"""What is measured: a test, named by its file and by its name in that file."""

from dataclasses import dataclass

LEDGER = "first-use"  # stands where a test file's path does: what was paid once a process, whichever test paid it


@dataclass(frozen=True, slots=True, order=True)
class Subject:
    """A test.

    `file` is its path below the root, with `/`; a file outside the root has a place of its own there
    (see `pytest_memgate.baseline.paths`). `name` is what pytest's node id holds after that path. In the ledger of first
    use, it is a package or a file of the project.
    """

    file: str
    name: str

    @property
    def is_first_use(self) -> bool:
        return self.file == LEDGER

    def __str__(self) -> str:
        return f"{self.file}::{self.name}"

    @classmethod
    def parse(cls, text: str) -> "Subject":
        """Read what `str()` wrote."""
        file, _, name = text.partition("::")
        return cls(file, name)
