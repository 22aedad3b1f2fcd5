"""A lighthouserc is read like our own file: a key is used, or refused with its file."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_memgate.errors import MeasureError
from pytest_memgate.measure.lighthouse.lighthouserc import SCRIPTS, read_ci, read_lighthouserc
from pytest_memgate.measure.process.workspace import Workspace

NODE = "node"
USED = {
    "headful": False,
    "puppeteerScript": "login.cjs",
    "settings": {"locale": "de", "budgetPath": "budget.json"},
}
DATA = json.dumps({"ci": {"collect": USED, "upload": {"target": "lhci"}}})
LOCALE = '{"ci": {"collect": {"settings": {"locale": "%s"}}}}'


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with Workspace() as workspace:
        yield workspace


def node(name: str) -> None:
    """Skip where a script cannot be read; in CI it must be."""
    if name.endswith(SCRIPTS) and not shutil.which(NODE) and not os.environ.get("CI"):
        pytest.skip("no node on PATH")


def why_refused(path: Path, workspace: Workspace) -> str:
    with pytest.raises(MeasureError) as caught:
        read_lighthouserc(path, NODE, workspace)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("lighthouserc.json", DATA),
        (".lighthouserc.yml", DATA),
        ("lighthouserc.yaml", DATA),
        ("lighthouserc.cjs", f"module.exports = {DATA};"),
        ("lighthouserc.js", f"module.exports = Promise.resolve({DATA});"),
        ("lighthouserc.js", f"exports.__esModule = true; exports.default = {DATA};"),
        ("lighthouserc.mjs", f"export default {DATA};"),
        ("lighthouserc.mjs", f"export const ci = {DATA}.ci;"),
        ("lighthouserc.json", f"// of the shop\n{DATA[:-1]}, /* nothing\nmore */ }}"),
    ],
)
def test_a_lighthouserc_says_how_a_page_is_loaded(tmp_path: Path, workspace: Workspace, name: str, text: str) -> None:
    node(name)
    (tmp_path / "login.cjs").touch()
    (tmp_path / "budget.json").touch()
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert read_lighthouserc(tmp_path / name, NODE, workspace) == {
        "headful": False,
        "puppeteerScript": str(tmp_path / "login.cjs"),
        "settings": {"locale": "de", "budgetPath": str(tmp_path / "budget.json")},
    }


def test_export_default_is_read_in_a_package_of_modules(tmp_path: Path, workspace: Workspace) -> None:
    node("lighthouserc.js")
    (tmp_path / "package.json").write_text('{"type": "module"}', encoding="utf-8")
    path = tmp_path / "lighthouserc.js"
    path.write_text(f"export default {LOCALE % 'fr'};", encoding="utf-8")
    assert read_lighthouserc(path, NODE, workspace) == {"settings": {"locale": "fr"}}


def test_what_looks_like_a_comment_in_a_text_is_none(tmp_path: Path, workspace: Workspace) -> None:
    path = tmp_path / "lighthouserc.json"
    path.write_text(LOCALE % "http://x/*,]*/", encoding="utf-8")
    assert read_lighthouserc(path, NODE, workspace) == {"settings": {"locale": "http://x/*,]*/"}}


def test_a_lighthouserc_may_extend_another(tmp_path: Path, workspace: Workspace) -> None:
    base = {"ci": {"collect": {"headful": True, "settings": {"locale": "de", "maxWaitForLoad": 1}}}}
    (tmp_path / "base.json").write_text(json.dumps(base), encoding="utf-8")
    path = tmp_path / "lighthouserc.json"
    extending = {"ci": {"extends": "./base.json", "collect": {"settings": {"maxWaitForLoad": 2}}}}
    path.write_text(json.dumps(extending), encoding="utf-8")
    expected = {"headful": True, "settings": {"locale": "de", "maxWaitForLoad": 2}}
    assert read_lighthouserc(path, NODE, workspace) == expected


def test_a_lighthouserc_may_extend_a_package(tmp_path: Path, workspace: Workspace) -> None:
    node("lighthouserc.js")
    package = tmp_path / "node_modules" / "@acme" / "lighthouse"
    package.mkdir(parents=True)
    (package / "package.json").write_text('{"main": "shop.js"}', encoding="utf-8")
    (package / "shop.js").write_text(f"module.exports = {LOCALE % 'it'};", encoding="utf-8")
    path = tmp_path / "lighthouserc.json"
    path.write_text('{"ci": {"extends": "@acme/lighthouse"}}', encoding="utf-8")
    assert read_lighthouserc(path, NODE, workspace) == {"settings": {"locale": "it"}}
    path.write_text('{"ci": {"extends": "@acme/absent"}}', encoding="utf-8")
    assert "rc.json: ci.extends: there is no file or package @acme/absent; install" in why_refused(path, workspace)


def test_a_lighthouserc_that_extends_itself_is_an_error(tmp_path: Path, workspace: Workspace) -> None:
    path = tmp_path / "lighthouserc.json"
    path.write_text('{"ci": {"extends": "lighthouserc.json"}}', encoding="utf-8")
    assert "extends itself" in why_refused(path, workspace)


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("rc.json", "{", "rc.json: Expecting property name"),
        ("rc.json", "{\n/* a\nb */ x}", "rc.json: Expecting property name enclosed in double quotes: line 3"),
        ("rc.yml", "a: [", "rc.yml: while parsing"),
        ("rc.yml", "- a", "rc.yml must be a mapping, not list"),
        ("rc.yml", "", "rc.yml: 'ci' is missing; Lighthouse CI's keys stand below it"),
        ("rc.json", '{"collect": {}}', "rc.json: unknown key 'collect' (known: ci, ci:client, ci:server, lhci)"),
        ("rc.json", '{"ci": {"colect": {}}}', "rc.json: unknown key 'ci.colect' (did you mean 'ci.collect'?)"),
        ("rc.json", '{"ci": {"collect": []}}', "rc.json: ci.collect must be a mapping"),
        ("rc.json", '{"ci": {"collect": {"setings": {}}}}', "(did you mean 'ci.collect.settings'?)"),
        ("rc.json", '{"ci": {"collect": {"method": "psi"}}}', "rc.json: ci.collect.method is not used here; take it"),
        (
            "rc.json",
            '{"ci": {"collect": {"numberOfRuns": 9}}}',
            "ci.collect.numberOfRuns is not used here; say it by the page's `runs`: memgate init --from rc.json",
        ),
        ("rc.json", '{"ci": {"assert": {}}}', "rc.json: ci.assert is not used here; say it by `budgets`"),
        ("rc.json", '{"ci": {"extends": ["a"]}}', "rc.json: ci.extends must be a path, not list"),
        ("rc.cjs", "throw new Error('out of order')", "rc.cjs: node cannot load it: Error: out of order"),
        ("rc.cjs", "module.exports = () => 1;", "rc.cjs: the export is a function, which is no data; export what"),
        (
            "rc.cjs",
            "module.exports = {ci: {collect: {settings: {skipAudits: [() => 1]}}}};",
            "rc.cjs: ci.collect.settings.skipAudits.0 is a function, which is no data",
        ),
        ("rc.cjs", "module.exports = {ci: {collect: {url: /x/}}};", "rc.cjs: ci.collect.url is a RegExp, which is no"),
        ("rc.json", '{"ci": {"collect": {"puppeteerScript": "no.js"}}}', "puppeteerScript: there is no "),
        ("rc.json", '{"ci": {"collect": {"chromePath": "/no/chrome"}}}', "chromePath: there is no /no/chrome"),
        ("absent.json", None, "absent.json: No such file or directory; check `lighthouserc`"),
        ("absent.mjs", None, "absent.mjs: No such file or directory; check `lighthouserc`"),
    ],
)
def test_a_lighthouserc_that_cannot_be_used_is_an_error_of_one_line(
    tmp_path: Path, workspace: Workspace, name: str, text: str | None, why: str
) -> None:
    node(name)
    if text is not None:
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert why in why_refused(tmp_path / name, workspace)


def test_what_a_page_says_itself_is_read_for_memgate_yml(tmp_path: Path, workspace: Workspace) -> None:
    path = tmp_path / "lighthouserc.json"
    collect = {"url": ["http://localhost/"], "numberOfRuns": 3}
    path.write_text(json.dumps({"lhci": {"collect": collect, "assert": {"preset": "x"}}}), encoding="utf-8")
    assert read_ci(path, NODE, workspace) == {"collect": collect, "assert": {"preset": "x"}}
