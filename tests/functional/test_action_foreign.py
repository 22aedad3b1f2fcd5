"""What a pull request's author, or a careless workflow, can put into the action: inputs, names, files, commands."""

import json
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest
from composite import Job, Runner
from github_repository import QUIET, Origin, event
from harness import Project
from markdown_it import MarkdownIt

HOSTILE = [
    "$(touch pwned)",
    "`touch pwned`",
    "'; touch pwned; '",
    '"; touch pwned; "',
    "a\ntouch pwned\n",
    "${{ github.token }}",
    "--help",
    "%0A::error::forged",
    "x\nproblem=\nverdict=passed",
    "🐍 ](javascript:alert(1))<img src=x onerror=alert(1)>",
]
# These are given to commands, each text on its own; the others are compared with words, or are a name or a pattern.
IN_COMMANDS = ["working_directory", "pytest_args", "base"]
INPUTS = [*IN_COMMANDS, "against", "strict", "fail", "comment", "artifact", "merge"]


@pytest.fixture
def origin(project: Project) -> Origin:
    project.write("test_shop.py", "from work import load\n\ndef test_order():\n    assert load(1000)\n")
    project.prepare()
    origin = Origin(project)
    origin.commit("base")
    return origin


@pytest.mark.parametrize("name", INPUTS)
def test_no_input_is_evaluated_and_none_turns_red_into_green(origin: Origin, name: str) -> None:
    origin.project.replace("test_shop.py", "load(1000)", "load(20000)")
    commits = origin.pull_request()
    payload = event(origin.folder, "pull_request", base=commits.base, head=commits.head)
    for text in HOSTILE if name in IN_COMMANDS else [" ".join(HOSTILE)]:
        workspace = origin.checkout(commits.merge)
        runner = origin.runner(workspace, "pull_request", payload)
        given = f"{QUIET} {text}" if name == "pytest_args" else text
        job = runner.run(**{"pytest_args": QUIET, name: given})
        assert job.failed, (text, job.out)
        assert job.gate.code in {1, 2, 3}, (text, job.out)
        assert not list(origin.folder.rglob("pwned")), text
        assert "\n::error::forged" not in job.out
        assert "Traceback (most recent call last)" not in job.out


def test_an_input_of_another_kind_is_named(origin: Origin) -> None:
    commits = origin.pull_request_of_nothing()
    assert "input strict: 'yes' is neither true nor false" in origin.judged(commits, strict="yes").gate.out
    assert "input pytest-args: No closing quotation" in origin.judged(commits, pytest_args="-k 'x").gate.out
    assert (
        "input working-directory: 'shop' is not a folder" in origin.judged(commits, working_directory="shop").gate.out
    )
    assert "input base: '--all' is no ref" in origin.judged(commits, base="--all").gate.out
    assert "input base: 'a:b' is no ref" in origin.judged(commits, base="a:b").gate.out


def test_names_of_tests_are_inert_in_every_place(origin: Origin) -> None:
    name = "](javascript:alert(1))<img src=x onerror=alert(1)>::error::%0A 🐍 \r\n::error::forged"
    origin.project.write(
        "test_named.py",
        f"""
        import pytest
        from work import load

        @pytest.mark.parametrize("n", [30000], ids=[{name!r}])
        def test_big(n):
            load(n)
        """,
    )
    origin.project.prepare()
    origin.commit("named")
    origin.project.replace("test_named.py", "load(n)", "load(2 * n)")
    job = origin.judged(origin.pull_request())
    assert job.gate.code == 1
    assert job.outputs["regressed"] == "1"
    lines = [line for line in job.step("report").out.splitlines() if line]
    assert len(lines) == 1  # a command is one where a line starts with it
    assert lines[0].startswith("::error file=work.py,line=4,title=test_named.py%3A%3Atest_big[")
    assert "%250A" in lines[0]
    page = MarkdownIt("commonmark", {"html": True, "linkify": True}).enable("table").render(job.summary)
    assert "onerror" in page
    assert not re.findall(r"<(?:img|script)|href=.?javascript", page)
    origin.project.git("apply", "--index", job.outputs["patch"])
    assert not origin.judged(origin.pull_request()).failed


def test_what_a_test_prints_commands_nothing(origin: Origin) -> None:
    origin.project.write(
        "test_loud.py",
        """
        def test_loud(capsys):
            with capsys.disabled():
                print("\\n::error::forged\\n::stop-commands::mine\\n::mine::")
        """,
    )
    job = origin.judged(origin.pull_request())
    out = job.step("run").out
    token = out.partition("::stop-commands::")[2].partition("\n")[0]
    assert len(token) == 32
    heard = out.partition(f"\n::{token}::")
    assert "::error::forged" in heard[0]
    assert heard[1]
    assert "::error::forged" not in heard[2]


