"""Values and small projects that tests are made of: one short call each, every field open to be set."""

import subprocess
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from statistics import median_low
from typing import Any

from pytest_memgate.baseline.document import Document, dump
from pytest_memgate.baseline.source import GitRef, WorkTree
from pytest_memgate.baseline.store import Stores
from pytest_memgate.budget.rule import Allowance, Budget
from pytest_memgate.config.sources import Config, load_settings
from pytest_memgate.model.environment import Environment, Header
from pytest_memgate.model.judgement.budget import BudgetRule, RuleKind
from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.model.judgement.reference import Bar, Reference, Standing
from pytest_memgate.model.measurement import Basis, Measurement
from pytest_memgate.model.run import Run, Verdict
from pytest_memgate.model.site import Lead, LeadKind, Site
from pytest_memgate.model.subject import Subject
from pytest_memgate.tasks.judge.baselines import Baselines
from pytest_memgate.tasks.judge.gate import Gate
from pytest_memgate.units import SIZE

METRIC = "memory.peak"
FILE = "tests/test_shop.py"
SUBJECT = Subject(FILE, "test_order")
HEADER = Header(allocator="pymalloc, traced", memray="1.20", coverage=False)
OTHER_HEADER = Header(allocator="pymalloc, traced", memray="1.19", coverage=False)
ENVIRONMENT = Environment(key="linux-x86_64-cpython3.11", header=HEADER)
FOLDER = f".memgate/{ENVIRONMENT.key}"
TODAY = date(2026, 6, 15)


def site(
    function: str, size: int, *, path: str = "shop/orders.py", line: int = 0, via: tuple[str, ...] = (), **more: Any
) -> Site:
    """Return a call site of the project; `via` are its callers, as `shop/app.py:17 in handle`."""
    return Site(path=path, function=function, size=size, line=line, via=callers(*via), **more)


def callers(*labels: str) -> tuple[Lead, ...]:
    """Return callers by their labels: `shop/app.py:17 in handle`."""
    found = []
    for label in labels:
        place, _, function = label.rpartition(" in ")
        path, _, line = place.rpartition(":")
        found.append(Lead(kind=LeadKind.CALLER, path=path, line=int(line), function=function))
    return tuple(found)


def importers(*paths: str) -> tuple[Lead, ...]:
    """Return those who import a package or module, nearest first."""
    return tuple(Lead(kind=LeadKind.IMPORTER, path=path) for path in paths)


def settled(value: int, *, spread: int = 0, sites: tuple[Site, ...] = ()) -> Measurement:
    """Return what two warm runs agreed on, or, with a spread, what they never agreed on."""
    warm = (value - spread, value)
    return Measurement(
        value=value, basis=Basis.WARM, cold=value + 5000, warm=warm, settled=True, spread=spread, sites=sites
    )


def bound(value: int) -> Measurement:
    """Return what a first run says alone."""
    return Measurement(value=value, basis=Basis.BOUND, cold=value)


def cold(value: int, *, imports: int = 0, sites: tuple[Site, ...] = ()) -> Measurement:
    """Return what a test gave that cannot run twice: `value` in its first run, `imports` of it first use."""
    return Measurement(value=value - imports, basis=Basis.COLD, cold=value, settled=True, imports=imports, sites=sites)


def sampled(*values: float, again: Iterable[float] = (), settled: bool = True, **conditions: str) -> Measurement:
    """Return a noisy value: the middle of these samples, and those of a second collection."""
    return Measurement(
        value=median_low(values),
        basis=Basis.SAMPLES,
        settled=settled,
        samples=values,
        again=tuple(again),
        conditions=conditions,
    )


def exact(value: float, *, sites: tuple[Site, ...] = (), **conditions: str) -> Measurement:
    """Return a value that nothing can change but the input."""
    return Measurement(value=value, basis=Basis.EXACT, settled=True, sites=sites, conditions=conditions)


