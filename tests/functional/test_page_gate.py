"""Pages in the real Chrome under the gate: what is slower is red and named, and one at a time is loaded.

A load takes eight seconds, so each of the runs below serves several tests.
"""

import json
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from textwrap import dedent
from threading import Thread

import pytest
from harness import Project, Result

from pytest_memgate.measure.lighthouse.tools import Tools
from pytest_memgate.measure.process import reaper as warden

# On a busy machine the runs may have to wait for a page that someone else loads.
pytestmark = pytest.mark.timeout(1200)

# Two loads of each page; the shop's server is as slow as a file says.
PAGES = f"""
    pages:
      home: {{serve: web, runs: 2}}
      shop:
        url: "http://127.0.0.1:{{port}}/"
        start: "{sys.executable} serve.py {{port}}"
        runs: 2
"""
SERVE = """
    import sys, time
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
    from pathlib import Path

    class Shop(SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory="web")

        def do_GET(self):
            if self.path == "/":
                time.sleep(float(Path("seconds").read_text()))
            super().do_GET()

    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Shop).serve_forever()
"""
LIVE = """
    import threading
    from functools import partial
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

    import pytest

    @pytest.fixture
    def site():
        with ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory="web")) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            yield f"http://127.0.0.1:{server.server_port}/"
            server.shutdown()
            thread.join()

    def test_live(site, memgate):
        values = memgate.lighthouse(site, runs=1, name="live", budgets={"web.fcp": {"growth": "2s"}})
        assert 0 < values["web.fcp[live]"] <= values["web.lcp[live]"] < 60_000
        assert 30_000 < values["web.bytes[live]"] < 60_000
"""
GATED = {"web.lcp", "web.ttfb", "web.bytes", "web.cls"}
SEEN = "web.observed.lcp"  # gated too, where the network is simulated
SHOWN = {"web.fcp", "web.tbt", "web.tti", "web.si", "web.max_potential_fid"}


def site(root: Path, node_modules: Path) -> Project:
    """Make a project with a page, a server, and Lighthouse CI at hand."""
    project = Project(root / "project", patience=600)
    (project.root / "node_modules").symlink_to(node_modules)
    project.lay("pages/still", "web")
    project.write("memgate.yml", PAGES)
    project.write("serve.py", SERVE)
    project.write("seconds", "0")
    return project


@dataclass(frozen=True)
class Runs:
    """An update, a run of the same pages against it, and one of pages that became slower, all with two workers."""

    project: Project
    updated: Result
    unchanged: Result
    slower: Result


@pytest.fixture(scope="module")
def runs(tools: Tools, node_modules: Path, tmp_path_factory: pytest.TempPathFactory) -> Runs:  # noqa: ARG001
    project = site(tmp_path_factory.mktemp("pages"), node_modules)
    project.write("tests/test_live.py", LIVE)
    updated = project.update("-n2")
    baseline = project.web.read_text(encoding="utf-8")
    project.web.write_text(_elsewhere(baseline), encoding="utf-8")
    unchanged = project.gate("-n2")
    project.web.write_text(baseline, encoding="utf-8")
    dice = random.Random("library")
    library = "// " + "".join(dice.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=600_000))  # 400 KB compressed
    project.write("web/library.js", library)
    project.replace("web/index.html", "</title>", '</title><script src="library.js"></script>')
    project.write("shop/index.html", "")
    project.lay("pages/still", "shop")
    project.replace("serve.py", 'directory="web"', 'directory="shop"')
    project.write("seconds", "0.6")
    slower = project.gate("-n2", "memgate.yml")
    return Runs(project, updated, unchanged, slower)


def _elsewhere(baseline: str) -> str:
    """Return the baselines with two values of the shop measured under other conditions."""
    home, shop = baseline.split("  page[shop]:\n")
    for metric, there in (("web.lcp", "form factor: desktop"), ("web.bytes", "throttling: devtools")):
        name = there.partition(":")[0]
        shop, count = re.subn(rf"({metric}:\n.*\n +conditions: .*?){name}: \w+", rf"\g<1>{there}", shop)
        assert count == 1, shop
    return f"{home}  page[shop]:\n{shop}"


