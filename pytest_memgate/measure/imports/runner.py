"""Imports modules in an interpreter of its own, under memray, and writes down how it went.

Run as a script: `import_runner.py FOLDER trace|warm SYS_PATH MODULE…`. Modules that memray and this file have loaded
are unloaded again before the measurement, so that they are counted for the module that imports them.
"""

import gc
import os
import sys

TYPE_CHECKING = False  # typing's own word for it would load typing
if TYPE_CHECKING:
    from typing import Any, NoReturn

# What memray needs while it traces; the rest of what it brought is unloaded.
_NEEDED = ("memray", "cython", "_cython")
# Just above two thirds of 2**17, where the table of names grows to twice that: the rest is then free.
_NAMES = 87_500
_SCREEN = "rich"  # memray draws progress bars with it, which nobody sees here; it would load much else


class _Blank:
    """Finds empty modules in place of those that are not needed."""

    @staticmethod
    def find_spec(name: str, _path: object = None, _target: object = None) -> "Any":
        """Return a spec for a module that is not needed, None for any other."""
        spec = sys.modules["_frozen_importlib"].ModuleSpec
        return spec(name, _Blank, is_package=True) if name.partition(".")[0] == _SCREEN else None

    @staticmethod
    def create_module(spec: "Any") -> "Any":
        """Let Python make the module."""
        module: Any = type(sys)(spec.name)
        module.__getattr__ = _nothing
        return module

    @staticmethod
    def exec_module(module: object) -> None:
        """Fill the module with names that do nothing."""


class _AnyKind(type):
    """A class that can be called, asked for any name, entered, iterated over and inherited from, and does nothing."""

    def __call__(cls, *_: object, **__: object) -> type:
        return cls

    def __getattr__(cls, name: str) -> type:
        return _nothing(name)

    def __enter__(cls) -> type:
        return cls

    def __exit__(cls, *_: object) -> None: ...

    def __iter__(cls) -> "Any":
        return iter(())


def _nothing(name: str) -> type:
    if name.startswith("__"):
        raise AttributeError(name)
    return _AnyKind(name, (), {})


def _tracker(path: str) -> "Any":
    sys.meta_path.insert(0, _Blank)
    try:
        import memray  # noqa: PLC0415  # once what was there before is known

        from pytest_memgate.measure.memory.greenlets import be_quiet  # noqa: PLC0415  # it is unloaded with the rest
    finally:
        sys.meta_path.remove(_Blank)
    be_quiet()
    old = {"buffered": True} if hasattr(memray.FileDestination, "buffered") else {}
    return memray.Tracker(
        destination=memray.FileDestination(path, overwrite=True, compress_on_exit=False, **old),
        trace_python_allocators=True,
        file_format=memray.FileFormat.AGGREGATED_ALLOCATIONS,
    )


def _unload(first: set[str]) -> None:
    for name in sys.modules.keys() - first:
        if not name.startswith(_NEEDED):
            del sys.modules[name]


def _look_around() -> None:
    """Let the import system list the folders of sys.path now: no module is charged for that."""
    sys.modules["_frozen_importlib_external"].PathFinder.find_spec("no module has this name", sys.path)


def _make_room() -> None:
    """Let Python's table of interned names grow now, by names that are dropped at once.

    It doubles when it is full, which takes up to half a megabyte. Which module's last name does that is chance.
    """
    for name in [sys.intern(f"memgate {number}") for number in range(_NAMES)]:
        del name


class _Imports:
    """Imports modules one by one, past those that fail."""

    def __init__(self, modules: list[str], progress: int) -> None:
        self._modules = modules
        self._progress = progress
        self.failed: dict[str, str] = {}

    def run(self) -> None:
        """Import all modules, and note the ones that fail."""
        for name in self._modules:
            os.pwrite(self._progress, name.encode().ljust(1000), 0)  # should it end us, it is known which one did
            try:
                __import__(name)
            except BaseException as error:  # noqa: BLE001  # whatever a module raises
                self.failed[name] = f"{type(error).__name__}: {error}".strip(": ").partition("\n")[0][:300]


def _run(folder: str, mode: str, path: str, modules: list[str]) -> "dict[str, Any]":
    first, own = set(sys.modules), os.getpid()
    # Not on the tests' path: a module of theirs could have the name of one that memray needs.
    sys.path.append(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))  # noqa: PTH100, PTH120
    from pytest_memgate.measure.stacks.import_hook import named_imports  # noqa: PLC0415  # it is unloaded with the rest

    tracker = _tracker(f"{folder}/capture.bin")
    _unload(first)
    sys.path[:] = path.split("\n")
    _look_around()
    _make_room()
    before = set(sys.modules)
    present = [name for name in modules if name in before]
    imports = _Imports(modules, os.open(f"{folder}/progress", os.O_RDWR | os.O_CREAT))
    names = named_imports()
    names.__enter__()
    gc.collect()
    if mode == "trace":
        tracker.__enter__()
    imports.run()
    if os.getpid() != own:  # a module has forked
        os._exit(0)
    gc.collect()
    if mode == "trace":
        tracker.__exit__(None, None, None)
    names.__exit__(None, None, None)
    added = [name for name in list(sys.modules) if name not in before]
    return {"failed": imports.failed, "present": present, "modules": added, "compiled": _compiled(added)}


def _compiled(modules: list[str]) -> list[str]:
    """Return the modules without bytecode anywhere: they will be compiled again and again."""
    specs = {name: getattr(sys.modules[name], "__spec__", None) for name in modules}
    files = {name: getattr(spec, "cached", None) for name, spec in specs.items() if spec}
    return [name for name, file in files.items() if isinstance(file, str) and not os.path.exists(file)]  # noqa: PTH110


def main() -> "NoReturn":
    """Run, write `result.json` into the folder, and end at once, whatever threads the modules have started."""
    folder, mode, path, *modules = sys.argv[1:]
    sys.argv[:] = [""]
    result = _run(folder, mode, path, modules)
    import json  # noqa: PLC0415  # not before all is measured

    with open(f"{folder}/result.json", "w", encoding="utf-8") as file:  # noqa: PTH123
        json.dump(result, file)
    os._exit(0)


if __name__ == "__main__":
    main()
