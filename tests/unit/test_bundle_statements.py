"""Who imports a module, as the import statements in sources tell it."""

import json
import shutil
import time
from pathlib import Path

import pytest

from pytest_memgate.measure.bundle.build import Source, measure
from pytest_memgate.measure.bundle.imports import Imports
from pytest_memgate.measure.bundle.statements import Statements, statements_in
from pytest_memgate.report.words.contributions import lead_text

BUILT = Path(__file__).parents[1] / "data" / "bundles" / "built"

SOURCES = {
    "src/entry.js": 'import { board } from "./board.js";\nboard(() => import("./route.js"));\n',
    "src/board.js": 'import { words } from "words";\nimport { now } from "./shared/clock";\n',
    "src/route.js": 'import { letters } from "@post/letters";\n',
    "node_modules/@post/letters/index.js": 'import "./forms.js";\nimport "words";\n',
}


def statements(*sources: tuple[str, str]) -> Statements:
    found = Statements()
    for module, text in sources:
        found.read(module, text)
    return found


def importers(target: str, *modules: str, by: str = "src/pages/home.js") -> list[str]:
    """Return the modules that `import "TARGET"` means, of a build of `modules`."""
    found = statements((by, f'import "{target}";'), *((module, "") for module in modules))
    return sorted(found.importers())


def chain(key: str, *sources: tuple[str, str]) -> tuple[str, ...]:
    return tuple(map(lead_text, Imports(statements(*sources).importers(), {}).chain(key, {key})))


@pytest.mark.parametrize(
    "text",
    [
        'import "x"',
        "import 'x';",
        'import x from "x"',
        "import * as x from 'x'",
        'import x, { y as z, type Y } from "x"',
        'import {\n  a,\n  b,\n} from "x";',
        'import{a as b}from"x";',
        'export * from "x"',
        'export { a, b as default } from "x"',
        'export*from"x"',
        'const x = require("x")',
        "const { y } = require( 'x' ).z",
        'import x from "x?raw"',
        'console.log(1);import"x"',
        '@import "x";',
        'import {\n  a, // as it was\n  b,\n} from "x"',
        'import { imported, exported } from "x"',
    ],
)
def test_an_import_at_once_is_read(text: str) -> None:
    assert set(statements_in(f"let a;\n{text}\n")) == {("x", False)}


@pytest.mark.parametrize(
    "text",
    [
        'import("x")',
        "await import( 'x' )",
        "() => import(`x`)",
        'import(/* webpackChunkName: "later" */ "x").then((m) => m.Scene)',
        'const { Scene } = await import(/* @vite-ignore */ /* again */\n"x")',
    ],
)
def test_an_import_of_later_is_lazy(text: str) -> None:
    assert set(statements_in(f"let a;\n{text}\n")) == {("x", True)}


@pytest.mark.parametrize(
    "text",
    [
        'import type { X } from "x"',
        'export type { X } from "x"',
        'import type X from "x"',
        '/** @type {import("x").Scene} */',
        'let scene: import("x").Scene',
        '// import "x"',
        '  // const x = require("x")',
        ' * import { x } from "x"',
        'reimport("x"); my.require("x"); $import("x")',
        "import(name)",
        "import(`./${name}.js`)",
        "export const from = 'x'",
        'export function x() { return "x" }',
        "import.meta.url",
        'const text = "take it from " + "x"',
        'Array.from("x"); from("x")',
    ],
)
def test_what_imports_nothing_is_not_read(text: str) -> None:
    assert not set(statements_in(text))


@pytest.mark.parametrize(
    ("target", "module"),
    [
        ("./scene.js", "src/pages/scene.js"),
        ("./scene", "src/pages/scene.tsx"),
        ("./scene.js", "src/pages/scene.ts"),
        ("./scene", "src/pages/scene/index.ts"),
        ("./scene/", "src/pages/scene/index.jsx"),
        (".", "src/pages/index.js"),
        ("../scene", "src/scene.vue"),
        ("../../../scene.js", "scene.js"),
        ("./home.css", "src/pages/home.css"),
        ("three", "node_modules/three/build/three.module.js"),
        ("three/addons/sky.js", "node_modules/three/build/three.module.js"),
        ("@post/letters", "node_modules/@post/letters/index.js"),
        ("zod", "node_modules/.pnpm/zod@4.1.12/node_modules/zod/index.js"),
        ("@/lib/scene", "src/lib/scene.ts"),
        ("~/lib/scene.js", "app/lib/scene.js"),
        ("$lib/scene", "src/lib/scene.js"),
        ("@lib/scene", "src/lib/scene.js"),
        ("/src/scene.js", "src/scene.js"),
        ("lib/scene", "src/lib/scene/index.ts"),
    ],
)
def test_a_statement_finds_its_module(target: str, module: str) -> None:
    assert importers(target, module, "src/pages/other.js", "node_modules/atlas/index.js") == [module]


