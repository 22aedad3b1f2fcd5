"""`memgate heap`: two snapshots of a running program, in Python and Go, and what grew between them."""

import gzip
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import Project, Result
from test_live import send, service
from test_services import _GO

from pytest_memgate.measure.heap.pprof import read_pprof, write_pprof
from pytest_memgate.model.profile import Amount, Frame


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "project")


def snapshot(project: Project, url: str, name: str) -> Result:
    return project.memgate("heap", "snapshot", url, "-o", name)


def test_the_function_that_kept_26_mb_is_named_in_python(project: Project) -> None:
    with service(project.root, "leaks", "--heap") as (process, address):
        assert snapshot(project, address, "before.pb.gz").code == 0
        send(process, 26_000)
        send(process, 0)
        for _ in range(600):  # until it has answered all
            with urllib.request.urlopen(f"http://{address}/metrics", timeout=60) as page:
                if b"memgate_live_requests_total 26000.0" in page.read():
                    break
            time.sleep(0.2)
        taken = snapshot(project, address, "after.pb.gz")
    assert "of http://127.0.0.1" in taken.out
    diff = project.memgate("heap", "diff", "before.pb.gz", "after.pb.gz", "--html", "heap.html")
    assert diff.code == 0, diff.out
    first = next(line for line in diff.out.splitlines() if " in answer" in line)
    assert "service.py:9 in answer" in first
    assert "called from " in diff.out
    assert "in use " in diff.out
    assert "at the peak" not in diff.out
    assert "answer" in (project.root / "heap.html").read_text(encoding="utf-8")
    total = read_pprof((project.root / "after.pb.gz").read_bytes(), "after").total(retained=False).in_use
    assert 26_000_000 < total.bytes < 40_000_000


@pytest.fixture
def go(project: Project) -> Iterator[str]:
    """Give the address of a server in Go that keeps 26 KB of each request."""
    compiler = shutil.which("go")
    if compiler is None:
        if os.environ.get("CI"):
            pytest.fail("no go")
        pytest.skip("no go (apt-get install golang-go)")
    project.write("go.mod", "module shop\n\ngo 1.18\n")
    project.write("main.go", _GO)
    environment = {**os.environ, "GOCACHE": str(project.root / "cache"), "GOFLAGS": "-mod=mod"}
    subprocess.run([compiler, "build", "-o", "shop", "."], cwd=project.root, check=True, env=environment)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with subprocess.Popen(["./shop", str(port)], cwd=project.root, env={**os.environ, "KEEPS": "26000"}) as server:
        for _ in range(100):
            with socket.socket() as asked:
                if asked.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
        server.kill()


def test_the_function_that_kept_26_mb_is_named_in_go_and_its_files_open_in_pprof(project: Project, go: str) -> None:
    assert snapshot(project, go, "before.pb.gz").code == 0
    for _ in range(1000):
        with urllib.request.urlopen(f"{go}/", timeout=20) as answer:
            answer.read()
    assert snapshot(project, go, "after.pb.gz").code == 0
    diff = project.memgate("heap", "diff", "before.pb.gz", "after.pb.gz")
    first = next(line for line in diff.out.splitlines() if " in main." in line)
    assert "main.remember" in first
    assert "called from" in diff.out
    assert opened(project.root / "after.pb.gz", project.root / "before.pb.gz").startswith("main.remember")


def opened(after: Path, before: Path | None = None) -> str:
    """Return the largest function by `go tool pprof`, which opens these files."""
    base = [f"-base={before}"] if before else []
    command = ["go", "tool", "pprof", "-top", "-sample_index=inuse_space", *base, str(after)]
    environment = {**os.environ, "PPROF_TMPDIR": str(after.parent), "HOME": str(after.parent)}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    lines = done.stdout.splitlines()
    start = next(number for number, line in enumerate(lines) if "flat%" in line)
    return lines[start + 1].split("%")[-1].strip()


WAY = (Frame(path="shop/log.py", function="keep", line=3), Frame(path="shop/app.py", function="handle", line=7))


def test_what_is_written_is_read_again_and_opens_in_pprof(tmp_path: Path) -> None:
    data = write_pprof([(WAY, Amount(objects=5, bytes=500)), (WAY[1:], Amount(objects=1, bytes=20))])
    profile = read_pprof(data, "it")
    assert {profile.of(chain): chain.peak for chain in profile.chains} == {
        WAY[::-1]: Amount(objects=5, bytes=500),
        WAY[1:]: Amount(objects=1, bytes=20),
    }
    assert read_pprof(gzip.decompress(data), "it").chains == profile.chains
    if shutil.which("go"):
        file = tmp_path / "it.pb.gz"
        file.write_bytes(data)
        assert opened(file) == "keep"


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("diff", "a.pb.gz", "gone.pb.gz"), "gone.pb.gz: No such file or directory"),
        (("diff", "a.pb.gz", "cut.pb.gz"), "cut.pb.gz is no file of pprof, or cut short; write it with memgate heap"),
        (("diff", "a.pb.gz", "text.pb.gz"), "text.pb.gz"),
        (("snapshot", "127.0.0.1:1", "-o", "x"), "http://127.0.0.1:1/heap: no answer: "),
        (("snapshot", "99999999", "-o", "x"), "no process has the id 99999999"),
        (("snapshot", "no such program", "-o", "x"), "'no such program' is no URL, and no process has it in its"),
        (("snapshot", "1", "-o", "x"), "process 1 "),
        (("snapshot", "ftp://here", "-o", "x"), "'ftp://here' is no URL of http"),
    ],
)
def test_what_is_no_heap_is_said_in_a_line(project: Project, args: tuple[str, ...], words: str) -> None:
    data = write_pprof([(WAY, Amount(objects=5, bytes=500))])
    (project.root / "a.pb.gz").write_bytes(data)
    (project.root / "cut.pb.gz").write_bytes(data[:-20])
    (project.root / "text.pb.gz").write_bytes(b"this is a text\n")
    result = project.memgate("heap", *args)
    assert result.code in {2, 3}
    assert words in result.out
    assert "Traceback" not in result.out


def test_a_process_is_found_by_its_id_and_by_its_command_line(project: Project) -> None:
    with service(project.root, "fine", "--heap") as (process, address):
        for name in (str(process.pid), str(project.root / "service.py")):
            taken = snapshot(project, name, "x.pb.gz")
            assert taken.code == 0, taken.out
            assert f"of http://{address}/heap" in taken.out
        with service(project.root, "fine") as (other, _):
            many = snapshot(project, str(project.root / "service.py"), "x.pb.gz")
            assert many.code == 2
            assert "2 processes have" in many.out
            assert str(other.pid) in many.out
            without = snapshot(project, str(other.pid), "x.pb.gz")
            assert without.code == 3
            assert "start it with --heap" in without.out


def test_a_process_that_listens_nowhere_is_told(project: Project) -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        result = snapshot(project, str(process.pid), "x.pb.gz")
        process.kill()
    assert result.code == 3
    assert (
        "listens on no port, so it has no page of its heap; start it with python -m pytest_memgate.live" in result.out
    )


def test_a_program_without_heap_says_how_to_start_it(project: Project) -> None:
    with service(project.root, "fine") as (_, address):
        result = snapshot(project, address, "x.pb.gz")
    assert result.code == 3
    assert "answers 404 Not Found: start it with --heap, or start(heap=True)" in result.out
    assert not (project.root / "x.pb.gz").exists()
