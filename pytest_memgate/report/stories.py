"""One cause, one story: failing findings that the same sites explain, so that a report tells them together."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from pytest_memgate.model.judgement.finding import Finding
from pytest_memgate.model.run import Run
from pytest_memgate.model.site import Site
from pytest_memgate.model.subject import Subject
from pytest_memgate.report.causes import caller, causes
from pytest_memgate.report.view import WORST_FIRST, excess

IN_FULL = 3  # tests of one cause whose text is printed


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Failing findings, worst first, that `sites` explain; a single finding if no other shares its cause.

    `of` is the number of failing findings in the whole run.
    """

    sites: tuple[Site, ...]
    findings: tuple[Finding, ...]
    of: int

    @property
    def by_subject(self) -> dict[Subject, tuple[Finding, ...]]:
        """The findings by their test, the worst one first."""
        found: dict[Subject, list[Finding]] = {}
        for finding in self.findings:
            found.setdefault(finding.subject, []).append(finding)
        return {subject: tuple(findings) for subject, findings in found.items()}

    @property
    def is_shared(self) -> bool:
        """True if several tests share the cause."""
        return len(self.by_subject) > 1

    @property
    def in_full(self) -> tuple[Finding, ...]:
        """The findings of the few tests that are told in full, test by test."""
        return tuple(one for findings in [*self.by_subject.values()][:IN_FULL] for one in findings)

    @property
    def rest(self) -> tuple[tuple[Finding, ...], ...]:
        """The findings of each other test, which is only listed."""
        return tuple(self.by_subject.values())[IN_FULL:]

    @property
    def line(self) -> str:
        """The common cause: `shop/api.py:38 in handle explains 238 of 238 findings in 120 tests`."""
        file = self.findings[0].subject.file
        names = [_label(site, file) for site in self.sites]
        named = " and ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)
        verb = "explain" if names[1:] else "explains"
        return f"{named} {verb} {len(self.findings)} of {self.of} findings in {len(self.by_subject)} tests"


def stories(run: Run) -> list[Story]:
    """Return the failing findings of a run by their cause, worst first."""
    failing = sorted((one for one in run.findings if one.outcome.fails_gate), key=_worst_first)
    sites: dict[object, tuple[Site, ...]] = {}
    grouped: defaultdict[object, list[Finding]] = defaultdict(list)
    for number, finding in enumerate(failing):
        found = causes(finding)
        cause: object = frozenset(found) or number
        sites.setdefault(cause, tuple(found.values()))
        grouped[cause].append(finding)
    return [Story(sites=sites[cause], findings=tuple(findings), of=len(failing)) for cause, findings in grouped.items()]


def listed_only(told: Iterable[Story]) -> set[Subject]:
    """Return the tests that no story tells in full: each of their findings is one of many with the same cause."""
    in_full = {finding.subject for story in told for finding in story.in_full}
    return {findings[0].subject for story in told for findings in story.rest} - in_full


def _worst_first(finding: Finding) -> tuple[int, float]:
    return WORST_FIRST.index(finding.outcome), -excess(finding)


def _label(site: Site, file: str) -> str:
    calls = caller(site, file)
    return f"{site.label}, called from {calls.label}," if calls else site.label
