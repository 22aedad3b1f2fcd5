"""What a run leaves and says: the JSON file, JUnit's XML, kept captures, and the words on the terminal."""

import json
import shlex
import shutil
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest
import yaml
from harness import Project, Result

from pytest_memgate.tasks.run.file import json_schema

_TESTS = """
    from work import load

    def test_one():
        load(1000)

    def test_two():
        load(2000)
"""
_GROWN = _TESTS.replace("2000", "9000")
_HOSTILE = [
    'double " quote',
    "single ' quote",
    "back\\slash",
    "[brackets]",
    "a\nnewline: and\r\nanother",
    "emoji \N{SLIGHTLY SMILING FACE}",
    "a::b::c",
    "](javascript:alert(1))",
    "<script>&amp;</script>",
    "]]>",
    "%0A::error file=x::forged",
    "- list: {yaml: [flow",
    "#comment",
    "~",
    "null",
    "x: y",
    "tab\there",
    "\N{LINE SEPARATOR}",
    "\N{NEXT LINE}",
    "\x1b[31mred",
    "../../up",
    "{{ template }} $(command) `command`",
    " blank ",
    "\0",
]
_RAW = "disable_test_id_escaping_and_forfeit_all_rights_to_community_support = true\n"


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two tests and their baseline."""
    project = Project(tmp_path_factory.mktemp("report") / "project")
    project.write("test_it.py", _TESTS)
    project.prepare()
    return project.root


@pytest.fixture
def gated(project: Project, settled: Path) -> Project:
    """A project of its own with two tests and their baseline."""
    shutil.copytree(settled, project.root, dirs_exist_ok=True)
    return project


def _problems(result: Result) -> list[str]:
    return [line for line in result.summary().splitlines() if line.startswith("problem")]


def test_the_file_holds_the_verdict_and_each_finding(gated: Project) -> None:
    gated.write("test_it.py", _GROWN)
    run = gated.gate().run
    assert (run["schema"], run["exit_code"], run["verdict"]) == (3, 1, "failed")
    assert run["environment"]["key"] == gated.baselines.name
    assert run["memgate"]
    finding = next(one for one in run["findings"] if one["test"] == "test_it.py::test_two")
    assert finding["subject"] == {"file": "test_it.py", "name": "test_two"}
    assert (finding["metric"], finding["outcome"], finding["line"]) == ("memory.peak", "regressed", 6)
    assert finding["growth"] == finding["value"] - finding["baseline"]
    assert finding["value"] == finding["measurement"]["value"]
    assert finding["allowed"] == 200_000
    assert finding["measurement"]["settled"] is True
    assert sum(site["size"] for site in finding["measurement"]["sites"]) == finding["value"]


def test_every_kind_of_run_fits_the_schema(gated: Project, tmp_path: Path) -> None:
    validator = jsonschema.Draft202012Validator(json_schema())
    validator.check_schema(validator.schema)
    green = gated.gate().run
    assert (green["exit_code"], green["verdict"]) == (0, "passed")
    gated.commit()
    gated.write("memgate.yml", "budgets: {memory.peak: {growth: 9MB}}")
    gated.write("test_it.py", _GROWN + "\n    def test_three(benchmark): benchmark(load, 10)\n")
    red = gated.gate("--memgate-base=main", f"--memgate-keep={tmp_path / 'kept'}", plugins=("benchmark",)).run
    assert red["loosened"]
    gated.write("memgate.yml", "")
    update = gated.gate("--memgate-update").run
    assert update["update"] is True
    assert update["problems"]
    shutil.rmtree(gated.root / ".memgate")
    nothing = gated.gate("--memgate-strict").run
    assert (nothing["exit_code"], nothing["verdict"]) == (3, "no answer")
    for run in (green, red, update, nothing):
        assert list(validator.iter_errors(run)) == []
    wrongs: list[dict[str, Any]] = [{"verdict": "maybe"}, {"schema": 1}, {"findings": [{}]}, {"exit_code": "0"}]
    for wrong in wrongs:
        assert list(validator.iter_errors({**green, **wrong})), wrong


def test_the_file_is_replaced_whole_and_its_folders_are_made(gated: Project) -> None:
    path = gated.root / "made" / "below" / "run.json"
    assert gated.pytest("--memgate", "--memgate-report=made/below/run.json").code == 0
    first = path.read_text(encoding="utf-8")
    assert gated.pytest("--memgate", "--memgate-report=made/below/run.json", "-k", "one").code == 0
    assert len(json.loads(path.read_text(encoding="utf-8"))["findings"]) < len(json.loads(first)["findings"])
    assert [one.name for one in path.parent.iterdir()] == ["run.json"]


@pytest.mark.parametrize("path", ["work.py/run.json", "."], ids=["below a file", "a folder"])
def test_a_file_that_cannot_be_written_is_not_green(gated: Project, path: str) -> None:
    result = gated.pytest("--memgate", f"--memgate-report={path}")
    assert result.code == 1
    assert len(_problems(result)) == 1
    assert "give another file for the run" in _problems(result)[0]
    assert "memgate: NO ANSWER" in result.summary()
    assert "Traceback" not in result.out
    assert "INTERNALERROR" not in result.out


def _cases(path: Path) -> dict[str, ET.Element]:
    return {case.attrib["name"]: case for case in ET.parse(path).iter("testcase")}


def _property(case: ET.Element) -> dict[str, Any]:
    (text,) = [one.attrib["value"] for one in case.iter("property") if one.attrib["name"] == "memgate.memory.peak"]
    found: dict[str, Any] = json.loads(text)
    return found


def test_junit_carries_each_finding_and_the_failure(gated: Project, workers: tuple[str, ...]) -> None:
    gated.write("test_it.py", _GROWN)
    gated.gate("--junitxml=junit.xml", *workers)
    suite = next(ET.parse(gated.root / "junit.xml").iter("testsuite"))
    assert (suite.attrib["tests"], suite.attrib["failures"], suite.attrib["errors"]) == ("2", "1", "0")
    cases = _cases(gated.root / "junit.xml")
    assert _property(cases["test_one"])["outcome"] == "passed"
    assert _property(cases["test_two"])["outcome"] == "regressed"
    (failure,) = cases["test_two"].iter("failure")
    assert "is over its budget of 200 KB" in failure.attrib["message"]
    assert "+43" in failure.attrib["message"]
    assert "work.py:4 in load" in (failure.text or "")
    assert not list(cases["test_one"].iter("failure"))


@pytest.mark.parametrize(("ini", "args"), [("", ()), (_RAW, ("-n2",))], ids=["escaped", "raw, with workers"])
def test_a_hostile_test_id_survives_every_file(project: Project, ini: str, args: tuple[str, ...]) -> None:
    project.write("pytest.ini", f"[pytest]\n{ini}")
    project.write(
        "test_it.py",
        f"""
        import pytest
        from work import load

        @pytest.mark.parametrize("text", {_HOSTILE!r})
        def test_it(text):
            load(1000)
        """,
    )
    made = project.update(*args)
    names = set(made.outcomes())
    assert len(names) == len(_HOSTILE)
    assert set(yaml.safe_load(project.baseline("test_it.py"))["tests"]) == names
    before = project.baseline("test_it.py")

    project.replace("test_it.py", "load(1000)", "load(1000 if text != '~' else 9000)")
    again = project.gate("--memgate-missing=fail", "--memgate-strict", "--junitxml=junit.xml", *args)
    assert again.outcomes() == {name: "regressed" if name == "test_it[~]" else "passed" for name in names}
    properties = {_property(case)["subject"]["name"] for case in _cases(project.root / "junit.xml").values()}
    if not ini:
        assert properties == names
    assert len(list(ET.parse(project.root / "junit.xml").iter("failure"))) == 1
    project.replace("test_it.py", "load(1000 if text != '~' else 9000)", "load(1000)")
    assert project.update(*args).run.get("changes") is None
    assert project.baseline("test_it.py") == before
    checked = project.memgate("baseline", "check")
    assert checked.code == 0, checked.out


def test_an_odd_file_name_has_its_baseline_at_the_same_path(project: Project) -> None:
    project.write("a folder [1]/test_\N{LATIN SMALL LETTER U WITH DIAERESIS} 'x'.py", _TESTS)
    project.update()
    (file,) = project.files()
    assert file == "a folder [1]/test_\N{LATIN SMALL LETTER U WITH DIAERESIS} 'x'.py.yaml"
    assert project.gate("--memgate-missing=fail").outcomes() == {"test_one": "passed", "test_two": "passed"}
    one = project.memgate("baseline", "show", f"{file.removesuffix('.yaml')}::test_one")
    assert (one.code, len(one.out.splitlines())) == (0, 2)


def _profile_commands(result: Result) -> list[list[str]]:
    found = [line.partition("open the profile: ")[2] for line in result.out.splitlines()]
    return [shlex.split(line) for line in found if line]


@pytest.mark.parametrize("args", [(), ("-n2",)], ids=["plain", "n2"])
def test_a_kept_capture_opens_with_the_command_that_is_printed(gated: Project, args: tuple[str, ...]) -> None:
    gated.write("test_it.py", _GROWN)
    result = gated.gate("--memgate-keep=kept files", *args)
    (command,) = _profile_commands(result)
    assert command[:4] == ["python", "-m", "memray", "flamegraph"]
    assert result.finding("test_two")["kept"] == [command[4]]
    assert list((gated.root / "kept files").iterdir()) == [Path(command[4])]
    opened = gated.command(sys.executable, *command[1:], "-o", "profile.html")
    assert opened.code == 0, opened.out
    assert "load" in (gated.root / "profile.html").read_text(encoding="utf-8")


def test_captures_of_tests_with_like_names_do_not_replace_each_other(project: Project) -> None:
    project.write(
        "test_it.py",
        """
        import pytest
        from work import load

        @pytest.mark.parametrize("text", ["a/b", "a:b", "a b"])
        def test_it(text):
            load(1000)
        """,
    )
    result = project.gate("--memgate-limit=10KB", "--memgate-keep=kept")
    paths = {command[4] for command in _profile_commands(result)}
    assert len(paths) == 3
    assert all(Path(path).stat().st_size > 0 for path in paths)


def test_a_folder_for_captures_that_cannot_be_made_is_no_crash(gated: Project) -> None:
    gated.write("test_it.py", _GROWN)
    result = gated.gate("--memgate-keep=work.py")
    assert result.code in {1, 4}
    assert "INTERNALERROR" not in result.out
    assert "--memgate-keep" in result.out


def test_quiet_shows_only_what_fails(gated: Project) -> None:
    gated.write("test_new.py", "def test_three(): pass")
    green = gated.gate("-q").out
    assert "memgate: PASSED" in green
    assert "test_three" not in green
    assert "measured" not in green
    gated.write("test_it.py", _GROWN)
    red = gated.gate("-q")
    assert red.summary().strip().splitlines()[1].startswith("regressed    test_it.py::test_two  memory.peak 122 KB")
    assert "test_one" not in red.summary()
    assert "memgate: FAILED: 1 regressed" in red.summary()


def test_verbose_shows_every_finding_and_how_it_was_measured(gated: Project) -> None:
    gated.write("test_it.py", _GROWN)
    plain, verbose = gated.gate(), gated.gate("-v")
    assert "test_it.py::test_one" not in plain.summary()
    lines = verbose.summary().splitlines()
    (passed,) = [number for number, line in enumerate(lines) if line.startswith("passed       test_it.py::test_one")]
    assert "first run" in lines[passed + 1]
    assert any("first run" in line and "; again" in line for line in lines)


def test_colours_come_only_where_pytest_has_them(gated: Project) -> None:
    gated.write("test_it.py", _GROWN)
    assert "\x1b[" not in gated.gate("-v").out
    coloured = gated.gate("--color=yes")
    assert "\x1b[31m\x1b[1mregressed" in coloured.summary()
    assert "\x1b[" not in json.dumps(coloured.run)
