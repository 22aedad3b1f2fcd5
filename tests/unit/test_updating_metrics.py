"""Updates beyond memory: where each metric is kept, what may rise, what varies, and what is not given any more."""

from dataclasses import replace
from pathlib import Path

import pytest
from samples import (
    ENVIRONMENT,
    FILE,
    HEADER,
    METRIC,
    OTHER_HEADER,
    exact,
    make_gate,
    open_store,
    put_baseline,
    sampled,
    settled,
    taken,
)

from pytest_memgate.baseline.document import Document, dump
from pytest_memgate.model.environment import Header
from pytest_memgate.model.judgement.budget import BudgetRule, RuleKind
from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.model.judgement.reference import Reference
from pytest_memgate.model.measurement import Measurement
from pytest_memgate.model.run import ChangeKind, Verdict
from pytest_memgate.model.site import Site
from pytest_memgate.model.subject import Subject
from pytest_memgate.report.words.reason import reason
from pytest_memgate.tasks.baseline.conclude_update import conclude_update
from pytest_memgate.tasks.baseline.update import ALL_KINDS, Order, Updated, update
from pytest_memgate.tasks.run.verdict import Facts, conclude

WEB = "memgate.yml"
RAW = "bundle.initial.raw[main]"
TOTAL = "bundle.total.raw[main]"
Metrics = dict[str, Reference]


def found(
    metric: str,
    measurement: Measurement | None,
    *,
    name: str = "bundle[app]",
    file: str = WEB,
    unit: str = "B",
    outcome: Outcome = Outcome.PASSED,
) -> Finding:
    """Return a finding; one that is not gated has no budget."""
    rules = () if outcome is Outcome.NOT_GATED else (BudgetRule(rule=RuleKind.GROWTH, amount=200_000),)
    return Finding(
        subject=Subject(file, name), metric=metric, outcome=outcome, measurement=measurement, unit=unit, rules=rules
    )


def mine(metric: str, measurement: Measurement, unit: str = "B", outcome: Outcome = Outcome.PASSED) -> Finding:
    """Return a finding on a test of this environment."""
    return found(metric, measurement, name="test_a", file=FILE, unit=unit, outcome=outcome)


def put(root: Path, entries: dict[str, Metrics], *, file: str = WEB, environment: str = "web") -> Path:
    """Write a baseline file of any metrics; those of the web have no header."""
    path = root / ".memgate" / environment / f"{file}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    header = Header() if environment == "web" else HEADER
    path.write_text(dump(Document(header=header, entries=entries)), encoding="utf-8", newline="\n")
    return path


def kept(root: Path, name: str = "bundle[app]", file: str = WEB) -> Metrics:
    """Return the metrics that a test has in either environment."""
    metrics: Metrics = {}
    for store in open_store(root):
        document = store.document(file)
        metrics |= document.entries.get(name, {}) if document else {}
    return metrics


def updated(root: Path, *findings: Finding, reason: str = "", only: ChangeKind | None = None) -> Updated:
    kinds = ALL_KINDS if only is None else frozenset({only})
    return update(root, open_store(root), HEADER, findings, Order(reason=reason, kinds=kinds))


def changed(done: Updated) -> list[tuple[ChangeKind, str]]:
    return [(change.kind, change.metric) for change in done.changes]


# Where each is kept


def test_bundles_and_pages_are_kept_for_the_web_and_all_else_for_this_environment(tmp_path: Path) -> None:
    updated(
        tmp_path,
        found(RAW, exact(4739)),
        found("web.lcp", sampled(1950, 1951, 1953), name="page[home]", unit="ms"),
        mine(METRIC, settled(1_000_000)),
        mine("time.median", sampled(2.1, 2.2, 2.3), "ms"),
        mine("custom.rows", exact(41), "rows"),
    )
    files = sorted(path.relative_to(tmp_path / ".memgate").as_posix() for path in tmp_path.rglob("*.yaml"))
    assert files == [f"{ENVIRONMENT.key}/{FILE}.yaml", f"web/{WEB}.yaml"]
    own, web = open_store(tmp_path)
    there, here = web.document(WEB), own.document(FILE)
    assert there is not None
    assert here is not None
    assert (there.header, set(there.entries)) == (Header(), {"bundle[app]", "page[home]"})
    assert (here.header, set(here.entries["test_a"])) == (HEADER, {METRIC, "time.median", "custom.rows"})


def test_a_bundle_that_a_test_measures_has_its_file_in_the_web_beside_its_memory(tmp_path: Path) -> None:
    updated(tmp_path, mine(RAW, exact(5)), mine(METRIC, settled(9000)))
    assert set(kept(tmp_path, "test_a", FILE)) == {RAW, METRIC}
    assert (tmp_path / ".memgate" / "web" / f"{FILE}.yaml").exists()


