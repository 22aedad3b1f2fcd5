"""Processes that tests start: traced by themselves, judged as the test's own memory is, named by their own lines."""

import tempfile
from pathlib import Path

import pytest
from harness import Project, Result

_SERVER = """
    import http.server

    KEEPS = False
    kept = []

    def remember(body):
        if KEEPS:
            kept.append(body * 10)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = b"x" * 1000
            remember(body)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    if __name__ == "__main__":
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        print(server.server_port, flush=True)
        server.serve_forever()
"""
_ASKING = """
    import signal
    import subprocess
    import sys
    import urllib.request
    import pytest

    def started():
        return subprocess.Popen([sys.executable, "server.py"], stdout=subprocess.PIPE, text=True)

    def ask(process, times):
        port = process.port = getattr(process, "port", 0) or int(process.stdout.readline())
        for _ in range(times):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/").read()
"""
_ENDED = """
    @pytest.mark.parametrize("by", ["SIGKILL", "SIGTERM", "SIGINT"])
    def test_server(by):
        with started() as process:
            ask(process, 300)
            process.send_signal(getattr(signal, by))
"""
_WIDE = """
    @pytest.fixture(scope="module")
    def server():
        with started() as process:
            yield process
            process.kill()

    def test_many(server):
        ask(server, 200)

    def test_few(server):
        ask(server, 2)

    def test_none(server):
        pass
"""
_POOL = """
    import multiprocessing
    import pytest
    from job import job

    @pytest.mark.parametrize("how", ["fork", "spawn", "forkserver"])
    def test_pool(how):
        with multiprocessing.get_context(how).Pool(2) as pool:
            assert pool.map(job, range(4)) == [0, 1, 2, 3]
"""
_JOB = """
    KEPT = []
    SIZE = 1_000

    def job(n):
        KEPT.append(bytearray(SIZE))
        return n
"""


def dedented(*parts: str) -> str:
    """Return parts of one file as one text."""
    return "\n".join(parts)


def named(result: Result, test: str, metric: str) -> tuple[str, str, str]:
    """Return the outcome of a metric, and the file and function that grew most."""
    finding = result.found(test, metric)
    site = finding["growth_by_site"][0]["site"]
    return finding["outcome"], site["path"], site["function"]


def test_a_server_that_keeps_requests_is_red_whatever_ends_it(project: Project, workers: tuple[str, ...]) -> None:
    """By SIGKILL, by SIGTERM, and by Ctrl-C: the line of the server that keeps them is named."""
    project.write("server.py", _SERVER)
    project.write("test_it.py", dedented(_ASKING, _ENDED))
    project.prepare()
    unchanged = project.gate(*workers)
    assert (unchanged.code, "memgate: PASSED: 3 tests compared" in unchanged.out) == (0, True)
    project.replace("server.py", "KEEPS = False", "KEEPS = True")
    result = project.gate(*workers)
    assert result.code == 1
    for by in ("SIGKILL", "SIGTERM", "SIGINT"):
        for metric in ("children.peak", "children.retained"):
            assert named(result, f"test_server[{by}]", metric) == ("regressed", "server.py", "remember")
    assert "1 process: python server.py" in result.out
    assert "called from server.py:" in result.out


def test_a_server_of_a_wider_fixture_is_judged_by_each_test_that_uses_it(project: Project) -> None:
    """What it takes in one test is that test's, whoever started it; and it runs again while the server is up."""
    project.write("server.py", _SERVER)
    project.write("test_it.py", dedented(_ASKING, _WIDE))
    project.prepare()
    assert project.gate().code == 0
    project.replace("server.py", "KEEPS = False", "KEEPS = True")
    for order in (("test_many", "test_few", "test_none"), ("test_none", "test_few", "test_many")):
        result = project.gate(*(f"test_it.py::{name}" for name in order))
        assert named(result, "test_many", "children.retained") == ("regressed", "server.py", "remember")
        failed = {one["subject"]["name"] for one in result.run["findings"] if one["outcome"] == "regressed"}
        assert failed == {"test_many"}


def test_pools_of_processes_are_seen_however_they_are_started(project: Project) -> None:
    project.write("job.py", _JOB)
    project.write("test_it.py", _POOL)
    project.prepare()
    assert project.gate().code == 0
    project.replace("job.py", "1_000", "800_000")
    result = project.gate()
    for how in ("fork", "spawn", "forkserver"):
        assert named(result, f"test_pool[{how}]", "children.retained") == ("regressed", "job.py", "job")
        assert result.found(f"test_pool[{how}]", "children.retained")["measurement"]["value"] > 4 * 800_000


