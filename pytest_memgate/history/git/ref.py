"""The history between CI jobs: small new files in a git ref of its own, fetched from the remote and pushed to it.

No file of the ref is ever rewritten, so two jobs that push at once differ only in the files that they add: the second
one fetches, adds its files to the newer commit, and pushes again. `git clone` does not fetch the ref. Nothing here
touches the index, the work tree or a branch.
"""

import os
import random
import subprocess
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from pytest_memgate.errors import HistoryError

REF = "refs/memgate/history"
_FETCHED = "refs/memgate/fetched/history"
_UNUSED = "refs/memgate/unused"  # fast-import wants a name; no ref of it is made
_WHO = "memgate <memgate@localhost>"
_TRIES = 30  # pushes, each after a rejection; chosen: eight jobs at once need six or so
_FETCHES = 8  # some seconds in all: what locks the ref for longer is no other fetch; chosen
_LONGEST = 5.0  # seconds between two of them
_NO_REF = "couldn't find remote ref"
_RACE = (  # another process was quicker, in the words of this git or of the remote's
    "[rejected]",
    "fetch first",
    "non-fast-forward",
    "failed to update ref",
    "cannot lock ref",
    "stale info",
    "incorrect old value provided",  # since git 2.50
    "reference already exists",
)


class HistoryRef:
    """The ref in a repository, and in its `remote`; without a remote it stays in this repository."""

    def __init__(self, root: Path, remote: str = "") -> None:
        self._root = root
        self._remote = remote

    def fetch(self) -> None:
        """Bring the ref here as the remote has it; raises HistoryError if the remote cannot be reached."""
        if not self._remote:
            return
        fetch = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", self._remote, f"+{REF}:{_FETCHED}")
        for attempt in range(_FETCHES):
            done = self._run(*fetch)
            if not done.returncode or not _is_race(done):
                break
            _wait(attempt)  # another process fetches into the same clone
        if done.returncode and _NO_REF in done.stderr:
            self._git("update-ref", "-d", _FETCHED)
        elif done.returncode:
            raise HistoryError(f"git fetch {self._remote} {REF}: {_said(done)}", hint="nothing was changed")

    def remotes(self) -> list[str]:
        """Return the names of the repository's remotes."""
        return self._git("remote").split()

    def paths(self) -> set[str]:
        """Return the paths of all files, as they were fetched last."""
        tip = self._tip()
        return set(self._git("ls-tree", "-r", "-z", "--name-only", tip).split("\0")) - {""} if tip else set()

    def read(self, paths: Iterable[str]) -> dict[str, str]:
        """Return the texts of files by their paths."""
        tip, wanted = self._tip(), sorted(paths)
        given = "".join(f"{tip}:{path}\n" for path in wanted)
        out = self._run("cat-file", "--batch", given=given.encode()).stdout if wanted else ""
        texts, at = {}, 0
        data = out.encode("utf-8", "surrogateescape")
        for path in wanted:
            head, _, _ = data[at:].partition(b"\n")
            if not head.rsplit(b" ", 1)[-1].isdigit():
                raise HistoryError(f"{REF}: git cannot read {path}", hint="fetch it again: memgate history sync")
            at += len(head) + 1
            size = int(head.rsplit(b" ", 1)[-1])
            texts[path] = data[at : at + size].decode("utf-8", "replace")
            at += size + 1
        return texts

    def publish(self, files: Mapping[str, str]) -> int:
        """Add files to the ref and push it; return how many were new. A path that is there already stays as it is.

        Raises HistoryError if that fails; whatever was not pushed is pushed by the next call.
        """
        for attempt in range(_TRIES):
            tip, known = self._tip(), self.paths()
            new = {path: text for path, text in files.items() if path not in known}
            if not new:
                if tip:
                    self._run("update-ref", REF, tip)
                return 0
            why = self._pushed(self._commit(tip, new), tip)
            if not why:
                return len(new)
            _wait(attempt)
            self.fetch()
        raise HistoryError(
            f"git push {self._remote} {REF}: rejected {_TRIES} times: {why}", hint="run memgate history sync again"
        )

    def _tip(self) -> str:
        """Return the newest commit: the remote's, or without a remote the local one; empty if there is none."""
        ref = _FETCHED if self._remote else REF
        return self._run("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}").stdout.strip()

    def _commit(self, tip: str, files: Mapping[str, str]) -> str:
        """Return a new commit on top of `tip`, with more files; nothing refers to it, not even if this is killed."""
        lines = [f"commit {_UNUSED}\nmark :1\ncommitter {_WHO} {int(time.time())} +0000\n".encode()]
        lines += [_data(f"{len(files)} more\n"), f"from {tip}\n".encode() if tip else b""]
        for path, text in sorted(files.items()):
            lines += [f"M 100644 inline {path}\n".encode(), _data(text)]
        lines.append(f"\nget-mark :1\nreset {_UNUSED}\nfrom {'0' * 40}\n\ndone\n".encode())
        done = self._run("fast-import", "--quiet", "--done", given=b"".join(lines))
        if done.returncode:
            raise HistoryError(f"git cannot write {REF}: {_said(done)}", hint="nothing of it was stored")
        return done.stdout.strip()

    def _pushed(self, commit: str, tip: str) -> str:
        """Make a commit the tip of the ref; return why not, if another one was quicker."""
        if not self._remote:
            done = self._run("update-ref", REF, commit, tip or "0" * 40)
            return _said(done) if done.returncode else ""
        done = self._run("push", "--quiet", "--no-verify", self._remote, f"{commit}:{REF}")
        if done.returncode:
            if not _is_race(done):
                raise HistoryError(
                    f"git push {self._remote} {REF}: {_said(done)}",
                    hint="it is kept here, and pushed by the next memgate history sync",
                )
            return _said(done)
        for ref in (_FETCHED, REF):  # it is pushed: where another process is at them, the next fetch brings it
            self._run("update-ref", ref, commit)
        return ""

    def _git(self, *args: str) -> str:
        done = self._run(*args)
        if done.returncode:
            raise HistoryError(f"git {args[0]}: {_said(done)}", hint="nothing of it was stored")
        return done.stdout

    def _run(self, *args: str, given: bytes = b"") -> "subprocess.CompletedProcess[str]":
        try:
            done = subprocess.run(  # noqa: S603
                ["git", *args],  # noqa: S607
                cwd=self._root,
                env={**os.environ, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"},
                input=given,
                capture_output=True,
                check=False,
            )
        except FileNotFoundError as error:
            raise HistoryError("a history needs git, which is not on PATH") from error
        texts = (part.decode("utf-8", "surrogateescape") for part in (done.stdout, done.stderr))
        return subprocess.CompletedProcess(done.args, done.returncode, *texts)


def _is_race(done: "subprocess.CompletedProcess[str]") -> bool:
    return any(word in done.stderr for word in _RACE)


def _wait(attempt: int) -> None:
    """Wait a random time, longer after each attempt, so that jobs do not keep step."""
    time.sleep(random.uniform(0, min(_LONGEST, 0.1 * 2**attempt)))  # noqa: S311


def _data(text: str) -> bytes:
    data = text.encode("utf-8", "surrogateescape")
    return b"data %d\n%s\n" % (len(data), data)


def _said(done: "subprocess.CompletedProcess[str]") -> str:
    """Return the line of git's words that says the most."""
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    telling = [line for line in lines if line.startswith(("fatal:", "error:", "!", "remote:"))]
    return (telling or lines or ["git says nothing"])[0]
