"""Where committed files are read from: the work tree, or a git ref."""

import io
import subprocess
from pathlib import Path
from typing import Protocol

from pytest_memgate.baseline.regular import read_regular
from pytest_memgate.errors import UsageError

_MOST_BYTES = 16_000_000  # of one file; chosen: a baseline of 40,000 tests has fewer
_TOGETHER = ".memgate"  # files below a folder of it are read together


class Source(Protocol):
    """Files below the root, by their path with `/`."""

    def read(self, path: str) -> str | None:
        """Return a file's text, None if there is no such file.

        Raises OSError for anything but a regular file of at most 16 MB, UnicodeDecodeError for bytes that are not
        UTF-8.
        """

    def list(self, folder: str) -> list[str]:
        """Return the paths of all files below a folder, sorted."""


class WorkTree:
    """The files as they lie in the project's folder."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def read(self, path: str) -> str | None:
        """Return a file's text as it lies in the folder."""
        try:
            return read_regular(self._root / path, _MOST_BYTES).decode()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def list(self, folder: str) -> list[str]:
        """Return the paths of all files below a folder, sorted."""
        files = (path for path in (self._root / folder).rglob("*") if path.is_file())
        return sorted(path.relative_to(self._root).as_posix() for path in files)


class GitRef:
    """The files of one commit, which the change under test cannot touch."""

    def __init__(self, root: Path, ref: str, *, option: str = "--memgate-base") -> None:
        self._root = root
        self._option = option  # what named the ref, for the words of an error
        self.ref = ref
        self.commit = self._git("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
        self._prefix = self._git("rev-parse", "--show-prefix")
        self._files: dict[str, str] | None = None  # the id of each file's blob, by path
        self._blobs: dict[str, bytes] = {}  # what has been read, by path

    def read(self, path: str) -> str | None:
        """Return a file's text in the commit.

        The first file of a baseline folder brings all of that folder: one git process for each file would take long.
        """
        if path not in self._all():
            return None
        if path not in self._blobs:
            folder = "/".join([*path.split("/")[:2], ""])
            others = self._all() if folder.startswith(f"{_TOGETHER}/") else ()
            self._load([path, *(other for other in others if other.startswith(folder) and other != path)])
        return io.TextIOWrapper(io.BytesIO(self._blobs[path]), encoding="utf-8").read()

    def _load(self, paths: "list[str]") -> None:
        ids = "".join(f"{self._all()[path]}\n" for path in paths)
        out = io.BytesIO(self._run("cat-file", "--batch", given=ids.encode()))
        for path in paths:
            size = out.readline().split()[-1]  # <id> blob <size>, or <id> missing
            if not size.isdigit():
                raise UsageError(f"{self._option} {self.ref}: git has no {path}", hint="fetch it: git fetch --refetch")
            self._blobs[path] = out.read(int(size))
            out.read(1)

    def list(self, folder: str) -> list[str]:
        """Return the paths of all files of the commit below a folder, sorted."""
        return sorted(path for path in self._all() if path.startswith(f"{folder}/"))

    def changed_files(self) -> set[str]:
        """Return the files that differ between the commit and the work tree, as paths below the root."""
        return set(self._git("diff", "--name-only", "--relative", "-z", self.commit).split("\0"))

    def renamed_files(self) -> dict[str, str]:
        """Return the new paths of files renamed since the commit, by their old ones, below the root."""
        told = self._git("diff", "--name-status", "-M", "--diff-filter=R", "--relative", "-z", self.commit).split("\0")
        return dict(zip(told[1::3], told[2::3], strict=False))

    def _all(self) -> dict[str, str]:
        if self._files is None:
            entries = self._git("ls-tree", "-r", "-z", self.commit, "--", ".").split("\0")
            parts = [entry.partition("\t") for entry in entries if entry]  # <mode> blob <id>\t<path>
            self._files = {path: about.split()[2] for about, _, path in parts if about.split()[1] == "blob"}
        return self._files

    def _git(self, *args: str) -> str:
        return self._run(*args).decode("utf-8", "surrogateescape").strip("\n")  # files may have any name

    def _run(self, *args: str, given: bytes = b"") -> bytes:
        try:
            done = subprocess.run(  # noqa: S603
                ["git", *args],  # noqa: S607
                cwd=self._root,
                input=given,
                capture_output=True,
                check=False,
            )
        except FileNotFoundError as error:
            raise UsageError(f"{self._option} needs git, which is not on PATH") from error
        if done.returncode:
            what = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raise UsageError(
                f"{self._option} {self.ref}: {what[-1] if what else 'no such commit'}",
                hint="name a branch, tag or commit that is fetched (in CI: a checkout with fetch-depth: 0)",
            )
        return done.stdout


def last_commit(root: Path, path: str) -> GitRef | None:
    """Return the last commit that changed a file, None if git knows of none."""
    command = ["git", "log", "-1", "--format=%H", "--", path]
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, encoding="utf-8", check=False)  # noqa: S603
    except (OSError, UnicodeDecodeError):
        return None
    return GitRef(root, done.stdout.strip()) if done.returncode == 0 and done.stdout.strip() else None
