"""Run one step of the action from its own environment, after a check that nothing in it has changed.

prepare.py has put a copy of this file there. The step's shell line gives it to `python -ISB`, after a check of its
digest: no `.pth` file, no `sitecustomize`, no PYTHON variable and no file of the checkout takes part.
"""

import hashlib
import json
import os
import runpy
import stat
import sys
from pathlib import Path

LIBRARIES = "lib"
VARIABLES = "environment.json"
_GITHUBS = ("GITHUB_", "RUNNER_", "MEMGATE_CI_")
# These two run the code under test, in the job's own environment, and hold no token.
_FOR_TESTS = ("install", "run")


def seal(folder: Path) -> str:
    """Return the digest of all files in a folder: names, kinds and contents. Raises OSError."""
    whole = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        kind = stat.S_IFMT(path.lstat().st_mode)
        line = "\0".join((path.relative_to(folder).as_posix(), str(kind), _content(path, kind), ""))
        whole.update(line.encode("utf-8", "surrogateescape"))
    return whole.hexdigest()


def _content(path: Path, kind: int) -> str:
    if kind == stat.S_IFLNK:
        return str(path.readlink())
    return hashlib.sha256(path.read_bytes()).hexdigest() if kind == stat.S_IFREG else ""


def start(folder: Path, sealed: str) -> None:
    """Run the step that the command line names from `folder`, whose digest must be `sealed`."""
    try:
        found = seal(folder)
    except OSError as error:
        found = str(error)
    if found != sealed:
        sys.stdout.write(
            f"::error title=memgate::NO ANSWER: something has changed the action's own files in {folder}\n"
        )
        sys.exit(3)
    if sys.argv[1] not in _FOR_TESTS:
        _take(json.loads((folder / VARIABLES).read_text(encoding="utf-8")))
    sys.path.append(str(folder / LIBRARIES))
    sys.argv.insert(1, "ci")
    runpy.run_module("pytest_memgate", run_name="__main__")


def _take(kept: dict[str, str]) -> None:
    """Keep the variables from before the code under test ran, and those that GitHub sets itself."""
    for name in set(os.environ) - set(kept):
        if not name.startswith(_GITHUBS):
            del os.environ[name]
    os.environ.update(kept)


if __name__ == "__main__":
    start(Path(FOLDER), SEALED)  # type: ignore[name-defined]  # noqa: F821  # given with the code
