"""How the server of forks talks and forks. It is loaded last, and unloaded in each fork.

The workers of a run with `-n2` are forked before it begins; they wait until pytest-xdist starts them.
"""

import json
import os
import signal
import socket
import sys
from collections.abc import Sequence
from typing import Any


def serve(descriptor: int, names: list[str]) -> dict[str, Any]:
    """Tell the names of all modules, and fork for each request; return, in the child, the request.

    The process ends when its client has gone.
    """
    requests = socket.socket(fileno=descriptor)
    requests.set_inheritable(False)
    requests.send(json.dumps(names).encode())
    while True:
        text, descriptors, _, _ = socket.recv_fds(requests, 1 << 20, 1)
        if not text:
            os._exit(0)
        (output,) = descriptors
        child = os.fork()
        if not child:
            requests.close()
            for target in (1, 2):
                os.dup2(output, target)
            os.close(output)
            request: dict[str, Any] = json.loads(text)
            return request
        os.close(output)
        requests.send(json.dumps(child).encode())
        requests.send(json.dumps(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])).encode())


class Worker:
    """A worker of pytest-xdist that waits to be started: what execnet needs of a `subprocess.Popen`."""

    def __init__(self, pid: int, requests: socket.socket) -> None:
        self.pid = pid
        self._requests = requests

    def start(self, command: Sequence[str]) -> None:
        """Start it with the environment and the folder of this process, as a new process would."""
        theirs, to_it = os.pipe()
        from_it, its = os.pipe()
        self.stdin, self.stdout = os.fdopen(to_it, "wb"), os.fdopen(from_it, "rb")
        request = json.dumps({"command": command, "cwd": os.getcwd(), "env": dict(os.environ)})  # noqa: PTH109
        socket.send_fds(self._requests, [request.encode()], [theirs, its])
        self._requests.close()
        os.close(theirs)
        os.close(its)

    def wait(self) -> int:
        """Wait for its end; return its exit code."""
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def kill(self) -> None:
        """End it at once."""
        os.kill(self.pid, signal.SIGKILL)


def fork_workers(number: int) -> list[Worker] | None:
    """Fork workers that wait; return None in a worker that has been started, once it has ended."""
    workers: list[Worker] = []
    ends: list[socket.socket] = []
    for _ in range(number):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ends.append(ours)
        pid = os.fork()
        if not pid:
            for end in ends:
                end.close()
            _work(theirs)
            return None
        theirs.close()
        workers.append(Worker(pid, ours))
    return workers


def _work(requests: socket.socket) -> None:
    """Wait for the start, and be a worker of execnet."""
    text, descriptors, _, _ = socket.recv_fds(requests, 1 << 20, 2)
    requests.close()
    if not text:
        os._exit(0)
    request = json.loads(text)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    for target, descriptor in enumerate(descriptors):
        os.dup2(descriptor, target)
        os.close(descriptor)
    sys.argv[:] = ["-c"]
    sys.orig_argv[:] = request["command"]
    sys.stdin = os.fdopen(0, "r", closefd=False)
    del sys.modules["runpy"]  # an interpreter with -c has not loaded it
    own = vars(sys.modules["__main__"])
    for name in ("__file__", "__cached__"):
        del own[name]
    exec(request["command"][-1], own)  # what the interpreter does for -c


def start_as_forks(workers: list[Worker]) -> None:
    """Let execnet start these workers in place of new processes; it starts those as soon as there are none left."""
    from execnet import gateway_io
    from execnet.gateway_base import ExecModel, Popen2IO

    class Master(gateway_io.Popen2IOMaster):
        def __init__(self, args: list[str], execmodel: ExecModel) -> None:
            if not workers:
                super().__init__(args, execmodel)
                return
            worker = self.popen = workers.pop(0)
            worker.start(args)
            Popen2IO.__init__(self, worker.stdin, worker.stdout, execmodel)

    gateway_io.Popen2IOMaster = Master  # type: ignore[misc]
