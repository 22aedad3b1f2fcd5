"""Commands to the processes that listen in the gate's folder: see `boot`."""

import socket
from pathlib import Path

from pytest_memgate.measure.children import boot
from pytest_memgate.measure.python.standard import Standard

_PATIENCE = 5.0  # seconds until a process has begun a capture: it takes some 10 ms; chosen
_socket = Standard(socket)


def ask_processes(folder: Path, command: str, patience: float = _PATIENCE) -> dict[int, str | None]:
    """Return the answer of each process that lives, by its id; None of one that does not answer in time (seconds)."""
    answers: dict[int, str | None] = {}
    for place in folder.glob(f"*{boot.SOCKET}"):
        pid = int(place.stem)
        try:
            with _socket.socket(_socket.AF_UNIX) as peer:
                peer.settimeout(patience)
                peer.connect(str(place))
                peer.sendall(command.encode())
                with peer.makefile("rb") as answer:
                    said = answer.read().decode()
        except TimeoutError:
            answers[pid] = None
        except OSError:
            place.unlink(missing_ok=True)  # it has ended
        else:
            if said.startswith(boot.DONE):
                answers[pid] = said.removeprefix(boot.DONE)
    return answers
