"""Tells the story of the gate with real commands, in a copy of this folder: `python example_project/demo.py`.

The Python that runs it has pytest-memgate and requirements.txt installed. It ends with 1 if the story goes another way.
"""

import importlib.util
import io
import json
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
MIDDLEWARE = "shop/middleware.py"
LEAKY = "variants/leaky_middleware.py"
LEAKING = ("tests/test_deliveries.py::test_a_day_of_deliveries", "tests/test_orders.py::test_an_hour_of_orders")
REASON = "support replays failed requests from their bodies"
GATE = ("pytest", "--memgate")
UPDATE = ("memgate", "baseline", "update")
GIT = ("git", "-c", "user.name=Demo", "-c", "user.email=demo@example.invalid", "-c", "commit.gpgsign=false")
NO_FIT = {"no baseline", "incomparable"}  # outcomes of tests whose baselines are from another environment
UNWANTED = ("PYTEST_ADDOPTS", "PYTEST_DISABLE_PLUGIN_AUTOLOAD", "FORCE_COLOR", "PY_COLORS")


class NotAsToldError(Exception):
    """The story went another way."""


def main() -> int:
    """Tell the story; return 1 with a line that says what went wrong, 0 with a line that sums it up."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal that cannot show "…" is no reason to stop
    try:
        with tempfile.TemporaryDirectory(prefix="memgate-demo-") as folder:
            Story(Path(folder, "shop-project")).tell()
    except NotAsToldError as error:
        print(f"\nThe demo FAILED: {error}")
        return 1
    print("\nThe demo passed: green when repaired, red when leaky with the line named, no raise without a reason.")
    return 0


class Story:
    """A copy of the example, and the commands that are run in it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._environment = _environment()
        self._base: tuple[str, ...] = ("--memgate-base", "HEAD")

    def tell(self) -> None:
        self._prepare()
        self._green()
        self._red()
        self._refused()
        self._accepted()
        self._repaired()

    def _prepare(self) -> None:
        shutil.copytree(HERE, self._folder, ignore=shutil.ignore_patterns("__pycache__", ".*_cache", ".venv"))
        say(
            "A small web shop takes orders and deliveries, and a middleware logs each request: its size and a digest.",
            "Its tests are under the gate: each test's peak memory may grow by 200 KB above its committed baseline.",
            f"Every command below is really run, in a copy of {HERE.name}/; […] is output that a reader can spare.",
        )
        if not self._baselines_fit():
            say(
                "The committed baselines were measured with another platform, Python or memray than this one,",
                "and such values cannot be compared. So the demo first makes its own, from the repaired code:",
            )
            self._run(*UPDATE, "-q")
        if shutil.which("git", path=self._environment["PATH"]):
            for command in (("init", "-q"), ("add", "-A"), ("commit", "-q", "-m", "The shop, with its request log")):
                self._do(*GIT, *command, show=False)
        else:
            self._base = ()
            say("git is not there, so the comparison with a commit (--memgate-base) is left out.")

    def _baselines_fit(self) -> bool:
        report = self._folder / "run.json"
        self._quietly(*GATE, f"--memgate-report={report}")
        check(report.exists(), "pytest --memgate wrote no report: try `memgate doctor`")
        findings = json.loads(report.read_text(encoding="utf-8"))["findings"]
        report.unlink()
        return not any(finding["outcome"] in NO_FIT for finding in findings)

    def _green(self) -> None:
        chapter("1. The middleware is sound: it reads every body through one buffer that it uses again.")
        output = self._run(*GATE)
        check("memgate: PASSED" in output, "the gate is not green on the repaired code")

    def _red(self) -> None:
        chapter("2. A change lets the middleware keep every request's body. Every assertion in the tests still holds.")
        self._do("cp", LEAKY, MIDDLEWARE)
        output = self._run(*GATE, expected=1)
        place = f"{MIDDLEWARE}:{_line_that_grows(self._folder / MIDDLEWARE)} in __call__"
        check(place in output, f"the red gate does not name {place}")
        check("memgate: FAILED: 2 regressed" in output, "not exactly the two tests that send many bodies are red")
        say(
            f"Two tests are red, and both point to {place}:",
            f"    {_source(self._folder / MIDDLEWARE)}",
            "The other tests send little or nothing, and stay green.",
        )

    def _refused(self) -> None:
        chapter("3. The change tries to raise its own bar. Without a reason, it cannot.")
        before = self._baselines()
        output = self._run(*UPDATE, *LEAKING, expected=1)
        check("without a reason" in output, "the refusal does not ask for a reason")
        check(self._baselines() == before, "a baseline was changed without a reason")

    def _accepted(self) -> None:
        chapter("4. Suppose that the growth is meant: its author says why, for these two tests.")
        output = self._run(*UPDATE, "--reason", REASON, *LEAKING)
        check("2 raised" in output, "the two baselines were not raised")
        if self._base:
            say("The gate lets it pass now. Held against the last commit, it lists what was raised, and why:")
        output = self._run(*GATE, *self._base)
        check("memgate: PASSED" in output, "the gate is not green after the accepted raise")
        if self._base:
            check(output.count(REASON) == 2, "the two raises are not listed with their reason")

    def _repaired(self) -> None:
        chapter("5. The leak is repaired after all. The gate sees that too, and the bar can go back to where it was.")
        self._do(*(("git", "checkout", "-q", MIDDLEWARE) if self._base else ("cp", str(HERE / MIDDLEWARE), MIDDLEWARE)))
        output = self._run(*GATE)
        check(output.count("improved ") == 2, "the two tests have not improved")
        output = self._run(*UPDATE, "--only", "lowered")
        words = " ".join(output.split())
        check(all(f"lowered {test}" in words for test in LEAKING), "the two baselines were not lowered")

    def _run(self, *command: str, expected: int = 0) -> str:
        """Run a command, show it with what it says, check its exit code and return its whole output."""
        print(f"\n$ {shlex.join(command)}", flush=True)
        done = self._quietly(*command)
        for line in told(done.stdout):
            print(f"  {line}".rstrip())
        print(f"  exit code {done.returncode}", flush=True)
        self._check_code(done, expected)
        return done.stdout

    def _do(self, *command: str, show: bool = True) -> None:
        """Run a command that says nothing."""
        if show:
            print(f"\n$ {shlex.join(command)}", flush=True)
        done = self._quietly(*command)
        self._check_code(done, 0)

    def _check_code(self, done: subprocess.CompletedProcess[str], expected: int) -> None:
        if done.returncode != expected:
            print(f"\nThe whole output:\n{done.stdout}")
            raise NotAsToldError(f"`{shlex.join(done.args)}` ended with exit code {done.returncode}, not {expected}")

    def _quietly(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self._folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            check=False,
        )

    def _baselines(self) -> dict[str, bytes]:
        files = (self._folder / ".memgate").rglob("*.yaml")
        return {str(file): file.read_bytes() for file in files}


