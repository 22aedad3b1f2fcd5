"""The texts that people read, kept as files beside this one and compared to the letter.

To write them anew after a change that is meant: `MEMGATE_GOLDEN=write python -m pytest tests/golden`, then review the
difference like code. Such a run fails, so that it cannot be mistaken for a check.
"""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from samples import ENVIRONMENT, FILE, FOLDER, METRIC, budget, cold, document, finding, known, settled, site

from pytest_memgate.baseline.document import dump
from pytest_memgate.budget.rule import Budget
from pytest_memgate.compare.attribution import growth_by_site
from pytest_memgate.compare.judge import judge
from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.model.judgement.reason import Cause, UsedWaiver
from pytest_memgate.model.judgement.reference import Bar, Reference, Standing
from pytest_memgate.model.judgement.remark import Remark, RemarkKind
from pytest_memgate.model.measurement import Basis, Measurement
from pytest_memgate.model.run import Change, ChangeKind, Problem, Run, Verdict
from pytest_memgate.model.subject import Subject
from pytest_memgate.report.lines import failure_text
from pytest_memgate.report.terminal import summary

HERE = Path(__file__).parent
MB = 1_000_000


def check(name: str, text: str) -> None:
    path = HERE / f"{name}.txt"
    if os.environ.get("MEMGATE_GOLDEN") == "write":
        path.write_text(text + "\n", encoding="utf-8", newline="\n")
        pytest.fail(f"wrote {path.name}: review it", pytrace=False)
    assert text + "\n" == path.read_text(encoding="utf-8")


BODIES = site(
    "__call__",
    4_900_000,
    path="shop/middleware.py",
    line=41,
    via=("shop/app.py:17 in handle", "tests/test_shop.py:12 in test_order"),
    uses=("flask 3.1.0",),
)
ROWS = site("rows", 800_000, path="sqlalchemy/engine/result.py", line=530, via=("shop/orders.py:88 in history",))
SMALL = site("parse", 20_000, path="json/decoder.py", line=340)
SITES = {
    "shop/middleware.py:__call__": 700_000,
    "sqlalchemy/engine/result.py:rows": 820_000,
    "shop/old.py:cache": 90_000,
}


def judged(name: str, measurement: Measurement, reference: Reference | None, allowed: Budget) -> Finding:
    bar = known(reference) if reference else Bar(standing=Standing.NEW)
    found = judge(Subject(FILE, name), METRIC, measurement, allowed, bar)
    if reference and found.growth and measurement.sites:
        found = replace(found, growth_by_site=growth_by_site(measurement.sites, reference.sites, found.growth))
    return replace(found, line=12)


GROWN = Measurement(
    value=5_720_000,
    basis=Basis.WARM,
    cold=6_900_000,
    warm=(5_719_000, 5_720_000),
    settled=True,
    modules=("flask", "flask.app", "werkzeug.serving"),
    sites=(BODIES, ROWS, SMALL),
)
REGRESSED = judged(
    "test_order", GROWN, Reference(value=1_700_000, sites=SITES), budget("max(200KB, 5%)", limit=64 * MB)
)
DRIFTED = judged(
    "test_history[last week]",
    settled(2_080_000, sites=(site("rows", 1_900_000, line=530), site("page", 180_000, line=9))),
    Reference(value=2_000_000, anchor=MB, reason="wider rows", sites={"shop/orders.py:rows": 1_850_000}),
    budget(drift="1MB"),
)
LIMIT = judged("test_import", cold(70 * MB, sites=(site("load", 70 * MB, line=3),)), None, budget(limit=64 * MB))
LIMIT = replace(
    LIMIT,
    measurement=replace(cold(70 * MB), remarks=(Remark(kind=RemarkKind.NOT_REPEATABLE, text="ValueError: once only"),)),
)


@pytest.mark.parametrize(
    ("name", "one", "outcome"),
    [
        ("failure-regressed", replace(REGRESSED, kept=("out/test order.bin",)), Outcome.REGRESSED),
        ("failure-drifted", DRIFTED, Outcome.DRIFTED),
        ("failure-limit", LIMIT, Outcome.REGRESSED),
    ],
)
def test_a_failing_test_says_what_grew_and_what_to_do(name: str, one: Finding, outcome: Outcome) -> None:
    assert one.outcome is outcome
    check(name, failure_text(one))


