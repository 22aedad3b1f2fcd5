"""What an import is declared with, and the probe that measures it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from pytest_memgate.probes.check import Check
from pytest_memgate.probes.face import Case, Probe, Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportCheck(Check):
    """A module to import in an interpreter of its own, as an import statement names it."""

    kind: ClassVar[str] = "import"
    section: ClassVar[str] = "imports"
    item_schema: ClassVar[Mapping[str, Any] | None] = {
        "items": {"type": "string", "pattern": r"^[^\W\d]\w*(\.[^\W\d]\w*)*$", "examples": ["numpy", "scipy.stats"]},
        "description": "Modules whose import is measured, in an interpreter of their own.",
    }

    @classmethod
    def why_no_name(cls, data: object) -> str:
        if isinstance(data, str) and all(part.isidentifier() for part in data.split(".")):
            return ""
        return f"not a module's name: {data!r:.80} (write it as in an import statement: scipy.stats)"


class ImportProbe(Probe[ImportCheck]):
    """Imports a module in clean interpreters until two agree; needs memray; a near-exact value."""

    check = ImportCheck
    family = "import"

    def measure(self, check: ImportCheck, case: Case) -> Reading:
        from pytest_memgate.probes.imports.measuring import import_reading

        return import_reading(check, case)
