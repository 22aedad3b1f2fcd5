"""The tables of the store, the same in SQLite and PostgreSQL; `migrations/` makes them.

Runs that can be stored as a difference to each other form a *chain*: one environment, one class of machine, all tests
or a part, and mostly values or mostly bounds. A row of `points` says what a series is from one run of its chain on,
until its next row; one with neither a value nor a bound says that it is gone, or that it was not asked for. `tips` has
the row that holds after the newest run of each chain.
"""

from sqlalchemy import (
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

METADATA = MetaData()

CHAINS = Table(
    "chains",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("tip", Text, nullable=False, default=""),  # the key of its newest run
)

RUNS = Table(
    "runs",
    METADATA,
    Column("id", Integer, primary_key=True),  # in the order in which runs were added
    Column("key", Text, nullable=False, unique=True),  # the run's own id
    Column("chain", ForeignKey("chains.id"), nullable=False),
    Column("content", Text, nullable=False),  # a digest of what the run says
    Column("commit_id", Text, nullable=False),
    Column("tree", Text, nullable=False),
    Column("complete", Boolean, nullable=False),
    Column("apart", Boolean, nullable=False),  # of a dirty tree or a fork: never on the line, whatever its tree
    Column("started", Text, nullable=False),
    Column("record", Text, nullable=False),  # JSON: model.history.RunRecord
    Column("payload", Text, nullable=False),  # the run as the git ref carries it
)

SERIES = Table(
    "series",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("key", Text, nullable=False, unique=True),  # model.history.Series.id
    Column("file", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("metric", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("environment", Text, nullable=False),
    Column("machine", Text, nullable=False),
    Column("precision", Text, nullable=False),
    Index("series_by_subject", "file", "name", "metric"),
)

POINTS = Table(
    "points",
    METADATA,
    Column("series", ForeignKey("series.id"), primary_key=True),
    Column("run", ForeignKey("runs.id"), primary_key=True),
    Column("value", Double),
    Column("bound", Double),
    Column("spread", Double, nullable=False),
    Column("baseline", Double),
    Column("anchor", Double),
    Column("allowed", Double),
    Column("most", Double),  # the limit of the value itself
    Column("reason", Text, nullable=False),
    Column("sites", Text, nullable=False),  # JSON: amounts by site
    Index("points_by_run", "run"),
    sqlite_with_rowid=False,
)

TIPS = Table(
    "tips",
    METADATA,
    Column("chain", ForeignKey("chains.id"), primary_key=True),
    Column("series", ForeignKey("series.id"), primary_key=True),
    Column("run", ForeignKey("runs.id"), nullable=False),
    sqlite_with_rowid=False,
)

LINE = Table(
    "line",
    METADATA,
    Column("position", Integer, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("tree", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("time", Text, nullable=False),
    Column("title", Text, nullable=False),
)

EVENTS = Table(
    "events",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("id", Text, nullable=False),
    Column("payload", Text, nullable=False),  # the event as the git ref carries it
    UniqueConstraint("id"),
)

FACTS = Table(
    "facts",
    METADATA,
    Column("name", Text, primary_key=True),  # branch: the default one; root: its first commit
    Column("value", Text, nullable=False),
)
