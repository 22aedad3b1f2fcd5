"""How much the selftest injects, and that what it injects counts in full."""

import gc
import gzip
import json
import sys
import zlib
from dataclasses import replace
from pathlib import Path

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import METRIC, SUBJECT, budget, cold, finding, known, run_of, settled

from pytest_memgate.compare.judge import judge
from pytest_memgate.config.schema import Settings
from pytest_memgate.errors import MeasureError
from pytest_memgate.model.judgement.finding import Outcome
from pytest_memgate.model.judgement.reference import Reference
from pytest_memgate.plugin.child_runs.inject_growth import memgate_selftest_growth
from pytest_memgate.tasks.prove.pytest_subprocess import Done
from pytest_memgate.tasks.prove.scratch_project import Scratch, noise
from pytest_memgate.tasks.prove.trial import beyond, why_not_green

GROWTHS = st.sampled_from(["0B", "50KB", "200KB", "5%", "max(200KB, 5%)", "30MB"])


@given(GROWTHS, st.integers(0, 10**9), st.integers(0, 10**9))
def test_what_is_injected_is_always_beyond_the_budget(growth: str, stored: int, value: int) -> None:
    bar = known(Reference(value=stored))
    before = judge(SUBJECT, METRIC, settled(value), budget(growth), bar)
    if before.outcome not in {Outcome.PASSED, Outcome.IMPROVED}:
        return
    size = beyond(before)
    after = judge(SUBJECT, METRIC, settled(value + size), budget(growth), bar)
    assert after.outcome is Outcome.REGRESSED


def test_what_is_injected_is_little_beyond_the_budget() -> None:
    before = judge(SUBJECT, METRIC, settled(100_000), budget("200KB"), known(Reference(value=100_000)))
    assert beyond(before) == 250_000
    lower = judge(SUBJECT, METRIC, settled(40_000), budget("200KB"), known(Reference(value=100_000)))
    assert beyond(lower) == 310_000  # it has further to go


def test_imports_of_a_first_run_do_not_stand_for_growth() -> None:
    before = judge(SUBJECT, METRIC, cold(150_000, imports=50_000), budget("200KB"), known(Reference(value=100_000)))
    assert beyond(before) == 250_000


def test_nothing_is_injected_where_no_budget_of_growth_is_held_against_a_baseline() -> None:
    assert beyond(finding(Outcome.NEW, settled(1))) == 0
    assert beyond(finding(Outcome.UNMEASURED)) == 0


@pytest.mark.parametrize("size", [1, 20_000, 1_000_000])
def test_small_objects_hold_what_they_are_to_hold(size: int) -> None:
    gc.collect()
    held = memgate_selftest_growth(size)
    real = sum(map(sys.getsizeof, held)) + sys.getsizeof(held)
    assert size <= real <= 1.05 * size + 400


@pytest.mark.parametrize("size", [20_000, 250_000])
def test_noise_is_as_large_as_wanted_however_it_is_compressed(size: int) -> None:
    text = noise(size).encode()
    assert len(brotli.compress(text, quality=11)) >= size
    assert len(gzip.compress(text, 9)) >= size
    assert len(zlib.compress(text, 9)) < 1.1 * size
    assert b"*/" not in text
    assert b"--" not in text  # nor the end of a comment in a page
    assert noise(size).encode() == text


@pytest.mark.parametrize(
    ("outcome", "why"),
    [
        (Outcome.PASSED, ""),
        (Outcome.IMPROVED, ""),
        (Outcome.NOT_GATED, "no budget names it"),
        (Outcome.INCOMPARABLE, "the gate says of it unchanged: incomparable, other memray"),
        (Outcome.WAIVED, "the gate says of it unchanged: waived, other memray"),
        (Outcome.REGRESSED, "the gate says of it unchanged: regressed, other memray"),
    ],
)
def test_only_what_is_green_can_turn_red(outcome: Outcome, why: str) -> None:
    found = finding(outcome, settled(1), why="other memray" if why else "")
    done = Done(code=0, out="", run=run_of(found), seconds=1)
    assert why_not_green([found], done, SUBJECT) == why
    assert why_not_green([], done, SUBJECT) == "the test was not run, or it was skipped"


@pytest.mark.parametrize(
    ("code", "out", "why"),
    [
        (
            2,
            "= ERRORS =\nERROR collecting tests/test_x.py\nE   boom\n",
            "pytest could not collect tests/test_x.py: boom",
        ),
        (4, "ERROR: file not found: x\n", "pytest ended with 4: ERROR: file not found: x"),
        (4, "ERROR: usage: p\np: error: no such --x\n  rootdir: y\n", "pytest ended with 4: p: error: no such --x"),
        (3, "INTERNALERROR> Traceback\nINTERNALERROR> Boom\n", "pytest ended with 3: INTERNALERROR> Boom"),
        (-11, "", "pytest ended with -11: it said nothing"),
        (0, "1 passed", "pytest ended with 0: 1 passed"),  # and wrote no run
    ],
)
def test_a_run_without_an_answer_says_why(code: int, out: str, why: str) -> None:
    assert Done(code=code, out=out, run=None, seconds=1).why_useless == why


def test_a_run_that_took_too_long_says_so() -> None:
    done = Done(code=-1, out="1 passed", run=run_of(), seconds=300.4, timed_out=True)
    assert done.why_useless == "it did not end within 300 s"


def test_a_red_gate_is_an_answer() -> None:
    assert Done(code=1, out="", run=run_of(finding(Outcome.REGRESSED, settled(1))), seconds=1).why_useless == ""


def test_a_scratch_copy_holds_only_files_of_the_project(tmp_path: Path) -> None:
    project, elsewhere = tmp_path / "project", tmp_path / "elsewhere.js"
    (project / ".memgate" / "web").mkdir(parents=True)
    (project / ".memgate" / "web" / "memgate.yml.yaml").write_text("format: 1\n", encoding="utf-8")
    (project / "memgate.yml").write_text("{}\n", encoding="utf-8")
    (project / "app.js").write_text("1;\n", encoding="utf-8")
    elsewhere.write_text("2;\n", encoding="utf-8")
    scratch = Scratch(project, replace(Settings(), file="memgate.yml"), tmp_path / "scratch")
    scratch.copy([project / "app.js"])
    assert (scratch.root / "app.js").read_text(encoding="utf-8") == "1;\n"
    assert json.loads((scratch.root / "memgate.yml").read_text(encoding="utf-8")) == {}
    assert (scratch.root / ".memgate/web/memgate.yml.yaml").is_file()
    with pytest.raises(MeasureError, match="outside the project"):
        scratch.copy([elsewhere])
