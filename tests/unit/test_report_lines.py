"""The lines that every text report is made of, and the summary's order."""

from dataclasses import replace

import pytest
from samples import FILE, METRIC, SUBJECT, bound, cold, finding, run_of, settled, site

from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.model.judgement.reference import Reference
from pytest_memgate.model.judgement.remark import remarks_of
from pytest_memgate.model.measurement import Basis, Measurement
from pytest_memgate.model.run import Change, ChangeKind, Problem, Run, Verdict
from pytest_memgate.model.site import Contribution
from pytest_memgate.report.lines import (
    accept_command,
    change_between,
    change_line,
    difference_lines,
    entry_lines,
    headline,
    measured_line,
    value_line,
)
from pytest_memgate.report.terminal import Tone, summary
from pytest_memgate.report.words.contributions import contribution_lines

MB = 1_000_000


@pytest.mark.parametrize(
    ("one", "line"),
    [
        (finding(measurement=settled(2 * MB), baseline=MB), "1 MB -> 2 MB"),
        (finding(measurement=bound(2 * MB), baseline=MB), "1 MB -> <= 2 MB"),
        (finding(measurement=settled(2 * MB)), "2 MB"),
        (finding(baseline=MB), "1 MB -> nothing"),
        (finding(), ""),
    ],
)
def test_values_stand_as_base_and_head(one: Finding, line: str) -> None:
    assert value_line(one) == line


def test_a_headline_leaves_out_what_there_is_not() -> None:
    assert headline(finding(measurement=settled(2 * MB), baseline=MB, why="why")) == ("memory.peak 1 MB -> 2 MB: why")
    assert headline(finding(why="why")) == "why"
    assert headline(finding(measurement=settled(MB))) == "memory.peak 1 MB"


def test_growth_is_followed_by_its_callers_and_packages() -> None:
    grown = site("load", 5 * MB, line=12, via=("shop/web.py:3 in get",), uses=("numpy 2.1.0", "pandas 2.2"))
    shrunk = site("save", 0, via=("shop/web.py:9 in put",))
    lines = contribution_lines(
        (
            Contribution(site=grown, base=MB, head=5 * MB),
            Contribution(site=None, base=0, head=40),
            Contribution(site=shrunk, base=1000, head=0),
        )
    )
    assert lines == [
        "    +4 MB  shop/orders.py:12 in load  (1 MB -> 5 MB)",
        "             called from shop/web.py:3 in get",
        "             uses numpy 2.1.0, pandas 2.2",
        "    +40 B  all others",
        "    -1 KB  shop/orders.py in save  (1 KB -> 0 B)",
    ]


@pytest.mark.parametrize(
    ("measurement", "line"),
    [
        (None, ""),
        (bound(MB), "first run 1 MB"),
        (Measurement(value=MB, basis=Basis.WARM, cold=MB, warm=(MB, MB)), "first run 1 MB; again 1 MB, 1 MB"),
        (
            Measurement(value=MB, basis=Basis.WARM, cold=MB + 4000, warm=(MB,), modules=("json",)),
            "first run 1 MB; again 1 MB",
        ),
        (
            Measurement(
                value=MB,
                basis=Basis.WARM,
                cold=2 * MB,
                warm=(MB,),
                modules=("json", "json.decoder", "csv"),
                remarks=remarks_of(("x",)),
            ),
            "first run 2 MB; again 1 MB; first use 1 MB (imported json, csv); x",
        ),
        (
            Measurement(value=MB, basis=Basis.WARM, cold=2 * MB, warm=(MB,), modules=tuple("abcdefg")),
            "first run 2 MB; again 1 MB; first use 1 MB (imported a, b, c, d, e and 2 more)",
        ),
        (
            Measurement(value=MB, basis=Basis.WARM, cold=2 * MB, warm=(MB,)),
            "first run 2 MB; again 1 MB; first use 1 MB",
        ),
    ],
)
def test_how_a_value_was_measured_is_one_line(measurement: Measurement | None, line: str) -> None:
    assert measured_line(finding(measurement=measurement)) == line


