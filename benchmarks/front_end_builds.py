"""Installs and builds an application of a front-end tool, serves it, and opens its pages in Chrome."""

import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from bench_common import say
from front_end_apps import THREE, App
from front_end_sources import Change

DRIVER = Path(__file__).with_name("first_screen.cjs")
PUPPETEER = Path(__file__).parent.parent / "tests" / "node_modules"
NODE = "node@24.21.0"  # for tools that the system's Node is too old for
_CHROMES = ("google-chrome", "chromium", "chromium-browser", "chrome")
_NPM = ("npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--save-exact", "--loglevel=error")
_QUIET = {"ASTRO_TELEMETRY_DISABLED": "1", "NEXT_TELEMETRY_DISABLED": "1", "NG_CLI_ANALYTICS": "false"}


class NoAnswerError(Exception):
    """A tool that could not be installed, built or served."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What Chrome loaded for a page: the bytes of scripts and styles by path, and the page's errors."""

    files: Mapping[str, int]
    wrong: tuple[str, ...]

    @property
    def size(self) -> int:
        return sum(self.files.values())


def chrome() -> str:
    """Return the Chrome to use; empty if this machine lacks it, Node, or Puppeteer."""
    found = next(filter(None, map(shutil.which, _CHROMES)), "")
    return found if shutil.which("npm") and (PUPPETEER / "puppeteer-core").is_dir() else ""


class Workshop:
    """The folder of one application; `logs` in it holds what each command printed."""

    def __init__(self, app: App, folder: Path) -> None:
        self.app, self.folder = app, folder
        folder.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(folder / "logs", ignore_errors=True)
        (folder / "logs").mkdir()

    def install(self) -> None:
        """Install the tool as npm has it in the version named; raises NoAnswerError."""
        package = {"name": "app", "private": True, "type": "module"}
        (self.folder / "package.json").write_text(json.dumps(package), encoding="utf-8")
        packages = [*self.app.packages, THREE, *([NODE] if self.app.needs > _node_version() else [])]
        say(f"{self.app.name}: installing {', '.join(packages)}")
        self._run(*_NPM, *packages)

    def build(self, change: Change, *, maps: bool) -> None:
        """Write the sources of a change and build them from nothing; raises NoAnswerError."""
        for name in (*self.app.clean, "src", "app"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
        for name, text in self.app.files(change).items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        start = time.perf_counter()
        for command in self.app.build:
            self._run(*command)
        if not maps:
            for file in (file for name in self.app.clean for file in (self.folder / name).rglob("*.map")):
                file.unlink()
        say(f"{self.app.name}: built ({change}) in {time.perf_counter() - start:.0f} s")

    def visits(self, browser: str) -> list[Visit]:
        """Return what Chrome loads for each page; raises NoAnswerError."""
        with self._served() as address:
            urls = [address + page.address for page in self.app.pages]
            done = subprocess.run(
                ["node", str(DRIVER)],
                input=json.dumps({"modules": str(PUPPETEER), "chrome": browser, "urls": urls}),
                capture_output=True,
                encoding="utf-8",
                timeout=300,
                check=False,
            )
        if done.returncode:
            raise NoAnswerError(f"Chrome: {done.stderr[-2000:]}")
        self.log("chrome", done.stdout)
        return [Visit(files=one["files"], wrong=tuple(one["wrong"])) for one in json.loads(done.stdout)]

    def log(self, name: str, text: str) -> None:
        number = len(list((self.folder / "logs").glob("*.txt")))
        (self.folder / "logs" / f"{number:02}-{name}.txt").write_text(text, encoding="utf-8")

    def _run(self, *command: str) -> None:
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
        )
        self.log(Path(command[0]).name, done.stdout)
        if done.returncode:
            tail = "\n".join(done.stdout.strip().splitlines()[-30:])
            raise NoAnswerError(f"{' '.join(command)} ended with exit code {done.returncode}\n{tail}")

    def _environment(self, **more: str) -> dict[str, str]:
        path = f"{self.folder / 'node_modules' / '.bin'}{os.pathsep}{os.environ['PATH']}"
        inherited = {name: value for name, value in os.environ.items() if name not in {"CI", "NODE_ENV", "NODE_PATH"}}
        return {**inherited, **_QUIET, "PATH": path, **more}

    @contextmanager
    def _served(self) -> Iterator[str]:
        """Serve the build, by a server of files that does not compress or by the framework's own."""
        if isinstance(self.app.serve, str):
            handler = partial(_Files, directory=str(self.folder / self.app.serve))
            with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
                threading.Thread(target=server.serve_forever, daemon=True).start()
                yield f"http://127.0.0.1:{server.server_port}"
                server.shutdown()
            return
        address = f"http://127.0.0.1:{(port := _free_port())}"
        process = subprocess.Popen(
            self.app.serve,
            cwd=self.folder,
            env=self._environment(PORT=str(port), HOST="127.0.0.1"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            _wait_for(f"{address}/")
            yield address
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(timeout=30)


class _Files(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def _node_version() -> int:
    done = subprocess.run(["node", "--version"], stdout=subprocess.PIPE, encoding="utf-8", check=True)
    return int(done.stdout.lstrip("v").partition(".")[0])


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
    return port


def _wait_for(address: str) -> None:
    for _ in range(120):
        try:
            urllib.request.urlopen(address, timeout=5).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.5)
        else:
            return
    raise NoAnswerError(f"{address} does not answer")
