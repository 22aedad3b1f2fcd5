"""The environment that values belong to, and what can be measured in it."""

import importlib.metadata
import os
import platform
import sys
import sysconfig

from pytest_memgate.model.environment import Environment, Header

PROFILED = "a profiler is active, whose place memray would take"
_MACHINES = {"amd64": "x86_64", "aarch64": "arm64"}


def key() -> str:
    """Return the name of this environment: `linux-x86_64-cpython3.11`, with a `t` for a free-threaded build."""
    machine = platform.machine().lower()
    threading = "t" if sysconfig.get_config_var("Py_GIL_DISABLED") else ""
    version = f"{sys.version_info.major}.{sys.version_info.minor}{threading}"
    return f"{platform.system().lower()}-{_MACHINES.get(machine, machine)}-{sys.implementation.name}{version}"


def allocator() -> str:
    """Return Python's allocator and how it is traced: debug hooks change the size of every object."""
    name = os.environ.get("PYTHONMALLOC", "default") if not sys.flags.ignore_environment else "default"
    if name == "default":
        name = "mimalloc" if sysconfig.get_config_var("Py_GIL_DISABLED") else "pymalloc"
        if sys.flags.dev_mode:
            name += "_debug"
    return f"{name}, traced"


def memray_version() -> str:
    """Return memray's version, empty if it is not installed."""
    try:
        return importlib.metadata.version("memray")
    except importlib.metadata.PackageNotFoundError:
        return ""


def in_ci() -> bool:
    """True in a CI job (the variable CI is set), where the gate is strict by default."""
    return os.environ.get("CI", "").lower() not in {"", "0", "false", "no"}


def coverage_is_on() -> bool:
    """True if coverage.py measures in this process: it moves a peak by tens of kilobytes."""
    coverage = sys.modules.get("coverage")
    current = getattr(getattr(coverage, "Coverage", None), "current", None)
    return current is not None and current() is not None


def here() -> Environment:
    """Return the environment of this process, as it measures now."""
    version = ".".join(memray_version().split(".")[:2])
    return Environment(key=key(), header=Header(allocator=allocator(), memray=version, coverage=coverage_is_on()))


def cannot_measure() -> str:
    """Return why memory cannot be measured here and now, empty if it can."""
    if sys.platform == "win32":
        return "memory cannot be measured on Windows: memray does not run there"
    if not memray_version():
        return "memray is not installed (pip install memray)"
    try:
        import memray  # noqa: F401, PLC0415  # the only proof that its extension loads
    except ImportError as error:
        return f"memray cannot be imported: {error}"
    return PROFILED if is_profiled() else ""


def is_profiled() -> bool:
    """True if a profiler is active in this thread; memray's own hook, which older releases show, is none."""
    hook = sys.getprofile()
    return hook is not None and not type(hook).__module__.startswith("memray")


def known_bad() -> str:
    """Return the known trouble with these versions together, empty if there is none."""
    version = tuple(int(part) for part in memray_version().split(".")[:2] if part.isdigit())
    if sys.version_info[:2] == (3, 12) and version <= (1, 20):
        return (
            f"Python 3.12 with memray {memray_version()} can crash when a tracker stops: "
            "a crashed run is not green; upgrade memray where a newer one exists, or gate on another Python"
        )
    return ""
