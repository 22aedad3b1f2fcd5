"""Where Lighthouse CI, Node and Chrome are, and whether they are new enough."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pytest_memgate.errors import MeasureError

OLDEST_NODE = (18, 20)  # docs/pages.md, "What is needed"
OLDEST_LHCI = (0, 12)  # the same

_INSTALL = "run `npm install --save-dev @lhci/cli`"
_NPX = ("--no-install", "-p", "@lhci/cli", "lhci")
_CHROMES = ("google-chrome-stable", "google-chrome", "chromium", "chromium-browser", "chrome", "msedge")
_CHROME_FILES = {
    "darwin": (
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
        "~/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
        "/Applications/Chromium.app/Contents/MacOS/Chromium",
    ),
    "win32": (
        r"%ProgramFiles%\Google\Chrome\Application\chrome.exe",
        r"%ProgramFiles(x86)%\Google\Chrome\Application\chrome.exe",
        r"%LocalAppData%\Google\Chrome\Application\chrome.exe",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """The command of Lighthouse CI, the file of the browser, and the versions of all tools."""

    lhci: tuple[str, ...]
    lhci_version: str
    node_version: str
    chrome: str
    chrome_version: str


def find_tools(project: Path, near: Path | None) -> Tools:
    """Find the tools for a page load.

    Lighthouse CI is taken from the nearest `node_modules` from `near` up to `project`, or from one in a folder of the
    project such as `web/`, else from PATH, else from npx's own store; nothing is installed. Raises MeasureError that
    says what to install.
    """
    node = shutil.which("node")
    if not node:
        raise MeasureError("node is not on PATH, and Lighthouse needs it", hint="install Node.js 18.20 or newer")
    node_version, _ = _version((node, "--version"))
    if _parts(node_version) < OLDEST_NODE:
        raise MeasureError(f"node {node_version} is too old for Lighthouse", hint="install Node.js 18.20 or newer")
    lhci, lhci_version = _lhci(project, near)
    if _parts(lhci_version) < OLDEST_LHCI:
        raise MeasureError(f"@lhci/cli {lhci_version} is too old", hint=f"{_INSTALL} (0.12 or newer)")
    chrome = _chrome()
    return Tools(
        lhci=lhci,
        lhci_version=lhci_version,
        node_version=node_version,
        chrome=chrome,
        chrome_version=_chrome_version(chrome),
    )


def _lhci(project: Path, near: Path | None) -> tuple[tuple[str, ...], str]:
    """Return the command and version of Lighthouse CI."""
    for folder in _upwards(near or project, project):
        if found := shutil.which("lhci", path=str(folder / "node_modules" / ".bin")):
            return (found,), _lhci_version(found, folder / "node_modules")
    if found := shutil.which("lhci"):
        return (found,), _lhci_version(found, None)
    npx = shutil.which("npx")
    version, _ = _version((npx, *_NPX, "--version")) if npx else ("", "")
    if not npx or not version:
        raise MeasureError(f"lhci is neither in a node_modules below {project} nor on PATH", hint=_INSTALL)
    return (npx, *_NPX), version


def _upwards(near: Path, project: Path) -> Iterator[Path]:
    near, project = near.absolute(), project.absolute()
    if near.is_relative_to(project):
        yield from (folder for folder in (near, *near.parents) if folder.is_relative_to(project))
    else:
        yield from (near, project)
    yield from sorted(modules.parent for modules in project.glob("*/node_modules"))


def _lhci_version(file: str, modules: Path | None) -> str:
    """Return Lighthouse CI's version; raise MeasureError if `file` is something else of that name."""
    # npm links to the package's own file; other installers, and npm on Windows, write a script.
    real = Path(file).resolve()
    described = [folder / "package.json" for folder in real.parents if "node_modules" in folder.parts[-3:-1]]
    if modules and real.parent.name == ".bin":
        described = [modules / name / "package.json" for name in ("@lhci/cli", "lhci")]
    for path in described:
        try:
            package = json.loads(path.read_text(encoding="utf-8"))
            name, version = str(package["name"]), str(package["version"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if name == "@lhci/cli":
            return version
        if name == "lhci":
            raise MeasureError(
                f"{file} is the npm package `lhci`, an unrelated placeholder",
                hint="run `npm uninstall lhci && npm install --save-dev @lhci/cli`",
            )
    version, said = _version((file, "--version"))
    if not version:
        raise MeasureError(f"{file} --version gives no version: {said}", hint=_INSTALL)
    return version


def _chrome() -> str:
    """Return the browser's file, as CHROME_PATH says or from the usual places."""
    given = os.environ.get("CHROME_PATH", "")
    if given:
        if not (Path(given).is_file() and os.access(given, os.X_OK)):  # lhci would take another one without a word
            raise MeasureError(f"CHROME_PATH: no program at {given}", hint="set it to Chrome's or Chromium's file")
        return given
    usual = (os.path.expandvars(Path(name).expanduser()) for name in _CHROME_FILES.get(sys.platform, ()))
    for found in (*map(shutil.which, _CHROMES), *(file for file in usual if Path(file).is_file())):
        if found:
            return found
    raise MeasureError("no Chrome or Chromium found", hint="install one, or set CHROME_PATH to its file")


def _chrome_version(chrome: str) -> str:
    if sys.platform == "win32":  # asked for its version it opens a window; its folder is named so
        return max((path.name for path in Path(chrome).parent.glob("[0-9]*.*")), default="")
    version, said = _version((chrome, "--version"))
    if not version:
        raise MeasureError(f"{chrome} --version gives no version: {said}", hint="set CHROME_PATH to another Chrome")
    return version


def _version(command: tuple[str, ...]) -> tuple[str, str]:
    """Return the version that a command prints, empty if it fails, and the last line of its output."""
    try:
        done = subprocess.run(  # noqa: S603
            command, capture_output=True, stdin=subprocess.DEVNULL, timeout=60, check=False, encoding="utf-8"
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return "", str(error)
    found = re.search(r"\d+(\.\d+)+", done.stdout) if done.returncode == 0 else None
    lines = (done.stdout + done.stderr).strip().splitlines()
    return found.group() if found else "", lines[-1].strip() if lines else "it says nothing"


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2])
