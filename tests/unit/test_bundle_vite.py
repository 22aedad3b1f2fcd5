"""What a Vite manifest tells: real ones, and the shapes that Vite gives them."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from pytest_memgate.errors import MeasureError
from pytest_memgate.measure.bundle.build import Entry, Source, measure

BUILT = Path(__file__).parents[1] / "data" / "bundles" / "built" / "vite"
OUT = Source(stats=Path("out"))


def entries(variant: str) -> dict[str, Entry]:
    return {entry.name: entry for entry in measure(OUT, BUILT / variant)}


def sizes(entry: Entry, *, total: bool = False) -> dict[str, float]:
    return {site.path: site.size for site in (entry.total_sites if total else entry.initial_sites)}


def on_disk(variant: str, *globs: str) -> int:
    return sum(path.stat().st_size for glob in globs for path in (BUILT / variant / "out").glob(glob))


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A build to change."""
    shutil.copytree(BUILT / "base", tmp_path, dirs_exist_ok=True)
    return tmp_path


def lay_out(folder: Path, manifest: dict[str, dict[str, Any]]) -> Path:
    """Write a manifest and the files that it names, ten bytes each."""
    (folder / ".vite").mkdir()
    (folder / ".vite" / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    for chunk in manifest.values():
        for path in (chunk["file"], *chunk.get("css", ()), *chunk.get("assets", ())):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(b"x" * 10)
    return folder


def found(folder: Path) -> dict[str, tuple[int, int]]:
    return {entry.name: (entry.initial.raw, entry.total.raw) for entry in measure(Source(stats=folder), folder)}


def test_the_first_screen_is_the_page_its_script_and_its_css() -> None:
    (entry,) = entries("base").values()
    assert entry.name == "index.html"
    assert entry.initial.raw == on_disk("base", "index.html", "assets/index-*.js", "assets/index-*.css")
    assert entry.total.raw == on_disk("base", "index.html", "assets/*.js", "assets/*.css")


@pytest.mark.parametrize("variant", ["base", "grown", "eager", "two"])
def test_sites_sum_to_the_size(variant: str) -> None:
    for entry in entries(variant).values():
        assert sum(site.size for site in entry.initial_sites) == entry.initial.raw
        assert sum(site.size for site in entry.total_sites) == entry.total.raw


def test_source_maps_name_the_package_that_grew() -> None:
    before, after = entries("base")["index.html"], entries("grown")["index.html"]
    growth = {path: size - sizes(before).get(path, 0) for path, size in sizes(after).items()}
    assert max(growth, key=lambda path: growth[path]) == "node_modules/atlas"
    assert 0.99 < growth["node_modules/atlas"] / (after.initial.raw - before.initial.raw) <= 1.01


def test_hashes_are_no_part_of_a_name() -> None:
    before, after = entries("base")["index.html"], entries("grown")["index.html"]
    assert {"assets/index-*.css", "assets/route-*.css", "index.html"} <= sizes(before, total=True).keys()
    assert sizes(before, total=True).keys() < sizes(after, total=True).keys()


def test_moving_a_module_to_the_first_screen_hardly_moves_the_total() -> None:
    lazy, eager = entries("base")["index.html"], entries("eager")["index.html"]
    assert eager.initial.raw - lazy.initial.raw > 6000
    assert abs(eager.total.raw - lazy.total.raw) < 2500  # Vite's own preload helper is gone
    assert sizes(eager)["node_modules/@post/letters"] == sizes(lazy, total=True)["node_modules/@post/letters"]


def test_pages_share_chunks_and_count_them_once_each() -> None:
    found = entries("two")
    shared = on_disk("two", "assets/preload-helper-*.js")
    assert found["admin.html"].initial.raw == shared + on_disk("two", "admin.html", "assets/admin-*.js")
    assert "src/audit.js" in sizes(found["admin.html"], total=True)
    assert "src/route.js" not in sizes(found["admin.html"], total=True)


def test_without_source_maps_files_are_named_whole(copy: Path) -> None:
    for path in (copy / "out").rglob("*.map"):
        path.unlink()
    (entry,) = measure(OUT, copy)
    assert entry.initial == entries("base")["index.html"].initial
    assert sizes(entry).keys() == {"assets/index-*.js", "assets/index-*.css", "index.html"}
    assert entry.notes == ("what is in assets/index-*.js and 1 more is not known: it has no source map",)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "it is not JSON"),
        ('{"version": 3, "sections": [7]}', "one of its sections is none"),
        ('{"sources": ["a.js"], "mappings": ";;;;;AAAA"}', "it does not fit its file: it is of another build"),
    ],
)
def test_a_source_map_that_is_of_no_use_is_noted_and_costs_no_number(copy: Path, content: str, said: str) -> None:
    (source_map,) = (copy / "out").rglob("index-*.js.map")
    source_map.write_text(content, encoding="utf-8")
    (entry,) = measure(OUT, copy)
    assert entry.initial == entries("base")["index.html"].initial
    assert f"the source map of assets/index-*.js says nothing: {said}" in entry.notes


