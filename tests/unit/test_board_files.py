"""The board's files: what they hold, and how they are written."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from board_pasts import BOUNDED, BUNDLE, LENGTH, STEPPED, everything, large
from click.testing import CliRunner

from pytest_memgate.cli.main import cli
from pytest_memgate.errors import UsageError
from pytest_memgate.model.history import Chart, Level, Past, Series, Step
from pytest_memgate.model.subject import Subject
from pytest_memgate.report.board.facts import budget_use, facts_of
from pytest_memgate.report.board.line import Bands
from pytest_memgate.report.board.render import board_files
from pytest_memgate.report.board.spark import sampled, spark
from pytest_memgate.tasks.history.build import build

EMPTY = Past(branch="main", line=(), runs={}, charts=())


def chart_of(series: Series) -> Chart:
    found = [chart for chart in everything()[0].charts if chart.series.subject == series.subject]
    return found[0]


def data_of(files: dict[str, str], path: str) -> dict[str, object]:
    text = files[path].partition(", '")[2].removesuffix("');\n")
    read: dict[str, object] = json.loads(text.replace("\\'", "'").replace("\\\\", "\\"))
    return read


def test_the_same_history_gives_the_same_bytes() -> None:
    past, changes = everything()
    turned = replace(past, runs=dict(reversed(list(past.runs.items()))))
    assert board_files(past, changes) == board_files(turned, tuple(reversed(changes)))


def test_a_history_without_runs_has_a_board() -> None:
    assert "No change is known." in board_files(EMPTY)["index.html"]


def test_a_chart_is_in_the_shard_of_its_id() -> None:
    past, changes = everything()
    files = board_files(past, changes)
    for chart in past.charts:
        assert chart.series.id in data_of(files, f"data/charts/{chart.series.id[:2]}.js")


def test_a_step_tells_only_what_changed() -> None:
    past, changes = everything()
    series = chart_of(STEPPED).series
    shard = data_of(board_files(past, changes), f"data/charts/{series.id[:2]}.js")
    steps = json.loads(json.dumps(shard[series.id]))["s"]
    assert steps[0][2] == {
        "budget": 257_000,
        "anchor": 147_000,
        "baseline": 147_000,
        "sites": [0, 52_000, 1, 61_000, 2, 34_000],
    }
    assert steps[1] == [12, 148_500, {"sites": [1, 62_500]}]
    assert steps[3][2]["reason"] == "a day is kept in memory now, for the export"


def test_a_bound_is_kept_apart_from_values() -> None:
    past, changes = everything()
    series = chart_of(BOUNDED).series
    shard = data_of(board_files(past, changes), f"data/charts/{series.id[:2]}.js")
    steps = json.loads(json.dumps(shard[series.id]))["s"]
    assert [step[1] for step in steps] == [[152_000], 147_000, [160_000], 149_000]


def test_growth_counts_from_the_anchor_else_from_the_first_value() -> None:
    assert facts_of(chart_of(STEPPED)).start == 147_000
    assert facts_of(chart_of(BOUNDED)).growth == 2_000


def test_a_bound_has_no_growth_and_uses_no_budget() -> None:
    bound = Level(bound=90, baseline=50, allowed=10)
    chart = Chart(series=STEPPED, steps=(Step(position=0, run="", level=bound),), measured=(0,))
    facts = facts_of(chart)
    assert (facts.last, facts.is_bound, facts.growth, facts.use) == (90, True, None, None)


def test_the_narrower_budget_counts() -> None:
    assert budget_use(Level(value=80, limit=100, baseline=70, allowed=20)) == 0.8
    assert budget_use(Level(value=80, limit=1_000, baseline=70, allowed=20)) == 0.5
    assert budget_use(Level(value=80)) is None


def test_a_series_that_is_gone_has_no_value() -> None:
    gone = replace(chart_of(BUNDLE), steps=(*chart_of(BUNDLE).steps, Step(position=140, run="", level=Level())))
    assert facts_of(gone).last is None


def test_a_shape_has_a_gap_where_nothing_was_measured() -> None:
    steps = (Step(position=0, run="", level=Level(value=10)), Step(position=8, run="", level=Level(value=20)))
    chart = Chart(series=STEPPED, steps=steps, measured=(0, 1, 2, 3, 8, 9))
    assert spark(chart, sampled(chart.measured, 10)) == "0000    zz"


def test_a_wobble_is_no_mountain() -> None:
    steps = (Step(position=0, run="", level=Level(value=1_000)), Step(position=1, run="", level=Level(value=1_001)))
    shape = spark(Chart(series=STEPPED, steps=steps, measured=(0, 1)), (0, 1))
    assert shape == "yz"


def test_bands_tell_machines_and_versions() -> None:
    past, _ = everything()
    assert Bands(past.runs.values()).of("linux-py313", "") == [
        [70, "machine x86_64 4 cores → x86_64 8 cores"],
        [104, "python 3.12.7 → 3.13.1"],
    ]
    assert Bands(past.runs.values()).of("linux-py313", "x86_64 8 cores") == [[104, "python 3.12.7 → 3.13.1"]]


def test_a_pool_of_machines_is_counted_not_drawn() -> None:
    runs = [replace(run, machine=f"m{number % 2}") for number, run in enumerate(everything()[0].runs.values())]
    assert Bands(runs).of("linux-py313", "") == 137


def test_names_that_are_no_text_still_give_a_board() -> None:
    past, _ = everything()
    odd = replace(STEPPED, subject=Subject("tests/\udcff.py", "test_x"))
    files = board_files(replace(past, charts=(replace(past.charts[0], series=odd),)))
    assert all(text.encode() for text in files.values())


def test_a_board_replaces_a_board_and_leaves_nothing_of_it(tmp_path: Path) -> None:
    build(large(300, 10), (), tmp_path / "site")
    build(EMPTY, (), tmp_path / "site")
    assert not list((tmp_path / "site" / "data").glob("charts/*"))
    assert [one.name for one in tmp_path.iterdir()] == ["site"]


@pytest.mark.parametrize("beside", [".git", "notes.txt", "index.html"])
def test_a_board_never_replaces_anything_else(beside: str, tmp_path: Path) -> None:
    (tmp_path / beside).write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match=beside):
        build(EMPTY, (), tmp_path)
    assert (tmp_path / beside).read_text(encoding="utf-8") == "mine"


def test_a_file_is_no_folder_for_a_board(tmp_path: Path) -> None:
    (tmp_path / "site").touch()
    with pytest.raises(UsageError, match="not a folder"):
        build(EMPTY, (), tmp_path / "site")


def test_a_shape_has_no_more_places_than_commits() -> None:
    assert len(sampled((0, 1, 2), 3)) == 3
    assert len(sampled(tuple(range(LENGTH)), LENGTH)) == 30


def test_build_needs_a_folder() -> None:
    assert CliRunner().invoke(cli, ["history", "build"]).exit_code == 2
