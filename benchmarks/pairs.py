"""Whether `memgate compare` calls the same code slower, and finds what takes a quarter longer, beside a loaded core.

A project of 20 benchmarks (JSON, sorting, text, numbers) is compared with its own commit, so many times unchanged and
so many with a quarter more work, while another process keeps one core busy. The budget is 10 %. Prints the verdicts
last; exits with 1 unless at most one in 200 of the same is slower, and of the others 95 in 100 are slower and none
within.
"""

import argparse
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

from bench_common import project, say, title

_BUDGET = "budgets: {time.median: {growth: 10%}}\n"
_WORK = """
import json, math, re

EACH = 16
MORE = 0
DATA = [{"id": number, "words": "x" * (number % 50)} for number in range(60)]
TEXT = " ".join(f"word{number}" for number in range(600))

def as_json():
    for _ in range(EACH + MORE):
        json.loads(json.dumps(DATA))

def sorting():
    for _ in range(EACH + MORE):
        sorted(range(2000, 0, -1), key=lambda one: one % 97)

def text():
    for _ in range(EACH + MORE):
        re.sub(r"[0-9]+", "-", TEXT).split()

def numbers():
    for _ in range(EACH + MORE):
        sum(math.sqrt(one) for one in range(2000))
"""
_TESTS = """
import pytest, work

@pytest.mark.parametrize("number", range(5))
@pytest.mark.parametrize("name", ["as_json", "sorting", "text", "numbers"])
def test_work(benchmark, name, number):
    benchmark(getattr(work, name))
"""
_BUSY = "while True: sum(range(1000))"


def main() -> int:
    """Measure; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--runs", type=int, default=10, help="runs of 20 comparisons of the same code; half as many slow"
    )
    runs = parser.parse_args().runs
    title(f"{runs} runs of the same code, {max(1, runs // 2)} with a quarter more")
    with project() as folder, subprocess.Popen([sys.executable, "-c", _BUSY]) as load:
        try:
            for name, content in (("work.py", _WORK), ("test_work.py", _TESTS), ("memgate.yml", _BUDGET)):
                Path(folder, name).write_text(content, encoding="utf-8")
            _commit(folder)
            same = sum((_compared(folder, f"same {number + 1}") for number in range(runs)), Counter())
            Path(folder, "work.py").write_text(_WORK.replace("MORE = 0", "MORE = 4"), encoding="utf-8")
            slow = sum((_compared(folder, f"slow {number + 1}") for number in range(max(1, runs // 2))), Counter())
        finally:
            load.kill()
    alarms = same["slower"]
    say(f"the same code: {_told(same)}; a quarter more: {_told(slow)}")
    found = slow["slower"] >= 0.95 * slow.total() and not slow["within"]
    return 0 if alarms <= max(1, same.total() // 200) and found else 1


def _commit(folder: Path) -> None:
    who = ("-c", "user.name=benchmark", "-c", "user.email=benchmark@example.org")
    for args in (["init", "-q"], ["add", "-A"], [*who, "commit", "-q", "-m", "base"]):
        subprocess.run(["git", *args], cwd=folder, check=True)


def _compared(folder: Path, what: str) -> Counter[str]:
    """Return the verdicts on the tests of one comparison."""
    report = folder.parent / "run.json"
    report.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest_memgate", "compare", "HEAD", f"--memgate-report={report}"]
    off = " ".join(f"-p no:{name}" for name in ("randomly", "asyncio", "anyio"))
    environ = {name: value for name, value in os.environ.items() if name != "CI"}
    done = subprocess.run(
        command, cwd=folder, env={**environ, "PYTEST_ADDOPTS": off}, capture_output=True, text=True, check=False
    )
    if not report.exists():
        print(done.stdout, done.stderr)
        print("no answer: the comparison wrote no run")
        sys.exit(2)
    words = {"regressed": "slower", "unstable": "undecided", "passed": "within"}
    found: Counter[str] = Counter()
    for one in json.loads(report.read_text(encoding="utf-8"))["findings"]:
        if one["metric"] == "time.median":
            remark = next((rem for rem in one["measurement"]["remarks"] if rem["kind"] == "pairs"), None)
            word = words[one["outcome"]] if remark else "without pairs"
            if remark and word == "within" and not 0 < remark["amounts"][3] <= 1.1:
                word = "undecided"
            found[word] += 1
    print(f"{what}: {_told(found)}", flush=True)
    return found


def _told(found: Counter[str]) -> str:
    return ", ".join(f"{number} {word}" for word, number in sorted(found.items()))


if __name__ == "__main__":
    sys.exit(main())
