"""Run the code of another checkout, with the proof that it was that code.

A package that is installed from the work tree (`pip install --editable`), PYTHONPATH and the like point to that work
tree by absolute paths. Without this, another checkout's tests would run the work tree's code.
"""

import os
import sys
from pathlib import Path
from types import ModuleType

from pytest_memgate.measure.process.other_tree import OtherTree
from pytest_memgate.measure.stacks.source_paths import Places

_PACKAGES = {"site-packages", "dist-packages"}
_GATE = ("pytest_memgate", "_memgate_pytest")


class Elsewhere(OtherTree):
    """The way from one folder (source) to another (target) with the same files in the state of another commit."""

    def __init__(self, source: Path, target: Path) -> None:
        super().__init__(os.path.realpath(source), os.path.realpath(target))
        self._places = Places(target)

    def foreign(self, places: Places) -> tuple[str, ...]:
        """Return the files that this process has imported from the source, or from an installed copy of the target."""
        found = []
        for module in list(sys.modules.values()):
            file = getattr(module, "__file__", None)
            if not isinstance(module, ModuleType) or not isinstance(file, str) or _is_gate(module.__name__):
                continue
            real = os.path.realpath(file)
            if (self.is_source(real) and not self.is_installed(real)) or (
                "." not in module.__name__ and self._is_copy(real, places)
            ):
                found.append(real)
        return tuple(sorted(found))

    def is_installed(self, real: str) -> bool:
        """True if a path belongs to an environment, of this interpreter or of any other."""
        return super().is_installed(real) or self._places.is_installed(f"{real}{os.sep}any")

    def _is_copy(self, file: str, places: Places) -> bool:
        """True if an installed file exists in the target, too: it was installed from such a checkout."""
        path = places.place(file).path
        bases = (places.root, places.root / "src", Path(self.target), Path(self.target, "src"))
        return not _PACKAGES.isdisjoint(Path(file).parts) and any((base / path).is_file() for base in bases)


def _is_gate(module: str) -> bool:
    """True if a module is one of the gate's, which measures both sides: its own repository may be the project."""
    return module.partition(".")[0] in _GATE
