"""The verdict as Markdown, for a pull request's comment and a job's summary."""

from collections.abc import Iterable, Iterator, Sequence

from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.model.run import Change, ChangeKind, Run
from pytest_memgate.report.diagram import growth_diagram, trend_diagram
from pytest_memgate.report.escape import fenced, markdown_code, markdown_text
from pytest_memgate.report.lines import failure_text
from pytest_memgate.report.stories import stories
from pytest_memgate.report.view import SYMBOLS, Row, counts, moved, next_steps, rows, telling, trends, verdict_line
from pytest_memgate.report.words.details import detail_lines
from pytest_memgate.report.words.reason import reason
from pytest_memgate.units import format_amount

_QUIET = {Outcome.PASSED, Outcome.NOT_GATED, Outcome.SKIPPED}
_HEAD = ("", "test", "before", "after", "difference", "", "allowed")
_ALIGNED = ("-", "-", "-:", "-:", "-:", "-:", "-:")
_DIAGRAMS = 3
_MOST = 50  # lines of one list or table: the rest is in the report
_LINES = 40  # of one failure's text
_MORE = 60  # characters kept free for the number of lines left out
_SPARE = 200  # characters kept free for the list of parts left out


def markdown(run: Run, history: Sequence[Run] = (), *, most: int = 65_000, marker: str = "") -> str:
    """Return the report of a run, of at most `most` bytes; `history` are earlier runs, the oldest first.

    Lines that do not fit are counted, the least important are left out first. `marker` is an invisible text in it, by
    which it is found again.
    """
    page = _Page(most)
    if marker:
        page.put(f"<!-- {marker} -->")
    page.put(f"### {SYMBOLS[run.verdict]} memgate: {verdict_line(run)}")
    page.put(_about(run))
    page.put_all([f"- **{markdown_text(one.text)}**{_hint(one.hint)}" for one in run.problems], "problems")
    causes = [story for story in stories(run) if story.is_shared]
    page.put_all([f"- **{markdown_text(story.line)}**" for story in causes], "causes")
    shown = [row for row in rows(run) if row.finding.outcome not in _QUIET]
    listed = {id(one) for story in causes for findings in story.rest for one in findings}
    told = [row for row in shown if id(row.finding) not in listed]
    page.put_table(told, "findings")
    page.put_all([_next(what, command) for what, command in next_steps(run)], "steps")
    moves = [f"- {markdown_code(old)} → {markdown_code(new)}" for old, new in moved(run)]
    page.put_all(moves, "tests", head="**Moved, and held against the baseline of the old name**")
    page.put_all([_change(change) for change in telling(run.changes)], "changed baselines", head=_changes_head(run))
    page.put_all([f"- {markdown_text(line)}" for line in run.loosened], "lines", head="**Loosened by this change**")
    for row in told:
        if row.finding.outcome.fails_test and _says_more(row.finding):
            page.put_block(_failure(row), "failures")
    if listed:
        page.put_folded_table("Other tests with the same cause", [row for row in shown if id(row.finding) in listed])
    for number, diagram in enumerate(_diagrams(run, history)):
        if number < _DIAGRAMS:
            page.put_block(diagram, "diagrams")
    quiet = [row for row in rows(run) if row.finding.outcome in _QUIET and row.difference not in {"", "0 B"}]
    if quiet:
        page.put_folded_table("Within their budgets, and changed", quiet)
    return page.text()


class _Page:
    """A text that stays below its limit: parts are added in the order of their weight."""

    def __init__(self, most: int) -> None:
        self._left = most - _SPARE
        self._parts: list[str] = []
        self._left_out: dict[str, int] = {}

    def put(self, part: str) -> bool:
        """Add a part if it fits; return whether it did."""
        size = len(part.encode()) + 2
        if size > self._left:
            return False
        self._left -= size
        self._parts.append(part)
        return True

    def put_block(self, part: str, what: str) -> None:
        """Add a part; if it does not fit, note `what` was left out."""
        if part and not self.put(part):
            self._left_out[what] = self._left_out.get(what, 0) + 1

    def put_all(self, lines: Sequence[str], what: str, *, head: str = "") -> None:
        """Add as many lines as fit below their heading, and count the others."""
        if not lines:
            return
        top = [head, ""] if head else []
        shown = self._fitting(lines, beside=top)
        rest = len(lines) - len(shown)
        more = [f"- and {rest} more {what}"] if rest else []
        self.put("\n".join([*top, *shown, *more]))

    def put_table(self, found: Sequence[Row], what: str, *, before: str = "", after: str = "") -> None:
        """Add a table with as many rows as fit, and count the others."""
        if not found:
            return
        head = [*([before] if before else []), f"| {' | '.join(_HEAD)} |", f"|{'|'.join(_ALIGNED)}|"]
        end = [after] if after else []
        shown = self._fitting([_row(row) for row in found], beside=[*head, *end])
        if not shown:
            self._left_out[what] = self._left_out.get(what, 0) + len(found)
            return
        rest = len(found) - len(shown)
        more = [f"\nand {rest} more {what}"] if rest else []
        self.put("\n".join([*head, *shown, *more, *end]))

    def put_folded_table(self, title: str, found: Sequence[Row]) -> None:
        """Add a table below a title that opens it."""
        opened = f"<details><summary>{title} ({len(found)})</summary>\n"
        self.put_table(found, "findings", before=opened, after="\n</details>")

    def text(self) -> str:
        """Return the whole text."""
        rest = ", ".join(f"{number} {what}" for what, number in self._left_out.items())
        more = [f"Left out for want of space: {rest}."] if rest else []
        return "\n\n".join([*self._parts, *more]) + "\n"

    def _fitting(self, lines: Iterable[str], *, beside: Iterable[str]) -> list[str]:
        """Return as many of the lines as fit together with those `beside` them and the number of the rest."""
        room = self._left - _MORE - sum(len(line.encode()) + 1 for line in beside)
        shown: list[str] = []
        for line in lines:
            room -= len(line.encode()) + 1
            if room < 0:
                break
            shown.append(line)
        return shown[:_MOST]


