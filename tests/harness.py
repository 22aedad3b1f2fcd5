"""A project under the gate: files in, command, files and words out, in real processes."""

import json
import os
import shutil
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import starts
from remembered import remembered

from pytest_memgate.measure.python.environment import key

# The plugins installed beside the gate for the tests that are about them.
_QUIET = (
    *("cacheprovider", "randomly", "memray", "rerunfailures", "benchmark"),
    *("hypothesispytest", "asyncio", "anyio", "timeout", "cov", "fakefs", "platformdirs", "pytest-split"),
)

# A waiver ends within a year.
LAST_DAY = (date.today() + timedelta(days=300)).isoformat()  # noqa: DTZ011  # the gate goes by the day of the machine

DATA = Path(__file__).parent / "data"

WORK = """
    \"\"\"What the tests call: a list of `n` small objects, 61 bytes each or so.\"\"\"

    def load(n):
        return [str(i) for i in range(n)]
"""


@dataclass(frozen=True, slots=True)
class Result:
    """What a command said and left."""

    code: int
    out: str
    run: dict[str, Any] = field(default_factory=dict)

    def outcomes(self) -> dict[str, str]:
        """Return the outcome of each finding by the test's name in its file."""
        return {finding["subject"]["name"]: finding["outcome"] for finding in self.run["findings"]}

    def finding(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = next(one for one in self.run["findings"] if one["subject"]["name"] == name)
        return found

    def metrics(self, name: str) -> dict[str, str]:
        """Return the outcome of each finding on one test, by metric."""
        mine = (finding for finding in self.run["findings"] if finding["subject"]["name"] == name)
        return {finding["metric"]: finding["outcome"] for finding in mine}

    def found(self, name: str, metric: str) -> dict[str, Any]:
        """Return the finding on one metric of one test."""
        (found,) = (one for one in self.run["findings"] if one["subject"]["name"] == name and one["metric"] == metric)
        return dict(found)

    def summary(self) -> str:
        """Return the gate's own part of the terminal's text."""
        return self.out.partition("= memgate =")[2]


class Project:
    """A folder with tests, run as a user runs it."""

    def __init__(self, root: Path, *, patience: float = 240) -> None:
        self.root = root
        self.patience = patience  # seconds that a command may take
        root.mkdir()
        self.write("pytest.ini", "[pytest]\n")
        self.write("work.py", WORK)

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
        return path

    def replace(self, name: str, old: str, new: str) -> None:
        path = self.root / name
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{name} has no {old!r}"
        path.write_text(text.replace(old, new), encoding="utf-8")

    def lay(self, data: str, to: str) -> Path:
        """Put a folder of the tests' data in place of `to`, as a new build does."""
        target = self.root / to
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(DATA / data, target)
        return target

    def pytest(self, *args: str, plugins: tuple[str, ...] = (), env: dict[str, str] | None = None) -> Result:
        """Run pytest; `plugins` are switched on that are off otherwise."""
        off = [part for name in _QUIET if name not in plugins for part in ("-p", f"no:{name}")]
        return self.command(sys.executable, "-m", "pytest", *off, *args, env=env)

    def gate(self, *args: str, plugins: tuple[str, ...] = (), env: dict[str, str] | None = None) -> Result:
        """Run `pytest --memgate` and read the run's file, if it was written."""
        report = self.root.parent / "run.json"
        report.unlink(missing_ok=True)
        result = self.pytest("--memgate", f"--memgate-report={report}", *args, plugins=plugins, env=env)
        run = json.loads(report.read_text(encoding="utf-8")) if report.exists() else {}
        return Result(result.code, result.out, run)

    def update(self, *args: str, plugins: tuple[str, ...] = (), env: dict[str, str] | None = None) -> Result:
        """Make or change baselines; it must succeed."""
        result = self.gate("--memgate-update", *args, plugins=plugins, env=env)
        assert result.code == 0, result.out
        return result

    def prepare(self, *args: str, plugins: tuple[str, ...] = (), env: dict[str, str] | None = None) -> Result:
        """Have baselines as `update()` makes them: those that it made before of an equal project, or by one now.

        For a test whose subject is not the update: one of these calls `update()`, which always runs.
        """

        def made() -> dict[str, Any]:
            return asdict(self.update(*args, plugins=plugins, env=env))

        return Result(**remembered(self.root.parent, [*args, *plugins], self.environ(env), made))

    def memgate(self, *args: str, env: dict[str, str] | None = None) -> Result:
        return self.command(sys.executable, "-c", "from pytest_memgate.cli.main import main; main()", *args, env=env)

    def command(self, *args: str, env: dict[str, str] | None = None) -> Result:
        code, out = starts.run(args, self.root, self.environ(env), self.patience)
        return Result(code, out)

    def environ(self, more: dict[str, str] | None = None) -> dict[str, str]:
        """Return the environment of a developer's machine: no CI, no options from outside, no colours.

        No files are compiled: a test that changes a file within a second would meet the compiled one of before.
        """
        plain = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_"))}
        for name in ("CI", "PYTHONMALLOC", "FORCE_COLOR", "PY_COLORS", "COLUMNS"):
            plain.pop(name, None)
        return {**plain, "PYTHONPATH": str(self.root), "PYTHONDONTWRITEBYTECODE": "1", **(more or {})}

    def git(self, *args: str) -> str:
        who = ("-c", "user.name=A Developer", "-c", "user.email=dev@example.org", "-c", "commit.gpgsign=false")
        result = self.command("git", *who, *args)
        assert result.code == 0, result.out
        return result.out

    def commit(self, message: str = "a change") -> None:
        if not (self.root / ".git").exists():
            self.git("init", "-q", "-b", "main")
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)

    @property
    def baselines(self) -> Path:
        return self.root / ".memgate" / key()

    def baseline(self, test_file: str) -> str:
        return (self.baselines / f"{test_file}.yaml").read_text(encoding="utf-8")

    @property
    def web(self) -> Path:
        """Return the baselines of what memgate.yml declares."""
        return self.root / ".memgate" / "web" / "memgate.yml.yaml"

    def files(self) -> Iterator[str]:
        """Yield the paths of all baseline files of tests."""
        for path in sorted(self.baselines.rglob("*")):
            if path.is_file() and path.name != "first-use.yaml":
                yield path.relative_to(self.baselines).as_posix()
