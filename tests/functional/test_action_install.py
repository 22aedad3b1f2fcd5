"""The action in a Python that has nothing yet: its own environment, and what it installs into the job's."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest
from composite import Done, Runner
from github_repository import ROOT


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A job's own Python, with nothing in it."""
    folder = tmp_path_factory.mktemp("fresh")
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
    return folder / "venv" / "bin" / "python"


def steps(python: Path, workspace: Path, **inputs: str) -> tuple[Done, Done]:
    """Run the steps `own` and `install` in a workspace."""
    temp = workspace.parent / f"{workspace.name}-temp"
    runner = Runner(ROOT / "action.yml", workspace, temp, {}, python=python, installs=True)
    job = runner.run("own", "install", **inputs)
    return job.step("own"), job.step("install")


def run(python: Path, code: str) -> str:
    return subprocess.run([str(python), "-P", "-c", code], capture_output=True, encoding="utf-8", check=True).stdout


def test_a_job_gets_the_plugin_and_what_the_workflow_names(fresh: Path, tmp_path: Path) -> None:
    tmp_path.joinpath("pip.py").write_text("raise SystemExit('shadowed')\n")
    tmp_path.joinpath("requirements.txt").write_text("pytest-split\npytest-memgate\nclick==8.1.7\n")
    own, done = steps(fresh, tmp_path, install="-r requirements.txt")
    assert own.code == 0, own.out
    assert done.code == 0, done.out
    assert not done.outputs, done.out
    code = "import pytest_split, pytest_memgate, click; print(pytest_memgate.__file__, click.__version__)"
    where, version = run(fresh, code).split()
    assert where.startswith(str(fresh.parents[1]))
    assert version == "8.1.7"  # what the plugin depends on stays as the words have chosen it
    run(fresh, "import pytest_memgate.plugin.entry")


def hashed(python: Path, folder: Path, *packages: str) -> Path:
    """Write requirements with the hashes of all that the packages need, as `pip-compile --generate-hashes` does."""
    files = folder / "files"
    command = [str(python), "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(files), *packages]
    subprocess.run(command, check=True)
    lines = []
    for file in sorted(files.iterdir()):
        name, version = file.name.split("-")[:2]
        lines.append(f"{name}=={version} --hash=sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}\n")
    requirements = folder / "hashed.txt"
    requirements.write_text("".join(lines))
    return requirements


@pytest.mark.parametrize("words", ["-r hashed.txt", "--require-hashes -r hashed.txt"])
def test_requirements_with_hashes_are_installed(fresh: Path, tmp_path: Path, words: str) -> None:
    hashed(fresh, tmp_path, "sniffio", "execnet")
    _, done = steps(fresh, tmp_path, install=words)
    assert not done.outputs, done.out
    run(fresh, "import sniffio, execnet, pytest_memgate.plugin.entry")


def test_a_hash_that_is_wrong_is_a_problem_in_pips_words(fresh: Path, tmp_path: Path) -> None:
    requirements = hashed(fresh, tmp_path, "idna")
    digest = requirements.read_text().rpartition(":")[2].strip()
    requirements.write_text(requirements.read_text().replace(digest, "0" * 64))
    _, done = steps(fresh, tmp_path, install="-r hashed.txt")
    assert done.code == 0
    assert done.outputs["code"] == "2"
    assert "pip could not install what the input install names: " in done.outputs["problem"]
    assert "THESE PACKAGES DO NOT MATCH THE HASHES" in done.outputs["problem"]
    assert run(fresh, "from importlib.util import find_spec; print(find_spec('idna'))") == "None\n"


def test_versions_that_the_plugin_cannot_work_with_are_a_problem(fresh: Path, tmp_path: Path) -> None:
    _, done = steps(fresh, tmp_path, install="pluggy==1.0.0 --no-deps")
    assert done.outputs["problem"].startswith("pip could not install what pytest-memgate depends on: ")
    subprocess.run([str(fresh), "-m", "pip", "install", "--quiet", "--upgrade", "pluggy"], check=True)


@pytest.mark.parametrize("words", ["$(touch pwned) `touch pwned` ; touch pwned && touch pwned", "a\ntouch pwned"])
def test_the_install_step_evaluates_nothing(fresh: Path, tmp_path: Path, words: str) -> None:
    _, done = steps(fresh, tmp_path, install=f"--no-index {words}")
    assert done.outputs["code"] == "2"
    assert not list(tmp_path.iterdir())


def test_a_job_without_pip_is_told_so(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "venv")], check=True)
    _, done = steps(tmp_path / "venv" / "bin" / "python", tmp_path)
    assert "has no pip; put it there (uv venv --seed)" in done.outputs["problem"]


def test_the_install_step_says_what_is_wrong_with_its_inputs(fresh: Path, tmp_path: Path) -> None:
    _, done = steps(fresh, tmp_path, install="'open")
    assert done.outputs["problem"] == 'input install: No closing quotation: "\'open"; close the quotes'
    _, done = steps(fresh, tmp_path, working_directory="none")
    assert done.outputs["problem"] == "input working-directory: 'none' is not a folder of the checkout"


def test_settings_of_pip_that_put_things_elsewhere_do_not_reach_the_actions_own_environment(
    fresh: Path, tmp_path: Path
) -> None:
    settings = {
        "PIP_USER": "1",
        "PIP_REQUIRE_HASHES": "1",
        "PIP_TARGET": str(tmp_path / "elsewhere"),
        "PIP_NO_DEPS": "1",
    }
    runner = Runner(ROOT / "action.yml", tmp_path, tmp_path / "temp", settings, python=fresh, fresh=True)
    own = runner.run("own").step("own")
    assert own.code == 0, own.out
    assert not (tmp_path / "elsewhere").exists()
