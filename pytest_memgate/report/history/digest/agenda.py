"""What a monthly review should talk about, and what it should decide: proposed from the facts of a digest."""

from collections.abc import Iterator

from pytest_memgate.report.escape import one_line
from pytest_memgate.report.history.digest.facts import Change, Digest
from pytest_memgate.report.history.digest.sections import growth_of, lasting, until
from pytest_memgate.report.history.row import percent
from pytest_memgate.units import counted, format_growth

_EACH = 3  # points of one kind: a meeting has an hour
_STEP = 0.2  # of its budget that one step took; chosen
_CREEP = 0.1  # growth above an anchor that people should talk about; chosen


def agenda(digest: Digest) -> list[tuple[str, str]]:
    """Return points with the decision that each asks for, the most pressing first."""
    return [
        *_unexplained(digest),
        *_steps(digest),
        *_forecasts(digest),
        *_waivers(digest),
        *_creep(digest),
        *_order(digest),
    ]


def _unexplained(digest: Digest) -> Iterator[tuple[str, str]]:
    if number := len(digest.unexplained):
        about, them = ("is confirmed growth", "it") if number == 1 else ("are confirmed growth", "them")
        yield (
            f"{counted(number, 'change')} {about} without a reason",
            f"explain {them} (memgate history ack), or take {them} back",
        )


def _steps(digest: Digest) -> Iterator[tuple[str, str]]:
    open_ = [one for one in digest.grown if one.budgets >= _STEP and not one.move.reason and not one.why_ended]
    for change in open_[:_EACH]:
        yield (
            f"{_name(change)} grew by {growth_of(change).removeprefix('+')} without an accepted reason",
            f"is it worth it? {_author(digest, change)} says why, or brings it down",
        )


def _author(digest: Digest, change: Change) -> str:
    return one_line(digest.past.line[change.move.position].author) or "its author"


def _name(one: Change) -> str:
    return one_line(str(one.series))


def _forecasts(digest: Digest) -> Iterator[tuple[str, str]]:
    for one in digest.forecasts[:_EACH]:
        yield (
            f"at this slope the budget of {one_line(str(one.series))} is used up in {lasting(one)}",
            "who looks at what adds up, before it stops a merge?",
        )


def _waivers(digest: Digest) -> Iterator[tuple[str, str]]:
    for one in digest.waivers[:_EACH]:
        waiver = one.waiver
        verb = "ended" if one.days < 0 else "ends"
        when = until(one).removeprefix("ended ")
        about = f"the waiver for {one_line(waiver.test)} {one_line(waiver.metric)} {verb} {when}"
        choice = "fix it, or give it another date with a reason" if one.is_needed else "nothing needs it: remove it"
        yield about, choice


def _creep(digest: Digest) -> Iterator[tuple[str, str]]:
    creeping = [one for one in digest.creep if one.is_anchored and one.share >= _CREEP and one.steps > 1]
    for one in creeping[:_EACH]:
        yield (
            f"{one_line(str(one.series))} crept {percent(one.share)} above its anchor in {one.steps} steps",
            "work on it, or accept it: memgate baseline anchor",
        )


def _order(digest: Digest) -> Iterator[tuple[str, str]]:
    """Yield the points that keep the gate in order."""
    for slack in digest.slack[:_EACH]:
        unit = slack.series.unit
        budget = f"{format_growth(slack.allowed, unit)} of {one_line(slack.series.quantity)}"
        users = counted(slack.number, "series", "series")
        yield f"the budget {budget} is hardly used by {users}", f"tighten it to {format_growth(slack.enough, unit)}?"
    if digest.renames:
        number = len(digest.renames)
        yield f"{counted(number, 'test')} {'looks' if number == 1 else 'look'} renamed", "memgate history rename"
    if digest.missing.vanished:
        number = len(digest.missing.vanished)
        yield f"{counted(number, 'test')} vanished", "on purpose? If not, find out why"
    for noise in digest.noise[:1]:
        number = len(digest.noise)
        about = f"{counted(number, 'value')} {'is' if number == 1 else 'are'} noisy or flaky"
        decision = "make them steady, or measure them by pairs: memgate compare"
        yield f"{about}, first of all {one_line(str(noise.series))}", decision
