"""Page loads by the real Lighthouse CI in the real Chrome: what they give, and that nothing of them stays.

One collection serves many tests, for each load takes ten seconds.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_memgate.errors import MeasureError
from pytest_memgate.measure.lighthouse.collect import Collector
from pytest_memgate.measure.lighthouse.lhr import Load, read_lhr
from pytest_memgate.measure.lighthouse.page import Page
from pytest_memgate.measure.lighthouse.tools import Tools
from pytest_memgate.measure.process import reaper as warden

PAGES = Path(__file__).parent.parent / "data" / "pages"

# Serves the page at / half a second late, and only to who has been at /login: the others are sent there.
SHOP = """
import sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Shop(BaseHTTPRequestHandler):
    def do_GET(self):
        known = "who=me" in self.headers.get("Cookie", "")
        time.sleep(0.6 if known and self.path == "/" else 0)
        self.send_response(200 if known or self.path == "/login" else 302)
        if self.path == "/login":
            self.send_header("Set-Cookie", "who=me")
        elif not known:
            self.send_header("Location", "/login")
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>Shop</title><h1>A shop</h1>")

ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Shop).serve_forever()
"""

LOGIN = """
module.exports = async (browser, context) => {
  const page = await browser.newPage();
  await page.goto(new URL("/login", context.url).href);
  await page.close();
};
"""

LIGHTHOUSERC = """
module.exports = {ci: {collect: {
  puppeteerScript: "login.cjs", settings: {disableStorageReset: true},
}}};
"""


@pytest.fixture(scope="module")
def base() -> Iterator[Path]:
    """The temporary directory of all that runs here, with a short name."""
    before = tempfile.tempdir
    with tempfile.TemporaryDirectory(prefix="mg", dir="/tmp") as name:
        tempfile.tempdir = name
        yield Path(name).resolve()
        tempfile.tempdir = before


def left(base: Path) -> list[str]:
    """Return what still runs or lies below the temporary directory."""
    folders = [path.name for path in base.glob("memgate-*") if path.is_dir()]
    return [*folders, *(command for command in running(base).values())]


def running(base: Path) -> dict[int, str]:
    """Return the processes that belong to the temporary directory, with their command lines."""
    found = {}
    for pid in warden.belonging(base):
        try:
            words = Path("/proc", str(pid), "cmdline").read_bytes()
        except OSError:
            continue
        found[pid] = words.replace(b"\0", b" ").decode(errors="replace")
    return found


def until(condition: Callable[[], object], seconds: float) -> bool:
    """Wait for a condition; say whether it came true."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.1)
    return False


@dataclass(frozen=True)
class Collected:
    """The loads of one collection, and what it left."""

    loads: tuple[Load, ...]
    kept: Path
    left: list[str]


@pytest.fixture(scope="module")
def still(tools: Tools, base: Path, tmp_path_factory: pytest.TempPathFactory) -> Collected:
    kept = tmp_path_factory.mktemp("still") / "reports"
    with Collector(Page(serve=Path("still")), tools, PAGES, keep=kept) as collector:
        loads = collector.collect(2)
    return Collected(loads, kept, left(base))


def test_each_load_has_its_values_and_its_report(still: Collected) -> None:
    assert len(still.loads) == 2
    assert sorted(path.name for path in still.kept.iterdir()) == ["1.report.json", "2.report.json"]
    for load in still.loads:
        assert read_lhr(load.lhr) == load
        assert 0 < load.values["fcp"] <= load.values["lcp"] < 10_000
        assert 0 < load.values["ttfb"] < 500
        assert load.values["cls"] == 0


def test_a_folder_is_served_compressed_and_its_bytes_do_not_vary(still: Collected) -> None:
    first, second = still.loads
    assert first.values["bytes"] == second.values["bytes"]
    assert {site.path for site in first.sites["bytes"]} == {"/", "/hero.png", "/style.css", "/app-*.js"}
    assert first.sites["bytes"] == second.sites["bytes"]


def test_the_largest_paint_is_told_by_element_and_phase(still: Collected) -> None:
    load = still.loads[0]
    assert load.element.startswith("body > img.hero <img")
    assert sum(site.size for site in load.sites["lcp"]) == pytest.approx(load.values["lcp"], abs=1)


def test_the_conditions_are_told(still: Collected, tools: Tools) -> None:
    assert still.loads[0].conditions == {
        "lighthouse": "12",
        "chrome": tools.chrome_version.partition(".")[0],
        "throttling": "simulate",
        "form factor": "mobile",
    }


