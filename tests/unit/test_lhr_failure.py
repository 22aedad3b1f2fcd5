"""One line out of what Lighthouse CI prints when it fails."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_memgate.measure.lighthouse.failure import chrome_failure, failure
from pytest_memgate.measure.process.workspace import Done

NAME = "http://localhost:3000/"

# What lhci 0.15.1 prints, shortened.
FAILED = """\
Running Lighthouse 1 time(s) on http://localhost:3000/
Run #1...failed!
Error: Lighthouse failed with exit code 1
    at ChildProcess.<anonymous> (node-runner.js:120:21)
    at ChildProcess.emit (node:events:524:28)
"""
REPORT = """\
{
  "lighthouseVersion": "12.6.1",
  "runtimeError": {
    "code": "%s",
    "message": "%s"
  },
  "audits": {}
}
2026-11-23T00:05:20.583Z LH:ChromeLauncher Waiting for browser.
Runtime error encountered: %s
"""


def line(out: str, code: int = 1, *, loads: int = 0, asked: int = 1, timed_out: bool = False) -> str:
    error = failure(NAME, Done(code=code, out=out, timed_out=timed_out), loads, asked, 180)
    assert error is not None
    assert error.exit_code == 3
    assert "\n" not in str(error)
    return str(error)


@pytest.mark.parametrize(
    ("code", "message", "said"),
    [
        ("NO_FCP", "The page did not paint any content. (NO_FCP)", "the page painted nothing (NO_FCP); see that it"),
        (
            "ERRORED_DOCUMENT_REQUEST",
            "Lighthouse was unable to reliably load the page. (Status code: 503)",
            "the server answers 503 (ERRORED_DOCUMENT_REQUEST); check the URL and the server's log",
        ),
        (
            "CHROME_INTERSTITIAL_ERROR",
            "Chrome prevented page load with an interstitial.",
            "Chrome shows an error page instead (CHROME_INTERSTITIAL_ERROR); see that the server runs",
        ),
        (
            "FAILED_DOCUMENT_REQUEST",
            "Lighthouse was unable to load. (Details: net::ERR_INVALID_AUTH_CREDENTIALS)",
            "the server answers 401 to Chrome; give `Authorization` in the page's settings",
        ),
        (
            "FAILED_DOCUMENT_REQUEST",
            'Lighthouse was unable to load \\"x\\". (Details: net::ERR_EMPTY_RESPONSE)',
            'Lighthouse was unable to load "x". (Details: net::ERR_EMPTY_RESPONSE) (FAILED_DOCUMENT_REQUEST); see the',
        ),
    ],
)
def test_lighthouse_s_own_error_is_said_in_one_line(code: str, message: str, said: str) -> None:
    assert f"{NAME}: {said}" in line(FAILED + REPORT % (code, message, message))


def test_no_connection_to_chrome_has_its_line() -> None:
    out = f"{FAILED}2026-11-23T00:07:49Z LH:ChromeLauncher:error connect ECONNREFUSED\nUnable to connect to Chrome\n"
    assert "Lighthouse gets no connection to Chrome; see" in line(out)


def test_a_chrome_that_ended_has_its_line() -> None:
    out = f"{FAILED}Runtime error encountered: Protocol error (Runtime.evaluate): Target closed\n"
    assert "Chrome ended during the load; see its memory" in line(out)


def test_a_script_without_puppeteer_has_its_line() -> None:
    out = "Error: Unable to require 'puppeteer' for script, have you run 'npm i puppeteer'?\n    at x.js:1\n"
    assert "puppeteerScript needs puppeteer; run `npm install --save-dev puppeteer`" in line(out)


def test_any_other_failure_is_told_by_its_first_error() -> None:
    out = f"{FAILED}Runtime error encountered: bf-cache appears in both skipAudits and onlyAudits\n"
    assert "lhci failed, exit code 1: bf-cache appears in both skipAudits and onlyAudits; see" in line(out)
    assert "exit code 1: TypeError: x is no function" not in line("TypeError: x is no function\n    at a.js\n")
    assert "lhci failed, exit code 1: x is no function" in line("TypeError: x is no function\n    at a.js\n")
    assert "lhci failed, exit code 9: it says nothing" in line("", 9)
    assert "exit code 1: x is no function; see `settings`" in line("TypeError [ERR_X]: x is no function\n")
    assert "exit code 9: Not enough arguments" in line("Usage\n\nNot enough arguments\n", 9)


def test_a_wrong_option_is_told_in_lighthouse_s_words() -> None:
    choices = 'Argument: preset, Given: "nosuch", Choices: "perf", "desktop"'
    out = f"{FAILED}Invalid values:\n  {choices}\n\nSpecify --help for available options\n"
    assert f"lhci failed, exit code 1: Invalid values: {choices}; see `settings` and" in line(out)
    missing = "ENOENT: no such file or directory, open 'headers.json'"
    assert f"exit code 1: {missing}; see" in line(f"{FAILED}{missing}\n\nSpecify --help for available options\n")


@pytest.mark.parametrize(("code", "name"), [(-9, "SIGKILL"), (137, "SIGKILL"), (-15, "SIGTERM"), (130, "SIGINT")])
def test_an_end_from_outside_has_its_line(code: int, name: str) -> None:
    assert f"lhci was ended from outside by {name}; nothing of it counts" in line("Run #1...", code, loads=1, asked=3)


def test_fewer_loads_than_asked_are_none() -> None:
    assert "lhci ended with 2 of 5 loads; run it again" in line("", 0, loads=2, asked=5)
    assert "lhci ended with 6 of 5 loads" in line("", 0, loads=6, asked=5)


def test_a_load_that_takes_too_long_is_numbered() -> None:
    said = line("", -2, loads=2, asked=5, timed_out=True)
    assert "load 3 of 5 did not end within 180 s; raise the page's `timeout`" in said


def test_a_run_that_went_well_has_no_line() -> None:
    assert failure(NAME, Done(code=0, out="Error: of the page's own"), 3, 3, 180) is None


def profile(folder: Path, pid: int, said: str) -> None:
    place = folder / "lighthouse.abc123"
    place.mkdir()
    (place / "chrome.pid").write_text(str(pid), encoding="ascii")
    (place / "chrome-err.log").write_text(said, encoding="utf-8")


def ended() -> int:
    process = subprocess.Popen((sys.executable, "-c", ""))
    process.wait()
    return process.pid


def test_a_chrome_without_a_sandbox_is_told_at_once(tmp_path: Path) -> None:
    log = (
        "[1:1:0/1:ERROR:zygote.cc:103] Running as root without --no-sandbox is not supported. See https://crbug.com/1."
    )
    profile(tmp_path, ended(), f"unexpected operator\n{log}\n")
    expected = "Chrome does not start: Running as root without --no-sandbox is not supported. See https://crbug.com/1."
    assert str(chrome_failure(tmp_path)).startswith(f"{expected}; add --no-sandbox to `chromeFlags`")


def test_a_chrome_that_dies_at_once_is_told_with_its_last_words(tmp_path: Path) -> None:
    profile(tmp_path, ended(), "libnss3.so: cannot open shared object file\n")
    assert "Chrome does not start: libnss3.so: cannot open shared object file; start it by hand" in str(
        chrome_failure(tmp_path)
    )


def test_a_chrome_that_runs_or_has_run_did_start(tmp_path: Path) -> None:
    assert chrome_failure(tmp_path) is None
    profile(tmp_path, os.getpid(), "")
    assert chrome_failure(tmp_path) is None
    other = tmp_path / "other"
    other.mkdir()
    profile(other, ended(), "DevTools listening on ws://127.0.0.1:1/devtools\n")
    assert chrome_failure(other) is None