@pytest.mark.parametrize(
    "target", ["./gone", "react", "node:fs", "@/scene", "@mui/react", "https://cdn.test/three.js", "", "@", "/"]
)
def test_what_is_not_in_the_build_or_not_the_only_one_has_no_importer(target: str) -> None:
    assert importers(target, "src/scene.js", "lib/scene.js", "src/react.js", "node_modules/three/x.js") == []


def test_a_file_comes_before_a_folder_of_its_name() -> None:
    assert importers("./scene", "src/pages/scene.js", "src/pages/scene/index.js") == ["src/pages/scene.js"]


def test_of_several_copies_of_a_package_the_nearest_is_meant() -> None:
    copies = ["node_modules/words/x.js", "node_modules/@post/letters/node_modules/words/x.js"]
    assert importers("words", *copies) == copies[:1]
    assert importers("words", *copies, by="node_modules/@post/letters/index.js") == copies[1:]


def test_the_way_leads_over_packages_and_modules_that_only_hand_on() -> None:
    sources = [
        ("node_modules/three/three.js", ""),
        ("node_modules/scenery/index.js", 'import "./inner.js"'),
        ("node_modules/scenery/inner.js", 'import * as three from "three"'),
        ("src/index.ts", 'export * from "scenery"'),
        ("src/page.ts", 'const page = () => import(".")'),
    ]
    assert chain("node_modules/three", *sources) == (
        "imported by node_modules/scenery",
        "imported by src/index.ts",
        "lazily imported by src/page.ts",
    )


def test_a_source_that_several_files_bring_is_one() -> None:
    found = statements(("src/a.vue", 'import "./b"'), ("src/a.vue", 'import "./c"'), ("src/b.js", ""), ("src/c.js", ""))
    found.read("src/a.vue", 'import "./b"')
    assert sorted(found.importers()) == ["src/b.js", "src/c.js"]


@pytest.mark.parametrize(
    "text",
    [
        "import " * 50_000,
        "}import{" * 50_000,
        "export\n" * 50_000,
        "from " * 50_000,
        'a=b from "x";' * 20_000,
        "\n" * 500_000,
    ],
)
def test_texts_without_end_are_read_soon(text: str) -> None:
    start = time.process_time()
    assert not set(statements_in(text))
    assert time.process_time() - start < 2


def test_source_maps_tell_who_imports_where_the_bundler_does_not(tmp_path: Path) -> None:
    folder = tmp_path / "base"
    shutil.copytree(BUILT / "vite" / "base", folder)
    for path in folder.rglob("*.js.map"):
        told = json.loads(path.read_bytes())
        told["sourcesContent"] = [SOURCES.get(source.removeprefix("../../"), "") for source in told["sources"]]
        path.write_text(json.dumps(told), encoding="utf-8")
    (entry,) = measure(Source(stats=Path("out")), folder)
    found = {site.path: tuple(map(lead_text, site.via)) for site in entry.total_sites}
    assert found["src/route.js"] == ("lazily imported by src/entry.js",)
    assert found["node_modules/@post/letters"] == ("imported by src/route.js", "lazily imported by src/entry.js")
    assert found["node_modules/words"] == ("imported by src/board.js", "imported by src/entry.js")


def test_what_the_bundler_tells_of_importers_is_better(tmp_path: Path) -> None:
    folder = tmp_path / "mapped"
    shutil.copytree(BUILT / "webpack" / "mapped", folder)
    for path in folder.rglob("*.js.map"):
        told = json.loads(path.read_bytes())
        path.write_text(json.dumps(told | {"sourcesContent": ['import "words"' for _ in told["sources"]]}))
    (before,) = measure(Source(stats=Path("stats.json")), BUILT / "webpack" / "mapped")
    (after,) = measure(Source(stats=Path("stats.json")), folder)
    assert after.total_sites == before.total_sites
