"""A patch of the baselines with a run's values, made beside the checkout and applied by whoever agrees."""

import os
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_memgate.baseline.source import GitRef
from pytest_memgate.baseline.store import Stores
from pytest_memgate.errors import MemgateError, RunFileError, UsageError
from pytest_memgate.github.event import Event
from pytest_memgate.measure.python.environment import key
from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.model.measurement import Basis
from pytest_memgate.model.run import Change, Run
from pytest_memgate.report.escape import one_line
from pytest_memgate.tasks.baseline.accept import accept
from pytest_memgate.tasks.baseline.anchor import pin

_WANTED = {
    Outcome.REGRESSED,
    Outcome.DRIFTED,
    Outcome.NEW,
    Outcome.NO_BASELINE,
    Outcome.IMPROVED,
    Outcome.INCOMPARABLE,
}
_TITLE_MOST = 120  # characters of a pull request's title in a reason
# This machine's own settings would change the patch: its prefixes, its colours, what is ignored.
_PLAIN = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C.UTF-8"}
_WHO = ("-c", "user.name=memgate", "-c", "user.email=memgate@localhost", "-c", "core.autocrlf=false")


@dataclass(frozen=True, slots=True)
class Patch:
    """The patch, empty if there is nothing to change, its changes, and its problems."""

    text: bytes
    changes: tuple[Change, ...] = ()
    problems: tuple[str, ...] = ()


def reason_of(event: Event, run_id: str) -> str:
    """Return the reason for raised values: the pull request's own title, and the run that measured them.

    The run's id makes it differ from the entry's last reason: the gate asks for a new one for each raise.
    """
    where = f"CI run {run_id}" if run_id else "a CI run"
    title = one_line(event.title)[:_TITLE_MOST].strip()
    return f"#{event.number} {title} ({where})" if event.number and title else f"accepted from {where}"


def make_patch(root: Path, top: Path, run: Run, reason: str) -> Patch:
    """Return the patch for the repository at `top`, of the project at `root` in it, against the commit checked out."""
    findings = _wanted(run)
    if not findings:
        return Patch(b"")
    try:
        return _patch(root, root.relative_to(top), replace(run, findings=findings), reason)
    except RunFileError:
        return Patch(b"")  # what it has needs no change, or cannot be taken
    except (MemgateError, UnicodeError, OSError) as error:
        return Patch(b"", problems=(f"no baseline patch: {error}",))


def _wanted(run: Run) -> tuple[Finding, ...]:
    """Return all findings of the tests that need another baseline; tests within theirs keep it.

    What was measured in place of one needs one, too, but for pairs, which are no values of one side.
    """
    subjects = {
        one.subject
        for one in run.findings
        if one.measurement and (one.outcome in _WANTED or (one.measured_from and not _is_paired(one)))
    }
    return tuple(one for one in run.findings if one.subject in subjects and not _is_paired(one))


def _is_paired(finding: Finding) -> bool:
    is_noisy = finding.measurement is not None and finding.measurement.basis is Basis.SAMPLES
    return bool(finding.measured_from) and is_noisy


def _patch(root: Path, way: Path, run: Run, reason: str) -> Patch:
    with tempfile.TemporaryDirectory(prefix="memgate-") as name:
        scratch = Path(name)
        project = scratch / way
        project.mkdir(parents=True, exist_ok=True)
        _git(scratch, "init", "--quiet")
        _lay(GitRef(root, "HEAD"), run, project)
        _git(scratch, "add", "--all", "--force")
        _git(scratch, *_WHO, "commit", "--quiet", "--allow-empty", "--message=base")
        done = accept(project, run, (), reason=reason, only=(), run_file="run.json")
        problems = [problem.text for problem in done.problems]
        changes = [*done.changes, *_anchored(project, run, reason, problems)]
        _git(scratch, "add", "--all", "--force")
        forms = ("--binary", "--full-index", "--no-renames", "--no-ext-diff", "--no-textconv", "--no-color")
        text = _git(scratch, "diff", "--cached", *forms)
    return Patch(text, tuple(changes), tuple(problems))


def _lay(head: GitRef, run: Run, project: Path) -> None:
    """Put the baselines that the run concerns into the scratch copy, as they are committed."""
    stores = Stores(head, run.environment.key)
    for path in sorted({stores.of(one.metric).path(one.subject.file) for one in run.findings}):
        text = head.read(path)
        if text is not None:
            target = project / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(text.encode())


def _anchored(project: Path, run: Run, reason: str, problems: list[str]) -> Iterable[Change]:
    """Move the anchors of drifted entries: a raise leaves them where they are."""
    drifted = tuple(dict.fromkeys(str(one.subject) for one in run.findings if one.outcome is Outcome.DRIFTED))
    if not drifted:
        return []
    if run.environment.key != key():
        problems.append("anchors of another environment are not moved: memgate baseline anchor --reason")
        return []
    return pin(project, drifted, f"{reason}, anchor")


def _git(folder: Path, *args: str) -> bytes:
    outside = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    done = subprocess.run(  # noqa: S603
        ["git", *args],  # noqa: S607
        cwd=folder,
        env={**outside, **_PLAIN},
        capture_output=True,
        check=False,
    )
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise UsageError(f"git {args[0]}: {said[-1] if said else 'failed'}")
    return done.stdout
