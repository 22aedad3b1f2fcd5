"""What a test is held against: the work tree's baseline, or that of a commit which the change cannot touch."""

from dataclasses import replace
from pathlib import Path

import pytest
from samples import (
    FILE,
    FOLDER,
    HEADER,
    METRIC,
    OTHER_HEADER,
    SUBJECT,
    budget,
    commit_all,
    finding,
    make_gate,
    put_baseline,
    settled,
    site,
)

from pytest_memgate.budget.rule import Allowance, Rule
from pytest_memgate.config.located import from_yaml
from pytest_memgate.config.schema import Settings, read_settings
from pytest_memgate.model.environment import Header
from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.model.judgement.reason import Mismatch, MismatchKind
from pytest_memgate.model.judgement.reference import Bar, Reference, Standing
from pytest_memgate.model.run import ChangeKind
from pytest_memgate.model.subject import Subject
from pytest_memgate.report.words.budget import rules_text
from pytest_memgate.report.words.reason import reason
from pytest_memgate.tasks.judge.gate import open_gate
from pytest_memgate.tasks.run.loosened import loosened

MB = 1_000_000
OLD = Reference(value=MB)
NAME = SUBJECT.name
OTHER_MEMRAY = Mismatch(
    kind=MismatchKind.HEADER,
    file=f"{FOLDER}/{FILE}.yaml",
    there={"memray": "1.19"},
    here={"memray": "1.20"},
)


def bar(root: Path, base: str = "") -> Bar:
    return make_gate(root, base=base).baselines.bar(SUBJECT, METRIC)


def bar_after(
    root: Path,
    old: Reference | None,
    new: Reference | None,
    *,
    old_header: Header = HEADER,
    new_header: Header = HEADER,
) -> Bar:
    """Commit `old`, change it to `new`, and return what the test is held against with the commit as base."""
    other = {"test_other": Reference(value=1)}
    put_baseline(root, {**other, **({NAME: old} if old else {})}, header=old_header)
    commit_all(root)
    put_baseline(root, {**other, **({NAME: new} if new else {})}, header=new_header)
    return bar(root, "HEAD")


def test_an_entry_is_the_reference(tmp_path: Path) -> None:
    put_baseline(tmp_path, {NAME: OLD})
    assert bar(tmp_path) == Bar(standing=Standing.KNOWN, reference=OLD)


def test_a_test_without_an_entry_is_new_where_there_are_baselines(tmp_path: Path) -> None:
    put_baseline(tmp_path, {"test_other": OLD})
    assert bar(tmp_path).standing is Standing.NEW
    assert make_gate(tmp_path).baselines.bar(Subject("tests/test_x.py", "test_y"), METRIC).standing is Standing.NEW


def test_without_any_baseline_of_this_environment_there_is_none(tmp_path: Path) -> None:
    put_baseline(tmp_path, {NAME: OLD}, environment="darwin-arm64-cpython3.12")
    assert bar(tmp_path).standing is Standing.NO_BASELINE


def test_values_under_another_header_cannot_be_compared(tmp_path: Path) -> None:
    put_baseline(tmp_path, {NAME: OLD}, header=OTHER_HEADER)
    found = bar(tmp_path)
    assert (found.standing, found.reference) == (Standing.INCOMPARABLE, None)
    assert found.mismatch == OTHER_MEMRAY


@pytest.mark.parametrize(
    "new",
    [
        replace(OLD, value=2 * MB),
        replace(OLD, value=2 * MB, anchor=2 * MB),
        replace(OLD, anchor=2 * MB),
        replace(OLD, spread=MB),
        None,
    ],
    ids=["value", "value and anchor", "anchor", "spread", "removed"],
)
def test_a_change_cannot_loosen_its_own_bar(tmp_path: Path, new: Reference | None) -> None:
    assert bar_after(tmp_path, OLD, new) == Bar(standing=Standing.KNOWN, reference=OLD)


