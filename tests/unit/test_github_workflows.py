"""The actions and workflow files: valid, pinned, with least rights, and with no input inside a shell line."""

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
ACTIONS = [ROOT / "action.yml", ROOT / "comment" / "action.yml"]
EXAMPLES = sorted((ROOT / "example_project" / ".github" / "workflows").glob("*.yml"))
OF_THE_HISTORY = sorted((ROOT / "docs" / "workflows").glob("*.yml"))
WORKFLOWS = [*sorted((ROOT / ".github" / "workflows").glob("*.yml")), *EXAMPLES, *OF_THE_HISTORY]
GITLAB = ROOT / "example_project" / ".gitlab-ci.yml"
FILES = [*ACTIONS, *WORKFLOWS]
OURS = {"OWNER/pytest-memgate": ACTIONS[0], "OWNER/pytest-memgate/comment": ACTIONS[1]}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def check(*command: str) -> None:
    done = subprocess.run([str(BIN / command[0]), *command[1:]], capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def steps(path: Path) -> Iterator[Mapping[str, Any]]:
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    jobs = [data["runs"]] if "runs" in data else data["jobs"].values()
    for job in jobs:
        yield from job["steps"]


def test_the_files_looked_at_are_there() -> None:
    assert len(EXAMPLES) == 6
    assert [path.name for path in OF_THE_HISTORY] == ["monthly.yml", "nightly.yml"]
    assert len(WORKFLOWS) > len(EXAMPLES)


@pytest.mark.parametrize(
    ("schema", "files"),
    [("github-actions", ACTIONS), ("github-workflows", WORKFLOWS), ("gitlab-ci", [GITLAB])],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_the_files_have_the_form_that_the_vendor_asks_for(schema: str, files: list[Path]) -> None:
    check("check-jsonschema", "--builtin-schema", f"vendor.{schema}", *map(str, files))


def test_an_auditor_of_workflows_finds_nothing() -> None:
    check("zizmor", "--offline", "--no-progress", "--no-config", *map(str, FILES))


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_every_shell_line_is_clean(path: Path, tmp_path: Path) -> None:
    for number, step in enumerate(steps(path)):
        if "run" in step:
            script = tmp_path / f"{number}.sh"
            script.write_text(f"#!/usr/bin/env bash\nset -eo pipefail\n{step['run']}\n", encoding="utf-8")
            check("shellcheck", str(script))


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_nothing_is_substituted_into_a_shell_line(path: Path) -> None:
    assert not [step for step in steps(path) if "${{" in step.get("run", "")]


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_every_foreign_action_is_pinned_by_its_commit(path: Path) -> None:
    lines = re.findall(r"uses: *(\S+)(.*)", path.read_text(encoding="utf-8"))
    assert lines or not any("uses" in step for step in steps(path))
    for action, comment in lines:
        if action == "./":
            continue  # this repository's own
        assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action), action
        assert re.match(r" # \S", comment), action


def test_one_action_is_pinned_by_one_commit_everywhere() -> None:
    pins: dict[str, set[str]] = {}
    for path in FILES:
        for action, comment in re.findall(r"uses: *(actions/\S+) # (v[\d.]+)", path.read_text(encoding="utf-8")):
            pins.setdefault(action.partition("@")[0], set()).add(f"{action} {comment}")
    assert {name: len(found) for name, found in pins.items()} == dict.fromkeys(pins, 1)


@pytest.mark.parametrize("path", WORKFLOWS, ids=name_of)
def test_a_job_has_the_rights_that_it_names_and_no_others(path: Path) -> None:
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert data["permissions"] in ({}, {"contents": "read"})
    for name, job in data["jobs"].items():
        runs_tests = any(str(step.get("uses", "")).startswith("OWNER/pytest-memgate@") for step in job["steps"])
        if runs_tests:
            assert job["permissions"].items() <= {"contents": "read", "pull-requests": "write"}.items(), name
        assert "timeout-minutes" in job, name


@pytest.mark.parametrize("path", EXAMPLES, ids=name_of)
def test_the_examples_give_inputs_that_there_are(path: Path) -> None:
    for step in steps(path):
        action = OURS.get(str(step.get("uses", "")).partition("@")[0])
        if action:
            declared = yaml.safe_load(action.read_text(encoding="utf-8"))["inputs"]
            assert step.get("with", {}).keys() <= declared.keys()


@pytest.mark.parametrize("path", ACTIONS, ids=name_of)
def test_every_shell_line_of_an_action_is_one_command(path: Path) -> None:
    for step in steps(path):
        assert "\n" not in step.get("run", "").strip()


def test_the_gate_comes_last_and_runs_whatever_came_before() -> None:
    *_, gate = steps(ACTIONS[0])
    assert gate["run"].endswith(" gate")
    assert gate["if"].startswith("always()")


@pytest.mark.parametrize("path", ACTIONS, ids=name_of)
def test_every_step_of_an_action_starts_where_no_code_under_test_is_looked_for(path: Path) -> None:
    first, *later = [step for step in steps(path) if "run" in step]
    assert first["id"] == "own"
    assert first["run"].startswith("python -ISB ")
    for step in later:
        assert step["run"].startswith('"$MEMGATE_CI_PYTHON" -ISBc "$MEMGATE_CI_START" ')
        assert step["env"]["MEMGATE_CI_START"] == "${{ steps.own.outputs.start }}"
    for step in (first, *later):
        assert step["shell"].startswith("/bin/bash ")


def test_only_steps_of_which_none_runs_the_code_under_test_hold_the_token() -> None:
    names = [step.get("id", step.get("run", "").rpartition(" ")[2]) for step in steps(ACTIONS[0])]
    holding = [
        name for name, step in zip(names, steps(ACTIONS[0]), strict=True) if "GITHUB_TOKEN" in step.get("env", {})
    ]
    assert holding == ["plan", "comment"]
    assert names.index("plan") < names.index("install") < names.index("run") < names.index("report")


@pytest.mark.parametrize("path", ACTIONS, ids=name_of)
def test_what_makes_the_shell_or_the_loader_run_code_is_taken_from_every_step_but_the_tests_own(path: Path) -> None:
    for step in steps(path):
        if "run" in step and step.get("id") not in {"install", "run"}:
            assert {step["env"][name] for name in ("BASH_ENV", "LD_AUDIT", "LD_PRELOAD", "SHELLOPTS")} == {""}, step


def test_the_docs_name_every_input_and_output() -> None:
    page = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
    for path in ACTIONS:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        for name in (*data["inputs"], *data.get("outputs", {})):
            assert f"`{name}`" in page, name