def test_another_header_of_memory_leaves_the_web_alone(tmp_path: Path) -> None:
    put_baseline(tmp_path, {"test_a": Reference(value=5), "test_b": Reference(value=5)}, header=OTHER_HEADER)
    done = updated(tmp_path, mine(METRIC, settled(9)), found(RAW, exact(5)))
    assert changed(done) == [(ChangeKind.NEW, RAW)]
    assert [problem.text.partition(" were ")[0] for problem in done.problems] == [f"the baselines of {FILE}"]


def test_a_unit_of_the_projects_own_is_kept_and_no_other(tmp_path: Path) -> None:
    updated(
        tmp_path,
        mine("custom.rows", exact(41), "rows"),
        mine("custom.size", exact(2000), "B"),
        mine("custom.ratio", exact(0.5), ""),
        mine("time.median", sampled(2.1, 2.2, 2.3), "ms"),
    )
    units = {metric: one.unit for metric, one in kept(tmp_path, "test_a", FILE).items()}
    assert units == {"custom.rows": "rows", "custom.size": "B", "custom.ratio": "", "time.median": ""}


def test_samples_conditions_and_audits_are_kept(tmp_path: Path) -> None:
    measurement = replace(sampled(1951, 1953, 1957, throttling="simulate"), audits={"unused-javascript": 150.0})
    updated(tmp_path, found("web.lcp", measurement, name="page[home]", unit="ms"))
    assert kept(tmp_path, "page[home]") == {
        "web.lcp": Reference(
            value=1953,
            samples=(1951, 1953, 1957),
            conditions={"throttling": "simulate"},
            audits={"unused-javascript": 150},
        )
    }


def test_a_second_collection_is_no_part_of_a_baseline(tmp_path: Path) -> None:
    updated(tmp_path, found("web.lcp", sampled(1, 2, 3, again=(7, 8, 9)), name="page[home]", unit="ms"))
    assert kept(tmp_path, "page[home]")["web.lcp"].samples == (1, 2, 3)


def test_the_web_keeps_many_sites_since_growth_is_told_from_all_of_them(tmp_path: Path) -> None:
    sites = tuple(Site(path=f"node_modules/p{number}", size=1000) for number in range(200))
    updated(tmp_path, found(RAW, exact(200_000, sites=sites)))
    assert len(kept(tmp_path)[RAW].sites) == 100


# What may rise


def test_a_gated_value_rises_for_a_reason_only(tmp_path: Path) -> None:
    path = put(tmp_path, {"bundle[app]": {RAW: Reference(value=4000)}})
    before = path.read_bytes()
    done = updated(tmp_path, found(RAW, exact(4001), outcome=Outcome.REGRESSED))
    assert (done.changes, [(one.metric, one.before, one.after) for one in done.unreasoned]) == ([], [(RAW, 4000, 4001)])
    assert path.read_bytes() == before
    updated(tmp_path, found(RAW, exact(4001)), reason="charts")
    assert kept(tmp_path) == {RAW: Reference(value=4001, anchor=4000, reason="charts")}


def test_a_value_that_no_budget_names_rises_by_itself(tmp_path: Path) -> None:
    put(tmp_path, {"bundle[app]": {TOTAL: Reference(value=4000)}})
    done = updated(tmp_path, found(TOTAL, exact(9000), outcome=Outcome.NOT_GATED))
    assert (changed(done), done.unreasoned) == ([(ChangeKind.RAISED, TOTAL)], [])
    assert kept(tmp_path) == {TOTAL: Reference(value=9000)}


def test_what_no_budget_names_and_depends_on_the_machine_is_not_kept(tmp_path: Path) -> None:
    done = updated(
        tmp_path,
        mine("time.median", sampled(2.1, 2.2, 2.3), "ms", Outcome.NOT_GATED),
        mine("custom.rows", exact(41), "rows", Outcome.NOT_GATED),
    )
    assert (done.changes, list(tmp_path.rglob("*.yaml"))) == ([], [])


def test_what_was_measured_together_is_written_together_or_not_at_all(tmp_path: Path) -> None:
    path = put(tmp_path, {"bundle[app]": {RAW: Reference(value=4000), TOTAL: Reference(value=8000)}})
    before = path.read_bytes()
    both = found(RAW, exact(5000)), found(TOTAL, exact(9000), outcome=Outcome.NOT_GATED)
    done = updated(tmp_path, *both)
    assert (changed(done), [one.metric for one in done.unreasoned]) == ([], [RAW])
    assert path.read_bytes() == before
    updated(tmp_path, *both, reason="charts")
    assert kept(tmp_path)[TOTAL] == Reference(value=9000, anchor=8000, reason="charts")


