"""Where the baseline of a test file lies."""

import os
import sysconfig
from functools import cache
from pathlib import Path

_SITE = "@site"
_UP = "@up"


@cache  # asked for each test, and a few links to follow
def file_key(path: Path, root: Path) -> str:
    """Return a test file's path below the root, with `/`: the same on every machine.

    A file of an installed package (`--pyargs networkx.classes`) goes below `@site`. Any other file outside the root
    goes by its relative path, with `@up` for each step up.
    """
    real, base = os.path.realpath(path), os.path.realpath(root)
    folders = {os.path.realpath(sysconfig.get_path(name)) for name in ("purelib", "platlib")}
    for folder in folders:
        if real.startswith(folder + os.sep):
            return f"{_SITE}/{_posix(os.path.relpath(real, folder))}"
    try:
        way = _posix(os.path.relpath(real, base))
    except ValueError:  # another drive
        return f"{_UP}/{_posix(real).replace(':', '')}"
    return "/".join(_UP if part == ".." else part for part in way.split("/"))


def test_file(key: str, root: Path) -> Path:
    """Return the file that `file_key` named."""
    first, _, rest = key.partition("/")
    if first == _SITE:
        return Path(sysconfig.get_path("purelib"), rest)
    return Path(root, *(".." if part == _UP else part for part in key.split("/")))


def _posix(path: str) -> str:
    return path.replace(os.sep, "/")
