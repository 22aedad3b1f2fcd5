"""A process of the gate's own that works for this one: no child of it, with one pipe to it and one back."""

import os
import subprocess
import sys

from pytest_memgate.measure.resources.child_processes import uncounted
from pytest_memgate.measure.resources.snapshot import OWN_FILES

_ENVIRONMENT = dict(os.environ)  # as the run began: a test may have another for a while


class HelperProcess:
    """Started when it is first needed, by a script that forks and ends: it lives until the pipe to it is closed.

    The script imports nothing but the standard library.
    """

    def __init__(self, script: str) -> None:
        self._script = script
        self._pipes: tuple[int, int] | None = None
        self._known: list[int] = []  # by their inodes: a test may have closed all that it found, and opened others
        self._of = 0  # the process that has started it: a fork of that must not talk to it, too

    @property
    def runs(self) -> bool:
        """True if it was started, and has not ended as far as is known."""
        return self._has_pipes()

    def pipes(self) -> tuple[int, int]:
        """Return the pipe to it and the one back; raises OSError if it cannot be started."""
        if not self._has_pipes():
            self.end()
        if self._pipes is None:
            (theirs, to), (back, answers) = os.pipe(), os.pipe()
            OWN_FILES.update((to, back))
            self._pipes, self._of, self._known = (to, back), os.getpid(), _inodes(to, back)
            try:
                with uncounted():
                    subprocess.run(  # noqa: S603
                        self._command(),
                        stdin=theirs,
                        stdout=answers,
                        stderr=subprocess.DEVNULL,
                        env=_ENVIRONMENT,
                        check=True,
                    )
            except subprocess.SubprocessError as error:
                raise OSError(str(error)) from error
            finally:
                os.close(theirs)
                os.close(answers)
        return self._pipes

    def end(self) -> None:
        """Close the pipes: it then ends."""
        if self._pipes and self._has_pipes():
            for descriptor in self._pipes:
                os.close(descriptor)
        if self._pipes and self._of == os.getpid():
            OWN_FILES.difference_update(self._pipes)
        self._pipes = None

    def _has_pipes(self) -> bool:
        return self._pipes is not None and self._of == os.getpid() and _inodes(*self._pipes) == self._known

    def _command(self) -> list[str]:
        """Return the interpreter with the options on which compiled files depend, and the script."""
        own: list[str] = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]  # noqa: SLF001  # as multiprocessing does
        options = (option for option in own if option != "-B")
        return [sys.executable, *options, "-P", "-S", "-Wignore", self._script]


def _inodes(*descriptors: int) -> list[int]:
    """Return the inodes of descriptors, 0 for one that is not open."""
    found = []
    for descriptor in descriptors:
        try:
            found.append(os.fstat(descriptor).st_ino)
        except OSError:
            found.append(0)
    return found
