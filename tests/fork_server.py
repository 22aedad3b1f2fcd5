"""A process that has imported what every gated run imports, and forks for each run.

`starts.py` starts it with one end of a socket pair, and tells it of each run: the arguments of pytest, the working
directory, the environment, and a descriptor for all that the run writes. The answers are the run's process id and, at
its end, its exit code. In the child, pytest starts as by `python -m pytest`, with no plugin loaded, and it ends as an
interpreter ends. With `-n2`, the two workers are forked beforehand, and wait until pytest-xdist starts them.
"""

import importlib
import os
import runpy
import sys
import tempfile
from typing import Any

from _pytest.config import default_plugins

# Every gated run has loaded these before it collects; test_starts.py holds that none is more.
# No plugin of another package is among them: pytest rewrites the assertions of those while it imports them.
_LOADED = (
    "memray",
    "pytest",
    "pytest_memgate.measure.memory.recorder",
    "pytest_memgate.plugin.start",
    # The plugin `stepwise` is off where `cacheprovider` is.
    *(f"_pytest.{name}" for name in default_plugins if name != "stepwise"),
)


def become(request: dict[str, Any], path: list[str]) -> None:
    """Make this process what an interpreter is when it begins with `python -m pytest`."""
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    added = [os.path.abspath(entry) for entry in request["env"].get("PYTHONPATH", "").split(os.pathsep) if entry]  # noqa: PTH100
    sys.path[:] = [os.getcwd(), *dict.fromkeys([*added, *path])]  # noqa: PTH109
    sys.argv[:] = ["-m", *request["args"]]
    sys.orig_argv[:] = [sys.executable, "-m", "pytest", *request["args"]]


def main() -> None:
    for name in _LOADED:
        importlib.import_module(name)
    assert tempfile.tempdir is None, "an import has looked for the temporary folder, which a run's environment may name"
    loaded = set(sys.modules)
    from forking import fork_workers, serve, start_as_forks

    request = serve(int(sys.argv[1]), sorted({name.partition(".")[0] for name in sys.modules} - {"__main__"}))
    become(request, sys.path[1:])
    for name in sys.modules.keys() - loaded:
        del sys.modules[name]
    run = runpy._run_module_as_main  # type: ignore[attr-defined]  # what the interpreter calls for -m
    own = vars(sys.modules["__main__"])
    for own_name in [own_name for own_name in own if not own_name.startswith("__")]:
        del own[own_name]
    if "-n2" in request["args"]:
        workers = fork_workers(2)
        if workers is None:
            return
        start_as_forks(workers)
    run("pytest")


if __name__ == "__main__":
    main()
