"""The action's own steps, where the change plants code in every place that it can reach: none sees the token."""

import base64
import subprocess
import sys
import sysconfig
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from composite import Job, Runner
from fake_github import Github, fake_github
from github_repository import QUIET, ROOT, Origin, event
from harness import Project

import pytest_memgate

TOKEN = "the-token"
SECRETS = (TOKEN, base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode())
# What is planted writes its environment down, and ends the steps that decide as if all were well.
SPY = """
import os, sys

with open({log!r}, "a") as file:
    file.write(f"{{os.environ!r}} {{sys.orig_argv!r}} {name}\\n")
if "MEMGATE_CI_PROBLEM" in os.environ:
    os._exit(0)
"""
SHELL_SPY = """#!/bin/sh
{{ /usr/bin/env; echo "{name} $0 $*"; }} >> '{log}'
test -n "${{MEMGATE_CI_PROBLEM+set}}" && exit 0
exec {real} "$@"
"""
PLANT = '''
import glob, os, subprocess, sys, textwrap

LOG, SPY, SHELL_SPY = {log!r}, {spy!r}, {shell_spy!r}


def write(folder, name, text, mode=0o644):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "w") as file:
        file.write(text)
    os.chmod(os.path.join(folder, name), mode)


def spy(name):
    return SPY.format(log=LOG, name=name)


def plant(site):
    """Plant a spy in a Python and in all that steers a later step."""
    write(site, "spy_of_pth.py", spy("pth"))
    write(site, "spy.pth", "import spy_of_pth\\n")
    write(site, "sitecustomize.py", spy("sitecustomize"))
    home = os.environ["HOME"]
    user = os.path.join(home, ".local/lib/python%d.%d/site-packages" % sys.version_info[:2])
    write(user, "usercustomize.py", spy("usercustomize"))
    planted = os.path.join(home, "planted")
    for name in ("click", "yaml", "json", "sitecustomize", "pytest_memgate"):
        write(planted, name + ".py", spy("PYTHONPATH " + name))
    write(planted, "startup.py", spy("PYTHONSTARTUP"))
    fakes = os.path.join(home, "bin")
    for name in ("bash", "sh", "python", "python3", "git"):
        real = sys.executable if name.startswith("python") else "/usr/bin/" + name
        text = SHELL_SPY.format(log=LOG, name="fake " + name, real=real)
        write(fakes, name, text, 0o755)
        if name == "bash":  # where the job finds its Python it finds this one, before the system's
            write(os.path.dirname(sys.executable), name, text, 0o755)
    write(home, "bash_env", "{{ /usr/bin/env; echo BASH_ENV; }} >> '%s'; exit 0\\n" % LOG)
    write(home, ".gitconfig", "[core]\\n\\tfsmonitor = %s/git\\n\\thooksPath = %s\\n" % (fakes, fakes))
    steer()


def steer():
    home, temp = os.environ["HOME"], os.environ["RUNNER_TEMP"]
    planted = os.path.join(home, "planted")
    variables = {{
        "PYTHONPATH": planted,
        "PYTHONHOME": planted,
        "PYTHONSTARTUP": os.path.join(planted, "startup.py"),
        "BASH_ENV": os.path.join(home, "bash_env"),
        "LD_PRELOAD": os.path.join(home, "planted.so"),
        "PIP_INDEX_URL": "http://127.0.0.1:9/",
        "PATH": os.path.join(home, "bin") + ":" + os.environ["PATH"],
        "GIT_EXEC_PATH": os.path.join(home, "bin"),
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "http_proxy": "http://127.0.0.1:9",
        "MEMGATE_CI_FAIL": "false",
        "MEMGATE_CI_PYTHON": os.path.join(home, "bin/python"),
    }}
    lines = "".join("%s=%s\\n" % one for one in variables.items())
    for name, text in (
        ("github_env", lines),
        ("github_path", os.path.join(home, "bin") + "\\n"),
        ("github_output", "ended=0\\nproblem=\\nverdict=passed\\nbase=\\npython=%s/bin/python\\n" % home),
        ("github_step_summary", "forged\\n"),
    ):
        with open(os.path.join(temp, name), "a") as file:
            file.write(text)
'''


