"""The environment in which the base is measured: this one, with the base's own code and, where they differ, packages.

It is a thin virtual environment of one `.pth` file: it adds the folders of this interpreter's packages, and takes
imports of the project from the base's tree, in each process that is started with it. Programs of this environment, such
as gunicorn, are there, too. Packages of which the base pins another version lie in a second environment before them,
which is kept for the next time.
"""

import hashlib
import importlib.metadata
import json
import os
import re
import shutil
import sys
import tomllib
import venv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement

from pytest_memgate.config.schema import Setup
from pytest_memgate.errors import MeasureError
from pytest_memgate.measure.process.workspace import Workspace
from pytest_memgate.tasks.run.git_worktree import Trees

CACHE = ".pytest_cache/memgate"  # below the root; in CI, to be kept between two jobs
_PTH = "memgate_base.pth"
_LOCKS = ("uv.lock", "poetry.lock", "pdm.lock")
_PYPROJECT = "pyproject.toml"
_PATIENCE = 1800.0  # seconds for an installation; chosen
_READY = "ready"
_SHEBANG = 512  # bytes at most of how a program names its interpreter
_HOW = "say in memgate.yml how they are: setup: {run: …}"
_TELL = (
    "import importlib.metadata as m, json; d = {}; "
    "[d.setdefault(one.name.lower().replace('_', '-'), one.version) for one in m.distributions() if one.name]; "
    "print(json.dumps(d))"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseEnvironment:
    """The interpreter for the base, and the packages that differ: `ujson 5.12.0 -> 5.11.0`.

    `unmet` are pins of the work tree that are not what is installed here: `ujson==5.11.0, and 5.12.0 is installed`.
    """

    python: Path
    packages: tuple[str, ...] = ()
    unmet: tuple[str, ...] = ()


def base_environment(trees: Trees, setup: Setup, workspace: Workspace) -> BaseEnvironment:
    """Return the environment of the base; raises MeasureError if its packages cannot be installed."""
    changed = _changed(trees, setup.files)
    own = [_installed(trees, setup, changed, workspace)] if changed else []
    python = _made(workspace.place() / "environment", [*own, *_folders()], trees)
    _take_scripts(python)
    packages = _differences(python, workspace) if own else ()
    return BaseEnvironment(python=python, packages=packages, unmet=tuple(_unmet(trees, changed)))


def _changed(trees: Trees, patterns: Sequence[str]) -> list[str]:
    """Return the files that pin packages and differ between the two sides, as paths below the root."""
    found = {
        path.relative_to(folder).as_posix()
        for folder in (trees.root, trees.base_root)
        for pattern in patterns
        for path in folder.glob(pattern)
    }
    return sorted(name for name in found if _differ(trees.root / name, trees.base_root / name, trees.ref))


def _differ(here: Path, there: Path, ref: str) -> bool:
    """True if two files do not pin the same, as far as that can be told."""
    if here.suffix == ".txt" or here.name in {*_LOCKS, _PYPROJECT}:
        return list(_pins(here, "the work tree")) != list(_pins(there, ref))
    return _bytes(here) != _bytes(there)


def _unmet(trees: Trees, changed: Sequence[str]) -> Iterator[str]:
    """Yield the pins of the work tree's changed files that the packages installed here do not meet."""
    here = _versions()
    for name in changed:
        for text in _pins(trees.root / name, "the work tree"):
            try:
                pin = Requirement(text)
            except InvalidRequirement:
                continue  # an option, or a file
            version = here.get(_normal(pin.name))
            counts = pin.marker is None or pin.marker.evaluate({"extra": ""})
            if version and counts and not pin.specifier.contains(version, prereleases=True):
                yield f"{pin.name}{pin.specifier}, and {version} is installed"


def _pins(path: Path, whose: str) -> Iterator[str]:
    """Yield the requirements that stand in a file, a line each; those of a lock file as `name==version`."""
    if not path.exists():
        return
    if path.suffix == ".txt":
        yield from (line.partition(" #")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    elif path.name in _LOCKS:
        for one in _toml(path, whose).get("package", []):
            if one.get("version"):
                yield f"{one.get('name')}=={one['version']}"
    elif path.name == _PYPROJECT:
        yield from map(str, _toml(path, whose).get("project", {}).get("dependencies", []))


def _installed(trees: Trees, setup: Setup, changed: Sequence[str], workspace: Workspace) -> Path:
    """Return the folder with the packages of the base that differ, installed now or before."""
    cache = trees.root / CACHE
    folder = cache / _key(trees, setup, changed)
    if not (folder / _READY).exists():
        shutil.rmtree(folder, ignore_errors=True)
        cache.mkdir(parents=True, exist_ok=True)
        (cache / ".gitignore").write_text("*\n", encoding="utf-8")
        made = workspace.place() / "packages"
        python = _made(made, _folders(), None, with_pip=bool(setup.run))
        if setup.run:
            env = {"VIRTUAL_ENV": str(made), "PATH": f"{python.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
            _run(workspace, setup.run, trees, env)
        elif wanted := list(_wanted(trees, changed)):
            _run(workspace, [*_installer(python), *wanted], trees, {})
        (made / _READY).touch()
        copy = folder.with_name(f"{folder.name}.{os.getpid()}")
        shutil.copytree(made, copy, symlinks=True)
        with suppress(OSError):  # another comparison was first
            copy.rename(folder)
        shutil.rmtree(copy, ignore_errors=True)
    return _packages(folder)


def _wanted(trees: Trees, changed: Sequence[str]) -> Iterator[str]:
    """Yield what an installer is to be told: the base's requirements, or the packages of its lock file."""
    here = _versions()
    locks = [name for name in changed if Path(name).name in _LOCKS and (trees.base_root / name).exists()]
    for name in locks:
        for pin in _pins(trees.base_root / name, trees.ref):
            package, _, version = pin.partition("==")
            if here.get(_normal(package), version) != version:
                yield pin
    for name in changed:
        path = trees.base_root / name
        if path.suffix == ".txt" and path.exists():
            yield from ("-r", str(path))
        elif path.name == _PYPROJECT and not locks:
            yield from _pins(path, trees.ref)


def _toml(path: Path, whose: str) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise MeasureError(f"{path.name} of {whose} cannot be read: {error}") from error


def _installer(python: Path) -> list[str]:
    if find_spec("pip"):
        return [sys.executable, "-m", "pip", "--python", str(python), "install", "--disable-pip-version-check"]
    if uv := shutil.which("uv"):
        return [uv, "pip", "install", "--python", str(python)]
    raise MeasureError("the base pins other packages, and neither pip nor uv is here to install them", hint=_HOW)


def _run(workspace: Workspace, command: Sequence[str] | str, trees: Trees, env: Mapping[str, str]) -> None:
    folder = workspace.place()
    job = workspace.start(command, folder, cwd=trees.base_root, env=env)
    try:
        in_time = job.wait(_PATIENCE, lambda: None)
        code = job.code()
    finally:
        workspace.end(job)
    if code:
        lines = [line.strip() for line in job.out().splitlines() if line.strip()]
        said = next((line for line in lines if line.startswith("ERROR:")), lines[-1] if lines else "it said nothing")
        why = said if in_time else f"it did not end within {_PATIENCE / 60:.0f} min"
        raise MeasureError(f"the packages of {trees.ref} cannot be installed: {why}", hint=_HOW)


def _made(folder: Path, packages: Sequence[Path], trees: Trees | None, *, with_pip: bool = False) -> Path:
    """Make an environment that has the packages of other folders, too, and return its interpreter."""
    venv.EnvBuilder(symlinks=os.name != "nt", with_pip=with_pip).create(folder)
    lines = [f"import site; list(map(site.addsitedir, {list(map(str, packages))!r}))"]
    if trees:
        way = f"{os.path.realpath(trees.top)!r}, {os.path.realpath(trees.base_top)!r}"
        lines.append(f"import pytest_memgate.measure.process.other_tree as tree; tree.OtherTree({way}).redirect()")
    (_packages(folder) / _PTH).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / ("Scripts" if os.name == "nt" else "bin") / Path("python.exe" if os.name == "nt" else "python")


def _take_scripts(python: Path) -> None:
    """Put this environment's programs, such as gunicorn, beside another interpreter, which they start from there."""
    here = Path(sys.executable).parent
    old, new = (os.fsencode(f"{folder}{os.sep}python") for folder in (here, python.parent))
    for script in here.iterdir():
        target = python.parent / script.name
        if not script.is_file() or target.exists():
            continue
        with script.open("rb") as file:
            head = file.read(_SHEBANG)
            if head.startswith(b"#!") and old in head:
                target.write_bytes(head.replace(old, new) + file.read())
                target.chmod(0o755)


def _packages(folder: Path) -> Path:
    return next(folder.glob("[Ll]ib/**/site-packages"))


def _folders() -> list[Path]:
    """Return the folders of this interpreter's packages, in their order; and where this package is."""
    own = Path(__file__).resolve().parents[3]
    named = [Path(path) for path in sys.path if Path(path).name in {"site-packages", "dist-packages"}]
    return named if own in named else [*named, own]


def _key(trees: Trees, setup: Setup, changed: Sequence[str]) -> str:
    parts = [sys.version, setup.run, json.dumps(_versions(), sort_keys=True)]
    parts += [f"{name}\n{_bytes(trees.base_root / name)!r}" for name in changed]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _differences(python: Path, workspace: Workspace) -> tuple[str, ...]:
    folder = workspace.place()
    done = workspace.run([str(python), "-c", _TELL], folder, timeout_seconds=_PATIENCE)
    there: Mapping[str, str] = json.loads(done.out.splitlines()[-1]) if done.code == 0 else {}
    here = _versions()
    other = [name for name in sorted(here) if there.get(name, here[name]) != here[name]]
    return tuple(f"{name} {there[name]} -> {here[name]}" for name in other)


def _versions() -> dict[str, str]:
    found: dict[str, str] = {}
    for one in importlib.metadata.distributions():
        if one.name:
            found.setdefault(_normal(one.name), one.version)
    return found


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