def _says_more(finding: Finding) -> bool:
    """True if its text says more than the table: that of a compressed size repeats the raw one."""
    return bool(finding.growth_by_site or detail_lines(finding) or not finding.metric.startswith("bundle."))


def _about(run: Run) -> str:
    said = [f"{number} {outcome}" for outcome, number in counts(run.findings).items()]
    if run.failed:
        said.append(f"{run.failed} failed by {'itself' if run.failed == 1 else 'themselves'}")
    if run.skipped:
        said.append(f"{run.skipped} skipped")
    of = f" of {markdown_code(run.compared_with)}" if run.compared_with else ""
    against = [f"baseline {markdown_code(run.baseline)}{of}"] if run.baseline else []
    if run.measured:
        against.append(f"{markdown_code(run.measured.ref)} measured here in {run.measured.seconds:.0f} s")
    return " · ".join([", ".join(said) or "nothing found", markdown_text(run.environment.key), *against])


def _hint(hint: str) -> str:
    return f"<br>{markdown_code(hint)}" if hint else ""


def _row(row: Row) -> str:
    one = row.finding
    allowed = "" if one.allowed is None else format_amount(one.allowed, one.unit)
    name = f"{markdown_code(str(one.subject))}<br>{markdown_text(one.metric or reason(one))}"
    cells = (str(one.outcome), name, row.before, row.after, row.difference, row.percent, allowed)
    return "| " + " | ".join(cell.replace("|", "&#124;") for cell in cells) + " |"


def _next(what: str, command: str) -> str:
    return f"**Next:** {what}: {markdown_code(command)}"


def _changes_head(run: Run) -> str:
    where = markdown_code(run.baseline)
    return f"**Written to {where}**" if run.update else f"**Baselines that this change brings** ({where})"


def _change(change: Change) -> str:
    before, after = ("" if one is None else format_amount(one, change.unit) for one in (change.before, change.after))
    values = after if change.kind is ChangeKind.MOVED else " → ".join(part for part in (before, after) if part)
    loose = change.kind in {ChangeKind.RAISED, ChangeKind.ANCHORED}
    reason = markdown_text(change.reason) if change.reason else "no reason given" if loose else ""
    name = f"{markdown_code(str(change.subject))} {markdown_text(change.metric)}"
    came = f"{markdown_code(change.moved_from)} → " if change.moved_from else ""
    return f"- {change.kind} {came}{name} {values}{f': {reason}' if reason else ''}"


def _failure(row: Row) -> str:
    finding = row.finding
    lines = failure_text(finding).splitlines()
    shown = lines if len(lines) <= _LINES else [*lines[: _LINES - 3], f"… and {len(lines) - _LINES + 3} more lines"]
    title = f"{markdown_code(str(finding.subject))} {markdown_text(finding.metric)} {row.difference}".rstrip()
    return f"<details><summary>{title}</summary>\n\n{fenced(shown)}\n\n</details>"


def _diagrams(run: Run, history: Sequence[Run]) -> Iterator[str]:
    for finding in _grown_bundles(run):
        title = f"Where {markdown_text(finding.metric)} of {markdown_code(str(finding.subject))} grew"
        yield f"<details><summary>{title}</summary>\n\n{growth_diagram(finding)}\n\n</details>"
    for trend in trends(run, history):
        title = f"{markdown_text(trend.finding.metric)} of {markdown_code(str(trend.finding.subject))} over the runs"
        yield f"<details><summary>{title}</summary>\n\n{trend_diagram(trend)}\n\n</details>"


def _grown_bundles(run: Run) -> list[Finding]:
    failing = [row.finding for row in rows(run) if row.finding.outcome.fails_gate]
    return [one for one in failing if one.metric.startswith("bundle.") and one.growth_by_site and one.told_by_growth]