def test_a_command_can_be_pasted_into_a_shell() -> None:
    one = finding(Outcome.REGRESSED, file="tests/a.py", name="test_x[a b]")
    assert accept_command(one) == "memgate baseline update --reason \"…\" 'tests/a.py::test_x[a b]'"


@pytest.mark.parametrize(("anchor", "verb"), [(MB, "anchor"), (None, "update")])
def test_drift_is_accepted_by_moving_its_anchor_where_it_has_one(anchor: int | None, verb: str) -> None:
    drifted = replace(finding(Outcome.DRIFTED, settled(2 * MB), baseline=MB), anchor=anchor)
    assert accept_command(drifted) == f'memgate baseline {verb} --reason "…" {SUBJECT}'


def change(kind: ChangeKind, before: int | None, after: int | None, reason: str = "") -> Change:
    return Change(subject=SUBJECT, metric=METRIC, kind=kind, before=before, after=after, reason=reason)


@pytest.mark.parametrize(
    ("one", "line"),
    [
        (change(ChangeKind.NEW, None, MB), f"new          {SUBJECT}  1 MB"),
        (change(ChangeKind.REMOVED, MB, None), f"removed      {SUBJECT}  1 MB"),
        (change(ChangeKind.RAISED, MB, 5 * MB, "cache"), f"raised       {SUBJECT}  1 MB -> 5 MB  (cache)"),
        (change(ChangeKind.RAISED, MB, 5 * MB), f"raised       {SUBJECT}  1 MB -> 5 MB  (no reason given)"),
        (change(ChangeKind.ANCHORED, MB, 5 * MB), f"anchored     {SUBJECT}  1 MB -> 5 MB  (no reason given)"),
        (change(ChangeKind.LOWERED, 5 * MB, MB), f"lowered      {SUBJECT}  5 MB -> 1 MB"),
    ],
)
def test_a_change_is_one_line(one: Change, line: str) -> None:
    assert change_line(one) == line


def test_an_entry_says_all_that_it_holds() -> None:
    reference = Reference(
        value=2 * MB, anchor=MB, reason="cache", spread=5000, repeatable=False, sites={"a.py:f": 5, "b.py:g": 1000}
    )
    why = "the value of a first run, raised for: cache"
    assert entry_lines(SUBJECT, METRIC, reference, sites=True) == [
        f"{SUBJECT}  memory.peak 2 MB, anchor 1 MB, runs differ by 5 KB, not repeatable: {why}",
        "       1 KB  b.py:g",
        "        5 B  a.py:f",
    ]
    assert entry_lines(SUBJECT, METRIC, Reference(value=5), sites=False) == [f"{SUBJECT}  memory.peak 5 B"]


def test_a_difference_says_its_values_its_note_and_its_sites() -> None:
    grown = (Contribution(site=site("load", MB), base=0, head=MB),)
    change = change_between(MB, 2 * MB, "B", both_passed=True)
    assert difference_lines(SUBJECT, METRIC, change, "B", grown, "a note") == [
        f"{SUBJECT}  memory.peak 1 MB -> 2 MB: +1 MB  (a note)",
        "      +1 MB  shop/orders.py in load  (0 B -> 1 MB)",
    ]


@pytest.mark.parametrize(
    ("base", "head", "base_is_bound", "head_is_bound", "change"),
    [
        (MB, MB, False, False, "1 MB -> 1 MB: +0 B"),
        (1970, 181_000, True, True, "<= 1.97 KB -> <= 181 KB, both within"),
        (MB, 3 * MB, False, True, "1 MB -> <= 3 MB: at most +2 MB"),
        (3 * MB, MB, False, True, "3 MB -> <= 1 MB: at least 2 MB lower"),
        (MB, 3 * MB, True, False, "<= 1 MB -> 3 MB: at least +2 MB"),
        (3 * MB, MB, True, False, "<= 3 MB -> 1 MB"),
    ],
)
def test_a_difference_says_of_bounds_only_what_is_known(
    base: int, head: int, base_is_bound: bool, head_is_bound: bool, change: str
) -> None:
    found = change_between(base, head, "B", base_is_bound=base_is_bound, head_is_bound=head_is_bound, both_passed=True)
    assert found == change


