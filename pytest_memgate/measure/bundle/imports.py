"""The way by which a package or module comes into a bundle: back over its importers to the project's own code."""

from collections.abc import Container, Mapping

from pytest_memgate.measure.bundle.stats.layout import Importer
from pytest_memgate.measure.bundle.stats.modules import RUNTIME, is_installed, package_of
from pytest_memgate.model.site import Lead, LeadKind

_LEADS = 3  # importers that a site names; chosen to be read at a glance
_Step = tuple[str, bool]  # an importer, and whether it imports lazily


class Imports:
    """The imports of a build, between packages as a whole and modules of the project.

    `keys` gives the package or module that a module counts for; other modules count for themselves.
    """

    def __init__(self, importers: Mapping[str, frozenset[Importer]], keys: Mapping[str, str]) -> None:
        self._importers = importers
        self._keys = keys
        self._modules: dict[str, list[str]] = {}
        self._steps: dict[str, dict[str, bool]] = {}
        for module in importers:
            self._modules.setdefault(self._key(module), []).append(module)

    def chain(self, key: str, here: Container[str]) -> tuple[Lead, ...]:
        """Return up to three importers, nearest first: each imports the one before it.

        If there are several ways, one that loads at once comes before a lazy one, one within the same download (`here`)
        before others, then the shortest one to the project's code.
        """
        leads: list[Lead] = []
        seen = {key}
        while len(leads) < _LEADS and (steps := self._to_own_code(key, seen, here)):
            for name, lazy in steps:
                leads.append(Lead(kind=LeadKind.LAZY_IMPORTER if lazy else LeadKind.IMPORTER, path=name))
                seen.add(name)
                key = name
        return tuple(leads[:_LEADS])

    def _to_own_code(self, key: str, seen: Container[str], here: Container[str]) -> list[_Step]:
        ways: dict[str, list[_Step]] = {key: []}
        for each in (queue := [key]):
            steps = self._into(each)
            for name in sorted(steps, key=lambda name: (steps[name], name not in here, name)):
                if name in ways or name in seen:
                    continue
                ways[name] = [*ways[each], (name, steps[name])]
                if not is_installed(name):
                    return ways[name]
                queue.append(name)
        return []

    def _into(self, key: str) -> dict[str, bool]:
        """Return the importers of a package or module, and whether each imports it only lazily."""
        if key not in self._steps:
            steps = self._steps.setdefault(key, {})
            for importer in (found for module in self._modules.get(key, ()) for found in self._importers[module]):
                name = self._key(importer.module)
                if name not in {key, RUNTIME}:
                    steps[name] = steps.get(name, True) and importer.lazy
        return self._steps[key]

    def _key(self, module: str) -> str:
        if found := self._keys.get(module):
            return found
        package = package_of(module)
        return package.key if package else module
