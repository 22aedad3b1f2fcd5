"""Broken run files, baselines and configurations through every command that reads them.

Real files are changed at random: bytes, lengths, types, depth, numbers, keys, surrogates, aliases; some are replaced by
a pipe, a device, a folder or a huge file. Each goes through one command, in a forked process with limits. A case fails
on a traceback, an exit code that the documentation does not know, more than 5 s of processor time or 500 MB, words that
only the source code knows, or an input that is lost. `--seed` gives the same cases again, `--only` one of them.

    python benchmarks/fuzz.py --runs 3000
"""

import argparse
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from bench_common import say, title
from fuzz_changes import changed_json, changed_toml, changed_yaml, put_strange_file

from pytest_memgate.baseline.document import load
from pytest_memgate.cli import main as command
from pytest_memgate.errors import BaselineError

ROOT = Path(__file__).resolve().parents[1]
RUNS = sorted((ROOT / "tests" / "data" / "runs").glob("*.json"))
EXAMPLE = ROOT / "example_project"
ENVIRONMENT = "linux-x86_64-cpython3.11"  # of all these files

CODES = {0, 1, 2, 3}
CPU_S, WALL_S, MEMORY_MB = 5, 30, 500
_CONFIG = b"""\
budgets:
  memory.peak: {growth: 200KB, drift: 300KB, limit: 64MiB}
  bundle.initial.gzip[main]: {growth: "max(10KB, 5%)"}
  custom.rows: {growth: 20 rows}
  overrides:
    - tests: tests/etl/**
      track: allocations
      memory.peak: {growth: 1MB}
      web.lcp: {growth: 300ms}
waivers:
  - test: tests/test_export.py::test_no_orders
    metric: memory.peak
    ceiling: 3MB
    until: 2027-01-31
    reason: the new report
bundles:
  shop: {stats: dist/stats.json, entries: [main, "admin*"]}
  site: {files: ["dist/*.js"], lazy: ["dist/lazy/*.js"], root: dist}
pages:
  home: {serve: dist, path: /, runs: 5, form_factor: mobile, throttling: simulate, settings: {locale: de}}
  app: {url: "http://localhost:{port}", start: "npm start -- {port}", ready: 30s, timeout: 60s}
imports: [shop.report, json]
measure: each
missing: fail
"""
_TABLE = b"""\
[tool.memgate]
missing = "warn"
[tool.memgate.budgets."memory.peak"]
growth = "200KB"
limit = 5000
[[tool.memgate.budgets.overrides]]
tests = "tests/etl/**"
"web.lcp" = {growth = "300ms"}
"""
_OURS = ("Traceback", "<class", "<enum", " object at 0x", "Located(", "pytest_memgate.", "NoneType", "__init__()")
_STRANGE = 0.06  # of the cases: no regular file at all


