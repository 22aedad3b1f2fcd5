"""Files that name what a build has made and are no stats: some are read, of others it is said what to give instead."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from pytest_memgate.errors import MeasureError
from pytest_memgate.measure.bundle.build import Entry, Source, measure

FILE = "dist/known.json"


def entries(root: Path, content: Any, **files: int) -> dict[str, Entry]:
    """Return the entries of a file of that content, beside scripts and styles of so many bytes."""
    for name, size in {"main_js": 300, **files}.items():
        path = root / "dist" / name.replace("_", ".").replace("..", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x" * size, encoding="utf-8")
    (root / FILE).write_text(json.dumps(content), encoding="utf-8")
    return {entry.name: entry for entry in measure(Source(stats=root / FILE), root)}


@pytest.mark.parametrize("older", [False, True])
def test_webpack_bundle_tracker_is_read(tmp_path: Path, older: bool) -> None:
    assets = {
        name: {"name": name, "path": f"/app/dist/{name}"} for name in ("main.js", "main.css", "later.js", "a.png")
    }
    names = ["main.js", "main.css", "main.js.map"]
    content = {
        "status": "done",
        "assets": assets,
        "chunks": {"main": [{"name": one} for one in names] if older else names},
    }
    (entry,) = entries(tmp_path, content, main_css=40, later_js=70).values()
    assert (entry.name, entry.initial.raw, entry.total.raw) == ("main", 340, 410)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"status": "error", "error": "ModuleError", "message": "no such\nfile"}, "is not done: no such file; mend it"),
        ({"status": "compile"}, "is not done: compile"),
        ({"status": "done", "chunks": {"main": []}, "assets": {}}, "none of its entries has a script or a style"),
        ({"status": "done", "chunks": {"main": [7]}, "assets": {}}, "chunks.main[0] is 7, not an object"),
    ],
)
def test_a_tracker_of_no_build_says_why(tmp_path: Path, content: Any, said: str) -> None:
    with pytest.raises(MeasureError) as caught:
        entries(tmp_path, content)
    assert said in str(caught.value)


@pytest.mark.parametrize("prefix", ["/", "https://cdn.example.org/", ""])
def test_rsbuilds_manifest_is_read(tmp_path: Path, prefix: str) -> None:
    content = {
        "allFiles": [],
        "entries": {
            "index": {
                "initial": {"js": [f"{prefix}main.js"], "css": [f"{prefix}main.css"]},
                "async": {"js": [f"{prefix}later.js"]},
                "html": ["/index.html"],
            }
        },
    }
    (entry,) = entries(tmp_path, content, main_css=40, later_js=70).values()
    assert (entry.name, entry.initial.raw, entry.total.raw) == ("index", 340, 410)


def test_nexts_routes_are_read(tmp_path: Path) -> None:
    routes = [
        {"route": "/", "firstLoadChunkPaths": ["dist/main.js"]},
        {"route": "/cart", "firstLoadChunkPaths": ["dist/main.js", "dist/cart.js"]},
    ]
    found = entries(tmp_path, routes, cart_js=50)
    assert {name: entry.initial.raw for name, entry in found.items()} == {"/": 300, "/cart": 350}
    assert "what is loaded later is not in it: the total is the first screen" in found["/"].notes[0]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            {"files": {"main.js": "/main.js"}, "entrypoints": ["main.js"]},
            "is the asset-manifest of Create React App, which describes no build; give bundle-stats.json of",
        ),
        (
            {"entrypoints": {"app": {"js": ["/build/main.js"]}}},
            "is the entrypoints of Webpack Encore, which describes no build; give what `encore production --json`",
        ),
        (
            {"pages": {"/_app": []}, "rootMainFiles": ["static/chunks/main.js"]},
            "is Next's build-manifest, which describes no build; give diagnostics/route-bundle-stats.json",
        ),
        (
            {"time": 12, "errors": [], "errorsCount": 0},
            "these stats hold no build, only its time and errors, as Rspack 2 writes them; say in its configuration",
        ),
    ],
)
def test_what_describes_no_build_is_told_with_what_to_give_instead(tmp_path: Path, content: Any, said: str) -> None:
    with pytest.raises(MeasureError) as caught:
        entries(tmp_path, content)
    assert said in str(caught.value)


def test_a_compressed_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "stats.json").write_bytes(gzip.compress(b"{}"))
    with pytest.raises(MeasureError, match=r"stats\.json is compressed with gzip; give it as it was before that"):
        measure(Source(stats=tmp_path / "stats.json"), tmp_path)


def test_a_source_map_is_found_by_the_name_that_the_file_gives(tmp_path: Path) -> None:
    told = {
        "version": 3,
        "sources": ["turbopack:///[project]/node_modules/lib/index.js"],
        "names": [],
        "mappings": "AAAA",
    }
    (tmp_path / "maps").mkdir()
    (tmp_path / "maps" / "of main.json").write_text(json.dumps(told), encoding="utf-8")
    (tmp_path / "dist").mkdir()
    script = "x" * 300 + "\n//# sourceMappingURL=../maps/of%20main.json"
    (tmp_path / "dist" / "main.js").write_text(script, encoding="utf-8")
    (entry,) = measure(Source(files=("dist/main.js",)), tmp_path)
    assert {site.path: site.size for site in entry.initial_sites}["node_modules/lib"] == 301


def test_a_source_map_outside_of_the_project_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "other.map").write_text("{", encoding="utf-8")
    project = tmp_path / "project"
    project.mkdir()
    (project / "main.js").write_text("x" * 300 + "\n//# sourceMappingURL=../other.map", encoding="utf-8")
    (entry,) = measure(Source(files=("main.js",)), project)
    assert entry.notes == ("what is in main.js is not known: it has no source map",)


def test_an_entry_of_a_few_bytes_is_noted(tmp_path: Path) -> None:
    (tmp_path / "main.js").write_text("x" * 58, encoding="utf-8")
    (entry,) = measure(Source(files=("main.js",)), tmp_path)
    assert "the entry has only 58 bytes: is the build whole?" in entry.notes