def test_a_baseline_holds_the_samples_and_what_they_were_measured_with(runs: Runs, tools: Tools) -> None:
    assert set(runs.updated.metrics("page[home]")) == GATED | {SEEN} | SHOWN
    shown = runs.project.memgate("baseline", "show", "memgate.yml::page[home]")
    (lcp,) = (line for line in shown.out.splitlines() if " web.lcp " in line)
    assert re.search(r", [2-5] samples \[", lcp), lcp  # 2 where they agree, more on a busy machine
    chrome = tools.chrome_version.partition(".")[0]
    assert lcp.endswith(f"chrome {chrome}, form factor mobile, lighthouse 12, throttling simulate")
    assert "  time to first byte\n" in shown.out
    assert "  /hero.png\n" in shown.out


def test_an_unchanged_page_is_green(runs: Runs) -> None:
    assert runs.unchanged.code == 0, runs.unchanged.out
    expected = dict.fromkeys((*GATED, SEEN), "passed") | dict.fromkeys(SHOWN, "not gated")
    assert runs.unchanged.metrics("page[home]") == expected
    assert "3 pages" in runs.unchanged.summary()


def test_values_of_other_conditions_are_not_compared(runs: Runs) -> None:
    outcomes = runs.unchanged.metrics("page[shop]")
    assert {metric: outcomes[metric] for metric in GATED} == {
        "web.lcp": "incomparable",
        "web.bytes": "incomparable",
        "web.ttfb": "passed",
        "web.cls": "passed",
    }
    assert "its baseline was measured with form factor desktop there and mobile here" in runs.unchanged.out
    assert "its baseline was measured with throttling devtools there and simulate here" in runs.unchanged.out


def test_a_test_may_load_a_page_of_its_own_server(runs: Runs) -> None:
    assert (runs.project.root / ".memgate/web/tests/test_live.py.yaml").exists()
    outcomes = runs.unchanged.metrics("test_live")
    assert outcomes["web.lcp[live]"] == outcomes["web.fcp[live]"] == "passed"
    assert outcomes["web.tbt[live]"] == "not gated"
    assert outcomes["memory.peak"] == "not gated"  # it measures a page, not itself


def test_a_script_that_blocks_is_red_and_named(runs: Runs) -> None:
    assert runs.slower.code == 1
    outcomes = runs.slower.metrics("page[home]")
    assert {metric: outcomes[metric] for metric in GATED} == {
        "web.lcp": "regressed",
        "web.bytes": "regressed",
        "web.ttfb": "passed",
        "web.cls": "passed",
    }
    lcp = runs.slower.found("page[home]", "web.lcp")
    assert 300 < lcp["growth"] < 10_000
    assert len(lcp["measurement"]["samples"]) == len(lcp["measurement"]["again"]) == 2
    said = "\n".join(lcp["details"])
    assert "largest contentful paint: body > img.hero <img" in said
    assert re.search(r"resources that grew: /library\.js \+\d+ KB \(new\)", said)
    assert re.search(r"web\.lcp .* is over its budget of 300 ms, and \+\d+ ms in a second collection", runs.slower.out)
    grown = runs.slower.found("page[home]", "web.bytes")["growth_by_site"][0]["site"]["path"]
    assert grown == "/library.js"


def test_a_slow_server_is_red_by_its_first_byte(runs: Runs) -> None:
    outcomes = runs.slower.metrics("page[shop]")
    assert outcomes["web.ttfb"] == "regressed"
    assert outcomes["web.bytes"] == "passed"
    ttfb = runs.slower.found("page[shop]", "web.ttfb")
    assert 500 < ttfb["growth"] < 5000
    assert ttfb["growth_by_site"][0]["site"]["path"] == "/"


def test_the_reports_of_a_failing_page_are_kept_and_named(runs: Runs) -> None:
    root = runs.project.root
    for page in ("home", "shop"):
        metric = "web.lcp" if page == "home" else "web.ttfb"
        kept = runs.slower.found(f"page[{page}]", metric)["kept"]
        assert kept == [f".lighthouseci/memgate/memgate.yml-page-{page}/{n}.report.json" for n in range(1, 5)]
        assert all((root / path).is_file() for path in kept)
        assert f"kept: {kept[0]} and 3 more beside it" in runs.slower.out