def test_two_bounds_are_within_only_where_both_passed() -> None:
    found = change_between(1, 2, "B", base_is_bound=True, head_is_bound=True, both_passed=False)
    assert found == "<= 1 B -> <= 2 B"


def texts(run: Run, verbosity: int = 0) -> list[str]:
    return [line.text for line in summary(run, verbosity=verbosity)]


def test_the_worst_comes_first_and_the_most_growth_within_it() -> None:
    # A problem tells of an unreadable file and of what gives no number, once.
    told = {Outcome.REGRESSED, Outcome.UNREADABLE, Outcome.NO_ANSWER}
    outcomes = [one for one in Outcome if one not in told]
    small = finding(Outcome.REGRESSED, settled(2 * MB), name="small", baseline=MB)
    large = finding(Outcome.REGRESSED, settled(9 * MB), name="large", baseline=MB)
    others = [finding(one, name=f"t_{one.value.replace(' ', '_')}", why="r") for one in outcomes]
    lines = texts(run_of(*others, small, large, verdict=Verdict.FAILED), verbosity=1)
    named = [line.split("::")[1].split()[0] for line in lines if "::" in line and not line.startswith("next")]
    shown = [name.removesuffix(":") for name in named]
    assert shown == [
        "large",
        "small",
        "t_drifted",
        "t_unstable",
        "t_incomparable",
        "t_unmeasured",
        "t_not_run",
        "t_vanished",
        "t_no_baseline",
        "t_new",
        "t_waived",
        "t_improved",
        "t_skipped",
        "t_passed",
        "t_not_gated",
    ]


def test_ten_of_a_kind_are_shown_and_all_with_v() -> None:
    run = run_of(*(finding(Outcome.NEW, settled(MB), name=f"t{number}") for number in range(12)))
    assert texts(run).count("             and 2 more new (-v shows all)") == 1
    assert sum(line.startswith("new ") for line in texts(run)) == 10
    assert sum(line.startswith("new ") for line in texts(run, 1)) == 12


def test_all_regressions_are_counted_in_the_verdict() -> None:
    run = run_of(
        finding(Outcome.REGRESSED, settled(MB), baseline=0),
        finding(Outcome.DRIFTED, settled(MB), baseline=0),
        verdict=Verdict.FAILED,
    )
    assert texts(run)[-1] == "memgate: FAILED: 1 regressed, 1 drifted; 1 test compared"
    problems = (Problem(text="one", hint="do this"), Problem(text="two"))
    no_answer = replace(run_of(verdict=Verdict.NO_ANSWER), problems=problems)
    assert texts(no_answer)[-4:] == [
        "problem      one",
        "             do this",
        "problem      two",
        "memgate: NO ANSWER: 2 problems; no test compared",
    ]


@pytest.mark.parametrize(
    ("outcome", "line"),
    [
        (Outcome.NEW, "next: add them: memgate baseline update --only new"),
        (Outcome.IMPROVED, "next: keep the gain: memgate baseline update --only lowered"),
        (Outcome.VANISHED, "next: drop them: memgate baseline update --only removed"),
        (Outcome.REGRESSED, f"next: repair the growth or, if it is meant: {accept_command(finding())}"),
    ],
)
def test_what_to_do_next_is_said(outcome: Outcome, line: str) -> None:
    run = run_of(finding(outcome, settled(MB), baseline=MB))
    assert [one for one in texts(run) if one.startswith("next")] == [line]
    assert not [one for one in texts(run, -1) if one.startswith("next")]


@pytest.mark.parametrize(
    ("verdict", "word", "tone"),
    [
        (Verdict.PASSED, "updated", Tone.GOOD),
        (Verdict.FAILED, "not all of it updated", Tone.BAD),
        (Verdict.NO_ANSWER, "not updated", Tone.BAD),
    ],
)
def test_an_update_says_what_it_came_to(verdict: Verdict, word: str, tone: Tone) -> None:
    run = replace(run_of(finding(Outcome.NEW, settled(MB)), verdict=verdict), update=True)
    last = summary(run)[-1]
    assert (last.text, last.tone) == (f"memgate: {word}", tone)
    assert "baselines unchanged" in texts(run)
    assert not [line for line in texts(run) if line.startswith("new")]


