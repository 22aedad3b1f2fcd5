"""The findings as GitHub's annotations: workflow commands that put a line of text at a line of code."""

from collections.abc import Callable, Iterator

from pytest_memgate.model.judgement.finding import Finding
from pytest_memgate.model.run import Run
from pytest_memgate.model.site import LeadKind, Site
from pytest_memgate.report.escape import command_data, command_property
from pytest_memgate.report.lines import failure_text, headline
from pytest_memgate.report.stories import Story, stories

_MOST = 10  # annotations of one kind and step that GitHub shows; it drops the rest silently
_LINES = 12  # of one annotation's text

Locate = Callable[[str, str], tuple[str, int] | None]


def annotations(run: Run, *, most: int = _MOST, prefix: str = "", locate: Locate | None = None) -> list[str]:
    """Return the workflow commands for failures and other problems, `most` at most.

    A cause that several tests share comes first, in one annotation for all of them, then the worst findings. Each
    stands at the line that grew, else at that of the test; a first use at the test that paid. `locate` gives the place
    of a path in the project, and the line of a word in it, None for a foreign file. `prefix` leads from the
    repository's root to the project.
    """
    told = sorted(stories(run), key=lambda story: not story.is_shared)
    found = [command for story in told for command in _of(story, prefix, locate or _as_it_is)]
    found += [_command("", 0, "memgate", f"{one.text}\n{one.hint}".rstrip()) for one in run.problems]
    if len(found) <= most:
        return found
    rest = len(found) - most + 1
    return [*found[: most - 1], _command("", 0, "memgate", f"and {rest} more: see the job's summary")]


def _as_it_is(path: str, word: str) -> tuple[str, int] | None:
    return None if word or path.startswith("<") else (path, 0)


def _of(story: Story, prefix: str, locate: Locate) -> Iterator[str]:
    if story.is_shared:
        first = story.findings[0]
        lines = [story.line, f"the worst: {first.subject}", *_lines(first)]
        yield _at(first, "memgate", lines, prefix, locate)
        return
    for finding in story.findings:
        yield _at(finding, str(finding.subject), _lines(finding), prefix, locate)


def _lines(finding: Finding) -> list[str]:
    """Return the lines of an annotation, always with the last one, which says what to do."""
    lines = failure_text(finding).splitlines()[1:]
    return [headline(finding), *(lines if len(lines) <= _LINES else [*lines[: _LINES - 1], lines[-1]])]


def _at(finding: Finding, title: str, lines: list[str], prefix: str, locate: Locate) -> str:
    if finding.paid_by:
        file, line = finding.paid_by[0].file, finding.line
    else:
        file, line = next(_places(finding, locate), (finding.subject.file, finding.line))
    return _command(f"{prefix}{file}", line, title, "\n".join(lines))


def _places(finding: Finding, locate: Locate) -> Iterator[tuple[str, int]]:
    """Yield the places that grew, in files of the project: the line of the largest part, then those that lead to it."""
    for one in finding.growth_by_site:
        if one.site and one.growth > 0:
            for path, line, word in _mentions(one.site):
                found = locate(path, word)
                if found:
                    yield found[0], line or found[1]


def _mentions(site: Site) -> Iterator[tuple[str, int, str]]:
    """Yield where a part is, or is called or imported: a path with its line, or with a word to look for."""
    if site.line or not site.function:
        yield site.path, site.line, ""
    for lead in site.via:
        if lead.kind is not LeadKind.CAUSE:
            has_place = lead.line or lead.kind is LeadKind.CALLER
            yield lead.path, lead.line, "" if has_place else site.path.removeprefix("node_modules/")


def _command(file: str, line: int, title: str, text: str) -> str:
    given = {"file": file, "line": str(line) if file and line else "", "title": title}
    properties = ",".join(f"{name}={command_property(value)}" for name, value in given.items() if value)
    return f"::error {properties}::{command_data(text)}"
