"""Which tests have a looser budget than on the base by their markers, wherever these and their values stand."""

import os
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from pytest_memgate.baseline.source import GitRef
from pytest_memgate.baseline.store import FOLDER
from pytest_memgate.budget.rule import Budget, Rule
from pytest_memgate.config.sources import Config, covers
from pytest_memgate.errors import ConfigError
from pytest_memgate.model.judgement.budget import OriginKind
from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.model.subject import Subject
from pytest_memgate.report.words.budget import budget_text, rules_text
from pytest_memgate.report.words.reason import reason
from pytest_memgate.tasks.loosened.call_sources import CallSources, budgets, handed_on
from pytest_memgate.tasks.run.git_worktree import repository
from pytest_memgate.tasks.run.loosened import UNMEASURED, looser

_NAMED = 3  # tests that a line names
_MARKER = r"\.memgate\b|[\"']memgate[\"']"  # how code names the marker


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """The markers of one test: its rules by metric, and the reason to leave it out, empty if there is none.

    `children` is what they say of processes that the test starts.
    """

    rules: Mapping[str, Rule] = field(default_factory=dict)
    skip: str = ""
    children: str = ""


class Base:
    """The commit that a run is compared with, as files that can be laid out."""

    def __init__(self, root: Path, ref: GitRef) -> None:
        self.root = root.resolve()
        self.top = repository(root)
        self._commit = ref.commit

    @cached_property
    def changed(self) -> list[Path]:
        """The files that differ from the base, without baselines."""
        names = self._git("diff", "--name-only", "-z", self._commit)
        names += self._git("ls-files", "--others", "--exclude-standard", "-z")
        return [self.top / name for name in names.split("\0") if name and f"/{FOLDER}/" not in f"/{name}"]

    @cached_property
    def python_files(self) -> list[Path]:
        """The Python files of the repository."""
        names = self._git("ls-files", "--cached", "--others", "--exclude-standard", "-z", "--", ":(top)*.py")
        return [self.top / name for name in names.split("\0") if name]

    def has_markers(self) -> bool:
        """True if any Python file of the base names the gate's marker."""
        return bool(self._git("grep", "-l", "-I", "-E", "-e", _MARKER, self._commit, "--", ":(top)*.py"))

    def lay(self, folder: Path) -> str:
        """Write all files of the base into a folder; return why that fails, empty if it was done."""
        with tempfile.TemporaryDirectory(prefix="memgate-") as name:
            # The user's own index stays as it is, and nothing is fetched.
            index = {"GIT_INDEX_FILE": str(Path(name, "index")), "GIT_LFS_SKIP_SMUDGE": "1"}
            for args in (("read-tree", self._commit), ("checkout-index", "--all", f"--prefix={folder}{os.sep}")):
                done = self._run(*args, env=index)
                if done.returncode:
                    said = done.stderr.strip().splitlines()
                    return f"git {args[0]}: {said[-1] if said else 'failed'}"
        self._link_built(folder)
        return ""

    def _link_built(self, folder: Path) -> None:
        """Link files built in place and not committed, such as compiled modules: packages import them."""
        patterns = [f":(top)*{suffix}" for suffix in (".py", ".so", ".pyd")]
        names = self._git("ls-files", "--others", "--ignored", "--exclude-standard", "-z", "--", *patterns)
        for name in filter(None, names.split("\0")):
            link = folder / name
            if link.parent.is_dir() and not link.exists():
                link.symlink_to(self.top / name)

    def _git(self, *args: str) -> str:
        return self._run(*args).stdout

    def _run(self, *args: str, env: Mapping[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(  # noqa: S603
            ["git", *args],  # noqa: S607
            cwd=self.top,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            check=False,
        )


def loosened_by_markers(
    config: Config, findings: Iterable[Finding], here: Mapping[str, Marked], base: Mapping[str, Marked]
) -> list[str]:
    """Return what markers loosen for the tests of `findings`, a line each; `config` has the other budgets."""
    tests: dict[str, list[str]] = {}
    names: dict[Subject, str] = {}  # on the base, where a test may have had another one
    for finding in findings:
        names[finding.subject] = finding.moved_from or names.get(finding.subject, str(finding.subject))
    for subject, name in names.items():
        old, new = base.get(name, Marked()), here.get(str(subject), Marked())
        for text in _looser(config, subject, old, new):
            tests.setdefault(text, []).append(str(subject))
    return [_line(text, names) for text, names in tests.items()]


def loosened_by_calls(base: Base, findings: Iterable[Finding], here: Mapping[str, Marked]) -> Iterator[str]:
    """Yield the budgets in calls of tests that the change touches, and those of markers set while tests run.

    Only a run could tell what these are on the base.
    """
    everywhere = any(path.name == "conftest.py" for path in base.changed)
    changed = set(base.changed)
    for finding in findings:
        collected = here.get(str(finding.subject), Marked())
        kinds = {rule.origin.kind for rule in finding.rules}
        touched = OriginKind.CALL in kinds and (everywhere or not changed.isdisjoint(_sources(base, finding)))
        is_known = any(covers(name, finding.metric) for name in collected.rules)
        if finding.outcome is Outcome.SKIPPED and not collected.skip:
            yield f"{finding.subject} is left out by its marker: {reason(finding)}"
        elif touched or (OriginKind.MARKER in kinds and not is_known):
            yield f"{finding.subject} has a budget of its own for {finding.metric}: {budget_text(finding)}"


def _sources(base: Base, finding: Finding) -> set[Path]:
    """Return the files that decide the budgets in a test's calls."""
    sources = CallSources(base.python_files)
    test = base.root / finding.subject.file
    elsewhere = [base.root / rule.origin.file for rule in finding.rules if rule.origin.file]
    found = set().union(*(sources.of(path, budgets) for path in elsewhere or [test]))
    return found | (sources.of(test, handed_on) if elsewhere else set())


def _looser(config: Config, subject: Subject, old: Marked, new: Marked) -> Iterator[str]:
    if new.skip and not old.skip:
        yield f"is left out by its marker: {new.skip}"
    if new.children in UNMEASURED and old.children not in UNMEASURED:
        yield f"starts processes that are not measured, by its marker: children={new.children!r}"
    for metric in dict.fromkeys([*old.rules, *new.rules]):
        unit = (new if metric in new.rules else old).rules[metric].unit
        before, after = (_budget(config, subject, metric, marked, unit) for marked in (old, new))
        if before and after and not any(looser(metric, before, after)):
            continue
        own = metric in new.rules
        what = f"has a budget of its own for {metric}" if own else f"has lost its budget for {metric}"
        now, then = (rules_text(one.rules, one.unit) if one else "" for one in (after, before))
        yield f"{what}: {now or 'none'}, on the base {then or 'none'}"


def _budget(config: Config, subject: Subject, metric: str, marked: Marked, unit: str) -> Budget | None:
    try:
        return config.budget(subject, metric, marked.rules, unit)
    except ConfigError:
        return None  # it is in another unit


def _line(text: str, names: list[str]) -> str:
    if len(names) <= _NAMED:
        return f"{', '.join(names)} {text}"
    return f"{', '.join(names[:_NAMED])} and {len(names) - _NAMED} more: each {text}"
