"""A PostgreSQL server of the tests' own, in a temporary folder, and a new database for each test that asks for one."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

_USER, PASSWORD = "memgate", "s3cret-of-tests"
_QUICK = ("fsync=off", "synchronous_commit=on", "full_page_writes=off", "max_connections=60", "shared_buffers=32MB")
_PATIENCE = 30  # seconds that a server may take to start or stop


def server_programs() -> Path | None:
    """Return the folder of PostgreSQL's server programs, which Debian keeps off PATH; None if there are none."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda one: one.parent.name, reverse=True)
    on_path = shutil.which("postgres")
    folders = [*debian, *([Path(on_path).resolve().parent] if on_path else [])]
    return next((one for one in folders if (one / "initdb").exists() and (one / "postgres").exists()), None)


@dataclass
class Postgres:
    """A running server; `database` makes a new database and returns its URL."""

    port: int
    _names: Iterator[int] = field(default_factory=lambda: count(1))

    def url(self, database: str, *, password: str = PASSWORD) -> str:
        return f"postgresql+psycopg://{_USER}:{password}@127.0.0.1:{self.port}/{database}"

    def database(self) -> str:
        name = f"test_{next(self._names)}"
        self.execute(f"create database {name}")
        return self.url(name)

    def execute(self, statement: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run one statement, and return its rows."""
        import psycopg

        address = self.url(database).replace("+psycopg", "")
        with psycopg.connect(address, autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []


@contextmanager
def running(programs: Path) -> Iterator[Postgres]:
    """Start a server, and stop it at the end; it refuses root, so root starts it as Debian's user `postgres`."""
    account: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="memgate-pg-") as name:
        if os.geteuid() == 0:
            entry = pwd.getpwnam("postgres")
            os.chown(name, entry.pw_uid, entry.pw_gid)
            account = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
        account |= {"cwd": name, "stdin": subprocess.DEVNULL}
        _make(programs, Path(name), account)
        port = _free_port()
        settings = (*_QUICK, f"port={port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={name}")
        options = [part for setting in settings for part in ("-c", setting)]
        with (Path(name) / "log").open("wb") as log:
            server = subprocess.Popen(
                [programs / "postgres", "-D", f"{name}/data", *options], stdout=log, stderr=log, **account
            )
            try:
                yield _answering(Postgres(port), server, Path(name) / "log")
            finally:
                server.send_signal(signal.SIGQUIT)  # at once: nobody needs its files any more
                server.wait(_PATIENCE)


def _make(programs: Path, folder: Path, account: dict[str, Any]) -> None:
    secret = folder / "password"
    secret.write_text(PASSWORD, encoding="utf-8")
    secret.chmod(0o644)
    options = ["--no-sync", "--encoding=UTF8", "--locale=C", f"--username={_USER}"]
    options += ["--auth=scram-sha-256", f"--pwfile={secret}"]
    command: list[str | Path] = [programs / "initdb", "-D", f"{folder}/data", *options]
    subprocess.run(command, check=True, capture_output=True, **account)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as asked:
        port: int = asked.getsockname()[1]
    return port


def _answering(postgres: Postgres, server: "subprocess.Popen[bytes]", log: Path) -> Postgres:
    import psycopg

    end = time.monotonic() + _PATIENCE
    while True:
        try:
            postgres.execute("select 1")
        except psycopg.OperationalError as error:
            if server.poll() is not None or time.monotonic() > end:
                raise RuntimeError(log.read_text(encoding="utf-8", errors="replace")) from error
            time.sleep(0.05)
        else:
            return postgres