def test_an_exact_value_is_written_to_the_byte(tmp_path: Path) -> None:
    put(tmp_path, {"bundle[app]": {RAW: Reference(value=4_000_000)}})
    done = updated(tmp_path, found(RAW, exact(3_999_999)))
    assert (changed(done), kept(tmp_path)[RAW].value) == ([(ChangeKind.LOWERED, RAW)], 3_999_999)


# What varies


@pytest.mark.parametrize("samples", [(1957, 1960, 1970), (1900, 1910, 1951), (1000, 2000, 3000), (1951, 1953, 1957)])
def test_samples_that_overlap_leave_the_bytes_as_they_were(tmp_path: Path, samples: tuple[float, ...]) -> None:
    path = put(tmp_path, {"page[home]": {"web.lcp": taken(1951, 1953, 1957)}})
    before = path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino
    done = updated(tmp_path, found("web.lcp", sampled(*samples), name="page[home]", unit="ms"), reason="x")
    assert (done.changes, done.unreasoned) == ([], [])
    assert (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino) == before


@pytest.mark.parametrize(
    ("samples", "kind"), [((2000, 2001, 2002), ChangeKind.RAISED), ((1800, 1850, 1900), ChangeKind.LOWERED)]
)
def test_samples_apart_from_the_old_ones_replace_them(
    tmp_path: Path, samples: tuple[float, ...], kind: ChangeKind
) -> None:
    put(tmp_path, {"page[home]": {"web.lcp": taken(1951, 1953, 1957)}})
    done = updated(tmp_path, found("web.lcp", sampled(*samples), name="page[home]", unit="ms"), reason="hero")
    assert changed(done) == [(kind, "web.lcp")]
    assert kept(tmp_path, "page[home]")["web.lcp"].samples == samples


@pytest.mark.parametrize("outcome", [Outcome.REGRESSED, Outcome.UNSTABLE])
def test_one_stray_load_does_not_keep_a_growth_from_being_accepted(tmp_path: Path, outcome: Outcome) -> None:
    put(tmp_path, {"page[home]": {"web.lcp": taken(1951, 1953, 1953, 1954, 1957)}})
    measurement = sampled(1952, 2400, 2400, 2401, 2402)
    one = found("web.lcp", measurement, name="page[home]", unit="ms", outcome=outcome)
    one = replace(one, baseline=1953, allowed=300)
    assert len(updated(tmp_path, one, reason="hero").changes) == 1
    assert kept(tmp_path, "page[home]")["web.lcp"].value == measurement.value


def test_few_samples_are_no_baseline(tmp_path: Path) -> None:
    put(tmp_path, {"page[home]": {"web.lcp": taken(1951, 1953, 1957)}})
    few = sampled(1000, 1001, 1002, settled=False)
    assert changed(updated(tmp_path, found("web.lcp", few, name="page[home]", unit="ms"))) == []


# What was measured otherwise


def test_a_value_under_other_conditions_is_measured_anew_and_keeps_its_anchor(tmp_path: Path) -> None:
    old = replace(taken(1951, 1953, 1957, lighthouse="12.5"), anchor=1700, reason="hero")
    put(tmp_path, {"page[home]": {"web.lcp": old, "web.fcp": taken(900, 901, 902, lighthouse="12.5")}})
    new = sampled(2951, 2953, 2957, lighthouse="12.6")
    done = updated(tmp_path, found("web.lcp", new, name="page[home]", unit="ms"))
    assert changed(done) == [(ChangeKind.REMEASURED, "web.lcp")]
    assert kept(tmp_path, "page[home]") == {
        "web.lcp": replace(taken(2951, 2953, 2957, lighthouse="12.6"), anchor=1700, reason="hero"),
        "web.fcp": taken(900, 901, 902, lighthouse="12.5"),
    }


def test_an_update_of_one_kind_does_not_measure_anew(tmp_path: Path) -> None:
    put(tmp_path, {"page[home]": {"web.lcp": taken(1951, 1953, 1957, lighthouse="12.5")}})
    new = found("web.lcp", sampled(2951, 2953, 2957, lighthouse="12.6"), name="page[home]", unit="ms")
    assert changed(updated(tmp_path, new, only=ChangeKind.NEW)) == []


@pytest.mark.parametrize("unit", ["rows", ""])
def test_a_value_in_another_unit_is_measured_anew(tmp_path: Path, unit: str) -> None:
    put(tmp_path, {"test_a": {"custom.size": Reference(value=900, unit=unit)}}, file=FILE, environment=ENVIRONMENT.key)
    done = updated(tmp_path, mine("custom.size", exact(3000)))
    assert changed(done) == [(ChangeKind.REMEASURED, "custom.size")]
    assert kept(tmp_path, "test_a", FILE) == {"custom.size": Reference(value=3000, unit="B")}


