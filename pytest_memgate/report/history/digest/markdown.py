"""A digest as Markdown, for an issue or a job's summary."""

import re
from collections.abc import Iterator

from pytest_memgate.report.escape import markdown_code, markdown_text
from pytest_memgate.report.history.digest.agenda import agenda
from pytest_memgate.report.history.digest.facts import Digest
from pytest_memgate.report.history.digest.sections import Kind, Section, heading, sections, summary

_NO_NAME = re.compile(r"[^\w.]+", re.ASCII)  # what could end a comment
_LONGEST = 60_000  # characters: an issue of GitHub takes 65,536


def marker(key: str) -> str:
    """Return the line that nobody sees, by which a workflow finds the issue of a period again."""
    return f"<!-- memgate-digest {_NO_NAME.sub('-', key)} -->"


def markdown(digest: Digest) -> str:
    """Return a digest as Markdown; sections that an issue has no room for are left out, and it says so."""
    head = "\n".join(_head(digest))
    text = head
    for section in sections(digest):
        block = "\n".join(_section(section))
        if len(text) + len(block) > _LONGEST:
            return f"{text}\n\nThere is more: `--format html` has all of it.\n"
        text = f"{text}\n\n{block}"
    return f"{text}\n"


def _head(digest: Digest) -> Iterator[str]:
    yield marker(digest.period.key)
    yield f"# {markdown_text(heading(digest))}"
    yield ""
    yield from (f"{markdown_text(line)}  " for line in summary(digest))
    points = agenda(digest) if digest.period.is_month else []
    if points:
        yield ""
        yield "## Agenda"
        yield ""
        yield from (f"1. {markdown_text(topic)}: **{markdown_text(decision)}**" for topic, decision in points)
    if not sections(digest):
        yield ""
        yield "Nothing moved, and nothing is about to."


def _section(section: Section) -> Iterator[str]:
    yield f"## {section.title}"
    yield ""
    yield section.note
    yield ""
    yield _row([name for name, _ in section.columns])
    yield _row(["---:" if kind is Kind.AMOUNT else "---" for _, kind in section.columns])
    for row in section.rows:
        yield _row([_cell(cell, kind) for cell, (_, kind) in zip(row, section.columns, strict=True)])


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(text: str, kind: Kind) -> str:
    if not text:
        return ""
    return markdown_code(text) if kind is Kind.NAME else markdown_text(text)
