"""The bundles that `memgate init` finds in a project: which file describes a build, or what writes that."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from pytest_memgate.baseline.source import WorkTree
from pytest_memgate.config.sources import load_settings
from pytest_memgate.measure.bundle.routes.find import FRAMEWORKS
from pytest_memgate.probes.bundle.probe import BundleCheck
from pytest_memgate.tasks.baseline.init import init
from pytest_memgate.tasks.baseline.init_bundles import Proposal, propose

METAFILE = {
    "inputs": {"src/main.js": {"bytes": 300, "imports": []}},
    "outputs": {"dist/main.js": {"bytes": 300, "entryPoint": "src/main.js", "imports": [], "inputs": {}}},
}
MANIFEST = {"src/main.js": {"file": "main.js", "src": "src/main.js", "isEntry": True}}
NO_MANIFEST = (
    "vite: there is no dist/.vite/manifest.json or dist/manifest.json{}; "
    "it is written by: vite build, with build: {{manifest: true}}"
)


def put(root: Path, name: str, content: object) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")


def app(root: Path, folder: str, *packages: str, **more: Any) -> None:
    """Lay an application without a build."""
    put(root, f"{folder}/package.json", {"devDependencies": dict.fromkeys(packages, "1.0.0"), **more})


def built(root: Path, folder: str, packages: str, out: str) -> None:
    """Lay an application that Vite has built into a folder."""
    app(root, folder, *packages.split())
    put(root, f"{out}/main.js", "x" * 300)
    put(root, f"{out}/.vite/manifest.json", MANIFEST)


def only(root: Path) -> Proposal:
    (proposal,) = propose(root)
    return proposal


def test_a_build_is_named_by_its_file_and_measured(tmp_path: Path) -> None:
    app(tmp_path, "web", "esbuild")
    put(tmp_path, "web/dist/main.js", "x" * 300)
    put(tmp_path, "web/dist/metafile.json", METAFILE)
    proposal = only(tmp_path)
    assert (proposal.name, proposal.settings, proposal.fault) == ("app", {"stats": "web/dist/metafile.json"}, "")
    (line,) = proposal.lines()
    assert line.startswith("bundle app[src/main.js]: first screen 300 B raw, ")
    assert line.endswith(" B gzip")


def test_a_framework_that_its_file_does_not_tell_of_is_named(tmp_path: Path) -> None:
    app(tmp_path, ".", "astro", "vite")
    put(tmp_path, "dist/index.html", "<p>shop</p>")
    assert only(tmp_path).settings == {"framework": "astro"}
    assert [entry.name for entry in only(tmp_path).entries] == ["index.html"]


@pytest.mark.parametrize(("folder", "place"), [(".", ""), ("web", " in web"), ("a/b/c", " in a/b/c")])
def test_without_a_build_the_flag_that_writes_its_file_is_told(tmp_path: Path, folder: str, place: str) -> None:
    app(tmp_path, folder, "vite")
    proposal = only(tmp_path)
    assert (proposal.fault, proposal.entries) == (NO_MANIFEST.format(place), ())
    assert proposal.settings == {"stats": (Path(folder) / "dist/.vite/manifest.json").as_posix()}


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_each_framework_has_a_bundle_before_its_first_build(tmp_path: Path, name: str) -> None:
    app(tmp_path, ".", *FRAMEWORKS[name].packages)
    assert only(tmp_path).fault.endswith(f"it is written by: {FRAMEWORKS[name].written}")
    assert "?" not in str(only(tmp_path).settings)


def test_a_build_that_cannot_be_measured_says_why(tmp_path: Path) -> None:
    built(tmp_path, "web", "vite", "web/dist")
    (tmp_path / "web/dist/main.js").unlink()
    assert only(tmp_path).fault.startswith("web/dist/.vite/manifest.json: 1 of the 1 files that it names is not on")


@pytest.mark.parametrize("out", ["static/dist", "shop/static", "shop/static/shop", "assets"])
def test_a_web_folder_may_build_into_the_package_beside_it(tmp_path: Path, out: str) -> None:
    built(tmp_path, "web", "vite", out)
    assert only(tmp_path).settings == {"stats": f"{out}/.vite/manifest.json"}
    assert len(only(tmp_path).entries) == 1


def test_the_manifest_of_a_web_app_is_none_of_a_build(tmp_path: Path) -> None:
    app(tmp_path, ".", "vite")
    put(tmp_path, "dist/manifest.json", {"name": "Shop", "icons": [{"src": "a.png"}]})
    assert only(tmp_path).fault == NO_MANIFEST.format("")


def test_several_applications_are_named_by_their_folders(tmp_path: Path) -> None:
    built(tmp_path, "apps/shop", "vite", "apps/shop/dist")
    built(tmp_path, "apps/my admin", "vite", "apps/my admin/dist")
    built(tmp_path, "old/shop", "vite", "old/shop/dist")
    assert {one.name: one.settings["stats"] for one in propose(tmp_path)} == {
        "my-admin": "apps/my admin/dist/.vite/manifest.json",
        "shop": "apps/shop/dist/.vite/manifest.json",
        "shop-2": "old/shop/dist/.vite/manifest.json",
    }


def test_two_builds_of_one_framework_are_named_by_their_files(tmp_path: Path) -> None:
    for folder in ("de", "en"):
        app(tmp_path, folder, "astro")
        put(tmp_path, f"{folder}/dist/index.html", "<p>shop</p>")
    assert [one.settings for one in propose(tmp_path)] == [{"stats": f"{one}/dist/**/*.html"} for one in ("de", "en")]
    assert all(one.entries for one in propose(tmp_path))


def test_the_root_of_a_workspace_counts_only_with_a_build_of_its_own(tmp_path: Path) -> None:
    app(tmp_path, ".", "vite", workspaces=["web"])
    built(tmp_path, "web", "vite", "web/dist")
    assert [one.name for one in propose(tmp_path)] == ["app"]
    built(tmp_path, ".", "vite", "dist")
    assert [one.name for one in propose(tmp_path)] == ["app", "web"]


@pytest.mark.parametrize("content", ["{", "[]", '{"dependencies": []}', '{"dependencies": {"lodash": "4"}}'])
def test_a_package_file_that_names_no_bundler_tells_of_no_application(tmp_path: Path, content: str) -> None:
    put(tmp_path, "package.json", content)
    assert propose(tmp_path) == []


def test_folders_that_are_too_deep_or_of_others_are_not_searched(tmp_path: Path, monkeypatch: Any) -> None:
    for folder in ("a/b/c/d", "node_modules/x", ".cache/x", "private"):
        app(tmp_path, folder, "vite")
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "private" and access(path, mode))
    assert propose(tmp_path) == []


def test_of_many_pages_some_are_shown(tmp_path: Path) -> None:
    app(tmp_path, ".", "astro")
    for number in range(22):
        put(tmp_path, f"dist/{number}.html", "<p>shop</p>")
    lines = list(only(tmp_path).lines())
    assert (len(lines), lines[-1]) == (21, "bundle app: 2 more entries")


def test_the_file_that_is_written_declares_what_was_measured(tmp_path: Path) -> None:
    built(tmp_path, "shop", "vite", "shop/dist")
    app(tmp_path, "admin", "next")
    _, lines = init(tmp_path)
    assert lines[-1] == "a comment in memgate.yml until it can be measured: admin"
    assert bundles(tmp_path) == {"shop": "shop/dist/.vite/manifest.json"}
    uncomment(tmp_path, "  # admin", "  admin")
    assert set(bundles(tmp_path)) == {"admin", "shop"}


def test_a_section_that_is_a_comment_is_valid_when_it_is_none(tmp_path: Path) -> None:
    app(tmp_path, "web", "vite")
    init(tmp_path)
    assert bundles(tmp_path) == {}
    uncomment(tmp_path, "# bundles:", "bundles:")
    uncomment(tmp_path, "#   app:", "  app:")
    assert bundles(tmp_path) == {"app": "web/dist/.vite/manifest.json"}


def bundles(root: Path) -> dict[str, str]:
    """Return the stats files that memgate.yml declares, by the bundle's name."""
    return {name: check.stats for name, check in load_settings(WorkTree(root)).of(BundleCheck).items()}


def uncomment(root: Path, line: str, instead: str) -> None:
    path = root / "memgate.yml"
    text = path.read_text(encoding="utf-8")
    assert line in text
    path.write_text(text.replace(line, instead), encoding="utf-8")
