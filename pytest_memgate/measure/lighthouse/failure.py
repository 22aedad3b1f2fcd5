"""The error of a run of Lighthouse CI, in one line, out of the hundreds that it prints."""

import contextlib
import json
import os
import re
import signal
import sys
from collections.abc import Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from pytest_memgate.errors import MeasureError
from pytest_memgate.measure.lighthouse.answer import LOG_IN
from pytest_memgate.measure.lighthouse.parts import requests
from pytest_memgate.measure.lighthouse.urls import names
from pytest_memgate.measure.process import reaper as warden
from pytest_memgate.measure.process.workspace import Done

_CODE = re.compile(r'"runtimeError": \{\s*"code": "(\w+)",\s*"message": ("(?:[^"\\]|\\.)*")')
_STATUS = re.compile(r"Status code: (\d+)")
_SPOKEN = re.compile(
    r"^(?:Runtime error encountered|\w*Error(?: \[\w+\])?): (?!Lighthouse failed with exit code)(.+)$", re.MULTILINE
)
_CHROME_GONE = re.compile("Target closed|Connection closed|WebSocket is not open|TargetCloseError")
_LOG_PREFIX = re.compile(r"^\[[^\]]*\] *")
_NOISE = re.compile(r"^\s*(at |LH:|\d{4}-\d\d-\d\dT|[\]}{\"]|Specify --help|Node\.js v|$)")
_WRONG_LOG_IN = "ERR_INVALID_AUTH_CREDENTIALS"  # Chrome's word for a 401 to a page

# Lighthouse's own codes for a page that it could not load, in our words, and what to do next.
_RUNTIME_ERRORS = {
    "NO_FCP": ("the page painted nothing", "see that it shows something without a click"),
    "NO_LCP": ("the page painted nothing large enough to be measured", "see that it shows a text or an image"),
    "ERRORED_DOCUMENT_REQUEST": ("the server answers {status}", "check the URL and the server's log"),
    "CHROME_INTERSTITIAL_ERROR": ("Chrome shows an error page instead", "see that the server runs and stays up"),
    "INSECURE_DOCUMENT_REQUEST": ("Chrome does not trust the certificate", "use http on this machine, or a valid one"),
    "NOT_HTML": ("the answer is no HTML page", "check the URL"),
    "PAGE_HUNG": ("the page's scripts never let go", "see what they compute"),
    "TARGET_CRASHED": ("the page's process in Chrome crashed", "look for memory, and add --disable-dev-shm-usage"),
}

_REFUSED, _BROKEN = 400, 500  # status codes from here on
_NAMED = 3  # requests that an error lists

SANDBOX_HINT = "add --no-sandbox to `chromeFlags` in the page's settings"


def failure(name: str, done: Done, loads: int, asked: int, timeout_seconds: float) -> MeasureError | None:
    """Return why a run of Lighthouse CI does not count, None if it ended well with all its loads."""
    if done.timed_out:
        which = f"load {loads + 1} of {asked}"
        hint = "raise the page's `timeout`, or see what it waits for"
        return MeasureError(f"{name}: {which} did not end within {timeout_seconds:g} s", hint=hint)
    if found := _CODE.search(done.out):
        return runtime_error(name, found.group(1), json.loads(found.group(2)))
    if number := _signal(done.code):
        hint = "nothing of it counts; if memory ran out, give it more, then run it again"
        return MeasureError(f"{name}: lhci was ended from outside by {number}", hint=hint)
    if done.code != 0:
        return _other(name, done)
    if loads != asked:
        return MeasureError(f"{name}: lhci ended with {loads} of {asked} loads", hint="run it again")
    return None


def runtime_error(name: str, code: str, message: str) -> MeasureError:
    """Return the error for Lighthouse's `runtimeError`."""
    if _WRONG_LOG_IN in message:
        return MeasureError(f"{name}: the server answers 401 to Chrome", hint=LOG_IN)
    if known := _RUNTIME_ERRORS.get(code):
        status = _STATUS.search(message)
        why, hint = known[0].format(status=status.group(1) if status else "with an error"), known[1]
    else:
        why, hint = _one_line(message).removesuffix(f"({code})").rstrip(" ."), "see the page in a browser"
    return MeasureError(f"{name}: {why} ({code})", hint=hint)