def told(output: str) -> list[str]:
    """Return what a reader wants of pytest's output: the first failure, memgate's summary and the last line."""
    shown: list[str] = []
    part, failures = "start", 0
    for line in output.splitlines():
        if line.startswith("==="):
            part = line.strip("= ")
        failures += part == "FAILURES" and line.startswith("___")
        wanted = part == "memgate" or (part == "FAILURES" and failures < 2) or " passed" in part
        if wanted:
            shown.append(line)
        elif shown[-1:] != ["[…]"]:
            shown.append("[…]")
    return shown


def say(*lines: str) -> None:
    print("\n" + "\n".join(lines))


def chapter(title: str) -> None:
    say("", title, "-" * len(title))


def check(is_so: bool, otherwise: str) -> None:
    if not is_so:
        raise NotAsToldError(otherwise)


def _line_that_grows(file: Path) -> int:
    lines = file.read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, start=1) if "body += chunk" in line)


def _source(file: Path) -> str:
    return file.read_text(encoding="utf-8").splitlines()[_line_that_grows(file) - 1].strip()


def _environment() -> dict[str, str]:
    """Return the variables for the commands: those of this Python are found first."""
    scripts = sysconfig.get_path("scripts")
    missing = [name for name in ("pytest", "memgate") if not shutil.which(name, path=scripts)]
    missing += [] if importlib.util.find_spec("flask") else ["flask"]
    check(not missing, f"{', '.join(missing)} not installed for this Python; `make demo` makes an environment with all")
    kept = {name: value for name, value in os.environ.items() if name not in UNWANTED and not name.startswith("GIT_")}
    return kept | {"PATH": os.pathsep.join((scripts, os.environ.get("PATH", ""))), "COLUMNS": "100", "PYTHONUTF8": "1"}


if __name__ == "__main__":
    sys.exit(main())
