"""What an esbuild metafile tells: real ones, and the shapes that entries and chunks can take."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from pytest_memgate.errors import MeasureError
from pytest_memgate.measure.bundle.build import Entry, Source, measure
from pytest_memgate.report.words.contributions import lead_text

BUILT = Path(__file__).parents[1] / "data" / "bundles" / "built" / "esbuild"
METAFILE = Source(stats=Path("metafile.json"))


def entries(variant: str) -> dict[str, Entry]:
    return {entry.name: entry for entry in measure(METAFILE, BUILT / variant)}


def sizes(entry: Entry, *, total: bool = False) -> dict[str, float]:
    return {site.path: site.size for site in (entry.total_sites if total else entry.initial_sites)}


def on_disk(variant: str, *globs: str) -> int:
    return sum(path.stat().st_size for glob in globs for path in (BUILT / variant / "out").glob(glob))


def output(*imports: tuple[str, str], entry: str = "", css: str = "", **more: Any) -> dict[str, Any]:
    """Return an output as a metafile tells of it: ten bytes, and imports by path and kind."""
    told: dict[str, Any] = {"bytes": 10, "inputs": {}, "imports": [{"path": p, "kind": kind} for p, kind in imports]}
    return told | ({"entryPoint": entry} if entry else {}) | ({"cssBundle": css} if css else {}) | more


def lay_out(folder: Path, outputs: dict[str, dict[str, Any]], inputs: dict[str, Any] | None = None) -> Path:
    """Write a metafile and the files that it names."""
    (folder / "metafile.json").write_text(json.dumps({"inputs": inputs or {}, "outputs": outputs}), encoding="utf-8")
    for path, told in outputs.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(b"x" * told["bytes"])
    return folder


def found(folder: Path, **more: Any) -> dict[str, tuple[int, int]]:
    """Return raw bytes of first screen and total by entry."""
    source = Source(stats=Path("metafile.json"), **more)
    return {entry.name: (entry.initial.raw, entry.total.raw) for entry in measure(source, folder)}


LAZY = "dynamic-import"
EAGER = "import-statement"


def test_the_first_screen_is_the_entry_with_what_it_imports_and_its_css() -> None:
    entry = entries("base")["src/entry.js"]
    assert entry.initial.raw == on_disk("base", "entry-*", "chunks/chunk-*")
    assert entry.total.raw == on_disk("base", "**/*.js", "**/*.css")
    assert list(entries("base")) == ["src/entry.js"]


@pytest.mark.parametrize("variant", ["base", "grown", "eager", "two", "plain"])
def test_sites_sum_to_the_size(variant: str) -> None:
    for entry in entries(variant).values():
        assert sum(site.size for site in entry.initial_sites) == entry.initial.raw
        assert sum(site.size for site in entry.total_sites) == entry.total.raw


def test_a_package_that_is_imported_is_what_grew_to_the_byte() -> None:
    before, after = entries("base")["src/entry.js"], entries("grown")["src/entry.js"]
    growth = {path: size - sizes(before).get(path, 0) for path, size in sizes(after).items()}
    assert max(growth, key=lambda path: growth[path]) == "node_modules/atlas"
    assert sum(growth.values()) == after.initial.raw - before.initial.raw
    assert growth["node_modules/atlas"] > 200_000


def test_the_parts_are_those_of_the_metafile() -> None:
    metafile = json.loads((BUILT / "grown" / "metafile.json").read_bytes())
    atlas = sum(
        part["bytesInOutput"]
        for told in metafile["outputs"].values()
        for path, part in told["inputs"].items()
        if path.startswith("node_modules/atlas/")
    )
    assert sizes(entries("grown")["src/entry.js"])["node_modules/atlas"] == atlas


def test_moving_a_module_to_the_first_screen_shows_as_growth_of_the_first_screen_only() -> None:
    lazy, eager = entries("base")["src/entry.js"], entries("eager")["src/entry.js"]
    assert eager.initial.raw - lazy.initial.raw > 8000
    assert abs(eager.total.raw - lazy.total.raw) < 500
    assert sizes(eager)["node_modules/@post/letters"] == sizes(lazy, total=True)["node_modules/@post/letters"]


def test_each_entry_has_its_own_lazy_chunks_and_the_shared_ones() -> None:
    found = entries("two")
    assert "src/route.js" not in sizes(found["src/admin.js"], total=True)
    assert "src/board.js" in sizes(found["src/admin.js"])
    assert "src/board.js" in sizes(found["src/entry.js"])


def test_a_build_without_minification_and_hashes_is_read() -> None:
    assert entries("plain")["src/entry.js"].total.raw == on_disk("plain", "**/*.js", "**/*.css")


def test_a_package_that_is_there_twice_is_noted() -> None:
    (note,) = entries("base")["src/entry.js"].notes
    assert note.startswith("words is in it twice: node_modules/words and node_modules/@post/letters/node_modules/words")


def test_who_imports_is_told_and_whether_lazily() -> None:
    via = {site.path: tuple(map(lead_text, site.via)) for site in entries("base")["src/entry.js"].total_sites}
    assert via["src/route.js"] == ("lazily imported by src/entry.js",)
    assert via["node_modules/words"] == ("imported by src/entry.js",)


def test_a_chunk_that_several_need_counts_once(tmp_path: Path) -> None:
    outputs = {
        "dist/a.js": output(("dist/b.js", EAGER), ("dist/c.js", EAGER), ("dist/l.js", LAZY), entry="a.js"),
        "dist/b.js": output(("dist/c.js", EAGER)),
        "dist/c.js": output(),
        "dist/l.js": output(("dist/c.js", EAGER), entry="l.js"),
    }
    assert found(lay_out(tmp_path, outputs)) == {"a.js": (30, 40)}


@pytest.mark.parametrize("kind", ["import-statement", "require-call", "import-rule"])
def test_every_import_that_loads_at_once_is_followed(tmp_path: Path, kind: str) -> None:
    outputs = {"dist/a.js": output(("dist/b.js", kind), entry="a.js"), "dist/b.js": output()}
    assert found(lay_out(tmp_path, outputs)) == {"a.js": (20, 20)}


@pytest.mark.parametrize("kind", ["file-loader", "url-token"])
def test_fonts_and_images_are_no_part(tmp_path: Path, kind: str) -> None:
    outputs = {"dist/a.js": output(("dist/b.png", kind), entry="a.js"), "dist/b.png": output()}
    assert found(lay_out(tmp_path, outputs)) == {"a.js": (10, 10)}


def test_maps_and_licences_are_no_part(tmp_path: Path) -> None:
    outputs = {"dist/a.js": output(entry="a.js"), "dist/a.js.map": output(), "dist/a.js.LEGAL.txt": output()}
    assert found(lay_out(tmp_path, outputs)) == {"a.js": (10, 10)}


def test_an_external_import_is_no_file(tmp_path: Path) -> None:
    told = output(entry="a.js")
    told["imports"] = [{"path": "https://cdn.test/x.js", "kind": "import-statement", "external": True}]
    assert found(lay_out(tmp_path, {"dist/a.js": told})) == {"a.js": (10, 10)}


def test_the_css_of_a_lazy_chunk_is_lazy(tmp_path: Path) -> None:
    outputs = {
        "dist/a.js": output(("dist/l.js", LAZY), entry="a.js", css="dist/a.css"),
        "dist/a.css": output(),
        "dist/l.js": output(entry="l.js", css="dist/l.css"),
        "dist/l.css": output(),
    }
    assert found(lay_out(tmp_path, outputs)) == {"a.js": (20, 40)}


def test_a_style_sheet_is_an_entry_unless_it_is_that_of_a_script(tmp_path: Path) -> None:
    outputs = {
        "dist/a.js": output(entry="a.js", css="dist/a.css"),
        "dist/a.css": output(entry="a.js"),
        "dist/print.css": output(entry="print.css"),
    }
    assert found(lay_out(tmp_path, outputs)) == {"a.js": (20, 20), "print.css": (10, 10)}


def test_an_entry_that_another_loads_lazily_is_a_chunk_of_it_unless_it_is_named(tmp_path: Path) -> None:
    outputs = {"dist/a.js": output(("dist/b.js", LAZY), entry="a.js"), "dist/b.js": output(entry="b.js")}
    folder = lay_out(tmp_path, outputs)
    assert found(folder) == {"a.js": (10, 20)}
    assert found(folder, entries=("b.js",)) == {"b.js": (10, 10)}


def test_entries_that_load_each_other_lazily_are_all_entries(tmp_path: Path) -> None:
    outputs = {
        "dist/a.js": output(("dist/b.js", LAZY), entry="a.js"),
        "dist/b.js": output(("dist/a.js", LAZY), ("dist/c.js", LAZY), entry="b.js"),
        "dist/c.js": output(entry="c.js"),
    }
    assert found(lay_out(tmp_path, outputs)) == {"a.js": (10, 30), "b.js": (10, 30)}


def test_outputs_of_one_entry_point_are_told_apart(tmp_path: Path) -> None:
    outputs = {"dist/old-AAAA2222.js": output(entry="a.js"), "dist/new-BBBB3333.js": output(entry="a.js")}
    assert list(found(lay_out(tmp_path, outputs))) == ["a.js (dist/old-*.js)", "a.js (dist/new-*.js)"]


def test_the_same_module_in_two_files_counts_in_each(tmp_path: Path) -> None:
    part = {"src/x.js": {"bytesInOutput": 8}}
    outputs = {"dist/a.js": output(("dist/l.js", LAZY), entry="a.js", inputs=part), "dist/l.js": output(inputs=part)}
    (entry,) = measure(METAFILE, lay_out(tmp_path, outputs))
    assert sizes(entry, total=True) == {"src/x.js": 16, "(bundler runtime)": 4}


def test_a_chunk_without_inputs_is_the_bundlers_own(tmp_path: Path) -> None:
    told = {"main.js": output(("chunk.js", EAGER), entry="src/main.js"), "chunk.js": output()}
    told["main.js"]["inputs"] = {"src/main.js": {"bytesInOutput": 10}}
    (entry,) = measure(METAFILE, lay_out(tmp_path, told))
    assert sizes(entry) == {"src/main.js": 10, "(bundler runtime)": 10}
    assert not [note for note in entry.notes if "not known" in note]


def test_no_entry_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MeasureError, match="none of its outputs is an entry"):
        found(lay_out(tmp_path, {"dist/a.js": output()}))


def test_an_output_that_is_imported_but_not_listed_is_an_error(tmp_path: Path) -> None:
    folder = lay_out(tmp_path, {"dist/a.js": output(("dist/b.js", EAGER), entry="a.js")})
    with pytest.raises(MeasureError, match=r"imports\[0\]: dist/b\.js is not among its outputs; build again"):
        found(folder)


@pytest.mark.parametrize("place", ["", "dist", "web", "elsewhere/renamed"])
def test_the_files_are_found_wherever_the_metafile_lies(tmp_path: Path, place: str) -> None:
    source = {"": ".", "dist": "dist", "web": ".", "elsewhere/renamed": "dist"}[place]
    built = tmp_path / "built"
    built.mkdir()
    lay_out(built, {"dist/a.js": output(("dist/x/c.js", EAGER), entry="a.js"), "dist/x/c.js": output()})
    project = tmp_path / "project"
    if place == "elsewhere/renamed":  # the content of dist, under another name
        shutil.copytree(built / source, project / place)
    else:
        shutil.copytree(built, project)
    (project / place).mkdir(exist_ok=True)
    shutil.move(built / "metafile.json", project / place / "metafile.json")
    (entry,) = measure(Source(stats=Path(place) / "metafile.json"), project)
    assert entry.initial.raw == 20


def test_the_files_are_looked_for_below_root_alone_where_it_is_given(tmp_path: Path) -> None:
    lay_out(tmp_path, {"dist/a.js": output(entry="a.js")})
    (tmp_path / "other").mkdir()
    with pytest.raises(
        MeasureError, match=r"1 of the 1 files that it names is not on disk, first dist/a\.js \(looked in other\)"
    ):
        found(tmp_path, root=Path("other"))
    (tmp_path / "dist").rename(tmp_path / "other" / "dist")
    assert found(tmp_path, root=Path("other")) == {"a.js": (10, 10)}
    assert found(tmp_path, root=Path("other/dist")) == {"a.js": (10, 10)}
