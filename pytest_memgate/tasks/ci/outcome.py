"""The answer of a job: the verdict of its run, or the reason why there is none. Never green by default."""

from dataclasses import dataclass, replace
from pathlib import Path

from pytest_memgate.errors import RunFileError
from pytest_memgate.model.run import Problem, Run, Verdict
from pytest_memgate.report.view import verdict_line
from pytest_memgate.tasks.ci.child import signal_name
from pytest_memgate.tasks.ci.pytest_step import RUN
from pytest_memgate.tasks.run.file import read_run

_USAGE = 2  # the command's exit code for usage and configuration
_NO_ANSWER = Verdict.NO_ANSWER.exit_code
_REASONS = 3  # problems that the one line names


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What the earlier steps left: the folder of the run, the error that stopped them with its exit code, pytest's end.

    `ended` is pytest's exit code as text, empty if pytest was not run; `said` is its line of error.
    """

    folder: Path | None = None
    problem: str = ""
    code: int = _USAGE
    ended: str = ""
    said: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The exit code, the one line that says why, and the run if there is one."""

    code: int
    text: str
    run: Run | None = None

    @property
    def verdict(self) -> Verdict:
        """The verdict that belongs to the exit code."""
        return {0: Verdict.PASSED, 1: Verdict.FAILED}.get(self.code, Verdict.NO_ANSWER)

    @property
    def regressed(self) -> int:
        """The number of findings that fail the gate."""
        return sum(one.outcome.fails_gate for one in self.run.findings) if self.run else 0


def answer(left: Left) -> Answer:
    """Return the answer of the steps."""
    if left.problem:
        return Answer(code=left.code or _USAGE, text=left.problem)
    if left.folder is None:
        return Answer(code=_NO_ANSWER, text="the gate did not start: see the step that failed before")
    path = left.folder / RUN
    if not path.exists() and not path.is_symlink():
        return _without_run(left)
    if path.is_symlink():  # the change may have put it there, and it may lead anywhere
        return Answer(code=_NO_ANSWER, text=f"the run cannot be read: {path.name}: a link, not a file")
    try:
        run = read_run(path, name=path.name)
    except RunFileError as error:
        return Answer(code=error.exit_code, text=f"the run cannot be read: {error}")
    return answer_of(run, left)


def _without_run(left: Left) -> Answer:
    said = f": {left.said}" if left.said else ""
    ended = int(left.ended) if left.ended.lstrip("-").isdecimal() else None
    if ended is None:
        return Answer(code=_NO_ANSWER, text="pytest was not run to its end: see the step before")
    if ended < 0:
        return Answer(code=_NO_ANSWER, text=f"pytest was ended by {signal_name(ended)} and left no run")
    if ended == 4:
        return Answer(code=_USAGE, text=f"pytest refused its options or configuration{said}")
    if ended == 3:
        return Answer(code=_NO_ANSWER, text=f"pytest broke off with an internal error{said}")
    why = said or "; is the plugin off (-p no:memgate), or its report taken away?"
    return Answer(code=_NO_ANSWER, text=f"pytest ended with exit code {ended} and left no run{why}")


def answer_of(run: Run, left: Left) -> Answer:
    """Return the answer of a run: its verdict, unless that is green and cannot be."""
    if run.update:
        text = "this run was an update, which judges nothing: take --memgate-update out of pytest-args"
        return _amended(run, _USAGE, text)
    if run.verdict is Verdict.PASSED:
        return _of_passed(run, left)
    shown = [problem.text for problem in run.problems][:_REASONS]
    more = f" and {len(run.problems) - _REASONS} more" if len(run.problems) > _REASONS else ""
    text = f"{verdict_line(run)}{': ' if shown else ''}{'; '.join(shown)}{more}"
    return Answer(code=run.verdict.exit_code, text=text, run=run)


def _of_passed(run: Run, left: Left) -> Answer:
    """Check a green verdict: it stands only if something was compared and pytest agrees."""
    if not run.compared:
        return _amended(run, _NO_ANSWER, "nothing was compared, and yet the run says passed")
    if run.failed:
        who = "1 test failed by itself" if run.failed == 1 else f"{run.failed} tests failed by themselves"
        return _amended(run, 1, f"{who}; what could be measured is within its budgets")
    if left.ended not in {"", "0"}:
        code = 1 if left.ended == "1" else _NO_ANSWER
        return _amended(run, code, f"the gate passed, but pytest ended with exit code {left.ended}: see its log")
    return Answer(code=0, text=verdict_line(run), run=run)


def _amended(run: Run, code: int, text: str) -> Answer:
    """Return an answer that differs from the run's, with a run that shows it."""
    kind = Verdict.FAILED if code == 1 else Verdict.NO_ANSWER
    shown = replace(run, update=False, verdict=kind, problems=(*run.problems, Problem(text=text, verdict=kind)))
    return Answer(code=code, text=text, run=shown)
