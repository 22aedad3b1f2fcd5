"""A store's database, opened by its URL; its errors become one line each."""

import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.pool import NullPool

from pytest_memgate.errors import HistoryError, UsageError
from pytest_memgate.history.migrate import WRITES, migrate

_PATIENCE = 60  # seconds that a writer waits for another one; chosen
_OPENING, _PAUSE = 5, 0.02  # seconds that openers of a new file wait for each other, and between tries; chosen


def open_database(url: str, name: str = "") -> tuple[Engine, str]:
    """Open a store's database, and bring its tables to this version; return it and its name for errors.

    Raises UsageError for an URL that is none, HistoryError for a store that cannot be opened or is newer.
    """
    try:
        address = _address(url)
        name = name or make_url(url).render_as_string(hide_password=True)
        engine = create_engine(address, **_OPTIONS[address.get_backend_name()])
    except (ArgumentError, NoSuchModuleError, KeyError) as error:
        hint = "as in sqlite:///history.sqlite or postgresql+psycopg://host/name"
        raise UsageError(
            f"--store {name or url!r}: not the address of a SQLite or PostgreSQL database", hint=hint
        ) from error
    except ImportError as error:
        hint = "pip install 'pytest-memgate[postgres]'"
        raise UsageError(f"--store {name} needs a library: {error}", hint=hint) from error
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine, address.database or "")
    else:
        _prepare_postgres(engine)
    with told(name):
        migrate(engine, name)
    return engine, name


def _address(url: str) -> URL:
    address = make_url(url)
    if address.drivername == "postgresql":
        return address.set(drivername="postgresql+psycopg")
    if address.get_backend_name() == "sqlite" and "timeout" not in address.query:
        return address.update_query_dict({"timeout": str(_PATIENCE)})
    return address


_OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "sqlite": {"poolclass": NullPool},
    "postgresql": {"poolclass": NullPool, "connect_args": {"connect_timeout": 20}},
}


def _prepare_sqlite(engine: Engine, path: str) -> None:
    """One writer at once, from the start of its transaction: a reader that becomes a writer could meet another one."""
    if path and path != ":memory:":
        try:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise HistoryError(f"{path}: {error.strerror or error}", hint="give another --store") from error

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _: object) -> None:
        connection.isolation_level = None  # the begin below is ours
        connection.execute("pragma foreign_keys = on")
        _use_wal(connection)  # a reader sees what was there when it began
        connection.execute("pragma synchronous = full")  # a run that was acknowledged is there after a power cut

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        connection.exec_driver_sql("begin immediate" if connection.get_execution_options().get(WRITES) else "begin")


def _use_wal(connection: Any) -> None:
    """Change a new file to WAL; while others open it too, SQLite says at once that it is locked, whatever the time-out.

    Raises sqlite3.OperationalError where it stays so.
    """
    end = time.monotonic() + _OPENING
    while True:
        try:
            connection.execute("pragma journal_mode = wal")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > end:
                raise
            time.sleep(_PAUSE)
        else:
            return


def _prepare_postgres(engine: Engine) -> None:
    """A writer that hangs stops no other one for ever; a time of the server's, the user's or the URL's own counts."""

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _: object) -> None:
        wanted = f"set_config('lock_timeout', '{_PATIENCE}s', false)"
        connection.execute(f"select {wanted} where current_setting('lock_timeout') = '0'").close()
        connection.commit()


def snapshots(engine: Engine) -> Engine:
    """Return the engine for transactions that only read: each sees the store as it was at its first statement."""
    return engine.execution_options(isolation_level="REPEATABLE READ") if engine.name == "postgresql" else engine


class Lock(IntEnum):
    """What one transaction at once may do in PostgreSQL: the keys of its advisory locks, which nobody else has."""

    RUNS = 0x6D656D67617466  # shared by those that write to one chain only
    EVENTS = 0x6D656D67617467
    LINE = 0x6D656D67617468


def lock(connection: Connection, what: Lock, *, shared: bool = False) -> None:
    """Wait for the others that do the same, until the transaction ends; SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        kind = "_shared" if shared else ""
        connection.execute(text(f"select pg_advisory_xact_lock{kind}(:key)"), {"key": int(what)})


def has_database(url: str) -> bool:
    """Return False for an SQLite file that is not there; of a server, only it knows."""
    try:
        address = make_url(url)
    except ArgumentError:
        return True  # opening it tells what is wrong with it
    return address.get_backend_name() != "sqlite" or Path(address.database or "").is_file()


@contextmanager
def told(name: str) -> Iterator[None]:
    """Turn the errors of a database into one line."""
    try:
        yield
    except DBAPIError as error:
        words = " ".join(str(error.orig).split())
        hint = next((hint for word, hint in _HINTS.items() if word in words), "nothing of it was written")
        raise HistoryError(f"{name}: {words}", hint=hint) from error
    except UnicodeEncodeError as error:
        raise HistoryError(f"{name}: {error.object!a:.60} is no text", hint="nothing of it was written") from error


_BUSY = "another process writes to it for too long: try again"
_HINTS = {
    "readonly": "it can only be read here",
    "locked": _BUSY,
    "lock timeout": _BUSY,
    "full": "nothing of it was written: make room",
    "not a database": "give another --store",
}