def test_work_that_moves_into_a_process_is_told(project: Project) -> None:
    """Memory of a grandchild, in a test that started nothing before: red where it is much, and a line in any case."""
    project.write("job.py", _JOB)
    for size, code in ((100_000, 0), (3_000_000, 1)):
        project.write("test_it.py", "from job import job\n\ndef test_it():\n    job(1)\n")
        project.prepare()
        inner = f"import job; job.SIZE = {size}; job.job(1)"
        outer = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {inner!r}])"
        project.write(
            "test_it.py",
            f"import subprocess, sys\n\ndef test_it():\n    subprocess.run([sys.executable, '-c', {outer!r}])\n",
        )
        result = project.gate()
        assert result.code == code
        assert "starts processes now, and did not in its baseline: test_it.py::test_it" in result.out
        assert result.found("test_it", "children.peak")["baseline"] == 0


def test_what_is_imported_is_no_growth_and_what_a_module_builds_is(project: Project) -> None:
    project.write("table.py", "TABLE = None\n")
    project.write("program.py", "import table\n")
    project.write(
        "test_it.py",
        """
        import subprocess, sys

        def test_it():
            subprocess.run([sys.executable, "program.py"], check=True)
        """,
    )
    project.prepare()
    assert "children.peak" not in project.baseline("test_it.py")  # next to nothing
    project.write("table.py", "import decimal, email.message, http.client, json, ssl, unittest.mock, xml.dom.minidom\n")
    assert project.gate().code == 0
    project.write("table.py", "TABLE = [str(i) for i in range(50_000)]\n")
    result = project.gate()
    assert named(result, "test_it", "children.retained") == ("regressed", "table.py", "<module>")


_NOBODY_WATCHES = """
    from pytest_memgate.measure.children import resident

    resident._SOURCE = "/nowhere"  # as on macOS
"""
_UNSEEN = """
    import subprocess, sys

    def test_another_program():
        subprocess.run(["ls"], check=True, stdout=subprocess.DEVNULL)

    def test_an_environment_of_its_own():
        subprocess.run([sys.executable, "-c", ""], check=True, env={})
"""


def test_the_resident_size_of_another_program_is_gated_and_named(project: Project, workers: tuple[str, ...]) -> None:
    project.write(
        "test_it.py",
        """
        import subprocess, sys

        def dd(megabytes):
            return ["dd", "if=/dev/zero", "of=/dev/null", f"bs={megabytes}M", "count=60"]

        def test_program():
            subprocess.run(dd(40), check=True)

        def test_grandchild():
            subprocess.run([sys.executable, "-c", f"import subprocess; subprocess.run({dd(41)})"], check=True)

        def test_small():
            subprocess.run(["ls"], check=True, stdout=subprocess.DEVNULL)
        """,
    )
    project.prepare()
    assert project.baseline("test_it.py").count("children.resident") == 2
    result = project.gate(*workers)
    assert result.code == 0, result.out
    assert "not measured" not in result.out
    project.replace("test_it.py", "dd(40)", "dd(90)")
    project.replace("test_it.py", "dd(41)", "dd(91)")
    result = project.gate(*workers)
    for test, size in (("test_program", 90), ("test_grandchild", 91)):
        assert result.metrics(test)["children.resident"] == "regressed"
        site = result.found(test, "children.resident")["growth_by_site"][0]["site"]
        assert (site["path"], round(site["size"] / 2**20 / size, 1)) == ("dd", 1.0)
    assert "children.resident" not in result.metrics("test_small")
    assert "of dd if=/dev/zero of=/dev/null bs=90M count=60, which is not traced" in project.gate("-v").out


def test_processes_that_cannot_be_seen_are_told_in_the_ordinary_output(project: Project) -> None:
    project.write("conftest.py", _NOBODY_WATCHES)
    project.write("test_it.py", _UNSEEN)
    project.prepare()
    result = project.gate()
    assert result.code == 0
    why = "they are no Python with pytest-memgate, or have an environment of their own"
    both = "test_it.py::test_another_program, test_it.py::test_an_environment_of_its_own"
    assert f"note         starts processes that are not measured ({why}): {both}" in result.out


