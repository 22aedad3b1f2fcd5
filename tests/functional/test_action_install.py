"""The install step's own line, in a Python that has nothing yet."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from github_repository import ROOT


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A job's own Python, with nothing in it; its folder."""
    folder = tmp_path_factory.mktemp("fresh")
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
    return folder


def install(fresh: Path, workspace: Path, words: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run the install step's own line."""
    step = next(one for one in yaml.safe_load((ROOT / "action.yml").read_text())["runs"]["steps"] if "id" in one)
    assert step["id"] == "install"
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        cwd=workspace,
        env={
            "PATH": f"{fresh / 'venv' / 'bin'}:{os.environ['PATH']}",
            "HOME": str(fresh),
            "GITHUB_ACTION_PATH": str(ROOT),
            "MEMGATE_CI_INSTALL": words,
            **{name: text for name, text in os.environ.items() if name.startswith("PIP_")},
            **more,
        },
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def test_the_install_step_gives_a_job_the_command_and_what_the_workflow_names(fresh: Path, tmp_path: Path) -> None:
    tmp_path.joinpath("pip.py").write_text("raise SystemExit('shadowed')\n")
    tmp_path.joinpath("requirements.txt").write_text("pytest-split\npytest-memgate\n")
    done = install(fresh, tmp_path, "-r requirements.txt")
    assert done.returncode == 0, done.stdout + done.stderr
    python = str(fresh / "venv" / "bin" / "python")
    code = "import plotly, pytest_split, pytest_memgate; print(pytest_memgate.__file__)"
    where = subprocess.run([python, "-P", "-c", code], capture_output=True, encoding="utf-8", check=True).stdout
    assert where.startswith(str(fresh))
    steps = subprocess.run([python, "-P", "-m", "pytest_memgate", "ci", "--help"], capture_output=True, check=True)
    assert b"plan" in steps.stdout


@pytest.mark.parametrize(
    "words", ["$(touch pwned)", "`touch pwned`", "; touch pwned", "a\ntouch pwned", "&& touch pwned"]
)
def test_the_install_step_evaluates_nothing(fresh: Path, tmp_path: Path, words: str) -> None:
    done = install(fresh, tmp_path, f"--no-index {words}")
    assert done.returncode != 0
    assert not list(tmp_path.iterdir())


def test_the_install_step_says_that_there_is_no_pip(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "venv")], check=True)
    done = install(tmp_path, tmp_path, "")
    assert done.returncode == 2
    assert "has no pip; put it there (uv venv --seed)" in done.stderr


def test_the_install_step_says_what_is_wrong_with_its_inputs(fresh: Path, tmp_path: Path) -> None:
    assert (
        install(fresh, tmp_path, "'open").stderr == "memgate: input install: No closing quotation; close the quotes\n"
    )
    done = install(fresh, tmp_path, "", MEMGATE_CI_WORKING_DIRECTORY="none")
    assert (done.returncode, done.stderr) == (
        2,
        "memgate: input working-directory: 'none' is not a folder of the checkout\n",
    )
