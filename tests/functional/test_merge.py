"""Parts of one plan, put together: real shards of pytest-split and of folders, and what is no whole."""

import pytest
from harness import Project, Result

FILES = {"tests/a/test_one.py": ("first", "second", "third", "fourth"), "tests/b/test_two.py": ("fifth",)}


@pytest.fixture
def parted(project: Project) -> Project:
    """A project of two folders with baselines for all of its tests."""
    for file, names in FILES.items():
        tests = "\n".join(f"def test_{name}():\n    load({1000 + place})\n" for place, name in enumerate(names))
        project.write(file, f"from work import load\n\n{tests}")
    project.prepare()
    return project


def part(project: Project, name: str, *args: str, plugins: tuple[str, ...] = ()) -> str:
    """Run a part and keep its file under a name of its own."""
    project.gate(*args, plugins=plugins)
    (project.root.parent / "run.json").rename(project.root / f"{name}.json")
    return f"{name}.json"


def shards(project: Project, *more: str) -> list[str]:
    """Run the whole in two shards of pytest-split."""
    return [
        part(project, f"shard{group}", "--splits=2", f"--group={group}", *more, plugins=("pytest-split",))
        for group in (1, 2)
    ]


def merged(project: Project, *args: str) -> Result:
    return project.memgate("merge", *args, "-o", "whole.json")


def test_the_shards_of_a_green_suite_are_green(parted: Project) -> None:
    result = merged(parted, *shards(parted))
    assert result.code == 0, result.out
    assert "memory.peak: 5 tests measured" in result.out
    assert parted.memgate("report", "whole.json").out.startswith("### ✅ memgate: PASSED")


def test_one_red_shard_makes_the_whole_red(parted: Project) -> None:
    parted.replace("tests/b/test_two.py", "load(1000)", "load(9000)")
    result = merged(parted, *shards(parted))
    assert result.code == 1
    assert "memgate: FAILED: 1 regressed" in result.out


def test_what_has_vanished_is_seen_in_the_whole_only(parted: Project) -> None:
    parted.replace("tests/a/test_one.py", "def test_second", "def _second")
    names = shards(parted, "--memgate-missing=fail")
    for name in names:
        assert "vanished" not in (parted.root / name).read_text(encoding="utf-8")
    result = merged(parted, *names)
    assert result.code == 1
    assert "1 test in the baseline but not in the run (missing: fail): tests/a/test_one.py::test_second" in result.out


def test_parts_may_be_folders_and_merged_once_more(parted: Project) -> None:
    (parted.root / "tests/a/test_gone.py").write_text("def test_it(): pass\n", encoding="utf-8")
    parted.prepare("tests/a/test_gone.py")
    (parted.root / "tests/a/test_gone.py").unlink()
    first, second = part(parted, "a", "tests/a"), part(parted, "b", "tests/b", "-n2")
    assert merged(parted, first, second).code == 0
    again = parted.memgate("merge", "whole.json", "-o", "again.json")
    assert again.code == 0
    assert "vanished     tests/a/test_gone.py::test_it" in again.out


def test_a_missing_shard_is_named_by_what_it_would_have_run(parted: Project) -> None:
    first, _ = shards(parted)
    result = merged(parted, first)
    assert result.code == 3
    assert "none of the parts ran tests/" in result.out
    assert "name the missing part, or say --partial" in result.out
    assert not (parted.root / "whole.json").exists()
    assert merged(parted, first, "--partial").code == 0


def test_a_test_in_two_parts_is_refused_by_name(parted: Project) -> None:
    whole, one = part(parted, "whole_one", "tests"), part(parted, "b", "tests/b")
    result = merged(parted, whole, one)
    assert result.code == 3
    assert "whole_one.json and b.json both ran tests/b/test_two.py::test_fifth" in result.out
    assert "a part is named twice" in merged(parted, one, one).out


def test_other_environments_and_other_refs_are_refused_by_name(parted: Project) -> None:
    parted.commit()
    first = part(parted, "a", "tests/a")
    text = (parted.root / first).read_text(encoding="utf-8")
    (parted.root / "c.json").write_text(text.replace("-cpython3.", "-cpython4."), encoding="utf-8")
    assert "a.json and c.json are of different environments: " in merged(parted, first, "c.json").out
    second = part(parted, "b", "tests/b", "--memgate-base=main")
    result = merged(parted, first, second)
    assert result.code == 3
    assert "a.json and b.json were compared with different baselines: the work tree and main" in result.out


def test_a_part_that_did_not_end_leaves_no_answer(parted: Project) -> None:
    parted.write("tests/b/test_two.py", "import pytest\n\ndef test_fifth():\n    pytest.exit('the machine is gone')\n")
    result = merged(parted, part(parted, "a", "tests/a"), part(parted, "b", "tests/b"))
    assert result.code == 3
    assert "memgate: NO ANSWER" in result.out
    assert "b.json: " in result.out


def test_an_empty_shard_does_not_spoil_the_whole(parted: Project) -> None:
    names = [
        part(parted, f"shard{group}", "tests/b", "--splits=3", f"--group={group}", plugins=("pytest-split",))
        for group in (1, 2, 3)
    ]
    assert merged(parted, *names).code == 0


def test_raises_of_the_change_are_listed_once(parted: Project) -> None:
    parted.commit()
    parted.replace("tests/b/test_two.py", "load(1000)", "load(9000)")
    parted.prepare("tests/b", "--memgate-reason=a larger cache")
    result = merged(parted, *shards(parted, "--memgate-base=main"))
    assert result.code == 0, result.out
    assert result.out.count("(a larger cache)") == 1


def test_a_file_that_is_no_part_is_refused(parted: Project) -> None:
    (parted.root / "no.json").write_text("{}", encoding="utf-8")
    assert "no.json: not a memgate run" in merged(parted, "no.json").out
    parted.gate("--memgate-update")
    (parted.root.parent / "run.json").rename(parted.root / "update.json")
    assert "update.json is of an update" in merged(parted, "update.json").out
    assert merged(parted, "absent.json").code == 3
