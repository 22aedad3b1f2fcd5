"""Which new test is which old one: by its name, its file, its class, its parameters, its body, its call sites."""

import random
from collections.abc import Mapping

import pytest
from samples import site

from pytest_memgate.compare.moved import Files, Moves, find_moves, same_sites, under_new_name
from pytest_memgate.model.judgement.reference import Reference
from pytest_memgate.model.subject import Subject

IT = "tests/test_it.py"


def subjects(*names: str) -> list[Subject]:
    return [Subject.parse(name if ".py::" in name else f"{IT}::{name}") for name in names]


def told(
    new: list[str],
    gone: list[str],
    *,
    kept: tuple[str, ...] = (),
    files: Files | None = None,
    bodies: Mapping[str, str] | None = None,
) -> Moves:
    def body(test: Subject) -> str | None:
        return (bodies or {}).get(str(test))

    return find_moves(subjects(*new), subjects(*gone), subjects(*kept), files, body)


def pairs(moves: Moves) -> dict[str, str]:
    return {
        str(test).removeprefix(f"{IT}::"): str(old).removeprefix(f"{IT}::") for test, old in sorted(moves.old.items())
    }


@pytest.mark.parametrize(
    ("new", "old"),
    [
        ("checks/test_it.py::test_a", "tests/test_it.py::test_a"),
        ("tests/test_other.py::TestX::test_a[1-x]", "tests/test_it.py::TestX::test_a[1-x]"),
        ("TestExport::test_a_day", "test_a_day"),
        ("test_a_day", "TestExport::test_a_day"),
        ("TestNew::test_a_day[1]", "TestOld::test_a_day[1]"),
        ("test_A_day", "test_a_day"),
        ("TestExport::testADay", "test_a_day"),
        ("check_a_day", "test_a_day"),
        ("test_a_day_of_rows", "test_a_day"),
        ("test_export_a_day", "test_a_day"),
        ("test_a_day", "test_export_a_day"),
        ("test_a_day[1]", "test_a_day"),
        ("test_a_day", "test_a_day[1]"),
        ("test_a_day[many]", "test_a_day[1]"),
        ("TestExport::test_a_day[many]", "test_a_day[1]"),
    ],
)
def test_a_single_test_is_known_under_its_new_name(new: str, old: str) -> None:
    moves = told([new], [old])
    assert dict(moves.old) == dict(zip(subjects(new), subjects(old), strict=True))
    assert not moves.possible
    assert not moves.by_sites


def test_all_parameters_of_one_old_name_are_held_against_it() -> None:
    assert pairs(told(["test_a[1]", "test_a[2]"], ["test_a"])) == {"test_a[1]": "test_a", "test_a[2]": "test_a"}


def test_a_new_parameter_beside_the_old_ones_tells_which_is_which() -> None:
    moves = told(["test_a[1-x]", "test_a[1-y]", "test_a[2-x]"], ["test_a[1]", "test_a[2]"])
    assert pairs(moves) == {"test_a[1-x]": "test_a[1]", "test_a[1-y]": "test_a[1]", "test_a[2-x]": "test_a[2]"}


@pytest.mark.parametrize(
    ("new", "gone", "kept"),
    [
        (["test_a[one]", "test_a[two]"], ["test_a[1]", "test_a[2]"], ()),
        (["test_a[3]", "test_a[4]"], ["test_a[1]"], ("test_a[2]",)),
        (["test_a"], ["test_a[1]", "test_a[2]"], ()),
        (["test_z.py::test_x"], ["test_a.py::test_x", "test_b.py::test_x"], ()),
        (["test_y.py::test_x", "test_z.py::test_x"], ["test_a.py::test_x"], ()),
        (["TestA::test_x", "TestB::test_x"], ["test_x"], ()),
        (["test_load_fast", "test_load_slow"], ["test_load"], ()),
    ],
)
def test_what_fits_several_is_left_open_and_says_what_it_may_be(
    new: list[str], gone: list[str], kept: tuple[str, ...]
) -> None:
    moves = told(new, gone, kept=kept)
    assert not moves.old
    assert set(moves.possible) == set(subjects(*new))
    assert all(set(olds) == set(subjects(*gone)) for olds in moves.possible.values())


def test_one_name_in_two_files_goes_by_the_files() -> None:
    files = Files(gone={"a/unit/test_it.py", "a/whole/test_it.py"})
    gone = ["a/unit/test_it.py::test_x", "a/whole/test_it.py::test_x"]
    new = ["b/unit/test_it.py::test_x", "b/whole/test_it.py::test_x"]
    assert pairs(told(new, gone, files=files)) == dict(zip(new, gone, strict=True))


