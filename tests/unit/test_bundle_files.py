"""Bundles named by globs, and what is refused about files whatever the bundler."""

import json
import os
import shutil
from pathlib import Path

import pytest

from pytest_memgate.errors import MeasureError
from pytest_memgate.measure.bundle.build import Entry, Source, measure

BUILT = Path(__file__).parents[1] / "data" / "bundles" / "built"
VARIANTS = {"webpack": "stats.json", "esbuild": "metafile.json"}


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    """A folder with a first screen of 30 bytes, 40 more later, and what no browser loads."""
    sizes = {"js/main.js": 20, "css/main.css": 10, "js/later.js": 40}
    extra = ["js/main.js.map", "js/main.js.LICENSE.txt", "js/main.js.gz", "js/main.js.br"]
    for name, size in (sizes | dict.fromkeys(extra, 99)).items():
        path = tmp_path / "dist" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * size)
    return tmp_path


def plain(project: Path, *files: str, lazy: tuple[str, ...] = (), root: Path | None = None) -> Entry:
    (entry,) = measure(Source(files=files, lazy=lazy, root=root), project)
    return entry


def test_globs_make_one_entry_without_a_name(dist: Path) -> None:
    entry = plain(dist, "dist/js/main*", "dist/**/*.css", lazy=("dist/js/*",))
    assert (entry.name, entry.initial.raw, entry.total.raw) == ("", 30, 70)
    assert [(site.path, site.size) for site in entry.initial_sites] == [
        ("dist/js/main.js", 20),
        ("dist/css/main.css", 10),
    ]


def test_what_no_browser_loads_is_not_counted(dist: Path) -> None:
    assert plain(dist, "dist/**/*").total.raw == 70


def test_a_file_that_two_globs_find_counts_once(dist: Path) -> None:
    assert plain(dist, "dist/js/main.js", "dist/js/*", "dist/**/*.js", lazy=("dist/js/*",)).total.raw == 60


def test_globs_are_below_root(dist: Path) -> None:
    assert plain(dist, "js/main.js", root=Path("dist")).initial_sites[0].path == "js/main.js"


def test_hashes_are_no_part_of_names(dist: Path) -> None:
    (dist / "dist" / "js" / "main.js").rename(dist / "dist" / "js" / "main-BRBmoGS9.js")
    assert plain(dist, "dist/js/main*").initial_sites[0].path == "dist/js/main-*.js"


def test_a_source_map_names_what_is_in_a_file() -> None:
    entry = plain(BUILT / "vite" / "grown", "out/assets/index-*.js", lazy=("out/assets/*",))
    assert entry.initial_sites[0].path == "node_modules/atlas"
    assert sum(site.size for site in entry.initial_sites) == entry.initial.raw
    assert entry.notes == (
        "words is in it twice: node_modules/words and node_modules/@post/letters/node_modules/words",
    )


@pytest.mark.parametrize(
    ("glob", "said"),
    [
        ("dist/*.js", r"'dist/\*\.js' finds no file below .*; build first, or mend the glob"),
        ("dist/js/*.{js,css}", "finds no file below .*; write a glob for each: braces have no meaning here"),
        ("dist/js/*.map", r"finds only files that no browser loads \(source maps"),
        ("/dist/js/*", "'/dist/js/\\*' is not a glob below"),
        ("", "'' is not a glob below"),
    ],
)
def test_a_glob_without_files_is_an_error(dist: Path, glob: str, said: str) -> None:
    with pytest.raises(MeasureError, match=said):
        plain(dist, glob)
    with pytest.raises(MeasureError, match=said):
        plain(dist, "dist/js/main.js", lazy=(glob,))


def test_exactly_one_of_stats_and_files_is_read(dist: Path) -> None:
    for source in (Source(), Source(stats=Path("stats.json"), files=("*",))):
        with pytest.raises(MeasureError, match="either `stats` or `files`"):
            measure(source, dist)


def test_lazy_globs_without_others_are_an_error(dist: Path) -> None:
    with pytest.raises(MeasureError, match="`lazy` files go with `files`"):
        measure(Source(stats=Path("stats.json"), lazy=("dist/*",)), dist)


def test_a_root_that_is_not_there_is_an_error(dist: Path) -> None:
    with pytest.raises(MeasureError, match="gone is not a folder; build first"):
        plain(dist, "*", root=Path("gone"))


def test_a_stats_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MeasureError, match=r"^web/stats\.json: No such file or directory; build first"):
        measure(Source(stats=Path("web/stats.json")), tmp_path)


def test_a_folder_without_a_stats_file_is_an_error(dist: Path) -> None:
    with pytest.raises(MeasureError, match=r"^dist holds none of \.vite/manifest\.json, manifest\.json, stats\.json"):
        measure(Source(stats=Path("dist")), dist)