@dataclass(slots=True)
class Case:
    """One input, changed, and the command that reads it; `kept` are the files that it must leave as they are."""

    arguments: list[str]
    kept: list[Path] = field(default_factory=list)
    baselines: list[Path] = field(default_factory=list)
    only_codes: frozenset[int] = frozenset(CODES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a command ended: its exit code, or the negative number of the signal that ended it."""

    code: int
    cpu_seconds: float
    memory_mb: float
    output: str


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3000, help="how many cases")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, help="the number of one case, which is shown")
    arguments = parser.parse_args()
    _load_what_commands_import()
    title(f"{arguments.runs} broken files, seed {arguments.seed}")
    codes: Counter[int] = Counter()
    slowest = largest = 0.0
    faults = 0
    numbers = range(arguments.runs) if arguments.only is None else [arguments.only]
    for number in numbers:
        with tempfile.TemporaryDirectory(prefix="memgate-fuzz-") as name:
            case, outcome, found = _tried(Path(name).resolve(), random.Random(f"{arguments.seed}:{number}"))
        codes[outcome.code] += 1
        slowest, largest = max(slowest, outcome.cpu_seconds), max(largest, outcome.memory_mb)
        if found or arguments.only is not None:
            faults += bool(found)
            say(f"case {number}: memgate {' '.join(case.arguments)}")
            say(f"  {'; '.join(found) or 'no fault'}")
            say("  " + outcome.output[-2000:].replace("\n", "\n  "))
    counted = ", ".join(f"{number} x {code}" for code, number in sorted(codes.items()))
    say(f"exit codes: {counted}; at most {slowest:.1f} s and {largest:.0f} MB")
    say(f"{faults} of {len(numbers)} cases at fault")
    return 1 if faults else 0


def _load_what_commands_import() -> None:
    """Import once what each forked process would import again."""
    import pytest_memgate.report.html.assemble
    import pytest_memgate.report.html.render
    import pytest_memgate.report.openmetrics
    import pytest_memgate.tasks.baseline.accept
    import pytest_memgate.tasks.baseline.anchor
    import pytest_memgate.tasks.baseline.check
    import pytest_memgate.tasks.ci.outcome
    import pytest_memgate.tasks.run.diff
    import pytest_memgate.tasks.run.merge
    import pytest_memgate.tasks.run.report  # noqa: F401


def _tried(folder: Path, dice: random.Random) -> tuple[Case, Outcome, list[str]]:
    _lay_out(folder)
    case = dice.choices([_run_case, _baseline_case, _config_case], [5, 4, 3])[0](folder, dice)
    before = {path: path.read_bytes() for path in (*case.kept, *case.baselines) if _is_small_file(path)}
    outcome = _executed(folder, case.arguments)
    return case, outcome, _faults(case, outcome, before)


def _lay_out(folder: Path) -> None:
    """Make a project with baselines, a configuration and a run that fits them."""
    (folder / "tests").mkdir()
    (folder / "tests" / "test_export.py").write_text("def test_no_orders(): ...\n", encoding="utf-8")
    shutil.copytree(EXAMPLE / ".memgate", folder / ".memgate")
    shutil.copy(EXAMPLE / "memgate.yml", folder / "memgate.yml")
    shutil.copy(ROOT / "tests" / "data" / "runs" / "failed-2.json", folder / "good.json")


def _run_case(folder: Path, dice: random.Random) -> Case:
    path = folder / "run.json"
    original = dice.choice(RUNS).read_bytes()
    strange = dice.random() < _STRANGE
    if strange:
        put_strange_file(path, dice)
    else:
        path.write_bytes(changed_json(original, dice))
    form = dice.choice(["markdown", "html", "github", "openmetrics", "json"])
    arguments = dice.choice(
        [
            ["verdict", "run.json"],
            ["report", "run.json", "--format", form],
            ["report", "run.json", "good.json", "--format", dice.choice(["markdown", "html"])],
            ["report", "good.json", "run.json", "--format", form, "-o", "report.txt"],
            ["diff", "run.json", "good.json"],
            ["diff", "good.json", "run.json"],
            ["diff", "run.json", "run.json"],
            ["merge", "run.json", "-o", "whole.json"],
            ["merge", "run.json", "good.json", "-o", "whole.json", "--partial"],
            ["baseline", "accept", "run.json"],
            ["baseline", "accept", "run.json", "--reason", "meant"],
            ["baseline", "accept", "run.json", "tests/test_export.py::test_a_day_is_exported", "--reason", "meant"],
        ]
    )
    return Case(
        arguments,
        kept=[path, folder / "good.json", folder / "memgate.yml"],
        baselines=_baselines(folder),
        only_codes=frozenset({3}) if strange else frozenset(CODES),
    )


def _baseline_case(folder: Path, dice: random.Random) -> Case:
    path = dice.choice(_baselines(folder))
    file = path.relative_to(folder / ".memgate").as_posix().partition("/")[2].removesuffix(".yaml")
    others = [one for one in _baselines(folder) if one != path]
    if dice.random() < _STRANGE:
        put_strange_file(path, dice)
    else:
        path.write_bytes(changed_yaml(path.read_bytes(), dice))
    arguments = dice.choice(
        [
            ["baseline", "show", "--environment", ENVIRONMENT],
            ["baseline", "show", file],
            ["baseline", "check"],
            ["baseline", "anchor", "--reason", "agreed"],
            ["baseline", "anchor", file, "--reason", "agreed"],
            ["baseline", "accept", "good.json", "--reason", "meant"],
            ["merge", "good.json", "-o", "whole.json"],
        ]
    )
    return Case(arguments, kept=[folder / "good.json", folder / "memgate.yml"], baselines=[path, *others])


def _config_case(folder: Path, dice: random.Random) -> Case:
    path = folder / "memgate.yml"
    if dice.random() < _STRANGE:
        put_strange_file(path, dice)
    elif dice.random() < 0.25:
        path.unlink()
        path = folder / "pyproject.toml"
        path.write_bytes(changed_toml(_TABLE, dice))
    else:
        path.write_bytes(changed_yaml(dice.choice([path.read_bytes(), _CONFIG]), dice))
    arguments = dice.choice([["config"], ["config"], ["merge", "good.json", "-o", "whole.json"], ["init"]])
    return Case(arguments, kept=[path, folder / "good.json"], baselines=_baselines(folder))


def _baselines(folder: Path) -> list[Path]:
    return sorted((folder / ".memgate").rglob("*.yaml"))


def _executed(folder: Path, arguments: list[str]) -> Outcome:
    """Run a command in a forked process with limits."""
    with tempfile.TemporaryFile() as output:
        child = os.fork()
        if not child:
            _become(folder, arguments, output.fileno())
        _, status, used = os.wait4(child, 0)
        output.seek(0)
        text = output.read().decode("utf-8", "replace")
    return Outcome(
        code=os.waitstatus_to_exitcode(status),
        cpu_seconds=used.ru_utime + used.ru_stime,
        memory_mb=used.ru_maxrss / 1000,
        output=text,
    )


def _become(folder: Path, arguments: list[str], output: int) -> None:
    code = 70
    try:
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.chdir(folder)
        resource.setrlimit(resource.RLIMIT_CPU, (2 * CPU_S, 2 * CPU_S))
        signal.alarm(WALL_S)  # a process that waits uses no processor time
        sys.argv = ["memgate", "--root", str(folder), *arguments]
        command.main()
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 0 if error.code is None else 1
    except BaseException:  # noqa: BLE001  # all of it is a fault, and is told by the parent
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _faults(case: Case, outcome: Outcome, before: dict[Path, bytes]) -> list[str]:
    found = []
    if outcome.code not in case.only_codes:
        found.append(f"exit code {outcome.code}")
    if outcome.cpu_seconds > CPU_S:
        found.append(f"{outcome.cpu_seconds:.1f} s")
    if outcome.memory_mb > MEMORY_MB:
        found.append(f"{outcome.memory_mb:.0f} MB")
    if outcome.code and not outcome.output.strip():
        found.append("no word of why")
    found += [f"says {word!r}" for word in _OURS if outcome.code > 1 and word in outcome.output]
    found += [f"{path.name} was changed" for path in case.kept if path in before and not _still(path, before[path])]
    found += [f"{path.name} is lost" for path in case.baselines if not path.exists() and not path.is_symlink()]
    found += [f"{path.name}: {error}" for path, error in _newly_broken(case, before)]
    return found


def _still(path: Path, data: bytes) -> bool:
    return path.is_file() and path.read_bytes() == data


def _is_small_file(path: Path) -> bool:
    return path.is_file() and path.stat().st_size < 10**7


def _newly_broken(case: Case, before: dict[Path, bytes]) -> list[tuple[Path, str]]:
    """Return the baseline files that a command has written, and that cannot be read."""
    broken = []
    for path in case.baselines:
        try:
            if _is_small_file(path) and path.read_bytes() != before.get(path):
                load(path.read_text(encoding="utf-8"), path.name)
        except (BaselineError, UnicodeDecodeError) as error:
            broken.append((path, str(error)))
    return broken


if __name__ == "__main__":
    sys.exit(main())
