"""Copies of modules of the standard library as the gate has loaded them: tests replace functions of the real ones."""

from types import ModuleType
from typing import Any


class Standard:
    """The names of a module when this was made; its functions still share the module's own state.

    It is no module: libraries that fake a file system look for modules, and for functions in them.
    """

    def __init__(self, module: ModuleType, **more: object) -> None:
        vars(self).update({name: value for name, value in vars(module).items() if not name.startswith("__")}, **more)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)