@pytest.mark.parametrize("content", ["", "> webpack\n{}", "[" * 100_000, "{"])
def test_what_is_not_json_is_an_error(tmp_path: Path, content: str) -> None:
    (tmp_path / "stats.json").write_text(content, encoding="utf-8")
    with pytest.raises(MeasureError, match=r"^stats\.json is not JSON: .*; let the bundler write the file"):
        measure(Source(stats=Path("stats.json")), tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        {},
        [],
        "text",
        {"main.js": "/main.1a2b.js"},
        {"name": "app", "icons": []},
        {"inputs": {}},
        {"tree": {}, "version": 2},
    ],
)
def test_a_file_of_no_known_bundler_is_an_error_that_says_what_was_looked_for(tmp_path: Path, content: object) -> None:
    (tmp_path / "stats.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(MeasureError) as caught:
        measure(Source(stats=Path("stats.json")), tmp_path)
    for key in ("`entrypoints` (webpack)", "`outputs` and `inputs` (esbuild)", "chunks with a `file` (Vite)"):
        assert key in str(caught.value)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_what_a_shell_of_windows_redirected_is_read(tmp_path: Path, encoding: str) -> None:
    shutil.copytree(BUILT / "esbuild" / "plain", tmp_path, dirs_exist_ok=True)
    metafile = tmp_path / "metafile.json"
    metafile.write_text(metafile.read_text(encoding="utf-8"), encoding=encoding)
    assert measure(Source(stats=Path("metafile.json")), tmp_path)[0].name == "src/entry.js"


@pytest.mark.parametrize("bundler", VARIANTS)
def test_stats_of_an_older_build_are_refused(tmp_path: Path, bundler: str) -> None:
    shutil.copytree(BUILT / bundler / "base", tmp_path, dirs_exist_ok=True)
    script = max((tmp_path / "out").rglob("*.js"), key=lambda path: path.stat().st_size)
    size = script.stat().st_size
    with script.open("ab") as file:
        file.write(b"x" * 5000)
    with pytest.raises(MeasureError) as caught:
        measure(Source(stats=Path(VARIANTS[bundler])), tmp_path)
    assert str(caught.value) == (
        f"{script.relative_to(tmp_path)} has {size + 5000} bytes, but {size} in {VARIANTS[bundler]}: "
        "it was changed after the build, or one of them is of an older build; build again"
    )


@pytest.mark.parametrize("bundler", VARIANTS)
@pytest.mark.parametrize(
    ("front", "end"),
    [
        (b"", b"\n//# debugId=0f4d37c2-33a1-4f6a-8f5e-0a8e60e1a2b3"),
        (b"/*! a banner */\n", b""),
        (b"", b"\n/* one */\n// two\n"),
    ],
)
def test_a_file_that_was_changed_a_little_after_the_build_counts_as_it_is(
    tmp_path: Path, bundler: str, front: bytes, end: bytes
) -> None:
    shutil.copytree(BUILT / bundler / "base", tmp_path, dirs_exist_ok=True)
    script = max((tmp_path / "out").rglob("*.js"), key=lambda path: path.stat().st_size)
    before = script.read_bytes()
    (entry, *_) = measure(Source(stats=Path(VARIANTS[bundler])), tmp_path)
    script.write_bytes(front + before + end)
    (touched, *_) = measure(Source(stats=Path(VARIANTS[bundler])), tmp_path)
    assert touched.total.raw == entry.total.raw + len(front + end)
    assert sum(site.size for site in touched.total_sites) == touched.total.raw
    told = f"{script.relative_to(tmp_path)} has {len(front + before + end)} bytes, but {len(before)} in "
    assert any(note.startswith(told) and note.endswith("it counts as it is") for note in touched.notes)


def test_a_name_without_a_hash_is_taken_only_with_comments_at_its_end(tmp_path: Path) -> None:
    (tmp_path / "main.js").write_bytes(b"x" * 349)
    output = {"bytes": 300, "entryPoint": "src/main.ts", "imports": [], "exports": [], "inputs": {}}
    stats = {"inputs": {"src/main.ts": {"bytes": 900, "imports": []}}, "outputs": {"main.js": output}}
    (tmp_path / "meta.json").write_text(json.dumps(stats), encoding="utf-8")
    with pytest.raises(MeasureError, match=r"main.js has 349 bytes, but 300 in meta.json: it was changed"):
        measure(Source(stats=Path("meta.json")), tmp_path)
    (tmp_path / "main.js").write_bytes(b"x" * 300 + b"\n//# debugId=00000000")
    assert measure(Source(stats=Path("meta.json")), tmp_path)[0].initial.raw == 321


@pytest.mark.parametrize("bundler", VARIANTS)
def test_stats_of_a_build_with_other_hashes_are_refused(tmp_path: Path, bundler: str) -> None:
    shutil.copytree(BUILT / bundler / "base" / "out", tmp_path / "out")
    shutil.copy(BUILT / bundler / "grown" / VARIANTS[bundler], tmp_path)
    with pytest.raises(MeasureError, match=r"files that it names (is|are) not on disk, first .*; build again"):
        measure(Source(stats=Path(VARIANTS[bundler])), tmp_path)


def test_the_same_files_give_the_same_answer_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(BUILT / "vite" / "two", tmp_path / "deep" / "er", dirs_exist_ok=True)
    here = measure(Source(stats=Path("out")), BUILT / "vite" / "two")
    monkeypatch.chdir(tmp_path)
    assert measure(Source(stats=Path("er/out")), Path("deep")) == here
    assert measure(Source(stats=tmp_path / "deep" / "er" / "out"), tmp_path) == here


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_cannot_be_read_is_an_error(dist: Path) -> None:
    (dist / "dist" / "js" / "main.js").chmod(0)
    with pytest.raises(MeasureError, match=r"^dist/js/main\.js: Permission denied"):
        plain(dist, "dist/js/main.js")
