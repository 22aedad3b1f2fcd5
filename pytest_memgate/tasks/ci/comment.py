"""Comment on the pull request: from the gate's own job if its token may, else from a second workflow."""

from dataclasses import replace

from pytest_memgate.github.client import ApiError, Client
from pytest_memgate.github.comment import marker_of, pulls_of, put_comment
from pytest_memgate.github.event import PULL_REQUEST, WORKFLOW_RUN, Event
from pytest_memgate.tasks.ci.outcome import Answer
from pytest_memgate.tasks.ci.report import comment

_LATER = "the second workflow does it (docs/ci.md)"


def comment_here(client: Client, event: Event, answer: Answer, footer: str, artifact: str) -> str:
    """Comment from the job that ran the tests; return what was done. A failure does not change the verdict."""
    if event.name != PULL_REQUEST or not event.number:
        return f"no comment: {event.name or 'this'} is no pull request"
    if event.from_fork:
        return f"no comment: a fork's token may not write one; {_LATER}"
    marker = marker_of(artifact)
    body = comment(answer, footer, marker)
    try:
        return _done(event.number, put_comment(client, event.repository, event.number, body, marker))
    except ApiError as error:
        advice = "; give the job permissions: pull-requests: write" if error.refused else ""
        return f"no comment: {error}{advice}"


def comment_elsewhere(client: Client, event: Event, answer: Answer, footer: str, artifact: str) -> str:
    """Comment for another workflow's run, on the open pull request that it ran for; return what was done.

    Raises ApiError: the workflow has no other purpose.
    """
    if event.name != WORKFLOW_RUN or event.source != PULL_REQUEST or not event.head:
        return f"no comment: this is for {WORKFLOW_RUN} of a {PULL_REQUEST} alone"
    if answer.run is None and event.conclusion not in {"failure", "timed_out"}:
        return f"no comment: the workflow ended as {event.conclusion or 'nothing'} and left no run"
    marker = marker_of(artifact)
    body = comment(_as_it_ended(answer, event), footer, marker)
    numbers = pulls_of(client, event)
    done = [_done(number, put_comment(client, event.repository, number, body, marker)) for number in numbers]
    return "; ".join(done) or f"no comment: no open pull request is at {event.head[:12]} any more"


def _as_it_ended(answer: Answer, event: Event) -> Answer:
    """Return the answer corrected by what GitHub knows: the pull request's code had access to the run's file."""
    if answer.code or event.conclusion in {"success", ""}:
        return answer
    text = f"the run says passed, but its workflow ended as {event.conclusion}"
    return replace(answer, code=3, text=text, run=None)


def _done(number: int, address: str) -> str:
    return f"commented on #{number}{f': {address}' if address else ''}"
