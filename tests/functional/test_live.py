"""A running service tells Prometheus what it holds; the alert fires for one that leaks, and not for its repair."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import required
import yaml

from pytest_memgate.live.middleware import REQUESTS, count_asgi, count_wsgi

_DOCS = Path(__file__).parents[2] / "docs" / "live"
_SERVICE = """
import gc, sys, threading, time
from pytest_memgate.live import count_wsgi

kept = []

def answer(environ, start_response):
    if sys.argv[1] == "leaks":
        kept.append([object(), bytes(1000)])
    start_response("200 OK", [])
    return [b"ok"]

app = count_wsgi(answer)
for line in sys.stdin:
    for _ in range(int(line)):
        list(app({}, lambda *args: None))
    gc.collect()
"""


@contextmanager
def service(folder: Path, kind: str, *options: str, **env: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Give a running service, and the address of its numbers."""
    program = folder / "service.py"
    program.write_text(_SERVICE, encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest_memgate.live", "--port", "0", *options, str(program), kind],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **env},
    )
    try:
        assert process.stderr is not None
        said = process.stderr.readline()
        found = re.search(r"http://(127\.0\.0\.1:\d+)/metrics", said)
        assert found, said
        yield process, found[1]
    finally:
        process.kill()
        process.communicate()


def send(process: subprocess.Popen[str], number: int) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{number}\n")
    process.stdin.flush()


def page(address: str, token: str = "") -> str:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    request = urllib.request.Request(f"http://{address}/metrics", headers=headers)
    with urllib.request.urlopen(request, timeout=20) as answer:
        text: str = answer.read().decode()
    return text


def value(text: str, name: str) -> float:
    found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    assert found, name
    return float(found[1])


def test_it_tells_blocks_bytes_requests_and_pauses(tmp_path: Path) -> None:
    with service(tmp_path, "leaks") as (process, address):
        before = page(address)
        send(process, 1000)
        full = 'memgate_live_gc_pause_seconds_count{generation="2"}'  # the service collects after its requests
        for _ in range(100):
            after = page(address)
            if value(after, "memgate_live_requests_total") == 1000 and value(after, full) >= 1:
                break
            time.sleep(0.1)
        blocks = value(after, "memgate_live_blocks") - value(before, "memgate_live_blocks")
        assert 3000 < blocks < 8000  # of each request: a list, its table, an object, bytes
        assert value(after, "memgate_live_malloc_bytes") > 100_000
        assert value(after, full) >= 1
        assert value(after, 'memgate_live_gc_pause_seconds_bucket{generation="2",le="+Inf"}') >= 1
        assert value(after, "process_resident_memory_bytes") > 1_000_000


def test_a_token_keeps_others_out(tmp_path: Path) -> None:
    with service(tmp_path, "fine", MEMGATE_LIVE_TOKEN="s3cret") as (_, address):
        for token in ("", "other"):
            with pytest.raises(urllib.error.HTTPError, match="401") as caught:
                page(address, token)
            caught.value.close()
        assert "memgate_live_blocks" in page(address, "s3cret")


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["nothing-of-that-name"], "'nothing-of-that-name' is neither a file nor a command of this environment"),
        (["--port", "99999999", "-m", "this"], "port 99999999: "),
        ([], "the following arguments are required: program"),
    ],
)
def test_a_wrong_call_gets_one_line_and_exit_code_2(args: list[str], words: str) -> None:
    command = [sys.executable, "-m", "pytest_memgate.live", *args]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_module_and_its_arguments_are_run(tmp_path: Path) -> None:
    (tmp_path / "told.py").write_text("import sys; print(sys.argv[1:], __name__)", encoding="utf-8")
    command = [sys.executable, "-m", "pytest_memgate.live", "--port", "0", "-m", "told", "-x", "--port", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.stdout == "['-x', '--port', '1'] __main__\n"


def test_the_middleware_counts_requests_and_nothing_else() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        pass

    before = REQUESTS[0]
    for kind in ("http", "lifespan", "websocket"):
        asyncio.run(count_asgi(app)({"type": kind}, None, None))  # type: ignore[arg-type]
    assert list(count_wsgi(lambda *_: [b"x"])({}, lambda *_: None)) == [b"x"]
    assert REQUESTS[0] == before + 2


def test_the_dashboard_asks_for_metrics_that_exist(tmp_path: Path) -> None:
    board = json.loads((_DOCS / "grafana.json").read_text(encoding="utf-8"))
    asked = {name for panel in board["panels"] for one in panel["targets"] for name in _names(one["expr"])}
    rules = yaml.safe_load((_DOCS / "alerts.yml").read_text(encoding="utf-8"))["groups"][0]["rules"]
    asked |= {name for rule in rules for name in _names(rule["expr"])}
    with service(tmp_path, "fine") as (_, address):
        there = page(address)
    assert asked
    assert not {name for name in asked if f"\n{name}" not in there}


def _names(expression: str) -> set[str]:
    return set(re.findall(r"\b(?:memgate_live|process)_\w+", expression))


def _quick(text: str) -> str:
    """Return the rules with seconds in place of minutes, a third of a second for each."""
    return re.sub(r"(\d+)m\b", lambda found: f"{int(found[1]) // 3}s", text)


def test_the_alert_fires_for_a_leak_within_its_window_and_not_for_the_repair(tmp_path: Path) -> None:
    program = required.program("prometheus")
    (tmp_path / "alerts.yml").write_text(_quick((_DOCS / "alerts.yml").read_text(encoding="utf-8")), encoding="utf-8")
    with ExitStack() as stack:
        leaks, bad = stack.enter_context(service(tmp_path, "leaks"))
        fine, good = stack.enter_context(service(tmp_path, "fine"))
        config = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": ["alerts.yml"],
            "scrape_configs": [{"job_name": "shop", "static_configs": [{"targets": [bad, good]}]}],
        }
        (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
        prometheus = subprocess.Popen(
            [
                program,
                f"--config.file={tmp_path / 'prometheus.yml'}",
                f"--storage.tsdb.path={tmp_path / 'data'}",
                "--web.listen-address=127.0.0.1:0",
            ],
            stderr=subprocess.PIPE,
            text=True,
        )
        stack.callback(_ended, prometheus)
        api = _address(prometheus)
        firing: set[str] = set()
        deadline = time.monotonic() + 90
        while bad not in firing and time.monotonic() < deadline:
            for process in (leaks, fine):
                send(process, 500)
            time.sleep(1)
            firing = _firing(api)
        for _ in range(5):
            send(fine, 500)
            time.sleep(1)
            firing |= _firing(api)
    assert firing == {bad}


def _address(prometheus: subprocess.Popen[str]) -> str:
    """Return where it listens, as it says itself."""
    assert prometheus.stderr is not None
    for line in prometheus.stderr:
        found = re.search(r"address=(127\.0\.0\.1:[1-9]\d*)", line)
        if found:
            return f"http://{found[1]}"
    raise AssertionError("it says no address")


def _firing(api: str) -> set[str]:
    """Return the instances whose alert fires."""
    try:
        with urllib.request.urlopen(f"{api}/api/v1/alerts", timeout=20) as answer:
            alerts = json.load(answer)["data"]["alerts"]
    except urllib.error.URLError:
        return set()
    return {one["labels"]["instance"] for one in alerts if one["state"] == "firing"}


def _ended(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
