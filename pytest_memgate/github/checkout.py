"""The repository that the job has checked out, often shallow: its commits, and those that can be fetched."""

import base64
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from pytest_memgate.errors import UsageError

_DEEPER = (50, 500)  # commits to fetch in search of a merge base, before all of them are fetched; chosen
_PATIENCE = 300  # seconds that a fetch may take; chosen
_FROM_OUTSIDE = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR")


class Checkout:
    """The git repository that holds `folder`; `token` lets it fetch from a private one."""

    def __init__(self, folder: Path, *, token: str = "") -> None:
        self._folder = folder
        self._token = token
        self.said = ""  # git's last word on what failed

    def top(self) -> Path:
        """Return the repository's root; raises UsageError if there is none."""
        found = self._git("rev-parse", "--show-toplevel")
        if found is None:
            raise UsageError(f"{self._folder}: {self.said}", hint="run actions/checkout first")
        return Path(found)

    def commit_of(self, ref: str) -> str:
        """Return the commit that a ref names here, empty if it names none."""
        return self._git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}") or ""

    def parents(self, commit: str) -> list[str]:
        """Return a commit's parents, also those that a shallow checkout leaves out."""
        head, _, _ = (self._git("cat-file", "commit", commit) or "").partition("\n\n")
        return [line.removeprefix("parent ") for line in head.splitlines() if line.startswith("parent ")]

    def get(self, commit: str) -> bool:
        """True if a commit is here, or could be fetched alone."""
        return self._has(commit) or (self._fetch("--depth=1", commit) and self._has(commit))

    def get_ref(self, ref: str) -> str:
        """Return the commit of a branch or tag in the remote repository, empty if there is none."""
        shallow = ("--depth=1",) if self._is_shallow() else ()
        return self.commit_of("FETCH_HEAD") if self._fetch(*shallow, ref) else ""

    def merge_base(self, one: str, other: str) -> str:
        """Return the merge base of two commits, empty if none is found."""
        if not self.get(other):
            return ""
        for depth in ("", *(f"--deepen={more}" for more in _DEEPER), "--unshallow"):
            if depth and not (self._is_shallow() and self._fetch(depth, one, other)):
                return ""
            if found := self._git("merge-base", one, other):
                return found
        return ""

    def _has(self, commit: str) -> bool:
        return self._git("cat-file", "-e", f"{commit}^{{commit}}") is not None

    def _is_shallow(self) -> bool:
        return self._git("rev-parse", "--is-shallow-repository") == "true"

    def _fetch(self, *args: str) -> bool:
        """Fetch with the checkout's own rights, then with the token's: GitHub refuses both at once."""
        command = ("fetch", "--quiet", "--no-tags", "--no-recurse-submodules", *_options_first(args))
        if self._git(*command) is not None:
            return True
        said = self.said
        if self._token and self._git(*command, env=self._authorized()) is not None:
            return True
        self.said = said
        return False

    def _authorized(self) -> Mapping[str, str]:
        """Return the token as git's configuration in the environment: every process can read a command line."""
        server = os.environ.get("GITHUB_SERVER_URL", "https://github.com")
        secret = base64.b64encode(f"x-access-token:{self._token}".encode()).decode()
        return {
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": f"http.{server}/.extraheader",
            "GIT_CONFIG_VALUE_0": f"AUTHORIZATION: basic {secret}",
        }

    def _git(self, *args: str, env: Mapping[str, str] | None = None) -> str | None:
        """Return the output of git, None if it fails."""
        clean = {name: value for name, value in os.environ.items() if name not in _FROM_OUTSIDE}
        try:
            done = subprocess.run(  # noqa: S603
                ["git", *args],  # noqa: S607
                cwd=self._folder,
                env={**clean, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C.UTF-8", **(env or {})},
                capture_output=True,
                encoding="utf-8",
                errors="surrogateescape",
                timeout=_PATIENCE,
                check=False,
            )
        except subprocess.TimeoutExpired:
            self.said = f"git {args[0]} did not end within {_PATIENCE} s"
            return None
        except OSError as error:
            raise UsageError(f"git: {error.strerror or error}", hint="put git on the job's PATH") from error
        if done.returncode:
            lines = done.stderr.strip().splitlines()
            self.said = lines[-1] if lines else f"git {args[0]} failed"
            return None
        return done.stdout.strip("\n")


def _options_first(args: tuple[str, ...]) -> tuple[str, ...]:
    """Return a fetch's arguments: options, the remote, then names that git shall not take for options."""
    options = tuple(arg for arg in args if arg.startswith("--"))
    return (*options, "--end-of-options", "origin", *args[len(options) :])
