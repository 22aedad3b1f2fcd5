"""Services: real servers in Python, Go and with a page of metrics, started, sent requests, judged and ended."""

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from harness import Project, Result

from pytest_memgate.model.codec import decode
from pytest_memgate.model.judgement.finding import Finding, Outcome

_SERVER = """
    import http.server
    import json
    import os
    import random
    import signal
    import sys
    import time

    KEEPS = int(os.environ.get("KEEPS", "0"))
    KIND = os.environ.get("KIND", "")
    kept = []
    cache = {}

    def remember():
        kept.append(bytes(KEEPS - sys.getsizeof(b"")))

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 16  # head and body of an answer leave together

        def do_GET(self):
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if KEEPS and self.path != "/metrics":
                remember()
            if KIND == "cache":
                cache[random.randrange(300)] = bytes(500)
            if KIND == "fragments":
                kept[:] = [bytes(random.randrange(20_000)) for _ in range(20)]
            if KIND == "large" and random.random() < 0.02:
                [bytearray(64_000) for _ in range(random.randrange(100))]
            if KIND == "dies" and not cache:
                os._exit(7)
            code = 500 if KIND == "fails" else 200
            body = json.dumps(list(range(random.randrange(100)))).encode()
            if self.path == "/metrics":
                body = f"# TYPE own_bytes gauge\\nown_bytes {1e6 + 1000 * len(kept)}\\n".encode()
            self.send_response(code)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, *args):
            pass

    if __name__ == "__main__":
        with open("pid", "w") as file:
            file.write(str(os.getpid()))
        if KIND == "mute":
            time.sleep(600)
        if KIND == "stays":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
        if KIND == "workers":
            for _ in range(2):
                if os.fork() == 0:
                    break
        if KIND == "background" and os.fork():
            os._exit(0)
        server.serve_forever()
"""
_CONFIG = """
    services:
      shop:
        start: python server.py {port}
        requests: 400
        warmup: 200
"""
_SERVICE = "service[shop]"
_KEEPER = "server.py:15 in remember"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project(tmp_path / "project")
    project.write("server.py", _SERVER)
    project.write("memgate.yml", _CONFIG)
    return project


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A service that has a baseline."""
    project = Project(tmp_path_factory.mktemp("services") / "project")
    project.write("server.py", _SERVER)
    project.write("memgate.yml", _CONFIG)
    assert project.update().code == 0
    return project


def gated(project: Project, kind: str = "", *, keeps: int = 0) -> Result:
    return project.gate(env={"KIND": kind, "KEEPS": str(keeps)})


def is_gone(project: Project) -> bool:
    """True if the server of the last run has ended."""
    pid = int((project.root / "pid").read_text())
    for _ in range(50):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False


def reason_of(result: Result, outcome: str) -> str:
    """Return the one reason of that outcome."""
    (reason,) = {one["reason"] for one in result.run["findings"] if one["outcome"] == outcome}
    assert "\n" not in reason
    return str(reason)


def leak_of(result: Result, test: str = _SERVICE) -> Finding:
    found = decode(Finding, result.found(test, "service.leak"))
    assert found.measurement is not None, found
    return found


def names_of(finding: Finding) -> list[str]:
    """Return the places that a finding names, the largest first."""
    return [site.label for site in finding.measurement.sites] if finding.measurement else []


def test_a_service_that_keeps_nothing_is_green_and_says_what_it_could_have_seen(measured: Project) -> None:
    result = gated(measured)
    assert result.code == 0, result.out
    assert f"memgate.yml::{_SERVICE}: no leak above 1 B a request (400 requests, Python's heap, after " in result.out
    assert "1 service; baseline" in result.out
    assert is_gone(measured)


@pytest.mark.parametrize("keeps", [64, 1000, 100_000])
def test_a_leak_is_red_with_its_line(measured: Project, keeps: int) -> None:
    result = gated(measured, keeps=keeps)
    assert result.code == 1
    leak = leak_of(result)
    assert leak.outcome is Outcome.REGRESSED
    assert leak.value is not None
    assert keeps <= leak.value <= 1.2 * keeps + 40
    assert names_of(leak)[0] == _KEEPER
    assert "is over its limit of 8 B" in result.out


@pytest.mark.parametrize("kind", ["fragments", "large", "workers"])
def test_what_is_no_leak_is_not_called_one(measured: Project, kind: str) -> None:
    assert leak_of(gated(measured, kind)).outcome in {Outcome.PASSED, Outcome.UNSTABLE}


def test_a_cache_that_fills_is_no_leak_and_counts_as_what_is_held(project: Project) -> None:
    project.replace("memgate.yml", "warmup: 200", "warmup: 2000")
    assert project.update().code == 0
    result = gated(project, "cache")
    assert leak_of(result).outcome is Outcome.PASSED
    assert (decode(Finding, result.found(_SERVICE, "service.retained")).growth or 0) > 100_000


def test_the_leak_of_a_worker_is_seen(measured: Project) -> None:
    result = gated(measured, "workers", keeps=500)
    assert names_of(leak_of(result))[0] == _KEEPER


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("fails", "GET / answered 500, request 1; it said nothing; see the service's log"),
        ("dies", "`python server.py "),
        ("background", "has ended, exit code 0; it said nothing; it must stay in front"),
    ],
)
def test_a_service_that_fails_gives_no_answer_and_leaves_nothing(project: Project, kind: str, words: str) -> None:
    result = gated(project, kind)
    assert result.code == 1
    assert words in reason_of(result, "no answer")
    assert "Traceback" not in result.out
    assert is_gone(project)


def test_a_service_that_is_never_ready_is_waited_for_and_ended(project: Project) -> None:
    project.replace("memgate.yml", "requests: 400", "start_within: 1s")
    result = gated(project, "mute")
    assert "is not ready after 1 s; " in reason_of(result, "no answer")
    assert is_gone(project)


def test_a_service_that_ignores_signals_is_ended(project: Project) -> None:
    assert leak_of(gated(project, "stays")).outcome is Outcome.NO_BASELINE
    assert is_gone(project)


def test_a_port_that_is_taken_is_not_measured_instead(project: Project) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        project.write(
            "memgate.yml", f"services:\n  shop: {{start: python server.py {port}, url: 'http://127.0.0.1:{port}'}}\n"
        )
        result = gated(project)
    assert "something already listens there" in reason_of(result, "no answer")


@pytest.mark.parametrize(
    ("start", "words"),
    [
        (
            "env PYTHONMALLOC=pymalloc python server.py {port}",
            "runs without PYTHONMALLOC=malloc, which the gate had set",
        ),
        (
            "env -i {python} server.py {port}",
            "no process of it is Python with pytest-memgate and the gate's environment",
        ),
    ],
)
def test_a_process_that_takes_another_environment_is_unmeasured(project: Project, start: str, words: str) -> None:
    command = start.replace("{python}", sys.executable)
    project.replace("memgate.yml", "python server.py {port}", f"{command}\n    gauge: python")
    result = gated(project)
    assert result.code != 0
    assert words in reason_of(result, "unmeasured")


def test_resident_memory_alone_is_no_leak_and_no_silent_green(project: Project) -> None:
    project.replace("memgate.yml", "warmup", "gauge: process\n    warmup")
    assert project.update(env={"KEEPS": "2000"}).code in {0, 1}
    result = gated(project, keeps=100_000)
    assert leak_of(result).outcome is Outcome.UNSTABLE
    assert "what grows may be kept by its allocator" in result.summary()


def test_a_page_of_metrics_tells(project: Project) -> None:
    project.replace("memgate.yml", "warmup", "gauge: prometheus\n    heap: own_bytes\n    warmup")
    assert leak_of(gated(project)).value == 0
    leak = leak_of(gated(project, keeps=100))
    assert leak.outcome is Outcome.REGRESSED
    assert leak.value == pytest.approx(1000, rel=0.02)
    project.replace("memgate.yml", "own_bytes", "other_bytes")
    assert "/metrics has no other_bytes; it has own_bytes" in reason_of(gated(project), "no answer")


@pytest.mark.parametrize(
    ("lines", "files"),
    [
        ("send: [/a, 'POST /b {\"x\": 1}']", {}),
        ("send: load.http", {"load.http": "### one\nPOST /a\nX-Who: me\n\nbody\n\n### two\nGET /b\n"}),
        (
            "send: tests.load:send",
            {
                "tests/__init__.py": "",
                "tests/load.py": """
                    from urllib.request import urlopen

                    def send(url, number):
                        urlopen(f"{url}/{number}").read()
                """,
            },
        ),
        (
            "load: python load.py {url} {requests}",
            {
                "load.py": """
                    import http.client
                    import sys
                    from urllib.parse import urlsplit

                    client = http.client.HTTPConnection(urlsplit(sys.argv[1]).netloc)
                    for _ in range(int(sys.argv[2])):
                        client.request("GET", "/")
                        client.getresponse().read()
                """
            },
        ),
    ],
    ids=["words", "file", "function", "tool"],
)
def test_requests_of_each_form_are_sent(project: Project, lines: str, files: dict[str, str]) -> None:
    for name, text in files.items():
        project.write(name, text)
    project.replace("memgate.yml", "requests: 400", f"requests: 100\n    {lines}")
    project.replace("memgate.yml", "warmup: 200", "warmup: 20")
    leak = leak_of(gated(project, keeps=5000))
    assert leak.outcome is Outcome.REGRESSED
    assert leak.value == pytest.approx(5050, rel=0.02)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("send: load.http", "load.http: No such file or directory"),
        ("send: nothing.there:send", "send: nothing.there:send: No module named 'nothing'"),
        ("send: server:nothing", "send: server:nothing: module 'server' has no attribute 'nothing'"),
        ("send: server:remember", "server:remember, call 0: TypeError: remember() takes 0 positional arguments"),
        ("load: python -c 'print(1); raise SystemExit(4)'", "ended with exit code 4; it said: 1"),
    ],
)
def test_what_cannot_be_sent_is_said_in_a_line(project: Project, line: str, words: str) -> None:
    project.replace("memgate.yml", "requests: 400", line)
    result = gated(project)
    assert result.code != 0
    assert words in result.summary()
    assert "Traceback" not in result.out
    assert is_gone(project)


def test_a_test_may_start_a_service_itself(project: Project) -> None:
    project.write("memgate.yml", "")
    project.write(
        "test_shop.py",
        """
        def test_shop(memgate):
            values = memgate.service("python server.py {port}", send="/", warmup=100, requests=100)
            assert values["service.retained"] > 1_000_000
        """,
    )
    assert project.update().code == 0
    green = gated(project)
    assert green.code == 0, green.out
    assert "starts processes" not in green.out
    red = gated(project, keeps=5000)
    assert red.code == 1
    assert names_of(leak_of(red, "test_shop"))[0] == _KEEPER


_GO = """
    package main

    import (
        "fmt"
        "net/http"
        _ "net/http/pprof"
        "os"
        "strconv"
    )

    type entry struct{ body []byte }

    var kept []*entry

    func remember(size int) { kept = append(kept, &entry{make([]byte, size)}) }

    func main() {
        keeps, _ := strconv.Atoi(os.Getenv("KEEPS"))
        http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
            if keeps > 0 {
                remember(keeps)
            }
            fmt.Fprintln(w, "ok")
        })
        http.ListenAndServe("127.0.0.1:"+os.Args[1], nil)
    }