def test_an_update_that_wrote_something_never_says_that_it_wrote_nothing() -> None:
    written = Change(subject=SUBJECT, metric="memory.peak", kind=ChangeKind.NEW, after=MB)
    run = replace(run_of(verdict=Verdict.NO_ANSWER), update=True, changes=(written,))
    assert summary(run)[-1].text == "memgate: not all of it updated"


def test_an_update_that_writes_nothing_says_how_many_values_have_moved() -> None:
    moved = finding(Outcome.PASSED, settled(2 * MB), baseline=MB)
    same = finding(Outcome.PASSED, settled(MB + 10), baseline=MB)
    said = "baselines unchanged: 1 value moved within the budget, which is no reason to write"
    assert said in texts(replace(run_of(moved, same), update=True))


def test_the_changes_that_need_eyes_come_first() -> None:
    kinds = [ChangeKind.NEW, ChangeKind.REMEASURED, ChangeKind.LOWERED, ChangeKind.REMOVED, ChangeKind.RAISED]
    changes = tuple(change(kind, MB, MB, "r" if kind is ChangeKind.RAISED else "") for kind in kinds)
    run = replace(run_of(finding(measurement=settled(MB))), update=True, changes=changes)
    lines = texts(run)
    assert "wrote .memgate/linux-x86_64-cpython3.11: 1 new, 1 raised, 1 lowered, 1 removed, 1 remeasured" in lines
    shown = [line.split()[0] for line in lines if FILE in line]
    assert shown == ["raised", "removed", "lowered", "new", "remeasured"]
    assert lines[-2] == "next: review and commit .memgate/linux-x86_64-cpython3.11"
    many = replace(run, changes=changes * 3)
    assert "             and 5 more (-v shows all)" in texts(many)


LOOSER = replace(
    run_of(finding(measurement=bound(MB))),
    loosened=("growth: more",),
    changes=(change(ChangeKind.RAISED, MB, 2 * MB, "cache"),),
)


def test_a_note_is_shown_but_not_with_q() -> None:
    lines = [line.text for line in summary(LOOSER, notes=("a note",))]
    assert "note         a note" in lines
    assert [line.text for line in summary(LOOSER, verbosity=-1, notes=("a note",))] == [
        "memgate: PASSED: 1 test compared, 1 loosened"
    ]


@pytest.mark.parametrize("verbosity", [-1, 0, 1])
def test_what_a_change_raises_and_loosens_is_shown_with_q_too(verbosity: int) -> None:
    lines = texts(replace(LOOSER, compared_with="main"), verbosity)
    assert f"raised       {SUBJECT}  1 MB -> 2 MB  (cache)" in lines
    assert "loosened     growth: more" in lines
    assert lines[0].endswith("baseline .memgate/linux-x86_64-cpython3.11 of main") is (verbosity >= 0)


def test_a_test_that_cannot_run_twice_is_noted() -> None:
    run = run_of(finding(measurement=cold(MB)))
    judged = f"note         not repeatable, so the value of the first run is judged: {SUBJECT}"
    assert judged in texts(run)
    assert judged.replace("judged", "stored") in texts(replace(run, update=True))


@pytest.mark.parametrize(
    ("measurement", "outcome", "hinted"),
    [
        (cold(2 * MB), Outcome.REGRESSED, True),
        (cold(2 * MB), Outcome.PASSED, False),
        (settled(2 * MB), Outcome.REGRESSED, False),
    ],
)
def test_a_first_run_that_fails_points_to_caches_on_disk(
    measurement: Measurement, outcome: Outcome, hinted: bool
) -> None:
    one = finding(measurement=measurement, outcome=outcome)
    assert ("cache on disk" in measured_line(one)) is hinted


def test_an_update_notes_a_budget_that_cannot_be_held() -> None:
    wide, narrow = settled(MB, spread=300_000), settled(MB, spread=200_000)
    found = [replace(finding(measurement=one), allowed=200_000) for one in (wide, narrow)]
    run = replace(run_of(*found), update=True)
    assert [line for line in texts(run) if line.startswith("note")] == [
        f"note         {SUBJECT}: its runs differ by 300 KB: a budget of 200 KB cannot be held"
    ]