def test_a_test_finds_no_file_that_steers_later_steps_and_no_token(origin: Origin) -> None:
    origin.project.write(
        "test_nosy.py",
        """
        import os

        def test_nosy():
            for name, text in os.environ.items():
                assert not name.startswith(("MEMGATE_CI_", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_OUTPUT", "GITHUB_STEP"))
                assert "the-token" not in text
        """,
    )
    job = origin.judged(origin.pull_request(), env={"GITHUB_API_URL": "http://127.0.0.1:9"})
    assert "1 failed" not in job.step("run").out, job.out


FORGE = """
import json, os
from pathlib import Path

def forge(path):
    run = json.loads(path.read_text())
    {code}
    path.write_text(json.dumps(run))
"""


def test_a_run_that_the_projects_own_code_forges_is_not_green(origin: Origin) -> None:
    code = FORGE.format(code="run['verdict'] = 'passed'")
    ends = "def pytest_unconfigure(config):\n    forge(Path(config.option.memgate_report))\n"
    origin.project.write("conftest.py", f"{code}\n{ends}")
    origin.project.replace("test_shop.py", "load(1000)", "load(20000)")
    assert_refused(origin.judged(origin.pull_request()), "its verdict is not that of its findings")


def assert_refused(job: Job, words: str) -> None:
    assert job.failed
    assert words in job.gate.out
    assert "Traceback (most recent call last)" not in job.out
    assert job.outputs["verdict"] != "passed"


@pytest.fixture(scope="module")
def red(tmp_path_factory: pytest.TempPathFactory) -> tuple[Runner, Path]:
    """A job that was red, to be run again from its report on, and a copy of what its tests left."""
    folder = tmp_path_factory.mktemp("red")
    project = Project(folder / "project")
    project.write("test_shop.py", "from work import load\n\ndef test_order():\n    assert load(1000)\n")
    project.prepare()
    origin = Origin(project)
    origin.commit("base")
    project.replace("test_shop.py", "load(1000)", "load(20000)")
    runner, job = origin.begun(origin.pull_request())
    assert job.gate.code == 1, job.out
    return runner, Path(shutil.copy(job.outputs["run-json"], folder / "run.json"))


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("run = {'schema': 1}", "the run cannot be read"),
        ("run['findings'] = []; run['verdict'] = 'passed'", "nothing was compared, and yet the run says passed"),
        ("run['findings'][0]['baseline'] = float('nan')", "NaN is no number"),
        ("run['findings'][0]['baseline'] = 10 ** 4000", "a number of 4001 digits"),
        ("run['findings'][0]['reason'] = 'x' * 200_000", "a text of 200000 characters"),
        ("run['more'] = json.loads('[' * 500 + ']' * 500)", "nested too deeply"),
        ("path.write_text('[' * 100_000); return", "the run cannot be read"),
        ("path.unlink(); path.symlink_to('/etc/passwd'); return", "a link, not a file"),
        ("path.unlink(); os.mkfifo(path); return", "not a regular file"),
        ("path.unlink(); path.mkdir(); return", "not a regular file"),
        ("run['findings'][0]['subject']['file'] = '../../x'", "FAILED"),
        ("run['environment']['key'] = '../../x'", "FAILED"),
        ("run['findings'][0]['subject']['file'] = '.git/hooks/x'", "FAILED"),
    ],
)
def test_a_run_that_was_forged_is_not_green(red: tuple[Runner, Path], code: str, words: str) -> None:
    runner, left = red
    folder = Path(runner.outputs("plan")["folder"])
    shutil.rmtree(folder)
    folder.mkdir()
    run = Path(shutil.copy(left, folder / "run.json"))
    names: dict[str, Any] = {}
    exec(FORGE.format(code=code), names)
    names["forge"](run)
    assert_refused(runner.again("report"), words)


def test_modules_of_the_repository_do_not_stand_in_for_the_actions_own(origin: Origin) -> None:
    for name in ("click", "yaml", "json", "pytest_memgate", "plotly"):
        origin.project.write(f"helpers/{name}.py", "")  # there, but where no step looks
        origin.project.write(f"{name}.py", "raise SystemExit('shadowed')\n")
    commits = origin.pull_request()
    payload = event(origin.folder, "pull_request", base=commits.base, head=commits.head)
    job = origin.runner(origin.checkout(commits.merge), "pull_request", payload).run(pytest_args=QUIET)
    assert "memgate: compared with" in job.step("plan").out
    assert job.failed  # pytest itself starts among them, as it does for the developer
    assert job.step("report").code == 0
    assert "shadowed" not in job.gate.out


def test_the_words_of_pytest_args_reach_pytest_as_a_shell_would_give_them(origin: Origin) -> None:
    commits = origin.pull_request_of_nothing()
    job = origin.judged(
        commits, pytest_args=f"{QUIET} -k 'order and not basket' " + shlex.quote("--junit-prefix=$HOME")
    )
    assert not job.failed, job.out
    (finding,) = json.loads(Path(job.outputs["run-json"]).read_text())["findings"]
    assert finding["outcome"] == "passed"
