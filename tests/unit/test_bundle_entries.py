"""What counts as an entry: later chunks that are named, entries that add up to a page, what a page loads by itself."""

import shutil
from pathlib import Path

import pytest

from pytest_memgate.errors import MeasureError
from pytest_memgate.measure.bundle.build import measure
from pytest_memgate.measure.bundle.entries import Source
from pytest_memgate.measure.bundle.page import local_files

BUILT = Path(__file__).parents[1] / "data" / "bundles" / "built"
MAIN = {"webpack": "main", "vite": "index.html", "esbuild": "src/entry.js"}
BUNDLERS = sorted(MAIN)


STATS = {"webpack": "stats.json", "vite": "out", "esbuild": "metafile.json"}


def stats_of(bundler: str) -> Path:
    return BUILT / bundler / "base" / STATS[bundler]


def initial(bundler: str, **source: object) -> dict[str, int]:
    asked = Source(stats=stats_of(bundler), **source)  # type: ignore[arg-type]
    return {entry.name: entry.initial.raw for entry in measure(asked, BUILT / bundler / "base")}


def total(bundler: str) -> int:
    (entry,) = measure(Source(stats=stats_of(bundler)), BUILT / bundler / "base")
    return entry.total.raw


@pytest.mark.parametrize("bundler", BUNDLERS)
def test_a_later_chunk_is_an_entry_if_it_is_named(bundler: str) -> None:
    found = initial(bundler, entries=("src/route.js",))
    assert list(found) == ["src/route.js"]
    assert 0 < found["src/route.js"] < total(bundler)


@pytest.mark.parametrize("bundler", BUNDLERS)
def test_what_an_entry_loads_unasked_is_of_its_first_screen(bundler: str) -> None:
    assert initial(bundler)[MAIN[bundler]] < total(bundler)
    assert initial(bundler, along=("src/route.js",)) == {MAIN[bundler]: total(bundler)}


@pytest.mark.parametrize("bundler", BUNDLERS)
def test_entries_add_up_to_a_page_each_file_once(bundler: str) -> None:
    assert initial(bundler, screens={"home": (MAIN[bundler], "src/route.js")}) == {"home": total(bundler)}


def test_screens_count_beside_entries_that_are_named() -> None:
    found = initial("vite", entries=("index.html",), screens={"all": ("index", "route")})
    assert list(found) == ["index.html", "all"]


def test_a_name_that_is_not_there_is_refused_with_the_near_one() -> None:
    with pytest.raises(MeasureError, match=r"no entry 'src/rout.js'; did you mean 'src/route.js'\?"):
        initial("webpack", along=("src/rout.js",))


def test_what_no_entry_loads_later_cannot_be_added() -> None:
    asked = Source(stats=Path("out"), entries=("admin.html",), along=("src/route.js",))
    with pytest.raises(MeasureError, match=r"no entry loads 'src/route.js' later"):
        measure(asked, BUILT / "vite" / "two")


def test_a_page_counts_the_scripts_and_styles_that_its_tags_name(tmp_path: Path) -> None:
    shutil.copytree(BUILT / "vite" / "base", tmp_path, dirs_exist_ok=True)
    page = tmp_path / "out" / "index.html"
    (before,) = measure(Source(stats=tmp_path / "out"), tmp_path)
    (tmp_path / "out" / "legacy.js").write_bytes(b"x" * 300_000)
    tag = '<script src="/legacy.js"></script>'
    page.write_text(page.read_text(encoding="utf-8").replace("</head>", f"{tag}</head>"), encoding="utf-8")
    (after,) = measure(Source(stats=tmp_path / "out"), tmp_path)
    assert after.initial.raw - before.initial.raw == 300_000 + len(tag)
    assert after.total.raw - before.total.raw == 300_000 + len(tag)
    assert {site.path: site.size for site in after.initial_sites}["legacy.js"] == 300_000


def test_a_page_among_files_counts_what_it_loads(tmp_path: Path) -> None:
    (tmp_path / "app.js").write_bytes(b"x" * 1000)
    text = '<link rel="stylesheet" href="style.css"><script src="app.js?v=3" defer></script>'
    (tmp_path / "index.html").write_text(text, encoding="utf-8")
    (tmp_path / "style.css").write_bytes(b"x" * 500)
    (entry,) = measure(Source(files=("index.html", "app.js")), tmp_path)
    assert entry.initial.raw == 1500 + len(text)


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ('<script src="a.js"></script>', ["sub/a.js"]),
        ('<script src="./a.js" type="module" crossorigin>', ["sub/a.js"]),
        ('<script src="/shop/static/b.js">', ["b.js"]),
        ('<script src="../b.js">', ["b.js"]),
        ('<LINK REL="StyleSheet" HREF="c.css">', ["sub/c.css"]),
        ('<link rel="modulepreload" href="a.js">', ["sub/a.js"]),
        ('<link rel="preload" as="script" href="a.js">', ["sub/a.js"]),
        ('<link rel="preload" as="font" href="c.css">', []),
        ('<link rel="alternate stylesheet" href="c.css">', []),
        ('<link rel="prefetch" href="a.js">', []),
        ('<script nomodule src="a.js">', []),
        ('<script type="application/json" src="a.js">', []),
        ('<noscript><link rel="stylesheet" href="c.css"></noscript>', []),
        ('<!-- <script src="a.js"></script> -->', []),
        ('<script src="https://cdn.example/a.js">', []),
        ('<script src="//cdn.example/a.js">', []),
        ('<script src="gone.js">', []),
        ('<script src="../../outside.js">', []),
        ("<script>document.write('<script src=a.js>')</script>", []),
    ],
)
def test_local_files_are_those_that_a_browser_loads(tmp_path: Path, tag: str, expected: list[str]) -> None:
    base = tmp_path / "dist"
    (base / "sub").mkdir(parents=True)
    for path in ("sub/a.js", "b.js", "sub/c.css", "../outside.js"):
        (base / path).write_text("x", encoding="utf-8")
    assert list(local_files("sub/index.html", tag.encode(), base)) == expected
