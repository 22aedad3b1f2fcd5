"""Renamed tests: their past joined, pairs that look renamed, and the lines that say so in the configuration."""

import pytest
from history_samples import DROPPED, NEW_NAME, OLD_NAME, chart, past, series

from pytest_memgate.compare.history.renamed import likely_renames, new_name, with_renames
from pytest_memgate.config.located import from_yaml
from pytest_memgate.config.schema import json_schema, read_settings
from pytest_memgate.errors import ConfigError
from pytest_memgate.model.history import Level, OffLine, Past
from pytest_memgate.tasks.history.rename import with_toml_line, with_yaml_line

OLD, NEW = "tests/a.py::test_x", "tests/b.py::test_x"
ENTRY = f'"{OLD}": "{NEW}"'


def of(*charts_: tuple[str, dict[int, Level | float]]) -> Past:
    charts = tuple(chart(series(name), levels, range(10)) for name, levels in charts_)
    return Past(branch="main", line=(), runs={}, charts=charts)


def test_the_past_of_an_old_name_goes_on_under_the_new_one() -> None:
    joined = with_renames(past(), {str(OLD_NAME.subject): str(NEW_NAME.subject)})
    (one,) = [chart for chart in joined.charts if chart.series.subject in {OLD_NAME.subject, NEW_NAME.subject}]
    assert one.series == NEW_NAME
    assert [(step.position, step.level.value) for step in one.steps] == [(1, 3_100_000), (45, 3_120_000)]
    assert one.measured == tuple(range(1, 60, 2))


def test_a_file_takes_all_of_its_tests_along() -> None:
    joined = with_renames(past(), {"tests/test_cart.py": "tests/test_basket.py"})
    files = {chart.series.subject.file for chart in joined.charts}
    assert "tests/test_cart.py" not in files
    assert len(joined.charts) == len(past().charts) - 1


def test_names_are_followed_to_the_last_one() -> None:
    chain = {"tests/a.py": "tests/b.py", "tests/b.py::test_x": "tests/b.py::test_y", "tests/b.py": "unit/b.py"}
    assert new_name("tests/a.py::test_x[1]", chain) == "unit/b.py::test_y[1]"
    assert new_name("tests/a.py2::test_x", chain) == "tests/a.py2::test_x"


def test_a_circle_of_names_ends() -> None:
    assert new_name("a.py", {"a.py": "b.py", "b.py": "a.py"}) == "a.py"


def test_where_both_names_have_a_level_the_new_one_counts() -> None:
    both = of((OLD, {0: 1.0}), (NEW, {5: 2.0, 8: Level()}))
    (one,) = with_renames(both, {OLD: NEW}).charts
    assert [(step.position, step.level.value) for step in one.steps] == [(0, 1.0), (5, 2.0), (8, 1.0)]


def test_lanes_are_kept() -> None:
    both = of((OLD, {0: 1.0}), (NEW, {5: 2.0}))
    side = OffLine(run="side", level=Level(value=3.0))
    first = both.charts[0]
    with_lane = type(first)(series=first.series, steps=first.steps, measured=first.measured, lanes={"pr": (side,)})
    joined = with_renames(Past(branch="main", line=(), runs={}, charts=(with_lane, both.charts[1])), {OLD: NEW})
    assert joined.charts[0].lanes == {"pr": (side,)}


def test_a_test_that_ended_where_a_similar_one_began_looks_renamed() -> None:
    (one,) = likely_renames(past())
    assert (one.old, one.new, one.position) == (OLD_NAME.subject, NEW_NAME.subject, 45)
    assert DROPPED.subject != one.old


@pytest.mark.parametrize(
    "new",
    [
        ("tests/b.py::test_x", {5: 2.0}),  # another level
        ("tests/b.py::test_x", {8: 1.0}),  # another time
        ("tests/b.py::test_z", {5: 1.0}),  # another name in another file
    ],
)
def test_what_does_not_fit_looks_like_no_rename(new: tuple[str, dict[int, Level | float]]) -> None:
    assert likely_renames(of((OLD, {0: 1.0, 5: Level()}), new)) == ()


def test_two_tests_that_fit_one_are_no_rename() -> None:
    two = of((OLD, {0: 1.0, 5: Level()}), (NEW, {5: 1.0}), ("tests/c.py::test_x", {5: 1.0}))
    assert likely_renames(two) == ()


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("", f"renamed:\n  {ENTRY}\n"),
        ("missing: warn", f"missing: warn\n\nrenamed:\n  {ENTRY}\n"),
        ("renamed:\n", f"renamed:\n  {ENTRY}\n"),
        ("renamed: {}  # none\nmissing: warn\n", f"renamed:  # none\n  {ENTRY}\nmissing: warn\n"),
        (
            "renamed: # moved\n    a.py: b.py  # in May\n\n# the rest\nmissing: warn\n",
            f"renamed: # moved\n    a.py: b.py  # in May\n    {ENTRY}\n\n# the rest\nmissing: warn\n",
        ),
        ("renamed:\n  a.py: b.py", f"renamed:\n  a.py: b.py\n  {ENTRY}\n"),
        ("missing: warn\r\n", f"missing: warn\r\n\r\nrenamed:\r\n  {ENTRY}\r\n"),
        ("renamed: {a.py: b.py}\n", None),
    ],
)
def test_one_line_is_added_and_the_others_stay(text: str, changed: str | None) -> None:
    assert with_yaml_line(text, OLD, NEW) == changed
    if changed is not None:
        assert read_settings(from_yaml(changed, "memgate.yml")).renamed[OLD] == NEW


def test_a_table_of_toml_gets_a_line() -> None:
    entry = f'"{OLD}" = "{NEW}"\n'
    assert with_toml_line("[tool.memgate]\n", OLD, NEW) == f"[tool.memgate]\n\n[tool.memgate.renamed]\n{entry}"
    there = '[tool.memgate.renamed]\n"a.py" = "b.py"\n\n[tool.other]\n'
    assert with_toml_line(there, OLD, NEW) == f'[tool.memgate.renamed]\n"a.py" = "b.py"\n{entry}\n[tool.other]\n'


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("renamed: [a]", "memgate.yml:1: a mapping of old names to new ones is expected, not a list"),
        ("renamed: {a.py: [b]}", "memgate.yml:1: one value is expected"),
        ("renamed:\n  a.py: a.py", "memgate.yml:2: 'a.py' cannot become 'a.py'"),
        ("renamed:\n  a.py: b.py::test_x", "memgate.yml:2: 'a.py' cannot become 'b.py::test_x'"),
    ],
)
def test_a_rename_without_a_meaning_is_told_with_its_line(text: str, line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_settings(from_yaml(text, "memgate.yml"))
    assert str(caught.value).startswith(line)


def test_the_schema_for_editors_has_renamed_names() -> None:
    assert json_schema()["properties"]["renamed"]["type"] == "object"
