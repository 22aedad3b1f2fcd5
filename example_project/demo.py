"""Tells the story of the gate with real commands, in a copy of this folder: `python example_project/demo.py`.

The Python that runs it has pytest-memgate and requirements.txt installed. It ends with 1 if the story goes another way.
"""

import io
import json
import shutil
import sys
import tempfile
from pathlib import Path

from demo_faults import CHECKS, FaultStory
from demo_service import ServiceStory
from demo_teller import GIT, NotAsToldError, Teller, chapter, check, say
from demo_web import WebStory

HERE = Path(__file__).resolve().parent
MIDDLEWARE = "shop/middleware.py"
LEAKY = "variants/leaky_middleware.py"
LEAKING = ("tests/test_deliveries.py::test_a_day_of_deliveries", "tests/test_orders.py::test_an_hour_of_orders")
REASON = "support replays failed requests from their bodies"
GATE = ("pytest", "--memgate", "tests")
UPDATE = ("memgate", "baseline", "update")
NO_FIT = {"no baseline", "incomparable"}  # outcomes of tests whose baselines are from another environment
NOT_COPIED = ("__pycache__", ".*_cache", ".venv", "node_modules", "dist", ".lighthouseci")


def main() -> int:
    """Tell the story; return 1 with a line that says what went wrong, 0 with a line that sums it up."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal that cannot show "…" is no reason to stop
    try:
        with tempfile.TemporaryDirectory(prefix="memgate-demo-") as name:
            folder = Path(name, "shop-project")
            shutil.copytree(HERE, folder, ignore=shutil.ignore_patterns(*NOT_COPIED))
            teller = Teller(folder)
            Story(teller).tell()
            FaultStory(teller, HERE).tell()
            left_out = [part for part in (ServiceStory(teller, HERE).tell(), WebStory(teller, HERE).tell()) if part]
    except NotAsToldError as error:
        print(f"\nThe demo FAILED: {error}")
        return 1
    print("\nThe demo passed: green when repaired, red when leaky with the line named, no raise without a reason.")
    print("And red for what is kept for ever, never ends, loads too much or allocates each time, all named.")
    if left_out:
        print(f"Left out: {'; '.join(left_out)}.")
    else:
        print("And red for a leak in a running service, a library in the first screen and a late picture, all named.")
    return 0


class Story:
    """The tests of the shop under the gate, and a middleware that leaks."""

    def __init__(self, teller: Teller) -> None:
        self._teller = teller
        self._base: tuple[str, ...] = ("--memgate-base", "HEAD")

    def tell(self) -> None:
        self._prepare()
        self._green()
        self._red()
        self._refused()
        self._accepted()
        self._repaired()

    def _prepare(self) -> None:
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
            self._teller.run(*UPDATE, "-q", *CHECKS)
        if self._teller.has("git"):
            for command in (("init", "-q"), ("add", "-A"), ("commit", "-q", "-m", "The shop, with its request log")):
                self._teller.do(*GIT, *command, show=False)
        else:
            self._base = ()
            say("git is not there, so the comparison with a commit (--memgate-base) is left out.")

    def _baselines_fit(self) -> bool:
        report = self._teller.folder / "run.json"
        self._teller.quietly(*GATE, f"--memgate-report={report}")
        check(report.exists(), "pytest --memgate wrote no report: try `memgate doctor`")
        findings = json.loads(report.read_text(encoding="utf-8"))["findings"]
        report.unlink()
        return not any(finding["outcome"] in NO_FIT for finding in findings)

    def _green(self) -> None:
        chapter("1. The middleware is sound: it reads every body through one buffer that it uses again.")
        output = self._teller.run(*GATE)
        check("memgate: PASSED" in output, "the gate is not green on the repaired code")

    def _red(self) -> None:
        chapter("2. A change lets the middleware keep every request's body. Every assertion in the tests still holds.")
        self._teller.do("cp", LEAKY, MIDDLEWARE)
        output = self._teller.run(*GATE, expected=1)
        place = f"{MIDDLEWARE}:{_line_that_grows(self._teller.folder / MIDDLEWARE)} in __call__"
        check(place in output, f"the red gate does not name {place}")
        check("memgate: FAILED: 4 regressed" in output, "not exactly the two tests that send many bodies are red")
        say(
            f"Two tests are red, by what they hold at once and by what is left of it. Both point to {place}:",
            f"    {_source(self._teller.folder / MIDDLEWARE)}",
            "The other tests send little or nothing, and stay green.",
        )

    def _refused(self) -> None:
        chapter("3. The change tries to raise its own bar. Without a reason, it cannot.")
        before = self._baselines()
        output = self._teller.run(*UPDATE, *LEAKING, expected=1)
        check("without a reason" in output, "the refusal does not ask for a reason")
        check(self._baselines() == before, "a baseline was changed without a reason")

    def _accepted(self) -> None:
        chapter("4. Suppose that the growth is meant: its author says why, for these two tests.")
        output = self._teller.run(*UPDATE, "--reason", REASON, *LEAKING)
        check("4 raised" in output, "the two tests' baselines were not raised")
        if self._base:
            say("The gate lets it pass now. Held against the last commit, it lists what was raised, and why:")
        output = self._teller.run(*GATE, *self._base)
        check("memgate: PASSED" in output, "the gate is not green after the accepted raise")
        if self._base:
            check(output.count(REASON) == 4, "the raises are not listed with their reason")

    def _repaired(self) -> None:
        chapter("5. The leak is repaired after all. The gate sees that too, and the bar can go back to where it was.")
        back = ("git", "checkout", "-q", MIDDLEWARE) if self._base else ("cp", str(HERE / MIDDLEWARE), MIDDLEWARE)
        self._teller.do(*back)
        output = self._teller.run(*GATE)
        check(output.count("improved ") == 4, "the two tests have not improved")
        output = self._teller.run(*UPDATE, "--only", "lowered", "tests/test_deliveries.py", "tests/test_orders.py")
        words = " ".join(output.split())
        check(all(f"lowered {test}" in words for test in LEAKING), "the two baselines were not lowered")

    def _baselines(self) -> dict[str, bytes]:
        files = (self._teller.folder / ".memgate").rglob("*.yaml")
        return {str(file): file.read_bytes() for file in files}


def _line_that_grows(file: Path) -> int:
    lines = file.read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, start=1) if "body += chunk" in line)


def _source(file: Path) -> str:
    return file.read_text(encoding="utf-8").splitlines()[_line_that_grows(file) - 1].strip()


if __name__ == "__main__":
    sys.exit(main())
