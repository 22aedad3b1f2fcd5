"""A baseline file that cannot be read is said once, and whose it is: the change's or the base's."""

import pytest
from harness import Project

from pytest_memgate.report.annotations import annotations
from pytest_memgate.tasks.ci.outcome import Left, answer
from pytest_memgate.tasks.run.file import read_run

_TEST = "from work import load\n\ndef test_one():\n    assert load(3000)\n"


@pytest.mark.parametrize(
    ("whose", "workers"),
    [("the change's file", ()), ("the base's file", ()), ("", ()), ("the change's file", ("-n2",))],
)
def test_it_is_said_once_with_whose_it_is(project: Project, workers: tuple[str, ...], whose: str) -> None:
    for name in ("test_a.py", "test_b.py"):
        project.write(name, f"{_TEST}\n\ndef test_two():\n    assert load(2000)\n")
    project.prepare()
    path = project.baselines / "test_a.py.yaml"
    good, broken = path.read_text(encoding="utf-8"), "<<<<<<< ours\nformat: 1\n"
    path.write_text(broken if whose == "the base's file" else good, encoding="utf-8")
    project.commit()
    path.write_text(good if whose == "the base's file" else broken, encoding="utf-8")
    result = project.gate(*workers, *(["--memgate-base=main"] if whose else []))
    problem = f"{whose} {path.relative_to(project.root)}:".lstrip()
    (told,) = (line for line in result.summary().splitlines() if line.startswith("problem"))
    assert told.startswith(f"problem      {problem}")
    assert "memgate: NO ANSWER: 1 problem; 2 tests compared\n" in result.out
    file = project.root.parent / "run.json"
    gate = answer(Left(folder=file.parent, ended=str(result.code)))
    assert gate.code == 3
    assert gate.text.startswith(f"NO ANSWER: 1 problem; 2 tests compared: {problem}")
    assert gate.text.count("conflict markers") == 1
    assert len(annotations(read_run(file))) == 1


def test_a_first_use_is_told_at_the_test_that_paid_and_its_command_accepts_it(project: Project) -> None:
    env = {"PYTHONPATH": f"{project.root}:{project.root.parent / 'library'}", "PYTHONDONTWRITEBYTECODE": ""}
    project.write("../library/tables.py", "NAMES = [str(number) * 4 for number in range(9000)]\n")
    project.write("tests/test_a.py", "def test_plain():\n    assert sum(range(9)) == 36\n")
    project.write(
        "tests/test_b.py", "# what\n# for\ndef test_names():\n    from tables import NAMES\n    assert len(NAMES) > 9\n"
    )
    project.prepare("-p", "no:randomly", env=env)
    project.write("../library/tables.py", "NAMES = [str(number) * 4 for number in range(29_000)]\n# more of them\n")
    red = project.gate("-p", "no:randomly", env=env)
    assert red.code == 1, red.out
    found = red.found("tables", "memory.first_use")
    assert (found["paid_by"], found["line"]) == ([{"file": "tests/test_b.py", "name": "test_names"}], 3)
    told = annotations(read_run(project.root.parent / "run.json"))
    assert told
    command = 'memgate baseline update --reason "…" tests/test_b.py::test_names'
    assert all(line.startswith("::error file=tests/test_b.py,line=3,title=first-use%3A%3Atables::") for line in told)
    assert all(line.endswith(f"if it is meant: {command}") for line in told)
    assert f"if it is meant: {command}" in red.out
    done = project.memgate("baseline", "update", "--reason", "more names", "tests/test_b.py::test_names", env=env)
    assert done.code == 0, done.out
    green = project.gate("-p", "no:randomly", env=env)
    assert green.code == 0, green.out