def test_files_that_have_more_tests_in_common_belong_together_and_the_rest_follows() -> None:
    gone = ["t/a.py::test_x", "t/a.py::test_y", "t/b.py::test_x"]
    new = ["c/q.py::test_x", "c/q.py::test_y", "c/r.py::test_x"]
    assert pairs(told(new, gone)) == dict(zip(new, gone, strict=True))


def test_a_file_that_git_saw_renamed_keeps_its_tests() -> None:
    gone = ["t/a.py::test_x", "t/b.py::test_x"]
    new = ["c/one.py::test_x", "c/two.py::test_x"]
    renamed = Files(renamed={"t/a.py": "c/two.py", "t/b.py": "c/one.py"})
    assert pairs(told(new, gone, files=renamed)) == {new[0]: gone[1], new[1]: gone[0]}
    assert not told(new, gone).old


def test_a_test_that_changed_its_class_is_looked_for_in_its_own_file_or_where_that_one_went() -> None:
    new, gone = ["c/two.py::TestX::test_a_day"], ["t/a.py::test_a_day"]
    assert not told(new, gone).old
    for files in (Files(renamed={"t/a.py": "c/two.py"}), Files(gone={"t/a.py"})):
        assert pairs(told(new, gone, files=files)) == {new[0]: gone[0]}


def test_the_same_body_tells_in_any_file_if_only_one_has_it() -> None:
    bodies = {"c/x.py::test_new": "load(1)", "t/a.py::test_old": "load(1)", "t/a.py::test_else": "load(2)"}
    gone = ["t/a.py::test_old", "t/a.py::test_else"]
    assert pairs(told(["c/x.py::test_new"], gone, bodies=bodies)) == {"c/x.py::test_new": "t/a.py::test_old"}
    assert not told(["c/x.py::test_new"], gone, bodies=dict.fromkeys(bodies, "load(1)")).old


def test_a_single_test_of_a_file_without_any_likeness_is_left_to_its_call_sites() -> None:
    moves = told(["test_rows"], ["test_a_day"])
    assert (moves.old, moves.by_sites) == ({}, dict(zip(subjects("test_rows"), subjects("test_a_day"), strict=True)))
    assert not told(["test_rows", "test_lines"], ["test_a_day"]).by_sites
    assert not told(["test_rows"], ["tests/test_else.py::test_a_day"]).by_sites


@pytest.mark.parametrize("seed", range(5))
def test_the_order_in_which_tests_come_makes_no_difference(seed: int) -> None:
    new = [f"c/{file}.py::test_{name}" for file in "pqr" for name in "abcde"] + ["test_a[1]", "test_a[2]"]
    gone = [f"t/{file}.py::test_{name}" for file in "pqr" for name in "abcde"] + ["test_a"]
    expected = told(new, gone)
    random.Random(seed).shuffle(new)
    random.Random(seed + 1).shuffle(gone)
    assert told(new, gone) == expected
    assert len(expected.old) == 17


def test_no_entry_goes_to_two_tests_but_for_its_parameters() -> None:
    moves = told(["TestA::test_x", "test_x_fast", "test_x[1]", "test_x[2]"], ["test_x"])
    assert set(pairs(moves)) == {"test_x[1]", "test_x[2]"}


def test_call_sites_agree_where_most_bytes_are_held_there_on_both_sides() -> None:
    old, new = subjects("test_old", "test_new")
    load, own = site("load", 900), site("test_new", 50, path=IT)
    assert same_sites(new, (load, own), old, {"shop/orders.py:load": 800, f"{IT}:test_old": 100})
    assert same_sites(new, (site("load", 900_000),), old, {"shop/orders.py:load": 800})
    assert not same_sites(new, (load,), old, {"shop/orders.py:save": 800})
    assert not same_sites(new, (load, site("save", 9000)), old, {"shop/orders.py:load": 800})
    assert not same_sites(new, (load,), old, {"shop/orders.py:load": 80, "shop/orders.py:save": 800})
    assert not same_sites(new, (own,), old, {f"{IT}:test_old": 50})  # each test holds something in its own function
    assert not same_sites(new, (), old, {})


def test_the_call_sites_of_an_entry_go_by_the_new_names() -> None:
    old, new = subjects("a.py::TestX::test_old[1]", "b.py::test_new")
    entry = Reference(value=5, anchor=3, reason="x", sites={"a.py:test_old": 3, "a.py:helper": 1, "shop.py:load": 1})
    assert under_new_name(entry, old, new) == Reference(
        value=5, anchor=3, reason="x", sites={"b.py:test_new": 3, "b.py:helper": 1, "shop.py:load": 1}
    )
