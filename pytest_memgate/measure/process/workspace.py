"""Commands that leave nothing behind, no process and no file, whatever ends them or us."""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from pytest_memgate.measure.process import reaper as warden

# Characters: Chrome puts a socket below TMPDIR, and the path of a socket has room for about a hundred (unix(7)).
_LONGEST_BASE = 43

# With a session of its own, or a group on Windows, a command does not get our terminal's Ctrl-C: we say how it ends.
_GROUP: int = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """How a command ended: its exit code, negative for a signal, and its output."""

    code: int
    out: str
    timed_out: bool = False


class Job:
    """One running command with a folder of its own."""

    def __init__(self, folder: Path, process: subprocess.Popen[bytes], output: Path) -> None:
        self.folder = folder
        self._process = process
        self._output = output

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def code(self) -> int | None:
        """Return the exit code, negative for a signal; None while the command runs."""
        return self._process.poll()

    def out(self) -> str:
        """Return what the command has printed so far."""
        return self._output.read_text(encoding="utf-8", errors="replace")

    def wait(self, timeout_seconds: float, progress: Callable[[], object]) -> bool:
        """Wait for the end; return True if it came in time. A new value of `progress()` starts the time anew."""
        seen, since = progress(), time.monotonic()
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(0.5)
                return True
            now = progress()
            if now != seen:
                seen, since = now, time.monotonic()
            elif time.monotonic() - since > timeout_seconds:
                return False

    def end(self) -> None:
        """End the command, its descendants, and any other process of its folder."""
        ended = self._process.poll() is not None
        warden.end(self.folder, () if ended else (self.pid,), gently=not ended)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(5)


class Workspace:
    """A private folder and the commands that run in it; on leaving, both are gone.

    If this process is killed, a small process beside it does the same.
    """

    def __init__(self) -> None:
        self._jobs: list[Job] = []
        self._started = 0

    def __enter__(self) -> Self:
        base = tempfile.gettempdir()
        if sys.platform != "win32" and len(base) > _LONGEST_BASE and os.access("/tmp", os.W_OK):  # noqa: S108
            base = "/tmp"  # noqa: S108
        self.folder = Path(tempfile.mkdtemp(prefix="memgate-", dir=base)).resolve()
        try:
            self._warden = subprocess.Popen(  # noqa: S603
                [sys.executable, "-I", "-S", warden.__file__],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd=self.folder.parent,
                start_new_session=True,
                creationflags=_GROUP,
            )
            self._tell(str(self.folder))
        except BaseException:
            warden.remove(self.folder)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            for job in reversed(self._jobs):
                job.end()
            warden.end(self.folder)
            warden.remove(self.folder)
        finally:  # the warden finds nothing left to do, unless this was interrupted
            if self._warden.stdin:
                with contextlib.suppress(BrokenPipeError):
                    self._warden.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._warden.wait(20)

    def place(self) -> Path:
        """Return a new folder for one command; its temporary files will go there too."""
        self._started += 1
        folder = self.folder / str(self._started)
        folder.mkdir()
        return folder

    def start(
        self,
        args: Sequence[str] | str,
        folder: Path,
        *,
        cwd: Path | None = None,
        env: Mapping[str, str | None] | None = None,
    ) -> Job:
        """Start a command, or a line for the shell, in a session of its own; raises OSError if it cannot be started.

        `folder` comes from `place()`; the command runs there unless `cwd` names another folder. It has our environment,
        changed by `env`, where None removes a variable.
        """
        output = folder / "output.txt"
        changed = {**os.environ, **(env or {}), warden.MARK: f"{folder}{os.sep}"}
        with output.open("wb") as file:
            process = subprocess.Popen(  # noqa: S603
                args,
                shell=isinstance(args, str),
                cwd=cwd or folder,
                env={name: value for name, value in changed.items() if value is not None},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                creationflags=_GROUP,
            )
        job = Job(folder, process, output)
        self._jobs.append(job)
        self._tell(f"+{job.pid}")
        return job

    def end(self, job: Job) -> None:
        """End a command now."""
        job.end()
        self._jobs.remove(job)
        self._tell(f"-{job.pid}")

    def run(
        self,
        args: Sequence[str],
        folder: Path,
        *,
        timeout_seconds: float,
        cwd: Path | None = None,
        env: Mapping[str, str | None] | None = None,
        progress: Callable[[], object] = lambda: None,
    ) -> Done:
        """Run a command until it ends, or until the time-out since `progress()` last changed; nothing of it runs on.

        Raises OSError if it cannot be started.
        """
        job = self.start(args, folder, cwd=cwd, env=env)
        try:
            in_time = job.wait(timeout_seconds, progress)
            code = job.code()
        finally:
            self.end(job)
        return Done(code=code if code is not None else -1, out=job.out(), timed_out=not in_time)

    def _tell(self, line: str) -> None:
        pipe = self._warden.stdin
        if pipe:
            with contextlib.suppress(BrokenPipeError):  # the warden was killed: we still clean up ourselves
                pipe.write(os.fsencode(f"{line}\n"))
                pipe.flush()