# What is not given any more

BOTH = {"bundle[app]": {RAW: Reference(value=4000), "bundle.initial.raw[admin]": Reference(value=9)}}
NAMES = {WEB: frozenset({"bundle[app]"})}
OTHER = found(RAW, exact(1), name="bundle[other]")


def test_a_metric_that_a_test_does_not_give_any_more_is_removed_in_a_complete_update(tmp_path: Path) -> None:
    put(tmp_path, BOTH)
    facts = Facts(findings=(found(RAW, exact(4000)),), collected=NAMES)
    run = conclude_update(make_gate(tmp_path), facts, ALL_KINDS, "", strict=False)
    assert [(one.kind, one.metric, one.before) for one in run.changes] == [
        (ChangeKind.REMOVED, "bundle.initial.raw[admin]", 9)
    ]
    assert set(kept(tmp_path)) == {RAW}


@pytest.mark.parametrize(
    "facts",
    [
        Facts(findings=(found(RAW, exact(4000)),)),  # the file was not run as a whole
        Facts(findings=(found(RAW, exact(4000)),), collected=NAMES, failed=frozenset({f"{WEB}::bundle[b]"})),
        Facts(findings=(found("bundle", None, outcome=Outcome.SKIPPED), OTHER), collected=NAMES),
        Facts(findings=(OTHER,), collected=NAMES),  # the check itself did not come to an end
    ],
    ids=["partial", "failed", "family", "silent"],
)
def test_what_may_come_again_stays(tmp_path: Path, facts: Facts) -> None:
    put(tmp_path, BOTH)
    conclude_update(make_gate(tmp_path), facts, ALL_KINDS, "", strict=False)
    assert set(kept(tmp_path)) == {RAW, "bundle.initial.raw[admin]"}


def test_a_check_without_an_answer_keeps_its_baseline_and_the_others_are_written(tmp_path: Path) -> None:
    path = put(tmp_path, BOTH)
    facts = Facts(
        findings=(
            Finding(
                subject=Subject(WEB, "bundle[app]"), metric="bundle", outcome=Outcome.NO_ANSWER, why="no stats file"
            ),
            found(RAW, exact(7), name="bundle[b]"),
        ),
        collected={WEB: frozenset({"bundle[app]", "bundle[b]"})},
    )
    run = conclude_update(make_gate(tmp_path), facts, ALL_KINDS, "", strict=False)
    assert run.verdict is Verdict.NO_ANSWER
    assert [problem.text for problem in run.problems] == [f"{WEB}::bundle[app]: no stats file"]
    assert set(kept(tmp_path)) == {RAW, "bundle.initial.raw[admin]"}
    assert kept(tmp_path, "bundle[b]") == {RAW: Reference(value=7)}
    assert "bundle[b]" in path.read_text(encoding="utf-8")


def test_the_file_of_the_web_goes_with_its_last_check(tmp_path: Path) -> None:
    path = put(tmp_path, BOTH)
    facts = Facts(findings=(mine(METRIC, settled(9000)),), collected={WEB: frozenset()})
    conclude_update(make_gate(tmp_path), facts, ALL_KINDS, "", strict=False)
    assert not path.exists()


def test_a_metric_that_a_test_does_not_give_any_more_has_vanished(tmp_path: Path) -> None:
    put(tmp_path, {**BOTH, "bundle[gone]": {RAW: Reference(value=5)}})
    facts = Facts(findings=(found(RAW, exact(4000)),), collected=NAMES)
    run = conclude(make_gate(tmp_path), facts, strict=False)
    assert [(str(one.subject), one.metric, reason(one), one.unit) for one in run.findings[1:]] == [
        (f"{WEB}::bundle[app]", "bundle.initial.raw[admin]", "it has a baseline, but the test did not give it", "B"),
        (f"{WEB}::bundle[gone]", RAW, "it has a baseline, but was not collected", "B"),
    ]
    assert {one.outcome for one in run.findings[1:]} == {Outcome.VANISHED}
    assert run.verdict is Verdict.PASSED
    strict = conclude(make_gate(tmp_path, missing="fail"), facts, strict=False)
    assert strict.verdict is Verdict.FAILED
    assert strict.problems[0].text == (
        f"2 tests in the baseline but not in the run (missing: fail): {WEB}::bundle[app], {WEB}::bundle[gone]"
    )


def test_a_family_that_says_why_it_has_no_number_has_not_vanished(tmp_path: Path) -> None:
    put(tmp_path, BOTH)
    for outcome in (Outcome.NO_ANSWER, Outcome.SKIPPED, Outcome.UNREADABLE):
        facts = Facts(findings=(found("bundle", None, outcome=outcome),), collected=NAMES)
        assert len(conclude(make_gate(tmp_path), facts, strict=False).findings) == 1
