"""A commit laid out beside the user's own work tree, which stays as it is."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from pytest_memgate.baseline.source import GitRef
from pytest_memgate.errors import MeasureError, UsageError

_SUBMODULE = "160000"  # git's mode of one


@dataclass(frozen=True, slots=True, kw_only=True)
class Trees:
    """The work tree and the base's: the `top` folders of both checkouts, and the project's `root` in the former."""

    top: Path
    root: Path
    base_top: Path
    ref: str

    def there(self, path: Path) -> Path:
        """Return the place in the base of a path in the work tree; any other path stays."""
        real = path.resolve()
        return self.base_top / real.relative_to(self.top) if real.is_relative_to(self.top) else path

    @property
    def base_root(self) -> Path:
        """The project's root in the base."""
        return self.there(self.root)

    def arguments(self, args: Sequence[str]) -> list[str]:
        """Return pytest's arguments as they are for the base."""
        own = re.compile(rf"{re.escape(str(self.top))}(?={re.escape(os.sep)}|$)")
        return [own.sub(lambda _: str(self.base_top), arg) for arg in args]

    def environment(self) -> dict[str, str]:
        """Return PYTHONPATH as it is for the base."""
        paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
        moved = os.pathsep.join(str(self.there(Path(path))) if path else path for path in paths)
        return {"PYTHONPATH": moved} if any(paths) else {}

    def check(self, foreign: Sequence[str]) -> None:
        """Raise MeasureError if files from elsewhere were imported in place of the base's own."""
        if not foreign:
            return
        file = Path(foreign[0])
        if file.is_relative_to(self.top) and "site-packages" not in file.parts:
            why = f"{file.relative_to(self.top)} is imported from the work tree, not from {self.ref}"
            raise MeasureError(f"{why}: the difference would be a false one", hint="what leads there must be relative")
        why = f"{file} is an installed copy of the project, the same for {self.ref} and the work tree"
        hint = "install it with: pip install --editable ."
        raise MeasureError(f"{why}: the difference would be a false zero", hint=hint)


def repository(folder: Path, *, instead: str = "") -> Path:
    """Return the top folder of the git repository that holds `folder`.

    Raises UsageError if there is none, with what may serve `instead`.
    """
    try:
        done = _git(folder, "rev-parse", "--show-toplevel")
    except FileNotFoundError as error:
        raise UsageError("a git ref needs git, which is not on PATH") from error
    if done.returncode:
        raise UsageError(f"{folder} is in no git repository", hint=instead)
    return Path(done.stdout.strip("\n")).resolve()


def commit_of(root: Path, ref: str, *, option: str) -> str:
    """Return the commit that a ref, given by `option`, names now; raises UsageError if git knows no such commit."""
    return GitRef(root, ref, option=option).commit


@contextmanager
def checked_out(root: Path, commit: str, folder: Path) -> Iterator[Path]:
    """Check a commit out into the new `folder`, and remove it again, even if this process is told to end.

    No branch is made, no hook is run. Submodules that are checked out here are there, too, at their commits of then.
    Raises MeasureError if git cannot check it out.
    """
    top, inner = repository(root), ExitStack()
    with _ended_in_order():
        try:
            done = _git(root, "-c", "core.hooksPath=", "worktree", "add", "--quiet", "--detach", str(folder), commit)
            if done.returncode:
                said = done.stderr.strip().splitlines()
                raise MeasureError(f"{commit[:12]} cannot be checked out: {said[-1] if said else 'git says nothing'}")
            with inner:
                for path, its_commit in _submodules(top, commit):
                    if (top / path / ".git").exists():
                        inner.enter_context(_submodule(top, path, its_commit, folder))
                yield folder
        finally:
            _remove(root, folder)


def _submodules(top: Path, commit: str) -> Iterator[tuple[str, str]]:
    """Yield the submodules of a commit: the path, and the commit of each."""
    for line in _git(top, "ls-tree", "-r", "-z", commit).stdout.split("\0"):
        kind, _, path = line.partition("\t")
        if kind.startswith(f"{_SUBMODULE} "):
            yield path, kind.split()[2]


@contextmanager
def _submodule(top: Path, path: str, commit: str, folder: Path) -> Iterator[None]:
    if _git(top / path, "cat-file", "-e", f"{commit}^{{commit}}").returncode:
        why = f"the submodule {path} has no commit {commit[:12]}"
        raise MeasureError(why, hint=f"fetch it: git -C {path} fetch --unshallow, or git submodule update")
    with checked_out(top / path, commit, folder / path):
        yield


def _remove(root: Path, folder: Path) -> None:
    """Remove one worktree; others that are missing now belong to somebody else, so nothing is pruned."""
    with contextlib.suppress(OSError):
        link = (folder / ".git").read_text(encoding="utf-8")
        if _git(root, "worktree", "remove", "--force", str(folder)).returncode:
            shutil.rmtree(link.removeprefix("gitdir: ").strip(), ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


def _git(folder: Path, *args: str) -> "subprocess.CompletedProcess[str]":
    """Run git out of reach of the terminal's Ctrl-C, so that the clean-up is not cut short."""
    return subprocess.run(  # noqa: S603
        ["git", *args],  # noqa: S607
        cwd=folder,
        env={name: value for name, value in os.environ.items() if name != "GIT_INDEX_FILE"},  # a hook's, of the user
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        start_new_session=True,
        check=False,
    )


@contextmanager
def _ended_in_order() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end this process as Ctrl-C does, with its clean-up."""

    def end(number: int, _: FrameType | None) -> None:
        sys.exit(128 + number)

    numbers = [number for name in ("SIGTERM", "SIGHUP") if (number := getattr(signal, name, None)) is not None]
    before = {number: signal.signal(number, end) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