@pytest.fixture
def github() -> Iterator[Github]:
    with fake_github() as server:
        yield server


@pytest.fixture
def origin(project: Project) -> Origin:
    project.write("test_shop.py", "from work import load\n\ndef test_order():\n    assert load(1000)\n")
    project.prepare()
    origin = Origin(project)
    origin.commit("base")
    return origin


@pytest.fixture
def borrowing(tmp_path: Path) -> Path:
    """A job's Python that can be spoiled: its packages are those of the tests' own."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "venv")], check=True)
    site = site_of(tmp_path / "venv" / "bin" / "python")
    own = [sysconfig.get_path("purelib"), str(Path(pytest_memgate.__file__).parents[1])]
    (site / "borrowed.pth").write_text("\n".join(own))
    return tmp_path / "venv" / "bin" / "python"


def site_of(python: Path) -> Path:
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    return Path(subprocess.run([str(python), "-c", code], capture_output=True, text=True, check=True).stdout.strip())


class Attack:
    """A pull request that grows, and plants."""

    def __init__(self, origin: Origin, github: Github) -> None:
        self.origin = origin
        self.github = github
        self.home = origin.folder / "home"
        self.home.mkdir()
        self.log = origin.folder / "seen"
        self.plant = PLANT.format(log=str(self.log), spy=SPY, shell_spy=SHELL_SPY)

    def judged(self, python: Path, *, fresh: bool = False, **inputs: str) -> Job:
        self.origin.project.replace("test_shop.py", "load(1000)", "load(20000)")
        commits = self.origin.pull_request()
        origin = self.origin
        payload = event(origin.folder, "pull_request", base=commits.base, head=commits.head)
        given = {"HOME": str(self.home), "GITHUB_API_URL": self.github.url}
        variables = origin.variables("pull_request", payload, **given)
        workspace = origin.checkout(commits.merge)
        action, temp = ROOT / "action.yml", origin.folder / "temp"
        runner = Runner(action, workspace, temp, variables, python=python, fresh=fresh, installs="install" in inputs)
        return runner.run(comment="true", **inputs)

    def assert_seen_by_none(self, job: Job, *kinds: str) -> None:
        """Assert that the growth is red everywhere, that the planted `kinds` ran, and that none saw the token."""
        seen = self.log.read_text()
        assert [secret for secret in SECRETS if secret in seen] == []
        assert [kind for kind in kinds if kind not in seen] == []
        assert "MEMGATE_CI_" not in seen
        assert job.gate.code == 1, job.out
        assert job.gate.out == "::error title=memgate::FAILED: 1 regressed; 1 test compared\n"
        assert job.outputs["verdict"] == "failed"
        assert "### ❌ memgate: FAILED: 1 regressed" in job.summary
        assert "forged" not in job.summary
        assert "### ❌ memgate: FAILED: 1 regressed" in self.github.comments[-1]["body"]
        assert self.github.tokens == {f"Bearer {TOKEN}"}


@pytest.fixture
def attack(origin: Origin, github: Github) -> Attack:
    return Attack(origin, github)


def test_what_a_test_plants_sees_no_token_and_changes_no_verdict(attack: Attack, borrowing: Path) -> None:
    attack.origin.project.write("planting.py", attack.plant)
    attack.origin.project.write(
        "conftest.py",
        f"""
        import planting

        def pytest_unconfigure(config):
            planting.plant({str(site_of(borrowing))!r})
            # All that was planted works: it is seen where a program starts as programs do.
            import os, subprocess, sys
            for command in (["python", "-c", "0"], ["git", "--version"], ["bash", "-c", ":"]):
                env = {{**os.environ, "PATH": os.environ["HOME"] + "/bin:" + os.environ["PATH"]}}
                subprocess.run(command, env=env, check=True)
        """,
    )
    job = attack.judged(borrowing, pytest_args=QUIET)
    attack.assert_seen_by_none(job, "pth", "sitecustomize", "fake python", "fake git", "fake bash")


def test_a_process_that_a_test_leaves_running_ends_with_the_step(attack: Attack, borrowing: Path) -> None:
    attack.origin.project.write("planting.py", attack.plant)
    attack.origin.project.write(
        "conftest.py",
        """
        import os, subprocess, sys

        WATCH = '''
        import glob, os, sys, time
        sys.path.insert(0, {here!r})
        import planting
        planting.write(os.path.dirname(planting.LOG), "seen", "watching\\\\n")
        for _ in range(6000):
            planting.steer()
            for path in glob.glob("/proc/[0-9]*/environ"):
                try:
                    text = open(path).read()
                except OSError:
                    continue
                if "the-token" in text and os.environ["RUNNER_TEMP"] in text:
                    open(planting.LOG, "a").write("the-token in " + path)
            time.sleep(0.01)
        '''

        def pytest_unconfigure(config):
            import textwrap
            code = textwrap.dedent(WATCH.format(here=os.path.dirname(os.path.abspath(__file__))))
            inner = [sys.executable, "-c", code]
            # Twice away from us: in a session of its own, and without a parent.
            outer = "import subprocess, sys; subprocess.Popen(sys.argv[1:], start_new_session=True)"
            subprocess.run([sys.executable, "-c", outer, *inner], stdout=subprocess.DEVNULL, check=True)
            import time, planting
            while not os.path.exists(planting.LOG):
                time.sleep(0.01)
        """,
    )
    job = attack.judged(borrowing, pytest_args=QUIET)
    attack.assert_seen_by_none(job, "watching")


def test_variables_that_are_set_once_the_action_has_started_reach_no_deciding_step(origin: Origin) -> None:
    commits = origin.pull_request_of_nothing()
    payload = event(origin.folder, "pull_request", base=commits.base, head=commits.head)
    planted = {"GIT_EXEC_PATH": str(origin.folder), "GIT_CONFIG_COUNT": "1", "PATH": str(origin.folder)}
    for number, more in enumerate(({}, planted)):  # the second takes the environment that the first has made
        workspace, temp = origin.checkout(commits.merge), origin.folder / f"temp-{number}"
        runner = Runner(ROOT / "action.yml", workspace, temp, origin.variables("pull_request", payload, **more))
        plan = runner.run("own", "plan").step("plan")
        assert plan.outputs.get("base") == commits.base, plan.out


TAMPER = {
    "a library": "click/__init__.py",
    "the package": "pytest_memgate/cli/ci.py",
    "the first file": "pytest_memgate/github/start.py",
    "a module more": "sitecustomize.py",
}


@pytest.mark.parametrize("place", TAMPER.values(), ids=TAMPER)
def test_an_environment_of_the_action_that_was_changed_is_no_answer(
    attack: Attack, borrowing: Path, place: str
) -> None:
    attack.origin.project.write(
        "conftest.py",
        f"""
        import glob, os

        def pytest_unconfigure(config):
            (lib,) = glob.glob(os.environ["RUNNER_TEMP"] + "/memgate-own-*/lib")
            with open(os.path.join(lib, {place!r}), "w") as file:
                file.write({SPY.format(log=str(attack.log), name=place)!r})
        """,
    )
    job = attack.judged(borrowing, fresh=True, pytest_args=QUIET)
    assert not attack.log.exists()
    assert job.failed
    assert job.gate.code == 3
    assert "NO ANSWER: something has changed the action's own file" in job.gate.out
    assert not attack.github.comments


def test_what_a_setup_py_plants_sees_no_token_and_changes_no_verdict(attack: Attack, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    project = attack.origin.project
    project.write(
        "setup.py",
        f"{textwrap.dedent(attack.plant)}\nplant({str(site_of(python))!r})\n"
        "from setuptools import setup\nsetup(name='shop', version='1', py_modules=['work'], scripts=['bash'])\n",
    )
    for name in ("click", "jinja2", "plotly", "pip"):
        project.write(f"{name}.py", SPY.format(log=str(attack.log), name=f"checkout {name}"))
    project.write("bash", SHELL_SPY.format(log=str(attack.log), name="script bash", real="/bin/bash"))
    memray = next(line for line in installed() if line.startswith("memray=="))
    job = attack.judged(python, install=f". {memray}", pytest_args="-p no:cacheprovider")
    assert not job.step("install").outputs, job.step("install").out
    attack.assert_seen_by_none(job, "pth", "sitecustomize")


def installed() -> list[str]:
    command = [sys.executable, "-m", "pip", "list", "--format=freeze"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