"""


@pytest.fixture(scope="module")
def go(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A service in Go that has a baseline."""
    compiler = shutil.which("go")
    if compiler is None:
        if os.environ.get("CI"):
            pytest.fail("no go")
        pytest.skip("no go (apt-get install golang-go)")
    project = Project(tmp_path_factory.mktemp("go") / "project")
    project.write("go.mod", "module shop\n\ngo 1.18\n")
    project.write("main.go", _GO)
    caches = {"GOCACHE": str(tmp_path_factory.mktemp("cache")), "GOFLAGS": "-mod=mod"}
    subprocess.run([compiler, "build", "-o", "shop", "."], cwd=project.root, check=True, env={**os.environ, **caches})
    project.write("memgate.yml", 'services:\n  shop: {start: "./shop {port}"}\n')
    assert project.update().code == 0
    return project


def test_a_service_in_go_is_asked_by_its_own_pages(go: Project) -> None:
    result = gated(go)
    assert result.code == 0, result.out
    assert "Go's heap, after collections)" in result.out


@pytest.mark.parametrize("keeps", [16, 100, 1000])
def test_a_leak_in_go_is_red_with_its_function(go: Project, keeps: int) -> None:
    leak = leak_of(gated(go, keeps=keeps))
    assert leak.outcome is Outcome.REGRESSED
    assert leak.value is not None
    assert keeps <= leak.value <= 1.3 * keeps + 50
    assert "main.go:15 in main.remember" in names_of(leak) or keeps == 16  # its profile is a sample
