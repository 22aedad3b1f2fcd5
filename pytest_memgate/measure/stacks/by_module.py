"""The module for which each byte of an import was taken, and the importers of that module."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pytest_memgate.measure.stacks.call_sites import Frame, Record
from pytest_memgate.measure.stacks.import_hook import IMPORT_SYSTEM, module_of
from pytest_memgate.measure.stacks.source_paths import Places
from pytest_memgate.model.site import Lead, LeadKind

_IMPORTERS = 3  # importers that a part names; chosen to be read at a glance
_OURS = "pytest_memgate/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The bytes that one module took, native ones included, without those of the modules that it imports.

    `importers` are the lines, or the modules, that import its package, nearest first, up to the project's own code.
    """

    module: str
    size: int
    importers: tuple[Lead, ...] = ()

    @property
    def package(self) -> str:
        """The top-level package of the module."""
        return self.module.partition(".")[0]


def parts_of(records: Iterable[Record], places: Places, root: str) -> tuple[Part, ...]:
    """Group allocation records by module, largest first; memory of no import counts for `root`.

    The importers are those of the module's largest allocation.
    """
    sizes: dict[str, int] = {}
    largest: dict[str, tuple[int, list[Frame]]] = {}
    for record in records:
        stack = record.stack_trace()
        module = next((name for _, path, _ in stack if (name := module_of(path))), root)
        sizes[module] = sizes.get(module, 0) + record.size
        if record.size > largest.get(module, (-1,))[0]:
            largest[module] = record.size, stack
    parts = (
        Part(module=module, size=size, importers=_importers(largest[module][1], places))
        for module, size in sizes.items()
    )
    return tuple(sorted(parts, key=lambda part: (-part.size, part.module)))


def _importers(stack: list[Frame], places: Places) -> tuple[Lead, ...]:
    """Return the importer of the innermost module's package, then the importer of that one's, and so on."""
    found: list[Lead] = []
    for importer, own in _boundaries(stack, places):
        found.append(importer)
        if own or len(found) == _IMPORTERS:
            break
    return tuple(found)


def _boundaries(stack: list[Frame], places: Places) -> Iterator[tuple[Lead, bool]]:
    """Yield the place where one package's code imports another, and whether it is the project's own code."""
    package, code = "", None
    for function, path, line in stack:
        module = module_of(path)
        if not module:
            if package and code is None and not _is_machinery(path, places):
                code = function, path, line
            continue
        if package and module.partition(".")[0] != package:
            # Compiled code that imports has no frame.
            where = places.place(code[1]) if code else None
            place, number = (where.path, code[2]) if where and code else (module, 0)
            yield Lead(kind=LeadKind.IMPORTER, path=place, line=number), bool(where and where.project)
        package, code = module.partition(".")[0], None


def _is_machinery(path: str, places: Places) -> bool:
    return path.startswith(IMPORT_SYSTEM) or places.place(path).path.startswith(_OURS)
