"""What an update of baselines made of a project, remembered for the same project, code and versions."""

import functools
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[1]
_FOLDER = _ROOT / ".pytest_cache" / "d" / "updates"  # `pytest --cache-clear` empties it
_PLACE = "{the test's folder}"  # stands for each test's own
# Compiled files, and the last run's own file, which is part of what is remembered.
_PASSED_OVER = {"__pycache__", "run.json"}
# They differ from one shell to the next, and no run looks at them.
_OF_THE_SHELL = ("MAKE", "MFLAGS", "OLDPWD", "PWD", "SHLVL", "_")


def remembered(
    folder: Path, command: Sequence[str], env: dict[str, str], update: Callable[[], dict[str, Any]]
) -> dict[str, Any]:
    """Return what `update` returned in an equal folder, and write the files that it wrote; call it where none was.

    Equal are the names, contents and modes of all files in the test's folder, which holds the project and what lies
    beside it; the command, the environment and the day; the package's files, and the versions of all that is installed.
    Where there is a repository of git, or a link, a folder is more than its files: it is updated.
    """
    before = _files(folder)
    if before is None:
        return update()
    told = json.dumps([before, command, sorted(_own(env).items()), date.today().isoformat()])  # noqa: DTZ011
    path = _memories() / hashlib.sha256(_placeless(told, folder).encode()).hexdigest()
    if path.exists():
        memory = json.loads(path.read_text(encoding="utf-8").replace(_PLACE, str(folder)))
        for name in memory["gone"]:
            (folder / name).unlink()
        for name, text in memory["written"].items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8", newline="")
        return dict(memory["result"])
    result = update()
    after = _files(folder)
    if after is not None:
        written = {name: _text(folder / name) for name, one in after.items() if before.get(name) != one}
        memory = {"result": result, "written": written, "gone": sorted(before.keys() - after.keys())}
        _write(path, _placeless(json.dumps(memory), folder))
    return result


def forget_others() -> None:
    """Remove what was remembered of other code or versions."""
    for folder in _FOLDER.iterdir() if _FOLDER.is_dir() else ():
        if folder != _memories():
            shutil.rmtree(folder, ignore_errors=True)


@functools.cache
def _memories() -> Path:
    """Return the folder for this code and these versions."""
    digest = hashlib.sha256(sys.version.encode())
    for path in [_ROOT / "_memgate_pytest.py", *sorted((_ROOT / "pytest_memgate").rglob("*"))]:
        if path.is_file() and path.parent.name != "__pycache__":
            digest.update(f"{path.relative_to(_ROOT)} {_digest(path)}\n".encode())
    for name, version in sorted((one.name, one.version) for one in distributions()):
        digest.update(f"{name} {version}\n".encode())
    return _FOLDER / digest.hexdigest()


def _files(folder: Path) -> dict[str, tuple[int, str]] | None:
    """Return the mode and the digest of each file, None where a folder is more than its files."""
    files = {}
    for path in _walk(folder):
        if path.is_symlink() or path.name == ".git" or not (path.is_dir() or path.is_file()):
            return None
        if path.is_file():
            files[path.relative_to(folder).as_posix()] = (path.stat().st_mode, _digest(path))
    return files


def _walk(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name not in _PASSED_OVER:
            yield path
            if path.is_dir() and not path.is_symlink():
                yield from _walk(path)


def _own(env: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in env.items() if not name.startswith(_OF_THE_SHELL)}


def _placeless(text: str, folder: Path) -> str:
    return text.replace(str(folder), _PLACE)


def _text(path: Path) -> str:
    with path.open(encoding="utf-8", newline="") as file:
        return file.read()


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _write(path: Path, text: str) -> None:
    """Write a file as a whole: other workers read and write the same."""
    path.parent.mkdir(parents=True, exist_ok=True)
    own = path.with_suffix(f".{os.getpid()}")
    own.write_text(text, encoding="utf-8")
    own.replace(path)
