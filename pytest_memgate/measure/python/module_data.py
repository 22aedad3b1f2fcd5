"""How much the variables of a module hold: what importing it has built, found without a trace of the import."""

import builtins
import gc
import sys
import types
from collections import deque
from collections.abc import Iterable
from itertools import chain

_MOST = 1_000_000  # objects that are looked at, for a second or so; chosen
_LARGE = 10_000  # bytes of a value that is remembered; chosen
_CONTAINERS = frozenset((dict, list, tuple, set, frozenset, deque))
# Found through a variable, but not built for it: code, what another module has built, the interpreter's own.
_NOT_DATA = (type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType, types.MethodType, property)


class ModuleData:
    """Measures modules, each variable's value once: whoever imports a table from another module holds none of it."""

    def __init__(self) -> None:
        self._known: set[int] = set()  # identities of large values, which their modules keep alive

    def size(self, module: types.ModuleType) -> int:
        """Return the bytes that the variables of a module hold, as far as containers and its own instances lead.

        The attributes of its classes are variables, too. Of an object of another kind its own size counts, as
        `sys.getsizeof` tells it: an array's data, but not what a foreign object refers to.
        """
        name = module.__name__
        variables = [value for key, value in list(vars(module).items()) if not key.startswith("__")]
        own = (value for value in variables if isinstance(value, type) and value.__module__ == name)
        seen: set[int] = set()
        total = 0
        for value in chain(variables, *(list(vars(one).values()) for one in own)):
            if id(value) not in self._known:
                size = self._size(value, name, seen)
                total += size
                if size > _LARGE:
                    self._known.add(id(value))
        return total

    def _size(self, value: object, name: str, seen: set[int]) -> int:
        total, waiting = 0, [value]
        while waiting and len(seen) < _MOST:
            one = waiting.pop()
            if id(one) in seen or id(one) in self._known or issubclass(type(one), _NOT_DATA):
                continue
            seen.add(id(one))
            total += _own_size(one)
            if type(one) is dict:
                waiting += [*one.keys(), *one.values()]  # its keys are not told as referents
            elif type(one) in _CONTAINERS or type(one).__module__ == name:
                waiting += gc.get_referents(one)
        return total


def loaded_since(before: Iterable[str]) -> list[types.ModuleType]:
    """Return the modules that were imported since, those that others needed first."""
    new = sys.modules.keys() - set(before)
    modules = [sys.modules.get(name) for name in reversed(list(sys.modules)) if name in new]
    return [module for module in modules if type(module) is types.ModuleType and module is not builtins]


def _own_size(one: object) -> int:
    try:
        return sys.getsizeof(one)
    except Exception:  # noqa: BLE001  # its own method may do anything
        return 0