def test_nothing_stays_of_a_collection(still: Collected) -> None:
    assert still.left == []


def test_a_slow_server_behind_a_login_is_started_measured_and_ended(
    tools: Tools, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in (("shop.py", SHOP), ("login.cjs", LOGIN), ("lighthouserc.cjs", LIGHTHOUSERC)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.setenv("LHCI_NUMBER_OF_RUNS", "9")
    page = Page(
        url="http://localhost:{port}/",
        start=f'"{sys.executable}" shop.py {{port}}',
        lighthouserc=Path("lighthouserc.cjs"),
        form_factor="desktop",
    )
    with Collector(page, tools, tmp_path) as collector:
        (load,) = collector.collect(1)
    assert 500 <= load.values["ttfb"] < 5000
    assert load.conditions["form factor"] == "desktop"
    assert load.conditions["settings"] == "storage kept"
    assert left(base) == []


def test_a_banner_that_comes_late_is_seen_by_the_element_that_it_moves(tools: Tools, base: Path) -> None:
    with Collector(Page(serve=PAGES / "shifting"), tools, PAGES) as collector:
        (load,) = collector.collect(1)
    assert load.values["cls"] > 0.1
    assert [site.path for site in load.sites["cls"]] == ["body > main"]
    assert left(base) == []


def test_a_script_that_computes_is_seen_in_the_blocking_time(tools: Tools, base: Path) -> None:
    with Collector(Page(serve=PAGES / "busy", path="/index.html"), tools, PAGES) as collector:
        (load,) = collector.collect(1)
    assert load.values["tbt"] > 0
    assert load.sites["tbt"][0].path == "/work.js"
    assert left(base) == []


def test_a_page_that_sends_chrome_to_another_is_not_measured(tools: Tools, base: Path) -> None:
    expected = r"/moved\.html led to http://localhost:\d+/other\.html, another page; ask for that one"
    moved = Page(serve=PAGES / "still", path="/moved.html")
    with Collector(moved, tools, PAGES) as collector, pytest.raises(MeasureError, match=expected):
        collector.collect(1)
    assert left(base) == []


def test_what_the_page_must_show_is_looked_for_in_the_browser(tools: Tools, base: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.cjs"
    own.write_text(
        "module.exports = {extends: 'lighthouse:default', settings: {maxWaitForFcp: 31000}};", encoding="utf-8"
    )
    shown = Page(serve=PAGES / "still", expect="h1", settings={"configPath": str(own)})
    with Collector(shown, tools, base) as collector:
        (load,) = collector.collect(1)
        report = json.loads(load.lhr.read_text(encoding="utf-8"))
    assert report["configSettings"]["maxWaitForFcp"] == 31000  # by the user's own file
    missing = Page(serve=PAGES / "still", expect="#cart")
    with Collector(missing, tools, base) as collector, pytest.raises(MeasureError, match="'#cart', which it must show"):
        collector.collect(1)


def test_a_page_that_may_redirect_is_measured_as_the_one_that_it_led_to(tools: Tools, base: Path) -> None:
    moved = Page(serve=PAGES / "still", path="/moved.html", redirects=True)
    with Collector(moved, tools, PAGES) as collector:
        (load,) = collector.collect(1)
    assert load.conditions["led to"] == "/other.html"
    assert left(base) == []


def test_a_blank_page_is_not_measured(tools: Tools, base: Path) -> None:
    impatient = Page(serve=PAGES / "blank", settings={"maxWaitForFcp": 1000})
    expected = r"blank/: the page painted nothing \(NO_FCP\); see that"
    with Collector(impatient, tools, PAGES) as collector, pytest.raises(MeasureError, match=expected):
        collector.collect(1)
    assert left(base) == []


def test_a_load_that_takes_too_long_is_ended(tools: Tools, base: Path) -> None:
    with Collector(Page(serve=PAGES / "still", timeout_seconds=4), tools, PAGES) as collector:
        with pytest.raises(MeasureError, match="load 1 of 2 did not end within 4 s; raise"):
            collector.collect(2)
        assert not any("--type=" in command for command in running(base).values())
    assert left(base) == []


def test_a_chrome_that_does_not_start_is_told_at_once(tools: Tools, base: Path, tmp_path: Path) -> None:
    chrome = tmp_path / "chrome"
    chrome.write_text("#!/bin/sh\necho 'no libnss3.so' >&2\nexit 127\n", encoding="utf-8")
    chrome.chmod(0o755)
    broken = Tools(
        lhci=tools.lhci, lhci_version="0.15.1", node_version="20.0", chrome=str(chrome), chrome_version="1.0"
    )
    begun = time.monotonic()
    expected = r"^Chrome does not start: no libnss3\.so; start it by hand"
    with Collector(Page(serve=PAGES / "still"), broken, PAGES) as collector:
        with pytest.raises(MeasureError, match=expected):
            collector.collect(1)
        assert running(base) == {}
    assert time.monotonic() - begun < 30
    assert left(base) == []


@pytest.mark.parametrize(
    ("page", "why"),
    [
        ({"serve": Path("absent")}, "absent: no such folder; build the site first"),
        ({"serve": Path("still"), "path": "/absent.html"}, r"still/absent\.html: no such file"),
        ({"serve": Path("still"), "path": "/shop/cart", "single_page_app": True}, ""),
        ({"url": "http://localhost:1/"}, "nothing listens there; start the server first"),
        ({"serve": Path("still"), "lighthouserc": Path("absent.json")}, r"absent\.json: No such file"),
    ],
)
def test_a_page_that_is_not_there_takes_no_browser(base: Path, page: dict[str, object], why: str) -> None:
    none = Tools(lhci=("absent",), lhci_version="", node_version="", chrome="", chrome_version="")
    expected = pytest.raises(MeasureError, match=why) if why else nullcontext()
    with expected, Collector(Page(**page), none, PAGES):  # type: ignore[arg-type]
        pass
    assert left(base) == []


def test_an_empty_page_takes_no_browser(base: Path, tmp_path: Path) -> None:
    none = Tools(lhci=("absent",), lhci_version="", node_version="", chrome="", chrome_version="")
    (tmp_path / "index.html").touch()
    with pytest.raises(MeasureError, match=r"index\.html: the page is empty, 0 bytes; build"):
        Collector(Page(serve=tmp_path), none, PAGES).__enter__()
    assert left(base) == []


# A measuring process of its own, as pytest or a worker of xdist is one.
MEASURING = """
import json, sys
from pathlib import Path
from pytest_memgate.errors import MeasureError
from pytest_memgate.measure.lighthouse.collect import Collector
from pytest_memgate.measure.lighthouse.page import Page
from pytest_memgate.measure.lighthouse.tools import Tools

tools = Tools(**json.loads(sys.argv[1]))
page = Page(url="http://localhost:{port}/", start=f'"{sys.executable}" -m http.server {{port}}')
try:
    with Collector(page, tools, Path(sys.argv[2])) as collector:
        collector.collect(5)
except MeasureError as error:
    sys.exit(f"{error}")
"""


@pytest.fixture
def measuring(tools: Tools, base: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that loads a page five times, once its Chrome runs."""
    told = {name: getattr(tools, name) for name in Tools.__slots__}
    command = (sys.executable, "-c", MEASURING, json.dumps({**told, "lhci": list(tools.lhci)}), str(PAGES / "still"))
    env = {**os.environ, "TMPDIR": str(base)}
    process = subprocess.Popen(command, env=env, stderr=subprocess.PIPE, encoding="utf-8")
    try:
        assert until(lambda: any("--type=renderer" in command for command in running(base).values()), 60)
        assert any("http.server" in command for command in running(base).values())
        yield process
    finally:
        process.kill()
        process.communicate()


def test_nothing_stays_when_lhci_is_killed(measuring: subprocess.Popen[str], base: Path) -> None:
    (lhci,) = (pid for pid, command in running(base).items() if "lhci collect" in command)
    os.kill(lhci, signal.SIGKILL)
    _, said = measuring.communicate(timeout=30)
    assert "lhci was ended from outside by SIGKILL; nothing of it counts" in said
    assert left(base) == []


def test_nothing_stays_after_ctrl_c(measuring: subprocess.Popen[str], base: Path) -> None:
    measuring.send_signal(signal.SIGINT)
    _, said = measuring.communicate(timeout=30)
    assert "KeyboardInterrupt" in said
    assert left(base) == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_stays_when_the_measuring_process_is_killed(
    measuring: subprocess.Popen[str], base: Path, number: signal.Signals
) -> None:
    measuring.send_signal(number)
    measuring.communicate(timeout=30)
    assert until(lambda: left(base) == [], 15), left(base)