def test_pages_are_loaded_one_at_a_time(runs: Runs) -> None:
    loads = sorted(_loads(runs.project.root))
    assert [page for _, _, page in loads] in (4 * ["home"] + 4 * ["shop"], 4 * ["shop"] + 4 * ["home"])
    for (_, end, _), (begin, _, _) in pairwise(loads):
        assert end <= begin


def _loads(root: Path) -> Iterator[tuple[float, float, str]]:
    """Yield when each load began and ended, by the reports, and of which page it was."""
    for path in (root / ".lighthouseci/memgate").glob("*/*.report.json"):
        report = json.loads(path.read_text(encoding="utf-8"))
        begin = datetime.fromisoformat(report["fetchTime"]).timestamp()
        yield begin, begin + report["timing"]["total"] / 1000, path.parent.name.rpartition("-")[2]


def test_nothing_is_left_of_the_loads_in_the_project(runs: Runs) -> None:
    names = {path.name for path in runs.project.root.iterdir()}
    assert names <= {
        *("node_modules", "web", "shop", "memgate.yml", "serve.py", "seconds", "tests", "pytest.ini", "work.py"),
        *(".memgate", ".lighthouseci", "__pycache__"),
    }


# No answer


class _Broken(BaseHTTPRequestHandler):
    """A server of pages that cannot be measured, named for what is wrong with them."""

    def do_GET(self) -> None:  # as its base calls it
        status = {"/moved": 302, "/broken": 500, "/empty": 200, "/other": 200}.get(self.path, 404)
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/other")
        self.end_headers()
        if self.path == "/other":
            self.wfile.write(b"<!doctype html><h1>Another page</h1>")

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def broken() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Broken) as server:
        server.daemon_threads = False  # closing it waits for them: other tests count threads
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_page_that_cannot_be_loaded_is_no_answer(
    tools: Tools,  # noqa: ARG001
    node_modules: Path,
    tmp_path: Path,
    broken: str,
) -> None:
    project = site(tmp_path, node_modules)
    start = "http://127.0.0.1:{port}/"
    project.write(
        "memgate.yml",
        f"""
        pages:
          folder: {{serve: gone}}
          file: {{serve: web, path: /gone.html}}
          absent: {{url: "{broken}/absent"}}
          broken: {{url: "{broken}/broken"}}
          moved: {{url: "{broken}/moved"}}
          empty: {{url: "{broken}/empty"}}
          down: {{url: "http://127.0.0.1:1/"}}
          ends: {{url: "{start}", start: "echo no such port; exit 3"}}
          never: {{url: "{start}", start: "sleep 60", ready: 1s}}
          rc: {{serve: web, lighthouserc: gone.json}}
        """,
    )
    said = {
        "folder": r"gone: no such folder; build the site first",
        "file": r"web/gone\.html: no such file; build the site first",
        "absent": r"/absent: the server answers 404 Not Found; check the URL",
        "broken": r"/broken: the server answers 500 Internal Server Error; see the server's log",
        "moved": r"/moved leads to http://127\.0\.0\.1:\d+/other, another page",
        "empty": r"/empty: the answer is empty, 0 bytes",
        "down": r"http://127\.0\.0\.1:1/: nothing listens there; start the server first",
        "ends": r"`echo no such port; exit 3` has ended, exit code 3; it said: no such port",
        "never": r"`sleep 60` is not ready after 1 s",
        "rc": r"gone\.json: No such file or directory",
    }
    for mode in ("--memgate-strict", "--memgate-update"):
        result = project.gate(mode)
        assert result.code == 1
        assert result.run["verdict"] == "no answer"
        assert "Traceback" not in result.out
        assert not project.web.exists()
        for page, words in said.items():
            (finding,) = (one for one in result.run["findings"] if one["subject"]["name"] == f"page[{page}]")
            assert (finding["metric"], finding["outcome"]) == ("web", "no answer")
            assert re.search(words, finding["reason"])
            assert result.out.count(f"E   {finding['reason']}\n") == 1


