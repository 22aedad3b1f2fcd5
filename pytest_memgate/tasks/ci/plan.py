"""Which commit a job's code is judged against: the one that it was built on, never one that it can choose."""

from dataclasses import dataclass

from pytest_memgate.errors import UsageError
from pytest_memgate.github.checkout import Checkout
from pytest_memgate.github.event import MERGE_GROUP, PULL_REQUEST, PUSH, TARGET, Event

_OWN = "judged by the checkout's own baselines"
_DEPTH = "set fetch-depth: 0 on actions/checkout"


@dataclass(frozen=True, slots=True)
class Base:
    """The commit, empty if there is none to compare with, and why it is this one."""

    commit: str
    why: str


def find_base(event: Event, checkout: Checkout, given: str) -> Base:
    """Return the base of a job, and fetch it into the checkout.

    Raises UsageError if there must be one and it cannot be had, or if the event gives rights to a fork's code.
    """
    if event.name == TARGET:
        raise UsageError(
            f"{TARGET} runs a fork's code with this repository's rights",
            hint="use pull_request, and the second workflow for comments (docs/ci.md)",
        )
    if event.name == PULL_REQUEST and not given:
        return _of_pull_request(event, checkout)
    if event.is_of_pull_request and event.name != PULL_REQUEST:
        raise UsageError(
            f"{event.name} of a pull request names no base, and may run a fork's code with this repository's rights",
            hint="use pull_request (docs/ci.md)",
        )
    if given:
        return _given(checkout, given)
    if event.name == MERGE_GROUP:
        return _fetched(checkout, event.base, "the base of the merge queue's group")
    if event.name == PUSH:
        return _of_push(event, checkout)
    return Base("", f"nothing: {event.name or 'this'} has no commit before; {_OWN}")


def _given(checkout: Checkout, name: str) -> Base:
    commit = checkout.commit_of(name) or checkout.commit_of(f"origin/{name}") or checkout.get_ref(name)
    if not commit and not checkout.get(name):
        raise UsageError(
            f"input base: {name!r}: {checkout.said}", hint="name a branch, tag or commit of the repository"
        )
    return Base(commit or name, f"the input base, {name}")


def _of_pull_request(event: Event, checkout: Checkout) -> Base:
    checkout.top()
    here = checkout.commit_of("HEAD")
    parents = checkout.parents("HEAD")
    if len(parents) == 2 and parents[1] == event.head:
        return _fetched(checkout, parents[0], "the first parent of the pull request's merge commit")
    if event.base and here:
        if found := checkout.merge_base(here, event.base):
            return _fetched(checkout, found, "the merge base with the pull request's base branch")
        raise UsageError(f"no merge base of HEAD and {event.base[:12]} in the checkout: {checkout.said}", hint=_DEPTH)
    raise UsageError("the event names no base commit", hint="give the input base")


def _of_push(event: Event, checkout: Checkout) -> Base:
    """Return the commit of the default branch before the push, or the commit at which another branch has left it.

    The commit of another branch before the push was made by the change itself: a second push would be judged against
    the first.
    """
    if not event.is_on_default_branch:
        return _of_branch(event.default_branch, checkout)
    if not event.base:
        return Base("", f"nothing: the branch is new; {_OWN}")
    if checkout.get(event.base):
        return Base(event.base, "what the branch was before the push")
    return Base("", f"nothing: {event.base[:12]}, which the branch was before, is gone; {_OWN}")


def _of_branch(default: str, checkout: Checkout) -> Base:
    here, there = checkout.commit_of("HEAD"), checkout.get_ref(f"refs/heads/{default}")
    if not there:
        raise UsageError(f"the default branch, {default!r}, cannot be fetched: {checkout.said}", hint=_DEPTH)
    found = checkout.merge_base(here, there)
    if not found:
        raise UsageError(f"no merge base of HEAD and {default} in the checkout: {checkout.said}", hint=_DEPTH)
    why = f"the merge base with the default branch, {default}"
    return Base(found, f"{why}: this commit itself, which changes nothing" if found == here else why)


def _fetched(checkout: Checkout, commit: str, why: str) -> Base:
    if not commit:
        raise UsageError("the event names no base commit", hint="give the input base")
    if not checkout.get(commit):
        raise UsageError(f"{why}, {commit[:12]}, cannot be fetched: {checkout.said}", hint=_DEPTH)
    return Base(commit, why)