def test_processes_that_are_no_longer_seen_are_unmeasured(project: Project) -> None:
    """Their baseline has entries: that is no pass, and red where the gate is strict."""
    project.write("job.py", _JOB.replace("1_000", "100_000"))
    project.write(
        "test_it.py",
        """
        import subprocess, sys

        def test_it():
            subprocess.run([sys.executable, "-c", "import job; job.job(1)"], check=True)
        """,
    )
    project.prepare()
    project.replace("test_it.py", "check=True", "check=True, env={}")
    result = project.gate("--memgate-strict")
    assert (result.code, result.metrics("test_it")["children"]) == (1, "unmeasured")
    assert "unmeasured" in result.summary()


_MEMRAY = """
    import subprocess, sys

    def test_it(tmp_path):
        code = "import memray, sys; t = memray.Tracker(sys.argv[1]); t.__enter__(); t.__exit__(None, None, None)"
        done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "x.bin")], capture_output=True, text=True)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert (tmp_path / "x.bin").stat().st_size
"""


def test_a_program_that_uses_memray_itself_comes_first(project: Project) -> None:
    project.write("test_it.py", _MEMRAY)
    project.prepare()
    result = project.gate()
    assert result.code == 0
    assert "starts processes that are not measured (python -c import memray, sys;" in result.out
    assert "it uses memray itself, and a process has only one tracker): test_it.py::test_it" in result.out


def test_nothing_of_the_gate_shows_in_a_process(project: Project) -> None:
    """No thread, no output, no error under `-W error`, and an exit code of its own; with and without the gate alike."""
    project.write(
        "test_it.py",
        """
        import subprocess, sys

        CODE = '''
        import signal, sys, threading
        print(threading.enumerate(), signal.getsignal(signal.SIGTERM), sys.getprofile(), sys.argv)
        sys.exit(3)
        '''

        def test_it():
            code = "\\n".join(line.strip() for line in CODE.splitlines())
            done = subprocess.run([sys.executable, "-W", "error", "-c", code, "a"], capture_output=True, text=True)
            assert (done.returncode, done.stderr) == (3, "")
            assert done.stdout.count("Thread(") == 1 and "['-c', 'a']" in done.stdout and "None" in done.stdout
        """,
    )
    assert project.update().code == 0
    assert project.gate().code == 0


@pytest.mark.parametrize(
    ("settings", "marker"),
    [("children: off", ""), ("budgets:\n  overrides:\n    - tests: '**'\n      children: off", ""), ("", "off")],
    ids=["for all", "by pattern", "by marker"],
)
def test_processes_can_be_left_alone(project: Project, settings: str, marker: str) -> None:
    project.write("memgate.yml", f"{settings}\n")
    project.write("job.py", _JOB.replace("1_000", "3_000_000"))
    project.write("test_it.py", dedented(_POOL, ""))
    if marker:
        project.replace(
            "test_it.py", "@pytest.mark.param", f'@pytest.mark.memgate(children="{marker}")\n@pytest.mark.param'
        )
    project.prepare()
    result = project.gate()
    assert result.code == 0
    assert {finding["metric"].partition(".")[0] for finding in result.run["findings"]} == {"memory"}
    assert "starts processes" not in result.out


def test_a_change_that_leaves_processes_alone_is_told(project: Project) -> None:
    project.write("job.py", _JOB)
    project.write("test_it.py", _POOL)
    project.prepare()
    project.commit("base")
    project.write("memgate.yml", "children: off\n")
    project.replace("test_it.py", "@pytest.mark.param", '@pytest.mark.memgate(children="note")\n@pytest.mark.param')
    result = project.gate("--memgate-base=HEAD")
    assert "loosened     children: measure -> off (memgate.yml:1); it counts once it is on the base" in result.out
    assert "starts processes that are not measured, by its marker: children='note'" in result.out


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("memgate.yml", "children: all\n", "memgate.yml:1: unknown value 'all' (known: measure, note, off)"),
        (
            "test_it.py",
            'import pytest\n\n@pytest.mark.memgate(children="all")\ndef test_it():\n    pass\n',
            "test_it.py::test_it: @pytest.mark.memgate: children: unknown value 'all' (known:",
        ),
    ],
)
def test_a_wrong_word_is_told(project: Project, file: str, text: str, message: str) -> None:
    project.write(file, text)
    result = project.gate()
    assert result.code != 0
    assert message in result.out


def test_no_capture_is_left_behind(project: Project) -> None:
    project.write("job.py", _JOB)
    project.write("test_it.py", _POOL)
    with tempfile.TemporaryDirectory() as folder:  # a short name, as forkserver needs
        project.update(env={"TMPDIR": folder})
        assert list(Path(folder).iterdir()) == []
