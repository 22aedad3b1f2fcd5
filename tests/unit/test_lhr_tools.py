"""Where Lighthouse CI, Node and Chrome are found, and what is said when they are not."""

import json
import os
import sys
from pathlib import Path

import pytest

from pytest_memgate.errors import MeasureError
from pytest_memgate.measure.lighthouse import tools
from pytest_memgate.measure.lighthouse.tools import find_tools


class Machine:
    """A PATH and node_modules with small programs that only say their version."""

    def __init__(self, root: Path) -> None:
        self.project = root / "project"
        self.bin = root / "bin"
        self.project.mkdir()
        self.program(self.bin / "node", "v20.19.0")
        self.program(self.bin / "chromium", "Chromium 140.0.7339.80 built on Debian")

    def program(self, path: Path, says: str, code: int = 0) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\necho '{says}'\nexit {code}\n", encoding="utf-8")
        path.chmod(0o755)
        return path

    def package(self, folder: Path, name: str, version: str) -> Path:
        """Install a package as npm does: a link to its program among those of node_modules."""
        package = folder / "node_modules" / name
        program = self.program(package / "cli.js", "9.9.9")
        (package / "package.json").write_text(json.dumps({"name": name, "version": version}), encoding="utf-8")
        link = folder / "node_modules" / ".bin" / "lhci"
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(os.path.relpath(program, link.parent))
        return link


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.setattr(tools, "_CHROME_FILES", {})
    machine = Machine(tmp_path)
    monkeypatch.setenv("PATH", str(machine.bin))
    monkeypatch.delenv("CHROME_PATH", raising=False)
    return machine


def test_the_nearest_lhci_is_taken(machine: Machine) -> None:
    machine.package(machine.project, "@lhci/cli", "0.13.0")
    near = machine.package(machine.project / "web", "@lhci/cli", "0.15.1")
    (machine.project / "web" / "src").mkdir()
    found = find_tools(machine.project, machine.project / "web" / "src")
    assert (found.lhci, found.lhci_version) == ((str(near),), "0.15.1")
    assert (found.node_version, found.chrome_version) == ("20.19.0", "140.0.7339.80")
    assert found.chrome == str(machine.bin / "chromium")
    assert find_tools(machine.project, None).lhci_version == "0.13.0"
    assert find_tools(machine.project, machine.project.parent / "elsewhere").lhci_version == "0.13.0"


def test_an_lhci_on_the_path_is_asked_for_its_version(machine: Machine) -> None:
    file = machine.program(machine.bin / "lhci", "0.14.0")
    found = find_tools(machine.project, None)
    assert (found.lhci, found.lhci_version) == ((str(file),), "0.14.0")


def test_an_installer_s_script_stands_for_the_package_beside_it(machine: Machine) -> None:
    machine.program(machine.project / "node_modules" / ".bin" / "lhci", "not asked")
    package = machine.project / "node_modules" / "@lhci" / "cli"
    package.mkdir(parents=True)
    (package / "package.json").write_text('{"name": "@lhci/cli", "version": "0.15.0"}', encoding="utf-8")
    assert find_tools(machine.project, None).lhci_version == "0.15.0"


def test_npx_is_asked_last_and_never_for_the_package_lhci(machine: Machine) -> None:
    npx = machine.bin / "npx"
    machine.program(npx, '0.15.1 $*"; test "$*" = "--no-install -p @lhci/cli lhci --version" || exit 1; echo "')
    found = find_tools(machine.project, None)
    assert found.lhci == (str(npx), "--no-install", "-p", "@lhci/cli", "lhci")
    assert found.lhci_version == "0.15.1"


@pytest.mark.parametrize("npx", [False, True])
def test_no_lhci_says_how_to_install_it(machine: Machine, npx: bool) -> None:
    if npx:
        machine.program(machine.bin / "npx", "npm error npx canceled: missing @lhci/cli@0.15.1", code=1)
    expected = r"lhci is neither in .* nor on PATH; run `npm install --save-dev @lhci/cli`"
    with pytest.raises(MeasureError, match=expected):
        find_tools(machine.project, None)


def test_the_placeholder_of_that_name_is_told(machine: Machine) -> None:
    machine.package(machine.project, "lhci", "4.1.2")
    with pytest.raises(MeasureError, match="is the npm package `lhci`, an unrelated placeholder; run `npm uninstall"):
        find_tools(machine.project, None)


def test_an_old_lhci_is_refused(machine: Machine) -> None:
    machine.package(machine.project, "@lhci/cli", "0.11.2")
    with pytest.raises(MeasureError, match=r"@lhci/cli 0\.11\.2 is too old; run"):
        find_tools(machine.project, None)


def test_an_lhci_without_a_version_is_refused(machine: Machine) -> None:
    machine.program(machine.bin / "lhci", "Error: Cannot find module", code=1)
    with pytest.raises(MeasureError, match="gives no version: Error: Cannot find module"):
        find_tools(machine.project, None)


@pytest.mark.parametrize("says", ["v18.19.1", "v6.11.0", ""])
def test_an_old_node_is_refused(machine: Machine, says: str) -> None:
    machine.program(machine.bin / "node", says)
    with pytest.raises(MeasureError, match=r"^node .*is too old for Lighthouse; install Node\.js 18\.20"):
        find_tools(machine.project, None)


def test_no_node_says_what_to_install(machine: Machine) -> None:
    (machine.bin / "node").unlink()
    with pytest.raises(MeasureError, match=r"node is not on PATH, and Lighthouse needs it; install Node\.js 18\.20"):
        find_tools(machine.project, None)


def test_no_chrome_says_what_to_do(machine: Machine) -> None:
    machine.package(machine.project, "@lhci/cli", "0.15.1")
    (machine.bin / "chromium").unlink()
    with pytest.raises(MeasureError, match="no Chrome or Chromium found; install one, or set CHROME_PATH"):
        find_tools(machine.project, None)


def test_chrome_path_goes_first(machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.package(machine.project, "@lhci/cli", "0.15.1")
    own = machine.program(tmp_path / "my chrome", "Google Chrome 141.0.1.2")
    monkeypatch.setenv("CHROME_PATH", str(own))
    found = find_tools(machine.project, None)
    assert (found.chrome, found.chrome_version) == (str(own), "141.0.1.2")


def test_a_chrome_path_that_leads_nowhere_is_an_error_and_no_other_chrome_is_taken(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.package(machine.project, "@lhci/cli", "0.15.1")
    monkeypatch.setenv("CHROME_PATH", "/no/chrome")
    with pytest.raises(MeasureError, match="CHROME_PATH: no program at /no/chrome; set it"):
        find_tools(machine.project, None)


def test_a_chrome_that_cannot_say_its_version_is_an_error(machine: Machine) -> None:
    machine.package(machine.project, "@lhci/cli", "0.15.1")
    machine.program(machine.bin / "chromium", "error while loading shared libraries: libnss3.so", code=127)
    with pytest.raises(MeasureError, match=r"gives no version: error while loading shared libraries: libnss3\.so; set"):
        find_tools(machine.project, None)


def test_chrome_is_looked_for_where_its_installer_puts_it(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.package(machine.project, "@lhci/cli", "0.15.1")
    (machine.bin / "chromium").unlink()
    own = machine.program(tmp_path / "Applications" / "Google Chrome", "Google Chrome 141.0.1.2")
    monkeypatch.setattr(tools, "_CHROME_FILES", {sys.platform: ("/absent", str(own))})
    assert find_tools(machine.project, None).chrome == str(own)
