"""How a gated run of pytest starts: as a fork of a process that has imported the gate, or as a process of its own.

A fork is what `python -m pytest` is once it has imported pytest, memray and the gate, in half the time. Where a run
could tell the difference, `why_real()` says so, and it is a process of its own.
"""

import functools
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

_SERVER = Path(__file__).with_name("fork_server.py")
# The interpreter and the C library read these as they start, and never again.
_READ_AT_START = ("PYTHON", "LC_", "LANG", "LD_", "MALLOC_", "GLIBC_", "HOME", "TZ", "COVERAGE_")
_OF_EACH_RUN = {"PYTHONPATH", "PYTHONDONTWRITEBYTECODE"}
_LOADED_AT_START = {"sitecustomize", "usercustomize"}


def run(args: Sequence[str], root: Path, env: dict[str, str], patience: float) -> tuple[int, str]:
    """Run a command to its end; return its exit code, negative for a signal, and all that it wrote.

    Raises subprocess.TimeoutExpired after `patience` seconds.
    """
    if not why_real(args, root, env):
        return _server().run(args[3:], root, env, patience)
    done = subprocess.run(
        args,
        cwd=root,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=patience,
        check=False,
    )
    return done.returncode, done.stdout


def why_real(args: Sequence[str], root: Path, env: Mapping[str, str]) -> str:
    """Return why a run has to be a process of its own, empty where a fork is the same."""
    if sys.platform != "linux":
        return "only on Linux is a fork without exec safe"
    if list(args[:3]) != [sys.executable, "-m", "pytest"]:
        return "it is not pytest by this interpreter"
    if "--memgate" not in args:
        return "the gate is off: none of it may be loaded"
    if env.get("PYTHONDONTWRITEBYTECODE") != "1" or read_at_start(env) != _server().env:
        return "an environment variable is another that the interpreter reads as it starts"
    for folder in [root, *map(Path, env.get("PYTHONPATH", "").split(os.pathsep))]:
        hiding = {name for name in _modules(folder) if name in _server().names}
        if hiding:
            return f"modules of the project hide some that the server has loaded: {sorted(hiding)}"
    return ""


def end() -> None:
    """End the server, if there is one; the next run starts another."""
    if _server.cache_info().currsize:
        _server().close()
        _server.cache_clear()


def read_at_start(env: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that must be the server's own, too."""
    return {name: env[name] for name in env if name.startswith(_READ_AT_START) and name not in _OF_EACH_RUN}


class _Server:
    """The process that forks, and the talk with it: one run at a time, as a process of the test suite does."""

    def __init__(self) -> None:
        env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        self.env = read_at_start(env)
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, _SERVER, str(theirs.fileno())],
                env={**env, "PYTHONDONTWRITEBYTECODE": "1"},
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        self.names = {*self._answer(time.monotonic() + 60), *_LOADED_AT_START}

    def close(self) -> None:
        self._socket.close()  # the server ends where no process holds it any more
        self._process.wait()

    def run(self, args: Sequence[str], root: Path, env: Mapping[str, str], patience: float) -> tuple[int, str]:
        until = time.monotonic() + patience
        reading, writing = os.pipe()
        request = json.dumps({"args": list(args), "cwd": str(root), "env": dict(env)})
        socket.send_fds(self._socket, [request.encode()], [writing])
        os.close(writing)
        child = 0
        try:
            child = self._answer(until)
            output = b"".join(iter(lambda: _read(reading, until), b""))
            return self._answer(until), output.decode()
        except BaseException:
            # What it would still answer is not to be taken for the answer to the next run.
            if child:
                os.kill(child, signal.SIGKILL)
            end()
            raise
        finally:
            os.close(reading)

    def _answer(self, until: float) -> Any:
        answer = _read(self._socket.fileno(), until)
        assert answer, "the server of forks has ended"
        return json.loads(answer)


@functools.cache
def _server() -> _Server:
    return _Server()


def _modules(folder: Path) -> Iterator[str]:
    """Yield the names that an import would find in a folder."""
    if folder.is_dir():
        for path in folder.iterdir():
            if path.suffix in {"", ".py", ".pyc", ".so"}:
                yield path.name.partition(".")[0]


def _read(descriptor: int, until: float) -> bytes:
    if not select.select([descriptor], [], [], max(0, until - time.monotonic()))[0]:
        raise subprocess.TimeoutExpired("pytest", 0)
    return os.read(descriptor, 1 << 16)