def test_pages_in_a_row_share_their_server_which_ends_with_the_last(
    tools: Tools,  # noqa: ARG001
    node_modules: Path,
    tmp_path: Path,
) -> None:
    project = site(tmp_path, node_modules)
    project.write("serve.py", f"import os\nopen('started', 'a').write(f'{{os.getpid()}} ')\n{dedent(SERVE)}")
    page = f'url: "http://127.0.0.1:{{port}}/%s", start: "{sys.executable} serve.py {{port}}", runs: 1, ready: 2s'
    pages = "".join(f"  {name}: {{{page % name}}}\n" for name in ("other.html", "absent", "gone"))
    project.write("memgate.yml", f"pages:\n{pages}")
    result = project.gate("--memgate-update")
    assert set(result.metrics("page[other.html]")) >= GATED
    assert result.out.count("is not ready after 2 s; ") >= 2
    (started,) = (project.root / "started").read_text(encoding="utf-8").split()
    assert not Path("/proc", started).exists()


def test_a_machine_without_node_has_no_answer(project: Project, tmp_path: Path) -> None:
    project.lay("pages/still", "web")
    project.write("memgate.yml", "pages:\n  home: {serve: web}\n")
    result = project.gate(env={"PATH": str(tmp_path)})
    assert result.code == 1
    assert result.run["verdict"] == "no answer"
    assert "E   node is not on PATH, and Lighthouse needs it; install Node.js 18.20 or newer\n" in result.out


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("memgate.lighthouse()", "lighthouse(): it takes either a url, or serve=, a folder"),
        ('memgate.lighthouse("http://localhost/", serve="web")', "lighthouse(): it takes either a url, or serve="),
        ('memgate.lighthouse(serve="web", runs=0)', "lighthouse(): runs is a whole number from 1 on, not 0"),
    ],
)
def test_a_wrong_call_is_one_line(project: Project, call: str, said: str) -> None:
    project.write("test_it.py", f"def test_it(memgate):\n    {call}\n")
    result = project.gate()
    assert result.code == 1
    lines = result.out.partition("_ test_it _")[2].partition("= memgate =")[0].splitlines()[1:-1]
    (line,) = filter(None, lines)
    assert line.startswith(f"memgate: {said}")


def test_without_the_gate_no_page_is_loaded(project: Project) -> None:
    project.write("test_it.py", 'def test_it(memgate):\n    assert memgate.lighthouse("http://localhost:1/") == {}\n')
    assert project.pytest().code == 0


# Interrupted


@pytest.mark.skipif(sys.platform == "win32", reason="there is no process group to interrupt")
@pytest.mark.parametrize("args", [(), ("-n2",)], ids=["plain", "n2"])
def test_nothing_runs_on_after_ctrl_c(
    tools: Tools,  # noqa: ARG001
    node_modules: Path,
    tmp_path: Path,
    args: tuple[str, ...],
) -> None:
    project = site(tmp_path, node_modules)
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    command = (sys.executable, "-m", "pytest", "--memgate", "-p", "no:cacheprovider", *args)
    env = project.environ({"TMPDIR": str(temporary)})
    with (tmp_path / "said").open("w+", encoding="utf-8") as said:
        # As a terminal does it: all that it started hear of it.
        run = subprocess.Popen(command, cwd=project.root, env=env, stdout=said, stderr=said, start_new_session=True)
        try:
            _until(lambda: any("--type=renderer" in words for words in _running(temporary)), 60)
            run.send_signal(signal.SIGINT)
            assert run.wait(timeout=60) == pytest.ExitCode.INTERRUPTED
        finally:
            run.kill()
            run.wait()
        said.seek(0)
        text = said.read()
    assert "problem      the run was interrupted" in text
    assert "memgate: NO ANSWER: 1 problem" in text
    _until(lambda: not _running(temporary), 15)
    assert not list(temporary.glob("memgate-*/"))
    assert not project.web.exists()


def _running(temporary: Path) -> list[str]:
    """Return the command lines of the processes that belong to a temporary directory."""
    found = []
    for pid in warden.belonging(temporary):
        try:
            found.append(Path("/proc", str(pid), "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return found


def _until(condition: object, seconds: float) -> None:
    """Wait for a condition; fail if it does not come true."""
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.1)
