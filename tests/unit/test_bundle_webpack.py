"""What webpack's stats tell: real ones of webpack 5 and 4, and those that tell too little."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from samples import importers

from pytest_memgate.errors import MeasureError
from pytest_memgate.measure.bundle.build import Entry, Source, measure
from pytest_memgate.report.words.contributions import lead_text

BUILT = Path(__file__).parents[1] / "data" / "bundles" / "built"
STATS = Source(stats=Path("stats.json"))


def entries(variant: str, **more: Any) -> dict[str, Entry]:
    source = Source(stats=Path("stats.json"), **more)
    return {entry.name: entry for entry in measure(source, BUILT / "webpack" / variant)}


def sizes(entry: Entry, *, total: bool = False) -> dict[str, float]:
    return {site.path: site.size for site in (entry.total_sites if total else entry.initial_sites)}


def on_disk(folder: Path, *globs: str) -> int:
    return sum(path.stat().st_size for glob in globs for path in folder.glob(glob))


@pytest.fixture
def changed(tmp_path: Path) -> Callable[..., Path]:
    """Copy a build and change its stats."""

    def change(variant: str, edit: Callable[[dict[str, Any]], object]) -> Path:
        folder = tmp_path / variant
        shutil.copytree(BUILT / "webpack" / variant, folder)
        stats = json.loads((folder / "stats.json").read_bytes())
        edit(stats)
        (folder / "stats.json").write_text(json.dumps(stats), encoding="utf-8")
        return folder

    return change


def test_the_first_screen_is_the_entrypoint_and_the_total_adds_lazy_chunks() -> None:
    entry = entries("base")["main"]
    out = BUILT / "webpack" / "base" / "out"
    assert entry.initial.raw == on_disk(out, "main.*")
    assert entry.total.raw == on_disk(out, "*")
    assert entry.initial.brotli < entry.initial.gzip < entry.initial.raw


@pytest.mark.parametrize("variant", ["base", "grown", "eager", "mapped", "two", "shared", "targets", "verbose"])
def test_sites_sum_to_the_size(variant: str) -> None:
    for entry in entries(variant).values():
        assert sum(site.size for site in entry.initial_sites) == entry.initial.raw
        assert sum(site.size for site in entry.total_sites) == entry.total.raw


def test_what_webpack_adds_itself_comes_last() -> None:
    assert entries("base")["main"].initial_sites[-1].path == "(bundler runtime)"


def test_a_package_that_is_imported_is_what_grew() -> None:
    before, after = entries("base")["main"], entries("grown")["main"]
    growth = after.initial.raw - before.initial.raw
    atlas = next(site for site in after.initial_sites if site.path == "node_modules/atlas")
    assert growth > 200_000
    assert abs(atlas.size - growth) < 0.03 * growth
    assert atlas == max(after.initial_sites, key=lambda site: site.size)
    assert atlas.via == importers("src/entry.js")
    assert list(atlas.modules) == ["sheets/north.js", "sheets/south.js", "sheets/sea.js"]


def test_a_module_that_moves_to_the_first_screen_leaves_the_total_as_it_was() -> None:
    lazy, eager = entries("base")["main"], entries("eager")["main"]
    assert "node_modules/@post/letters" not in sizes(lazy)
    assert sizes(eager)["node_modules/@post/letters"] > 8000
    assert eager.initial.raw - lazy.initial.raw > 5000
    assert abs(eager.total.raw - lazy.total.raw) < 5000


def test_who_imports_is_told_from_the_nearest_on() -> None:
    found = {site.path: tuple(map(lead_text, site.via)) for site in entries("base")["main"].total_sites}
    assert found["node_modules/@post/letters/node_modules/words"] == (
        "imported by node_modules/@post/letters",
        "imported by src/route.js",
        "lazily imported by src/entry.js",
    )
    assert found["src/entry.js"] == ()


def test_estimates_are_said_to_be_some() -> None:
    (note,) = [note for note in entries("base")["main"].notes if "estimates" in note]
    assert note == "module sizes are estimates: webpack gives them before minification"


def test_a_source_map_is_better_than_an_estimate() -> None:
    mapped, estimated = entries("mapped")["main"], entries("base")["main"]
    assert mapped.initial == estimated.initial
    assert sizes(mapped)["src/board.js"] > sizes(estimated)["src/board.js"]
    assert not [note for note in mapped.notes if "estimates" in note]


def test_a_source_map_is_no_download() -> None:
    assert entries("mapped")["main"].total.raw == on_disk(BUILT / "webpack" / "mapped" / "out", "*.js", "*.css")


def test_entries_that_share_chunks_each_count_them_once() -> None:
    found = entries("two")
    out = BUILT / "webpack" / "two" / "out"
    shared = on_disk(out, "runtime.js", "25.js", "969.js")
    assert found["entry"].initial.raw == shared + on_disk(out, "entry.*")
    assert found["admin"].initial.raw == shared + on_disk(out, "admin.js")


def test_lazy_chunks_of_one_entry_are_not_those_of_another_that_shares_its_runtime() -> None:
    found = entries("two")
    assert "src/audit.js" in sizes(found["admin"], total=True)
    assert "src/route.js" not in sizes(found["admin"], total=True)
    assert "src/route.js" in sizes(found["entry"], total=True)
    assert "src/audit.js" not in sizes(found["entry"], total=True)


def test_an_entry_downloads_the_entry_that_it_depends_on() -> None:
    found = entries("shared")
    out = BUILT / "webpack" / "shared" / "out"
    assert found["common"].total.raw == on_disk(out, "common.*")
    assert found["entry"].initial.raw == on_disk(out, "common.*", "entry.*")
    assert "src/board.js" in sizes(found["entry"])


def test_builds_of_several_configurations_are_all_read() -> None:
    found = entries("targets")
    assert list(found) == ["screen/main", "paper/main"]
    assert found["paper/main"].total.raw == on_disk(BUILT / "webpack" / "targets" / "out" / "paper", "*")


def test_modules_that_are_listed_by_chunk_only_are_read() -> None:
    assert sizes(entries("verbose")["main"]) == sizes(entries("base")["main"])


def test_webpack_4_names_assets_by_text() -> None:
    (entry,) = measure(STATS, BUILT / "webpack4" / "base")
    out = BUILT / "webpack4" / "base" / "out"
    assert entry.initial.raw == on_disk(out, "main.*")
    assert entry.total.raw == on_disk(out, "*")
    assert "node_modules/@post/letters" in sizes(entry, total=True)


def test_a_package_at_two_versions_is_noted(tmp_path: Path) -> None:
    shutil.copytree(BUILT / "webpack" / "base", tmp_path, dirs_exist_ok=True)
    for folder, version in (("", "2.0.1"), ("node_modules/@post/letters/", "1.4.0")):
        package = tmp_path / folder / "node_modules" / "words" / "package.json"
        package.parent.mkdir(parents=True)
        package.write_text(json.dumps({"version": version}), encoding="utf-8")
    (entry,) = measure(STATS, tmp_path)
    assert entry.notes[0] == (
        "words is in it at two versions: 2.0.1 (node_modules/words) and "
        "1.4.0 (node_modules/@post/letters/node_modules/words)"
    )
    words = next(site for site in entry.initial_sites if site.path == "node_modules/words")
    assert (words.uses, words.modules) == (("words 2.0.1",), {"index.js": words.size})


def test_a_package_that_is_there_twice_is_noted_without_versions_too() -> None:
    assert entries("base")["main"].notes[0] == (
        "words is in it twice: node_modules/words and node_modules/@post/letters/node_modules/words"
    )


def test_the_output_is_found_by_the_path_that_it_had_on_another_machine(
    changed: Callable[..., Path], tmp_path: Path
) -> None:
    folder = changed("base", lambda stats: stats.update(outputPath="C:\\ci\\timetable\\web\\out"))
    (folder / "web").mkdir()
    (folder / "out").rename(folder / "web" / "out")
    assert measure(Source(stats=Path("base/stats.json")), tmp_path)[0].initial == entries("base")["main"].initial


def test_a_file_of_the_same_name_elsewhere_is_not_taken_for_the_output(tmp_path: Path) -> None:
    shutil.copytree(BUILT / "webpack" / "two", tmp_path, dirs_exist_ok=True)
    for path in (tmp_path / "out").iterdir():
        (tmp_path / path.name).write_text("source", encoding="utf-8")
    assert [entry.total for entry in measure(STATS, tmp_path)] == [entry.total for entry in entries("two").values()]


def test_a_query_in_a_file_name_is_not_part_of_it(changed: Callable[..., Path]) -> None:
    def query(stats: dict[str, Any]) -> None:
        for assets in (stats["assets"], stats["entrypoints"]["main"]["assets"]):
            for asset in assets:
                asset["name"] += "?v=1"
        for chunk in stats["chunks"]:
            chunk["files"] = [f"{file}?v=1" for file in chunk["files"]]

    assert measure(STATS, changed("base", query))[0].total == entries("base")["main"].total


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda stats: stats["modules"].append({"type": "hidden modules"}), "'hidden modules' in place of each module"),
        (lambda stats: stats.update(filteredModules=12), "12 modules are hidden; set stats.modulesSpace"),
        (lambda stats: stats["modules"][0].update(filteredModules=2), "modules[0]: stats lack detail: 2 modules"),
        (lambda stats: stats["modules"][1].update(sizes={"css": True}), "modules[1].sizes.css is True, not a number"),
        (lambda stats: stats["modules"][1].update(name=7), "modules[1].name is 7, not text"),
    ],
)
def test_a_fault_of_what_only_names_costs_names(
    changed: Callable[..., Path], edit: Callable[[dict[str, Any]], object], said: str
) -> None:
    (whole,) = entries("base").values()
    (entry,) = measure(STATS, changed("base", edit))
    assert entry.initial == whole.initial
    assert any(note.startswith("no module is named: ") and said in note for note in entry.notes)
    assert sum(site.size for site in entry.initial_sites) == entry.initial.raw


def test_a_module_may_have_a_size_between_two_bytes(changed: Callable[..., Path]) -> None:
    edited = changed("base", lambda stats: stats["modules"][0].update(size=128.46, sizes={"javascript": 128.46}))
    assert not any("named" in note for note in measure(STATS, edited)[0].notes)


def test_runtime_modules_in_a_group_are_the_bundlers_own(changed: Callable[..., Path]) -> None:
    edited = changed("base", lambda stats: stats["modules"].append({"type": "runtime modules", "size": 700}))
    assert not any("named" in note for note in measure(STATS, edited)[0].notes)


def test_without_relations_each_entry_counts_all_later_chunks(changed: Callable[..., Path]) -> None:
    def drop(stats: dict[str, Any]) -> None:
        for chunk in stats["chunks"]:
            chunk.pop("children")

    (whole,) = entries("base").values()
    (entry,) = measure(STATS, changed("base", drop))
    assert (entry.initial, entry.total) == (whole.initial, whole.total)
    assert "set stats.chunkRelations: true" in " ".join(entry.notes)


def test_stats_without_modules_name_files(changed: Callable[..., Path]) -> None:
    (entry,) = measure(STATS, changed("base", lambda stats: stats.pop("modules")))
    assert list(sizes(entry)) == ["main.*.js", "main.*.css"]
    assert entry.notes == ("what is in main.*.js and 1 more is not known: it has no source map",)


def test_a_failed_build_is_no_measurement() -> None:
    with pytest.raises(MeasureError) as caught:
        entries("failed")
    assert str(caught.value) == (
        "stats.json: webpack's build failed: ./src/broken.js: Module not found: Error: Can't resolve './gone.js' in "
        "'/timetable/src'; mend it and build again"
    )
    assert caught.value.exit_code == 3


def test_a_failed_build_of_webpack_4_is_none_either(tmp_path: Path) -> None:
    stats = {"errors": ["\x1b[1m./src/a.js\x1b[22m 3:0\nModule parse failed", "another"], "entrypoints": {}}
    (tmp_path / "stats.json").write_text(json.dumps(stats), encoding="utf-8")
    with pytest.raises(MeasureError, match=r"build failed \(2 errors\): \./src/a\.js 3:0; mend it"):
        measure(STATS, tmp_path)


def test_one_failed_configuration_of_several_is_an_error(changed: Callable[..., Path]) -> None:
    def fail(stats: dict[str, Any]) -> None:
        stats["children"][1]["errors"] = [{"message": "out of memory"}]

    with pytest.raises(MeasureError, match=r"children\[1\]: webpack's build failed: out of memory"):
        measure(STATS, changed("targets", fail))


@pytest.mark.parametrize(
    ("variant", "said"),
    [
        ("terse", "these stats hold no build, only its time and errors, as Rspack 2 writes them; say in its config"),
    ],
)
def test_stats_that_lack_detail_are_refused(variant: str, said: str) -> None:
    with pytest.raises(MeasureError) as caught:
        entries(variant)
    assert said in str(caught.value)


def test_groups_of_modules_cost_the_names_and_not_the_sizes() -> None:
    (entry,) = entries("collapsed").values()
    assert entry.initial.raw
    assert "'modules by path' in place of each module; set stats.modulesSpace" in " ".join(entry.notes)


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda stats: stats.pop("chunks"), "no chunks; set stats.entrypoints, chunks"),
        (lambda stats: stats["chunks"][0].pop("id"), "no id; set stats.ids: true"),
        (lambda stats: stats["entrypoints"]["main"].pop("assets"), "no assets; set stats.chunkGroupMaxAssets"),
    ],
)
def test_what_is_left_out_of_stats_is_named(
    changed: Callable[..., Path], edit: Callable[[dict[str, Any]], object], said: str
) -> None:
    with pytest.raises(MeasureError, match="stats lack detail") as caught:
        measure(STATS, changed("base", edit))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda stats: stats.update(entrypoints=[]), "stats.json: entrypoints is a list, not an object"),
        (lambda stats: stats.update(entrypoints={}), "its entrypoints are empty"),
        (lambda stats: stats["entrypoints"]["main"].update(chunks=[7]), "entrypoints.main: there is no chunk 7"),
        (lambda stats: stats["assets"][0].update(size="1 KB"), "assets[0].size is text, not a number of bytes"),
        (lambda stats: stats["chunks"][0].update(files=[3]), "chunks[0].files[0] is 3, not an object"),
    ],
)
def test_stats_of_another_shape_are_refused_by_place(
    changed: Callable[..., Path], edit: Callable[[dict[str, Any]], object], said: str
) -> None:
    with pytest.raises(MeasureError) as caught:
        measure(STATS, changed("base", edit))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("pattern", "names"),
    [("entry", ["entry"]), ("a*", ["admin"]), ("*", ["entry", "admin"])],
)
def test_only_the_entries_asked_for_are_measured(pattern: str, names: list[str]) -> None:
    assert list(entries("two", entries=(pattern,))) == names


def test_an_entry_that_is_not_there_is_an_error_with_the_near_one() -> None:
    with pytest.raises(MeasureError, match=r"no entry 'entri'; did you mean 'entry'\?"):
        entries("two", entries=("entri",))
    with pytest.raises(MeasureError, match=r"no entry 'x\*'; known: entry, admin"):
        entries("two", entries=("x*",))


def test_assets_in_groups_and_hidden_ones_cost_nothing(changed: Callable[..., Path]) -> None:
    def group(stats: dict[str, Any]) -> None:
        first, *rest = stats["assets"]
        stats["assets"] = [
            {"type": "assets by path", "size": 1, "children": [first, {"type": "assets by info", "children": rest}]},
            {"type": "hidden assets", "filteredChildren": 3},
        ]

    (grouped,) = measure(STATS, changed("base", group))
    (plain,) = entries("base").values()
    assert (grouped.initial, grouped.total) == (plain.initial, plain.total)


def test_webpack_3_writes_no_entrypoints(tmp_path: Path) -> None:
    def chunk(number: int, name: str, *parents: int) -> dict[str, Any]:
        (tmp_path / f"{number}.js").write_bytes(b"x" * 100)
        origins = [{"name": name, "module": f"./src/{name}.js"}] if name else [{"module": "./src/main.js"}]
        each = {"id": number, "files": [f"{number}.js"], "parents": list(parents), "origins": origins, "size": 100}
        return {**each, "names": [name] if name else [], "initial": bool(name), "entry": not parents}

    stats = {"chunks": [chunk(0, "vendor"), chunk(1, "main", 0), chunk(2, "", 1)], "assets": [], "modules": []}
    (tmp_path / "stats.json").write_text(json.dumps(stats), encoding="utf-8")
    found = measure(Source(stats=Path("stats.json")), tmp_path)
    assert {entry.name: entry.initial.raw for entry in found} == {"vendor": 100, "main": 200}
