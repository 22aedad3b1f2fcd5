"""From the routes of a framework to the files of their first screens, in small builds of each framework's shape."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from pytest_memgate.errors import MeasureError
from pytest_memgate.measure.bundle.build import measure
from pytest_memgate.measure.bundle.entries import Source
from pytest_memgate.measure.bundle.routes.find import find_stats
from pytest_memgate.measure.bundle.routes.script import read_object

SIZE = 10  # bytes of each file


def lay(root: Path, *files: str, **contents: object) -> None:
    """Write files of SIZE bytes each, and others with what they contain."""
    for name in files:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x" * SIZE)
    for name, content in contents.items():
        write(root / name, content)


def write(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")


def first_screens(root: Path, stats: str = "", **more: Any) -> dict[str, int]:
    """Return the number of files in the first screen of each entry."""
    source = Source(stats=Path(stats), **more) if stats else Source(**more)
    return {entry.name: entry.initial.raw // SIZE for entry in measure(source, root)}


def notes(root: Path, stats: str) -> str:
    return " ".join(note for entry in measure(Source(stats=Path(stats)), root) for note in entry.notes)


# SvelteKit

GENERATED = ".svelte-kit/generated/client-optimized"
CLIENT = ".svelte-kit/output/client"


def kit(root: Path, nodes: int, dictionary: str | None) -> Path:
    """Lay out a build with so many nodes, each of which shares one chunk with the others."""
    manifest: dict[str, Any] = {
        "node_modules/@sveltejs/kit/src/runtime/client/entry.js": {"file": "start.js", "isEntry": True},
        f"{GENERATED}/app.js": {"file": "app.js", "isEntry": True, "dynamicImports": [f"{GENERATED}/nodes/0.js"]},
        "_shared.js": {"file": "shared.js"},
    }
    for number in range(nodes):
        manifest[f"{GENERATED}/nodes/{number}.js"] = {
            "file": f"nodes/{number}.js",
            "isEntry": True,
            "imports": ["_shared.js"],
        }
    write(root / CLIENT / ".vite/manifest.json", manifest)
    lay(root / CLIENT, *(chunk["file"] for chunk in manifest.values()))
    if dictionary is not None:
        write(
            root / GENERATED / "app.js",
            f"export const dictionary = {{\n{dictionary}\n\t}};\n\nexport const hooks = {{}};",
        )
    return root


def test_a_page_of_sveltekit_is_the_start_the_app_and_its_nodes(tmp_path: Path) -> None:
    kit(tmp_path, 7, '"/": [2],\n"/about": [~3],\n"/blog/[slug]": [4,[5],[,6]],\n"/(shop)/cart": [2,[,5]]')
    # start, app, the shared chunk, nodes 0 and 1, and the page's own
    assert first_screens(tmp_path, CLIENT) == {"/": 6, "/about": 6, "/blog/[slug]": 8, "/(shop)/cart": 7}


def test_a_new_page_of_sveltekit_renumbers_nothing(tmp_path: Path) -> None:
    kit(tmp_path, 4, '"/": [2],\n"/cart": [3]')
    (tmp_path / CLIENT / "nodes/3.js").write_bytes(b"x" * 1000)
    before = first_screens(tmp_path, CLIENT)
    kit(tmp_path, 5, '"/": [2],\n"/about": [3],\n"/cart": [4]')
    (tmp_path / CLIENT / "nodes/4.js").write_bytes(b"x" * 1000)
    after = first_screens(tmp_path, CLIENT)
    assert after == {**before, "/about": 6}


def test_without_its_routes_all_pages_of_sveltekit_are_one(tmp_path: Path) -> None:
    kit(tmp_path, 4, None)
    assert first_screens(tmp_path, CLIENT) == {"(all pages)": 7}
    assert f"which page is which is not known, as {GENERATED}/app.js is not there" in notes(tmp_path, CLIENT)


def test_a_script_of_sveltekit_of_another_shape_makes_all_pages_one(tmp_path: Path) -> None:
    kit(tmp_path, 4, None)
    write(tmp_path / GENERATED / "app.js", "export const routes = [];")
    assert first_screens(tmp_path, CLIENT) == {"(all pages)": 7}
    assert "app.js names no routes: all pages count together" in notes(tmp_path, CLIENT)


def test_routes_of_sveltekit_of_another_build_are_refused(tmp_path: Path) -> None:
    kit(tmp_path, 3, '"/": [2],\n"/gone": [3]')
    with pytest.raises(
        MeasureError, match=r"the route /gone the node 3, which the manifest does not know.*older build"
    ):
        first_screens(tmp_path, CLIENT)


# Nuxt

NUXT = """export default ({
"node_modules/nuxt/entry.js":{resourceType:"script",module:!0,file:"entry.js",name:"entry",isEntry:!0},
"pages/index.vue":{resourceType:"script",file:"a.js",name:"index",isDynamicEntry:!0,imports:["node_modules/nuxt/entry.js"],
dynamicImports:["src/later.js"],css:[]},
"pages/blog/[id].vue":{resourceType:"script",file:"b.js",name:"id",isDynamicEntry:!0,imports:["node_modules/nuxt/entry.js"],},
"layouts/default.vue":{resourceType:"script",file:"layout.js",name:"default",isDynamicEntry:!0},
"src/later.js":{resourceType:"script",file:"later.js",name:"later",isDynamicEntry:!0,mimeType:void 0},
"index.css":{resourceType:"style",file:"index.DCaP4p4r.css"}});"""


def test_a_page_of_nuxt_is_the_entry_the_layout_and_the_page_with_its_inlined_style(tmp_path: Path) -> None:
    write(tmp_path / ".nuxt/dist/server/client.manifest.mjs", NUXT)
    files = ("entry.js", "a.js", "b.js", "layout.js", "later.js", "index.DCaP4p4r.css")
    lay(tmp_path / ".output/public/_nuxt", *files)
    assert first_screens(tmp_path, ".nuxt/dist/server/client.manifest.mjs") == {"/": 4, "/blog/[id]": 3}


# React Router

ROUTES: dict[str, Any] = {
    "entry": {"module": "/shop/assets/entry.js", "imports": ["/shop/assets/shared.js"], "css": []},
    "routes": {
        "root": {
            "id": "root",
            "path": "",
            "module": "/shop/assets/root.js",
            "imports": [],
            "css": ["/shop/assets/r.css"],
        },
        "layout": {"id": "layout", "parentId": "root", "module": "/shop/assets/layout.js", "imports": [], "css": []},
        "home": {"id": "home", "parentId": "root", "index": True, "module": "/shop/assets/home.js", "imports": []},
        "cart": {
            "id": "cart",
            "parentId": "layout",
            "path": "cart/:id",
            "module": "/shop/assets/cart.js",
            "imports": [],
        },
    },
}
ADDED = ("entry.js", "shared.js", "root.js", "r.css", "layout.js", "home.js", "cart.js", "later.js")


def react_router(root: Path, *, manifest: bool) -> Path:
    lay(root / "build/client", *(f"assets/{name}" for name in ADDED))
    write(root / "build/client/assets/manifest-1a2b3c4d.js", f"window.__reactRouterManifest={json.dumps(ROUTES)};")
    if manifest:
        chunks: dict[str, dict[str, Any]] = {
            f"app/{name}": {"file": f"assets/{name}"} for name in ADDED if name.endswith(".js")
        }
        home = {"css": [], "isEntry": True, "dynamicImports": ["app/later.js"]}
        chunks["app/home.js?__react-router-build-client-route"] = {**chunks.pop("app/home.js"), **home}
        chunks["app/root.js"] |= {"css": ["assets/r.css"]}
        write(root / "build/client/.vite/manifest.json", chunks)
    return root


@pytest.mark.parametrize("stats", ["build/client/assets/manifest-1a2b3c4d.js", "build/client"])
def test_a_page_of_react_router_is_the_entry_and_the_routes_on_the_way_to_it(tmp_path: Path, stats: str) -> None:
    react_router(tmp_path, manifest=stats == "build/client")
    assert first_screens(tmp_path, stats) == {"/": 5, "/cart/:id": 6}


def test_a_manifest_of_react_router_without_its_routes_is_refused(tmp_path: Path) -> None:
    react_router(tmp_path, manifest=True)
    (tmp_path / "build/client/assets/manifest-1a2b3c4d.js").unlink()
    with pytest.raises(MeasureError, match=r"assets/manifest-\*\.js, which has the routes, is not beside the manifest"):
        first_screens(tmp_path, "build/client")


def test_a_script_of_react_router_that_cannot_be_read_is_told_in_one_line(tmp_path: Path) -> None:
    react_router(tmp_path, manifest=True)
    write(tmp_path / "build/client/assets/manifest-1a2b3c4d.js", "window.__reactRouterManifest={cut off")
    with pytest.raises(MeasureError, match=r"manifest-1a2b3c4d.js has no routes that can be read: .*; build again"):
        first_screens(tmp_path, "build/client")


# Next

ROUTE_STATS = ".next/diagnostics/route-bundle-stats.json"


def next_build(root: Path) -> Path:
    paths = [".next/static/chunks/2xbet4-hdrsb0.js", ".next/static/chunks/turbopack-0zq_vp9s-5ndp.js"]
    routes = [{"route": route, "firstLoadChunkPaths": paths} for route in ("/", "/shop/cart")]
    write(root / ROUTE_STATS, routes)
    styles = {"[project]/app/page": [{"path": "static/chunks/3j_d_3ecwbttz.css", "inlined": False}]}
    inlined = {"[project]/app/page": [{"path": "static/chunks/none.css", "inlined": True}]}
    for folder, entries in (("app/(group)/shop/cart", styles), ("app", inlined)):
        data = json.dumps({"entryCSSFiles": entries})
        script = f'globalThis.__RSC = globalThis.__RSC || {{}};\nglobalThis.__RSC["/page"] = {data};'
        write(root / ".next/server" / folder / "page_client-reference-manifest.js", script)
    lay(root, *paths, ".next/static/chunks/3j_d_3ecwbttz.css")
    return root


def test_a_route_of_next_counts_its_styles_too(tmp_path: Path) -> None:
    assert first_screens(next_build(tmp_path), ROUTE_STATS) == {"/": 2, "/shop/cart": 3}


def test_styles_of_next_that_cannot_be_read_are_noted(tmp_path: Path) -> None:
    write(next_build(tmp_path) / ".next/server/app/page_client-reference-manifest.js", "of another shape")
    assert first_screens(tmp_path, ROUTE_STATS) == {"/": 2, "/shop/cart": 3}
    assert "the styles in page_client-reference-manifest.js are not counted" in notes(tmp_path, ROUTE_STATS)


def test_hashes_of_turbopack_are_taken_out(tmp_path: Path) -> None:
    (_, entry) = measure(Source(stats=Path(ROUTE_STATS)), next_build(tmp_path))
    assert sorted(site.path for site in entry.initial_sites) == [
        ".next/static/chunks/*.css",
        ".next/static/chunks/*.js",
        ".next/static/chunks/turbopack-*.js",
    ]


def test_a_list_of_routes_of_an_older_build_is_refused(tmp_path: Path) -> None:
    next_build(tmp_path)
    write(tmp_path / ".next/BUILD_ID", "x")
    os.utime(tmp_path / ROUTE_STATS, (1, 1))
    with pytest.raises(MeasureError, match=r"route-bundle-stats.json is of an older build than BUILD_ID beside it"):
        first_screens(tmp_path, ROUTE_STATS)


# Angular


def test_what_angular_adds_to_each_page_is_of_its_first_screen(tmp_path: Path) -> None:
    entries = {
        "main-ABCDEFG2.js": "src/main.ts",
        "styles-ABCDEFG2.css": "angular:styles/global:styles",
        "polyfills-ABCDEFG2.js": "angular:polyfills:angular:polyfills",
    }
    outputs = {
        name: {"bytes": SIZE, "entryPoint": entry, "imports": [], "exports": [], "inputs": {}}
        for name, entry in entries.items()
    }
    write(tmp_path / "dist/app/browser-stats.json", {"inputs": {}, "outputs": outputs})
    lay(tmp_path / "dist/app/browser", *outputs)
    assert first_screens(tmp_path, "dist/app") == {"src/main.ts": 3}


# Built pages


def test_built_pages_are_entries_with_all_that_their_scripts_import(tmp_path: Path) -> None:
    page = '<script type="module" src="/assets/main.js"></script>'
    write(tmp_path / "dist/index.html", page)
    write(tmp_path / "dist/about/index.html", "<p>")
    write(tmp_path / "dist/assets/main.js", 'import{a}from"./shared.js";import"./gone.js";b=()=>import("./later.js");')
    write(tmp_path / "dist/assets/shared.js", "export const a=1;")
    write(tmp_path / "dist/assets/later.js", "export default 1;")
    found = {
        entry.name: (entry.initial.raw, entry.total.raw)
        for entry in measure(Source(stats=Path("dist/**/*.html")), tmp_path)
    }
    first = len(page) + (tmp_path / "dist/assets/main.js").stat().st_size + len("export const a=1;")
    assert found == {"about/index.html": (3, 3), "index.html": (first, first + len("export default 1;"))}
    with pytest.raises(MeasureError, match=r"web/\*.html: no page is there; build first"):
        measure(Source(stats=Path("web/*.html")), tmp_path)


# Manifests in general


def test_a_chunk_that_no_entry_reaches_is_noted(tmp_path: Path) -> None:
    chunks = {
        "src/main.js": {"file": "main.js", "isEntry": True},
        "src/page.js": {"file": "page.js", "isDynamicEntry": True},
    }
    write(tmp_path / "dist/manifest.json", chunks)
    (tmp_path / "dist/main.js").write_bytes(b"x" * 200)
    (tmp_path / "dist/page.js").write_bytes(b"x" * 200)
    assert "no entry reaches src/page.js, so nothing counts it: name it in `entries` or `screens`" in notes(
        tmp_path, "dist/manifest.json"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('export default {a: !0, "b": [!1, void 0,], $c: undefined,};', {"a": True, "b": [False, None], "$c": None}),
        ('window["x"] = {"a": "{b: !0,}"}; rest()', {"a": "{b: !0,}"}),
        ("[1, 2]", [1, 2]),
    ],
)
def test_data_in_a_script_is_read(text: str, expected: object) -> None:
    assert read_object(text, r"\]\s*=" if "=" in text and "window" in text else "") == expected


def test_a_script_without_data_is_none() -> None:
    with pytest.raises(ValueError, match="no data is in it"):
        read_object("export default 1")


# Found by name


def test_the_build_of_a_framework_is_found_below_the_project(tmp_path: Path) -> None:
    write(tmp_path / "package.json", {"devDependencies": {"prettier": "3"}})
    write(
        tmp_path / "web/package.json",
        {"dependencies": {"svelte": "5"}, "devDependencies": {"vite": "8", "@sveltejs/kit": "2"}},
    )
    kit(tmp_path / "web", 3, '"/": [2]')
    assert find_stats("auto", tmp_path) == tmp_path / "web" / CLIENT / ".vite/manifest.json"
    assert first_screens(tmp_path, framework="sveltekit") == {"/": 6}


def test_the_next_fitting_bundler_is_taken_where_the_first_has_no_build(tmp_path: Path) -> None:
    write(tmp_path / "package.json", {"devDependencies": {"webpack": "5", "vite": "8"}})
    write(tmp_path / "dist/.vite/manifest.json", {})
    assert find_stats("auto", tmp_path) == tmp_path / "dist/.vite/manifest.json"


@pytest.mark.parametrize(
    ("framework", "packages", "why"),
    [
        ("auto", {}, r"no package.json names a bundler that memgate knows; say which it is \(framework: next, "),
        (
            "auto",
            {"vite": "8"},
            r"vite: there is no dist/.vite/manifest.json or .*; it is written by: vite build, with",
        ),
        ("angular", {}, r"angular: there is no dist/\*/browser-stats.json .*; it is written by: ng build --stats-json"),
    ],
)
def test_a_build_that_is_not_there_is_told_with_what_writes_it(
    tmp_path: Path, framework: str, packages: dict[str, str], why: str
) -> None:
    write(tmp_path / "package.json", {"dependencies": packages})
    with pytest.raises(MeasureError, match=why):
        find_stats(framework, tmp_path)


def test_two_applications_are_told(tmp_path: Path) -> None:
    for folder in ("admin", "shop"):
        write(tmp_path / folder / "package.json", {"dependencies": {"vite": "8"}})
        write(tmp_path / folder / "dist/.vite/manifest.json", {})
    with pytest.raises(MeasureError, match=r"several folders have a build of vite: admin, shop; give the file of one"):
        find_stats("auto", tmp_path)