def cut_off(url: str, lhr: Mapping[str, Any]) -> MeasureError:
    """Return the error for a page that loaded until Lighthouse's limit, with the requests that kept it waiting."""
    why = f"{url}: it did not finish to load within Lighthouse's time limit"
    waiting = _unfinished(lhr, url)
    if not waiting:
        return MeasureError(why, hint="see what it computes, or raise maxWaitForLoad (ms) in the page's settings")
    more = f" and {len(waiting) - _NAMED} more" if len(waiting) > _NAMED else ""
    hint = "see why; leave out what stays open on purpose: `blockedUrlPatterns` in the page's settings"
    return MeasureError(f"{why}; requests that never ended or failed: {', '.join(waiting[:_NAMED])}{more}", hint=hint)


def _unfinished(lhr: Mapping[str, Any], url: str) -> list[str]:
    """Return the requests without an end and those that failed, with their status: first those without an answer."""
    open_ones = [one for one in requests(lhr) if one.get("finished") is False or _status(one) >= _BROKEN]
    known = names([one["url"] for one in open_ones], url)
    ranked = sorted(open_ones, key=lambda one: (0 < _status(one) < _REFUSED, _status(one) > 0))
    said = ((known[one["url"]], str(_status(one)) if _status(one) > 0 else "no answer") for one in ranked)
    firsts: dict[str, str] = {}
    for name, status in said:
        firsts.setdefault(name, status)
    return [f"{name} ({status})" for name, status in firsts.items()]


def _status(request: Mapping[str, Any]) -> int:
    return int(request.get("statusCode") or -1)


def chrome_failure(folder: Path) -> MeasureError | None:
    """Return why Chrome did not start, None if it did: Lighthouse would ask fifty times, and then start it again.

    Lighthouse keeps Chrome's profile, with its process id and its output, in a folder below `folder`.
    """
    if sys.platform == "win32":  # where a process cannot be asked whether it lives
        return None
    for profile in folder.glob("lighthouse.*"):
        try:
            pid = int((profile / "chrome.pid").read_text(encoding="ascii"))
            said = (profile / "chrome-err.log").read_text(encoding="utf-8", errors="replace")
        except (OSError, ValueError):  # not there yet, or not any more
            continue
        if _is_alive(pid) or "DevTools listening" in said or warden.belonging(profile):
            continue
        lines = [_LOG_PREFIX.sub("", line).strip() for line in said.splitlines() if line.strip()]
        why = next((line for line in lines if "sandbox" in line), lines[-1] if lines else "it says nothing")
        hint = SANDBOX_HINT if "sandbox" in why else "start it by hand to see why, or set CHROME_PATH to another"
        return MeasureError(f"Chrome does not start: {_one_line(why)}", hint=hint)
    return None


def _other(name: str, done: Done) -> MeasureError:
    if "Unable to connect to Chrome" in done.out:
        return MeasureError(
            f"{name}: Lighthouse gets no connection to Chrome", hint="see whether Chrome starts by hand"
        )
    if _CHROME_GONE.search(done.out):
        hint = "see its memory; in a container, add --disable-dev-shm-usage to `chromeFlags` in the page's settings"
        return MeasureError(f"{name}: Chrome ended during the load", hint=hint)
    if "Unable to require 'puppeteer'" in done.out:
        return MeasureError(f"{name}: puppeteerScript needs puppeteer", hint="run `npm install --save-dev puppeteer`")
    spoken = _SPOKEN.findall(done.out)
    why = _one_line(spoken[0] if spoken else _last_words(done.out))
    hint = "see `settings` and `lighthouserc`, and the page in a browser"
    return MeasureError(f"{name}: lhci failed, exit code {done.code}: {why}", hint=hint)


def _last_words(out: str) -> str:
    """Return the last paragraph of an output: a complaint about several options has a line for each."""
    grouped = groupby(out.splitlines(), key=lambda line: bool(_NOISE.match(line)))
    said = [list(lines) for is_noise, lines in grouped if not is_noise]
    return " ".join(said[-1]) if said else "it says nothing"


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 300 else f"{line[:299]}…"


def _signal(code: int) -> str:
    """Return the name of the signal that ended a command; a shell between reports 128 more."""
    number = -code if code < 0 else code - 128
    with contextlib.suppress(ValueError):
        return signal.Signals(number).name
    return ""


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