def test_a_manifest_can_be_named_by_its_file_or_folder() -> None:
    file = Source(stats=Path("out/.vite/manifest.json"))
    assert measure(file, BUILT / "base") == measure(OUT, BUILT / "base")


def test_a_manifest_beside_the_files_is_read(copy: Path) -> None:
    (copy / "out" / ".vite" / "manifest.json").rename(copy / "out" / "manifest.json")
    assert measure(OUT, copy)[0].initial == entries("base")["index.html"].initial


def test_a_manifest_of_a_web_app_is_passed_over(copy: Path) -> None:
    (copy / "out" / "manifest.json").write_text('{"name": "Timetable", "icons": []}', encoding="utf-8")
    (copy / "out" / ".vite" / "manifest.json").rename(copy / "out" / "stats.json")
    assert measure(OUT, copy)[0].initial == entries("base")["index.html"].initial


def test_a_page_that_is_no_part_of_the_output_is_left_out(copy: Path) -> None:
    page = copy / "out" / "index.html"
    size = page.stat().st_size
    page.unlink()
    assert measure(OUT, copy)[0].initial.raw == entries("base")["index.html"].initial.raw - size


def test_assets_are_no_part_and_styles_of_imports_are(tmp_path: Path) -> None:
    manifest: dict[str, dict[str, Any]] = {
        "src/a.js": {
            "file": "assets/a.js",
            "isEntry": True,
            "imports": ["_b.js"],
            "dynamicImports": ["src/l.js"],
            "css": ["assets/a.css"],
            "assets": ["assets/font.woff2"],
        },
        "_b.js": {"file": "assets/b.js", "css": ["assets/b.css", "assets/a.css"], "imports": ["src/a.js"]},
        "src/l.js": {"file": "assets/l.js", "isDynamicEntry": True, "css": ["assets/l.css"], "imports": ["_b.js"]},
    }
    assert found(lay_out(tmp_path, manifest)) == {"src/a.js": (40, 60)}


def test_one_style_sheet_for_all_is_on_every_first_screen(tmp_path: Path) -> None:
    manifest: dict[str, dict[str, Any]] = {
        "a.js": {"file": "assets/a.js", "isEntry": True},
        "b.js": {"file": "assets/b.js", "isEntry": True},
        "style.css": {"file": "assets/style.css", "src": "style.css"},
    }
    assert found(lay_out(tmp_path, manifest)) == {"a.js": (20, 20), "b.js": (20, 20)}


def test_a_style_sheet_may_be_an_entry(tmp_path: Path) -> None:
    manifest: dict[str, dict[str, Any]] = {
        "a.js": {"file": "assets/a.js", "isEntry": True},
        "style.css": {"file": "assets/style.css", "isEntry": True},
    }
    assert found(lay_out(tmp_path, manifest)) == {"a.js": (10, 10), "style.css": (10, 10)}


def test_newer_files_that_the_manifest_does_not_know_are_noted(copy: Path) -> None:
    manifest = (copy / "out" / ".vite" / "manifest.json").stat().st_mtime
    for name, age in (("index-x9YzAb12.js", -60), ("old-x9YzAb12.js", 60), ("plain.js", -60), ("x-x9YzAb12.png", -60)):
        path = copy / "out" / "assets" / name
        path.write_bytes(b"x")
        os.utime(path, (manifest - age, manifest - age))
    (entry,) = measure(OUT, copy)
    assert entry.notes[-1] == (
        "the manifest may be of an older build: it does not know assets/index-x9YzAb12.js, newer than itself"
    )
    assert entry.initial == entries("base")["index.html"].initial


def test_a_newer_file_of_a_chunk_that_no_entry_needs_is_known(tmp_path: Path) -> None:
    manifest: dict[str, dict[str, Any]] = {
        "a.js": {"file": "a-x9YzAb12.js", "isEntry": True},
        "b.js": {"file": "b-x9YzAb13.js"},
    }
    folder = lay_out(tmp_path, manifest)
    os.utime(folder / ".vite" / "manifest.json", (1, 1))
    assert "older build" not in " ".join(measure(Source(stats=folder), folder)[0].notes)


def test_no_entry_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MeasureError, match="none of its chunks has isEntry"):
        found(lay_out(tmp_path, {"a.js": {"file": "assets/a.js"}}))


def test_a_chunk_that_is_not_listed_is_an_error(tmp_path: Path) -> None:
    folder = lay_out(tmp_path, {"a.js": {"file": "assets/a.js", "isEntry": True, "imports": ["_gone.js"]}})
    with pytest.raises(MeasureError, match=r"a\.js\.imports\[0\]: there is no chunk _gone\.js; build again"):
        found(folder)


def test_a_missing_file_is_an_error(copy: Path) -> None:
    (script,) = (copy / "out" / "assets").glob("route-*.js")
    script.unlink()
    with pytest.raises(MeasureError) as caught:
        measure(OUT, copy)
    names = f"1 of the 4 files that it names is not on disk, first assets/{script.name}"
    assert str(caught.value).startswith(f"out/.vite/manifest.json: {names} (looked in out/.vite, out, .); build again")