def taken(*values: float, **conditions: str) -> Reference:
    """Return the baseline that these samples give."""
    return Reference(value=median_low(values), samples=values, conditions=conditions)


def budget(
    growth: str | None = "200KB", *, limit: float | None = None, drift: str | None = None, unit: str = SIZE
) -> Budget:
    """Return a budget in the words of memgate.yml."""
    return Budget(
        growth=Allowance.parse(growth, unit) if growth else None,
        limit=limit,
        drift=Allowance.parse(drift, unit) if drift else None,
        unit=unit,
        sources=dict.fromkeys(("growth", "limit", "drift"), "memgate.yml:2"),
    )


def known(reference: Reference) -> Bar:
    """Return the bar of a test that has a baseline."""
    return Bar(standing=Standing.KNOWN, reference=reference)


def finding(
    outcome: Outcome = Outcome.PASSED,
    measurement: Measurement | None = None,
    *,
    name: str = SUBJECT.name,
    file: str = FILE,
    why: str = "",
    baseline: int | None = None,
) -> Finding:
    """Return a finding on a test of the shop."""
    return Finding(
        subject=Subject(file, name),
        metric=METRIC,
        outcome=outcome,
        why=why,
        measurement=measurement,
        baseline=baseline,
        rules=(BudgetRule(rule=RuleKind.GROWTH, amount=200_000),),
    )


def run_of(*findings: Finding, verdict: Verdict = Verdict.PASSED, environment: Environment = ENVIRONMENT) -> Run:
    """Return a run that found this."""
    return Run(environment=environment, verdict=verdict, findings=findings, baseline=FOLDER)


def document(entries: Mapping[str, Reference], header: Header = HEADER) -> Document:
    """Return a baseline file's content from the peak of each test."""
    return Document(header=header, entries={name: {METRIC: reference} for name, reference in entries.items()})


def put_baseline(
    root: Path,
    entries: Mapping[str, Reference],
    *,
    file: str = FILE,
    header: Header = HEADER,
    environment: str = ENVIRONMENT.key,
) -> Path:
    """Write a baseline file into a project and return its path."""
    path = root / ".memgate" / environment / f"{file}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(dump(document(entries, header)).encode())
    return path


def open_store(root: Path) -> Stores:
    """Return the baselines of the work tree, read anew."""
    return Stores(WorkTree(root), ENVIRONMENT.key)


def entries_of(root: Path, file: str = FILE) -> dict[str, Reference]:
    """Return the peaks that a baseline file holds now; nothing where there is no file."""
    found = open_store(root).own.document(file)
    return {name: metrics[METRIC] for name, metrics in found.entries.items()} if found else {}


def make_gate(root: Path, *, base: str = "", missing: str = "") -> Gate:
    """Return the gate of a project on a fixed day, in a fixed environment."""
    tree = WorkTree(root)
    own = load_settings(tree)
    ref = GitRef(root, base) if base else None
    return Gate(
        root=root,
        environment=ENVIRONMENT,
        config=Config(settings=load_settings(ref) if ref else own, options={}, missing=missing),
        own=own,
        baselines=Baselines(
            Stores(tree, ENVIRONMENT.key), Stores(ref, ENVIRONMENT.key) if ref else None, ENVIRONMENT.header
        ),
        base=ref,
        today=TODAY,
    )


def git(folder: Path, *args: str) -> str:
    """Run git in a folder, whatever this machine's own settings are."""
    settings = ("user.name=Test", "user.email=test@example.invalid", "commit.gpgsign=false", "core.autocrlf=false")
    options = [part for one in settings for part in ("-c", one)]
    done = subprocess.run(["git", *options, *args], cwd=folder, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, f"git {' '.join(args)}: {done.stdout}{done.stderr}"
    return done.stdout


def commit_all(folder: Path, *, branch: str = "main") -> None:
    """Commit the whole folder, in a repository made for it where there is none."""
    if not (folder / ".git").exists():
        git(folder, "init", "--quiet", f"--initial-branch={branch}")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "state")
