"""Bring a store's tables to this version."""

import re

from sqlalchemy import Connection, Engine, inspect, text

from pytest_memgate.errors import HistoryError

WRITES = "memgate_writes"  # an execution option: the transaction writes
HEAD = "0001"  # the newest of migrations/versions
_LOCK = 0x6D656D67617465  # of PostgreSQL's advisory locks; any number that nobody else has


def migrate(engine: Engine, name: str) -> None:
    """Make or upgrade the tables; raises HistoryError for a store that a newer memgate has made."""
    with engine.connect() as connection:
        if _version(connection) == HEAD:
            return
    with engine.execution_options(**{WRITES: True}).begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        version = _version(connection)  # another process may have done it meanwhile
        if version == HEAD:
            return
        if version and (not re.fullmatch(r"\d{4}", version) or version > HEAD):
            raise HistoryError(
                f"{name}: its tables are of version {version}, newer than this memgate knows",
                hint="upgrade pytest-memgate",
            )
        _upgrade(connection)


def _version(connection: Connection) -> str:
    if not inspect(connection).has_table("alembic_version"):
        return ""
    return str(connection.scalar(text("select version_num from alembic_version")) or "")


def _upgrade(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415 - it takes as long to import as all the rest
    from alembic.config import Config  # noqa: PLC0415

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", "pytest_memgate.history:migrations")
    config.set_main_option("path_separator", "os")
    command.upgrade(config, "head")
