"""The kind of this machine: times are compared only on machines of one kind."""

import os
import platform
import subprocess
import sys
from functools import cache
from pathlib import Path

from pytest_memgate.model.provenance import Machine

_CPUINFO = Path("/proc/cpuinfo")
_NAMES = ("model name", "Model", "Hardware")  # x86, then what ARM kernels say


@cache
def machine_class() -> dict[str, str]:
    """Return the CPU's model, how many cores this process may use, and the Python release's minor version."""
    return {
        "cpu": _cpu() or platform.machine(),
        "cores": str(_cores()),
        "python": f"{sys.implementation.name} {sys.version_info.major}.{sys.version_info.minor}",
    }


def machine() -> Machine:
    """Return the processor, cores and memory of this machine."""
    told = machine_class()
    return Machine(cpu=told["cpu"], cores=int(told["cores"]), memory=_memory())


def _memory() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # Windows has no sysconf
        return 0


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _cpu() -> str:
    if sys.platform == "darwin":
        command = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603
    try:
        lines = _CPUINFO.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor()
    given = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return next((" ".join(given[name].split()) for name in _NAMES if given.get(name)), "")