def test_a_change_cannot_loosen_its_bar_with_an_old_reason(tmp_path: Path) -> None:
    old = Reference(value=MB, anchor=MB // 2, reason="new cache")
    assert bar_after(tmp_path, old, replace(old, value=2 * MB)).reference == old


def test_a_change_can_raise_its_bar_with_a_reason_of_its_own(tmp_path: Path) -> None:
    new = Reference(value=2 * MB, anchor=MB, reason="longer rows")
    assert bar_after(tmp_path, OLD, new) == Bar(standing=Standing.KNOWN, reference=new)


def test_a_change_can_tighten_its_bar(tmp_path: Path) -> None:
    new = Reference(value=MB // 2)
    assert bar_after(tmp_path, OLD, new).reference == new


def test_a_change_can_bring_the_entry_of_a_new_test(tmp_path: Path) -> None:
    assert bar_after(tmp_path, None, OLD).reference == OLD
    assert make_gate(tmp_path, base="HEAD").baselines.bar(Subject(FILE, "test_z"), METRIC).standing is Standing.NEW


def test_a_change_can_bring_the_first_baselines(tmp_path: Path) -> None:
    commit_all(tmp_path)
    assert bar(tmp_path, "HEAD").standing is Standing.NO_BASELINE
    put_baseline(tmp_path, {NAME: OLD})
    assert bar(tmp_path, "HEAD").reference == OLD


def test_a_change_that_deletes_the_baselines_is_held_against_them(tmp_path: Path) -> None:
    path = put_baseline(tmp_path, {NAME: OLD})
    commit_all(tmp_path)
    path.unlink()
    assert bar(tmp_path, "HEAD").reference == OLD


def test_a_change_can_measure_anew_what_the_base_measured_otherwise(tmp_path: Path) -> None:
    new = Reference(value=2 * MB)
    assert bar_after(tmp_path, OLD, new, old_header=OTHER_HEADER).reference == new


def test_a_change_cannot_escape_by_another_header(tmp_path: Path) -> None:
    new = Reference(value=2 * MB)
    assert bar_after(tmp_path, OLD, new, new_header=OTHER_HEADER).reference == OLD


def test_a_base_under_another_header_stays_incomparable_until_measured_anew(tmp_path: Path) -> None:
    found = bar_after(tmp_path, OLD, replace(OLD, value=2 * MB), old_header=OTHER_HEADER, new_header=OTHER_HEADER)
    assert found.standing is Standing.INCOMPARABLE


def test_a_head_under_a_header_that_nobody_else_has_does_not_count(tmp_path: Path) -> None:
    third = replace(HEADER, memray="1.18")
    found = bar_after(tmp_path, OLD, replace(OLD, value=2 * MB), old_header=OTHER_HEADER, new_header=third)
    assert (found.standing, found.mismatch) == (Standing.INCOMPARABLE, OTHER_MEMRAY)


def test_what_a_change_does_to_the_baselines_is_told(tmp_path: Path) -> None:
    anchored = Reference(value=MB, anchor=MB // 2, reason="old")
    put_baseline(
        tmp_path,
        {"raised": OLD, "lowered": OLD, "removed": OLD, "same": OLD, "anchored": anchored, "again": anchored},
    )
    put_baseline(tmp_path, {"test_x": OLD}, file="tests/a.py", header=OTHER_HEADER)
    commit_all(tmp_path)
    put_baseline(
        tmp_path,
        {
            "raised": Reference(value=2 * MB, anchor=MB, reason="cache"),
            "lowered": Reference(value=5),
            "same": OLD,
            "anchored": replace(anchored, anchor=MB),
            "again": replace(anchored, value=2 * MB),
            "new": OLD,
        },
    )
    put_baseline(tmp_path, {"test_x": OLD}, file="tests/a.py")
    changes = list(make_gate(tmp_path, base="HEAD").baselines.changes())
    assert [(one.subject.name, one.kind, one.before, one.after, one.reason) for one in changes] == [
        ("test_x", ChangeKind.REMEASURED, MB, MB, ""),
        ("again", ChangeKind.RAISED, MB, 2 * MB, ""),
        ("anchored", ChangeKind.ANCHORED, MB // 2, MB, ""),
        ("lowered", ChangeKind.LOWERED, MB, 5, ""),
        ("new", ChangeKind.NEW, None, MB, ""),
        ("raised", ChangeKind.RAISED, MB, 2 * MB, "cache"),
        ("removed", ChangeKind.REMOVED, MB, None, ""),
    ]
    assert list(make_gate(tmp_path).baselines.changes()) == []


def test_budgets_come_from_the_base_and_waivers_from_the_work_tree(tmp_path: Path) -> None:
    text = "budgets: {memory.peak: {growth: 100KB}}\n"
    (tmp_path / "memgate.yml").write_text(text)
    commit_all(tmp_path)
    waiver = f"waivers: [{{test: '{FILE}', metric: memory.peak, ceiling: 9MB, until: 2026-12-31, reason: r}}]\n"
    (tmp_path / "memgate.yml").write_text(text.replace("100KB", "9MB") + waiver)
    environment = make_gate(tmp_path).environment
    gate = open_gate(
        tmp_path,
        environment,
        base="HEAD",
        options={METRIC: Rule(limit=64 * MB, sources={"limit": "command line"})},
        missing="fail",
    )
    held = gate.config.budget(SUBJECT, METRIC)
    assert rules_text(held.rules, held.unit) == "growth 100 KB (memgate.yml:1), limit 64 MB (command line)"
    assert gate.config.missing_fails
    assert [one.source for one in gate.waivers] == ["memgate.yml:2"]
    assert open_gate(tmp_path, environment).config.budget(SUBJECT, METRIC).growth == Allowance(amount=9 * MB)


def waived(root: Path, until: str, value: int, *, test: str = FILE) -> Finding:
    (root / "memgate.yml").write_text(
        f"waivers:\n  - {{test: '{test}', metric: memory.peak, ceiling: 3MB, until: {until}, reason: soon gone}}\n"
    )
    return make_gate(root).judge(SUBJECT, METRIC, settled(value), budget(), Bar(standing=Standing.KNOWN, reference=OLD))


def test_a_waiver_covers_growth_up_to_its_ceiling(tmp_path: Path) -> None:
    found = waived(tmp_path, "2026-06-15", 3 * MB)
    assert found.outcome is Outcome.WAIVED
    assert reason(found) == ("+2 MB is over its budget of 200 KB; waived until 2026-06-15: soon gone (memgate.yml:2)")


def test_growth_over_the_ceiling_is_not_waived(tmp_path: Path) -> None:
    found = waived(tmp_path, "2026-06-15", 3 * MB + 1)
    assert found.outcome is Outcome.REGRESSED
    assert reason(found).endswith("; over the ceiling of its waiver too, 3 MB (memgate.yml:2)")


def test_an_ended_waiver_covers_nothing(tmp_path: Path) -> None:
    assert waived(tmp_path, "2026-06-14", 2 * MB).outcome is Outcome.REGRESSED


def test_a_waiver_for_another_test_covers_nothing(tmp_path: Path) -> None:
    assert waived(tmp_path, "2026-06-15", 2 * MB, test="tests/test_other.py").outcome is Outcome.REGRESSED


def test_a_finding_says_what_grew(tmp_path: Path) -> None:
    reference = Reference(value=MB, sites={"shop/orders.py:load": 900_000})
    measurement = settled(2 * MB, sites=(site("load", 1_900_000, line=7), site("rest", 100_000)))
    found = make_gate(tmp_path).judge(
        SUBJECT, METRIC, measurement, budget(), Bar(standing=Standing.KNOWN, reference=reference)
    )
    assert sum(one.growth for one in found.growth_by_site) == found.growth == MB
    assert found.growth_by_site[0].site == site("load", 1_900_000, line=7)
    assert finding().growth_by_site == ()


def settings(text: str) -> Settings:
    return read_settings(from_yaml(text, "memgate.yml"))


PEAK = "budgets: {{memory.peak: {{{}}}}}"
ETL = "budgets: {{overrides: [{{tests: etl, memory.peak: {{{}}}}}]}}"
TWO = "budgets: {{overrides: [{{tests: {}, memory.peak: {{growth: {}}}}}, {{tests: {}, memory.peak: {{growth: {}}}}}]}}"
WAIVER = "waivers: [{{test: a, metric: memory.peak, ceiling: {}, until: 2026-12-31, reason: r}}]"
LATER = "; it counts once it is on the base"


@pytest.mark.parametrize(
    ("base", "head", "lines"),
    [
        ("", "", []),
        (PEAK.format("growth: 200KB"), PEAK.format("growth: 100KB"), []),
        ("", PEAK.format("growth: 1MB"), ["growth of memory.peak: 200 KB -> 1 MB (memgate.yml:1)" + LATER]),
        (
            PEAK.format("growth: 200KB"),
            PEAK.format("growth: 5%"),
            ["growth of memory.peak: 200 KB -> 5% (memgate.yml:1)" + LATER],
        ),
        (
            PEAK.format("limit: 1MB"),
            PEAK.format("limit: 2MB"),
            ["limit of memory.peak: 1 MB -> 2 MB (memgate.yml:1)" + LATER],
        ),
        (PEAK.format("limit: 2MB"), PEAK.format("limit: 1MB"), []),
        (PEAK.format(""), PEAK.format("limit: 1MB"), []),
        (
            PEAK.format("limit: 1MB"),
            PEAK.format(""),
            ["limit of memory.peak: 1 MB -> none" + LATER],
        ),
        (
            PEAK.format("drift: 1MB"),
            PEAK.format("drift: 2MB"),
            ["drift of memory.peak: 1 MB -> 2 MB (memgate.yml:1)" + LATER],
        ),
        (
            PEAK.format("drift: 1MB"),
            PEAK.format(""),
            ["drift of memory.peak: 1 MB -> none" + LATER],
        ),
        ("", PEAK.format("growth: 100KB"), []),
        ("", ETL.format("growth: 100KB"), []),
        (PEAK.format("growth: 1KB"), "", ["growth of memory.peak: 1 KB -> 200 KB (default)" + LATER]),
        (PEAK.format("growth: 1MB"), "", []),
        (ETL.format("growth: 1KB"), "", ["growth of memory.peak of etl: 1 KB -> 200 KB (default)" + LATER]),
        (
            TWO.format("a", "1KB", "b", "2KB"),
            TWO.format("b", "2KB", "a", "1KB"),
            ["the overrides have another order, and the last that names a test wins"],
        ),
        (
            ETL.format("growth: 1MB"),
            ETL.format("growth: 2MB"),
            ["growth of memory.peak of etl: 1 MB -> 2 MB (memgate.yml:1)" + LATER],
        ),
        ("missing: fail", "missing: warn", ["missing: fail -> warn (memgate.yml:1)"]),
        ("missing: fail", "", ["missing: fail -> warn (default)"]),
        ("missing: warn", "missing: fail", []),
        (
            WAIVER.format("1MB"),
            WAIVER.format("2MB"),
            ["waiver for a up to 2 MB until 2026-12-31: r (memgate.yml:1)"],
        ),
        (WAIVER.format("1MB"), WAIVER.format("1MB"), []),
        (WAIVER.format("1MB"), "", []),
    ],
)
def test_what_a_change_loosens_is_listed(base: str, head: str, lines: list[str]) -> None:
    assert loosened(settings(base), settings(head)) == lines
