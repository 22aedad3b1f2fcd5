"""Who imports a module, as webpack's reasons tell it."""

from pathlib import Path
from typing import Any

import pytest

from pytest_memgate.measure.bundle.imports import Imports
from pytest_memgate.measure.bundle.stats.modules import ModuleNames
from pytest_memgate.measure.bundle.stats.shape import Node
from pytest_memgate.measure.bundle.stats.webpack_modules import read_modules
from pytest_memgate.report.words.contributions import lead_text

IMPORT = "harmony import specifier"
ENTRY = ("", "entry")


def module(name: str, *reasons: tuple[str, str], parts: tuple[dict[str, Any], ...] = (), **more: Any) -> dict[str, Any]:
    """Return a module as webpack's stats tell of it, its reasons by importer and type."""
    told = [{"moduleName": importer or None, "type": kind} for importer, kind in reasons]
    return (
        {"name": name, "size": 10, "chunks": [0], "reasons": told} | ({"modules": list(parts)} if parts else {}) | more
    )


def chain(key: str, *modules: dict[str, Any]) -> tuple[str, ...]:
    """Return who imports a package or module, nearest first."""
    read = read_modules(Node({"modules": list(modules)}, "stats.json"), ModuleNames(Path("/srv/app")))
    return tuple(map(lead_text, Imports(read.importers, {}).chain(key, {key})))


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("import()", "lazily imported by src/page.js"),
        ("import() eager", "imported by src/page.js"),
        ("import() context lazy", "lazily imported by src/page.js"),
        ("import() context eager", "imported by src/page.js"),
        ("require.ensure", "lazily imported by src/page.js"),
    ],
)
def test_an_import_that_loads_at_once_is_not_lazy(kind: str, said: str) -> None:
    assert chain("src/x.js", module("./src/x.js", ("./src/page.js", kind))) == (said,)


def test_the_part_of_a_joined_module_imports_and_not_the_whole() -> None:
    whole = "./app/page.jsx + 1 modules"
    parts = (module("./app/page.jsx"), module("./src/scene.js", ("./app/page.jsx", IMPORT)))
    three = module("./node_modules/three/three.js", (whole, IMPORT), ("./src/scene.js", IMPORT))
    assert chain("node_modules/three", module(whole, ENTRY, parts=parts), three) == (
        "imported by src/scene.js",
        "imported by app/page.jsx",
    )


def test_a_joined_module_imports_what_no_part_of_it_is_said_to() -> None:
    whole = "./app/page.jsx + 1 modules"
    joined = module(whole, ENTRY, parts=(module("./app/page.jsx"), module("./src/scene.js")))
    assert chain("src/x.js", joined, module("./src/x.js", (whole, IMPORT))) == ("imported by app/page.jsx",)


def test_the_way_ends_at_an_entry() -> None:
    modules = [
        module("./node_modules/three/three.js", ("./src/main.js", IMPORT)),
        module("./src/main.js", ENTRY, ("./src/about.js", "import()")),
        module("./src/about.js", ENTRY),
    ]
    assert chain("node_modules/three", *modules) == ("imported by src/main.js",)


def test_a_package_that_is_an_entry_too_is_still_imported_by_someone() -> None:
    modules = [
        module("./node_modules/words/x.js", ("./node_modules/three/three.js", IMPORT)),
        module("./node_modules/three/three.js", ENTRY, ("./src/main.js", IMPORT)),
    ]
    assert chain("node_modules/words", *modules) == ("imported by node_modules/three", "imported by src/main.js")


def test_the_way_does_not_lead_over_a_package_that_starts_the_page() -> None:
    loader = "./node_modules/next/dist/client-entry-loader.js?page=home!"
    modules = [
        module(loader, ENTRY),
        module("./node_modules/next/dist/link.js", ("./src/menu.js", IMPORT)),
        module("./app/page.jsx", (loader, "import() eager")),
    ]
    assert chain("app/page.jsx", *modules) == ()


def test_a_style_imports_styles_and_no_scripts() -> None:
    modules = [
        module("./src/page.css"),
        module("./node_modules/loader/runtime.js", ("./src/page.css", IMPORT)),
        module("./node_modules/grid/grid.css", ("./src/page.css", "css import")),
    ]
    assert chain("node_modules/loader", *modules) == ()
    assert chain("node_modules/grid", *modules) == ("imported by src/page.css",)


def test_entries_of_webpack_4_import_nothing_either() -> None:
    assert chain("src/a.js", module("./src/a.js", ("multi ./src/a.js ./src/b.js", "single entry"))) == ()