FAILED = Run(
    environment=ENVIRONMENT,
    verdict=Verdict.FAILED,
    findings=(
        judged("test_small", Measurement(value=MB, basis=Basis.BOUND, cold=MB), Reference(value=MB), budget()),
        REGRESSED,
        DRIFTED,
        LIMIT,
        finding(Outcome.UNREADABLE, name="test_torn", why=f"{FOLDER}/tests/test_x.py.yaml:9: conflict markers"),
        judged("test_wobbly", settled(2 * MB, spread=900_000), Reference(value=1_500_000), budget()),
        finding(Outcome.UNMEASURED, name="test_timed", why="timed by pytest-benchmark's fixture"),
        replace(finding(Outcome.VANISHED, name="test_gone", baseline=MB), cause=Cause.NOT_COLLECTED),
        Finding(subject=Subject(FILE, "test_later"), metric="", outcome=Outcome.NOT_RUN, why="skipped: later"),
        judged("test_new", settled(300_000), None, budget()),
        replace(
            judged("test_known", settled(3 * MB), Reference(value=MB), budget()),
            outcome=Outcome.WAIVED,
            waivers=(UsedWaiver(until="2027-01-31", reason="soon gone", source="memgate.yml:9", ceiling=4 * MB),),
        ),
        judged("test_better", settled(MB), Reference(value=5 * MB), budget()),
        finding(Outcome.SKIPPED, name="test_left_out", why="reads the whole disk"),
        judged("test_once", cold(9 * MB, imports=8 * MB), Reference(value=MB, repeatable=False), budget()),
    ),
    problems=(
        Problem(text="memgate.yml:9: the waiver for tests/** is not needed", hint="remove it"),
        Problem(text=f"{FOLDER}/tests/test_x.py.yaml:9: conflict markers", verdict=Verdict.NO_ANSWER),
    ),
    changes=(
        Change(subject=Subject(FILE, "test_new"), metric=METRIC, kind=ChangeKind.NEW, after=300_000),
        Change(
            subject=Subject(FILE, "test_known"),
            metric=METRIC,
            kind=ChangeKind.RAISED,
            before=900_000,
            after=MB,
            reason="new cache",
        ),
    ),
    loosened=("growth of memory.peak: 200 KB -> 1 MB (memgate.yml:3); it counts once it is on the base",),
    baseline=FOLDER,
    compared_with="origin/main",
    strict=True,
    skipped=4,
    failed=1,
)

PASSED = Run(
    environment=ENVIRONMENT,
    verdict=Verdict.PASSED,
    findings=tuple(
        judged(f"test_{name}", Measurement(value=MB, basis=Basis.BOUND, cold=MB), Reference(value=MB), budget())
        for name in ("one", "two")
    ),
    baseline=FOLDER,
)
UPDATED = replace(PASSED, update=True, changes=FAILED.changes)


@pytest.mark.parametrize(("mode", "verbosity"), [("normal", 0), ("q", -1), ("v", 1)])
@pytest.mark.parametrize(("name", "run"), [("failed", FAILED), ("passed", PASSED), ("updated", UPDATED)])
def test_the_summary_reads_as_it_did(name: str, run: Run, mode: str, verbosity: int) -> None:
    notes = ("tests/test_shop.py::test_order: an extra run could not be torn down",) if run is FAILED else ()
    lines = summary(run, verbosity=verbosity, notes=notes)
    check(f"summary-{name}-{mode}", "\n".join(f"{line.tone.value:<5} {line.text}" for line in lines))


def test_a_baseline_file_reads_as_it_did() -> None:
    check(
        "baseline",
        dump(document({"test_order": Reference(value=1_700_000, sites=SITES), "test_b": Reference(value=1)})),
    )


def test_every_text_here_is_compared() -> None:
    names = {f"summary-{run}-{mode}" for run in ("failed", "passed", "updated") for mode in ("normal", "q", "v")}
    names |= {"failure-regressed", "failure-drifted", "failure-limit", "baseline"}
    there = {path.stem for path in HERE.glob("*.txt") if not path.stem.startswith("history-")}  # of another module
    assert there == names
