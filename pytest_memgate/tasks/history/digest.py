"""`memgate history digest`: what happened in a month, on a day, or since a commit."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from pytest_memgate.baseline.source import WorkTree
from pytest_memgate.compare.history.changes import changes_of
from pytest_memgate.compare.history.renamed import Rename, likely_renames
from pytest_memgate.config.sources import load_settings
from pytest_memgate.errors import UsageError
from pytest_memgate.model.history import Past
from pytest_memgate.report.history.digest.facts import digest as facts_of
from pytest_memgate.report.history.digest.html import html
from pytest_memgate.report.history.digest.markdown import markdown
from pytest_memgate.report.history.digest.period import Period, of_day, of_month, since
from pytest_memgate.tasks.history.opened import Opened
from pytest_memgate.tasks.history.window import past_of, position_of

_FORMATS = {"markdown": markdown, "html": html}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The period: one of a month, a day (empty: that of the newest commit) and a ref; without any, the newest month."""

    month: str | None = None
    day: str | None = None
    since: str | None = None


def digest(opened: Opened, wanted: Wanted, form: str, today: date) -> str:
    """Return a digest as Markdown or HTML.

    Raises UsageError for a period that is none, HistoryError for one without commits or runs.
    """
    past = past_of(opened)
    period = _period(opened, past, wanted)
    waivers = load_settings(WorkTree(opened.root)).waivers
    renames = [one for one in likely_renames(past) if one.position in period]
    facts = facts_of(past, period, waivers, today, _pairs(renames), known=changes_of(past))
    return _FORMATS[form](facts)


def _period(opened: Opened, past: Past, wanted: Wanted) -> Period:
    given = [one for one in (wanted.month, wanted.day, wanted.since) if one is not None]
    if len(given) > 1:
        raise UsageError("--month, --day and --since do not go together", hint="give one of them")
    if wanted.day is not None:
        return of_day(past, wanted.day)
    if wanted.since is not None:
        return since(past, position_of(opened, wanted.since, option="--since"), wanted.since)
    return of_month(past, wanted.month or past.line[-1].time[:7])


def _pairs(renames: Iterable[Rename]) -> Iterator[tuple[str, str]]:
    """Yield the old and new names; of several tests of one file that kept their names, those of the files."""
    files: dict[tuple[str, str], list[Rename]] = defaultdict(list)
    for one in renames:
        files[one.old.file, one.new.file].append(one)
    for (old, new), some in sorted(files.items()):
        if len(some) > 1 and all(one.old.name == one.new.name for one in some):
            yield old, new
        else:
            yield from ((str(one.old), str(one.new)) for one in some)
