"""More lines that help to find the cause of a failing finding, beside the sites that grew."""

from collections.abc import Iterable, Iterator

from pytest_memgate.model.judgement.finding import Evidence, Finding
from pytest_memgate.model.metric import FIRST_USE, MEMORY_LEAK, base_name
from pytest_memgate.report.words.contributions import contribution_lines
from pytest_memgate.units import DURATION, SIZE, counted, format_amount, format_growth

_NAMED = 3
_FILLS = "a cache that takes something new on each call, and has not filled up by then, looks the same"


def detail_lines(finding: Finding) -> list[str]:
    """Return who paid, the parts behind a compressed size, the resources of a page: empty for most findings."""
    lines = [*_payers(finding), *_bundle(finding), *_page(finding.evidence), *finding.evidence.lines]
    if base_name(finding.metric) == MEMORY_LEAK.name and finding.outcome.fails_test:
        lines.append(_FILLS)
    return lines


def _payers(finding: Finding) -> Iterator[str]:
    verb = "paid" if finding.metric == FIRST_USE.name else "imported"
    for test in finding.paid_by[:_NAMED]:
        yield f"{verb} by {test}"
    more = len(finding.paid_by) - _NAMED
    if more > 0:
        yield f"and by {counted(more, 'more test')}"


def _bundle(finding: Finding) -> Iterator[str]:
    evidence = finding.evidence
    lines = contribution_lines(evidence.before_compression, SIZE, is_growth=finding.told_by_growth)
    if lines:
        yield f"what {'grew' if finding.told_by_growth else 'holds it'}, before compression:"
        yield from (f"  {line}" for line in lines)
    yield from (f"{part} was loaded lazily before" for part in evidence.was_lazy)


def _page(evidence: Evidence) -> Iterator[str]:
    if evidence.largest_paint:
        yield f"largest contentful paint: {evidence.largest_paint}"
    if evidence.resources:
        yield f"resources that grew: {_some(_resources(evidence))}"
    if evidence.audits:
        audits = (f"{name} {format_growth(ms, DURATION)}" for name, ms in evidence.audits.items())
        yield f"audits that got worse: {_some(audits)}"


def _resources(evidence: Evidence) -> Iterator[str]:
    for one in evidence.resources:
        was = f"from {format_amount(one.base, SIZE)}" if one.base else "new"
        yield f"{one.site.label if one.site else 'all others'} {format_growth(one.growth, SIZE)} ({was})"


def _some(texts: Iterable[str]) -> str:
    first, rest = (all_texts := list(texts))[:_NAMED], len(all_texts) - _NAMED
    return f"{', '.join(first)}{f' and {rest} more' if rest > 0 else ''}"
