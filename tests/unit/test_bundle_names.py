"""Names that stay the same from build to build: of files without their hashes, of modules, of packages."""

import random
import string
from pathlib import Path

import pytest

from pytest_memgate.measure.bundle.imports import Imports
from pytest_memgate.measure.bundle.sites import Versions, duplicates
from pytest_memgate.measure.bundle.stats.hashes import without_hash
from pytest_memgate.measure.bundle.stats.layout import Importer
from pytest_memgate.measure.bundle.stats.modules import RUNTIME, ModuleNames, keys, package_of
from pytest_memgate.report.words.contributions import lead_text

HEX = "0123456789abcdef"
BASE32 = string.ascii_uppercase + "234567"
BASE64 = string.ascii_letters + string.digits + "-_"
UNHASHED = """
    main.js 213.js chunk-129.js vendors~main.js runtime.js my-component.js my-calendar.js use-DateTime.js
    base64url.js components-My-Panel.js jquery-3.7.1.min.js react-dom.production.min.js pdf.worker.min.mjs
    three.module.js app.v2.js polyfills-es2015.js lib/es2020/index.js bootstrap5.min.css fontawesome6free.js crypto-
    sha256.js iso-8601.js utf8.js i18n-zh-Hant.js messages-sr-Latn.js locale-en-US.js README-CHANGELOG.js
    UserSettingsPage.js user-ListView.js d3.js Button_module.css _app.js src_index_ts.js moment-with-locales.js
    highlight-typescript.js nobackground.js strengths.js node_modules/zod/index.js index.html assets/style.css
    facade.js web-vitals.attribution.js
"""


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("entry-46P3FFLH.js", "entry-*.js"),
        ("chunks/es-NH2TAB7C.js", "chunks/es-*.js"),
        ("main.1a5c49da04b5a5a4d5e9.js", "main.*.js"),
        ("static/js/main.f82dd70b.chunk.js", "static/js/main.*.chunk.js"),
        ("main.3f2a1c.js", "main.*.js"),
        ("213.7fd15641.css", "213.*.css"),
        ("1a5c49da04b5a5a4d5e9.js", "*.js"),
        ("3f2a1b4c.main.js", "*.main.js"),
        ("assets/index-BRBmoGS9.js", "assets/index-*.js"),
        ("assets/index-__eRwthb.js", "assets/index-*.js"),
        ("assets/preload-helper--xO09gnQ.js", "assets/preload-helper-*.js"),
        ("assets/index.Bx3_k-9Z.css", "assets/index.*.css"),
        ("assets/index-legacy-D4fQ2_xK.js", "assets/index-legacy-*.js"),
        ("_next/static/chunks/pages/_app-5a1ce2f9b0c31b2d.js", "_next/static/chunks/pages/_app-*.js"),
        ("_next/static/jVx3kQk9tqE8vV0iCXw8a/_buildManifest.js", "_next/static/*/_buildManifest.js"),
    ],
)
def test_a_hash_is_taken_out(name: str, expected: str) -> None:
    assert without_hash(name) == expected


@pytest.mark.parametrize("name", UNHASHED.split())
def test_a_name_without_a_hash_stays(name: str) -> None:
    assert without_hash(name) == name


@pytest.mark.parametrize(("letters", "length"), [(HEX, 8), (HEX, 16), (HEX, 20), (HEX, 32), (BASE32, 8)])
def test_every_hash_of_webpack_and_esbuild_is_seen(letters: str, length: int) -> None:
    dice = random.Random(7)
    for _ in range(2000):
        value = "".join(dice.choices(letters, k=length))
        assert without_hash(f"js/main-page-{value}.js") == "js/main-page-*.js"
        assert without_hash(f"main.{value}.css") == "main.*.css"


def test_every_hash_of_vite_is_seen_where_the_name_is_known_and_nearly_all_where_it_is_not() -> None:
    dice = random.Random(7)
    missed = 0
    for _ in range(2000):
        path = f"assets/preload-helper-{''.join(dice.choices(BASE64, k=8))}.js"
        assert without_hash(path, name="preload-helper") == "assets/preload-helper-*.js"
        missed += without_hash(path) == path
    assert missed < 2000 * 0.06


def test_what_follows_a_known_name_is_not_always_a_hash() -> None:
    assert without_hash("assets/index.js", name="index") == "assets/index.js"
    assert without_hash("assets/index-bundle.js", name="index") == "assets/index-bundle.js"
    assert without_hash("admin/main-abcdefgh.js", name="admin/main") == "admin/main-*.js"
    assert without_hash("assets/other-abcdefgh.js", name="index") == "assets/other-abcdefgh.js"


def test_hashes_that_the_stats_tell_are_taken_at_their_word() -> None:
    assert without_hash("js/main.abcd.js", hashes=["abcd"]) == "js/main.*.js"
    assert without_hash("js/deadbeef-main.js", hashes=[""]) == "js/*-main.js"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("./src/entry.js", "src/entry.js"),
        ("./src/entry.js + 3 modules", "src/entry.js"),
        ("css ./src/style.css", "src/style.css"),
        ("css ./node_modules/css-loader/dist/cjs.js!./src/a.css", "src/a.css"),
        ("-!./loader.js!!./src/x.js?raw", "src/x.js"),
        ("webpack/runtime/css loading", RUNTIME),
        ("webpack/bootstrap", RUNTIME),
        ("webpack://app/webpack/bootstrap", RUNTIME),
        ("webpack://app/./webpack/mine.js", "webpack/mine.js"),
        ("webpack/mine.js", "webpack/mine.js"),
        ("webpack:///./src/x.js?1a2b", "src/x.js"),
        ("../../src/shared/clock.js", "src/shared/clock.js"),
        ("/srv/app/src/a.js", "src/a.js"),
        ("file:///srv/app/src/a.js", "src/a.js"),
        ("/elsewhere/node_modules/@a/b/c.js?x=1", "elsewhere/node_modules/@a/b/c.js"),
        ("(disabled):node_modules/fs/index.js", "node_modules/fs/index.js"),
        ("vue:src/App.vue", "src/App.vue"),
        ('external "https://cdn.test/x!y.js"', 'external "https:/cdn.test/x!y.js"'),
        ("https://cdn.test/x.js?v=1", "https://cdn.test/x.js"),
        ("data:text/javascript,1", "data:"),
        ("src\\windows\\x.js", "src/windows/x.js"),
        ("<runtime>", RUNTIME),
        ("<stdin>", "<stdin>"),
        ("\0vite/preload-helper.js", RUNTIME),
        ("../../vite/preload-helper.js", RUNTIME),
        ("\0rolldown/runtime.js", RUNTIME),
        ("../\0commonjsHelpers.js", RUNTIME),
        ("\0/srv/app/node_modules/a/b.js?commonjs-proxy", "node_modules/a/b.js"),
        ("", "(unnamed)"),
    ],
)
def test_a_module_has_one_name_from_every_bundler(raw: str, expected: str) -> None:
    assert ModuleNames(Path("/srv/app"))(raw) == expected


@pytest.mark.parametrize(
    ("module", "name", "key", "version"),
    [
        ("node_modules/zod/index.js", "zod", "node_modules/zod", ""),
        ("node_modules/@a/b/lib/c.js", "@a/b", "node_modules/@a/b", ""),
        ("node_modules/a/node_modules/b/x.js", "b", "node_modules/a/node_modules/b", ""),
        ("packages/web/node_modules/zod/x.js", "zod", "node_modules/zod", ""),
        ("node_modules/.pnpm/zod@4.1.12/node_modules/zod/x.js", "zod", "node_modules/zod", "4.1.12"),
        ("node_modules/.pnpm/@b+c@7.1.0_d@1.0.0/node_modules/@b/c/x.js", "@b/c", "node_modules/@b/c", "7.1.0"),
        ("node_modules/.pnpm/r@18.2.0(q@1.0.0)/node_modules/r/x.js", "r", "node_modules/r", "18.2.0"),
        ("node_modules/.pnpm/w@file+packages+w/node_modules/w/x.js", "w", "node_modules/w", ""),
        ("node_modules/.bun/zod@4.1.12/node_modules/zod/x.js", "zod", "node_modules/zod", "4.1.12"),
        (".yarn/cache/zod-npm-4.1.12-ab.zip/node_modules/zod/x.js", "zod", "node_modules/zod", ""),
        ("node_modules/moment/locale sync ^/.*$", "moment", "node_modules/moment", ""),
    ],
)
def test_a_package_is_what_follows_the_last_node_modules(module: str, name: str, key: str, version: str) -> None:
    package = package_of(module)
    assert package is not None
    assert (package.name, package.key, package.version) == (name, key, version)


@pytest.mark.parametrize("module", ["src/x.js", "src/my_node_modules/x.js", "node_modules/", "node_modules.js"])
def test_own_code_is_no_package(module: str) -> None:
    assert package_of(module) is None


def test_a_single_version_in_a_store_is_called_by_its_name() -> None:
    modules = ["node_modules/.pnpm/zod@4.1.12/node_modules/zod/a.js", "src/zod.js"]
    assert list(keys(modules).values()) == ["node_modules/zod", "src/zod.js"]


def test_several_copies_are_kept_apart() -> None:
    stored = [f"node_modules/.pnpm/zod@{version}/node_modules/zod/a.js" for version in ("3.25.0", "4.1.12")]
    assert list(keys(stored).values()) == ["node_modules/zod@3.25.0", "node_modules/zod@4.1.12"]
    workspaces = ["node_modules/zod/a.js", "packages/web/node_modules/zod/a.js"]
    assert list(keys(workspaces).values()) == ["node_modules/zod", "packages/web/node_modules/zod"]


def test_copies_are_noted_with_their_versions() -> None:
    stored = [f"node_modules/.pnpm/zod@{version}/node_modules/zod/a.js" for version in ("3.25.0", "4.0.0", "4.1.12")]
    (note,) = duplicates(keys(stored), Versions([]))
    assert note == (
        "zod is in it at three versions: 3.25.0 (node_modules/zod@3.25.0), 4.0.0 (node_modules/zod@4.0.0) and "
        "4.1.12 (node_modules/zod@4.1.12)"
    )


def test_copies_of_one_version_are_said_to_be_such(tmp_path: Path) -> None:
    folders = ["node_modules/zod", "packages/web/node_modules/zod"]
    for folder in folders:
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "package.json").write_text('{"version": "4.1.12"}', encoding="utf-8")
    (note,) = duplicates(keys([f"{folder}/a.js" for folder in folders]), Versions([tmp_path]))
    assert note == "zod 4.1.12 is in it twice: node_modules/zod and packages/web/node_modules/zod"


@pytest.mark.parametrize("content", ["{", "[]", '{"version": 4}', "{}"])
def test_a_package_json_of_no_use_gives_no_version(tmp_path: Path, content: str) -> None:
    (tmp_path / "node_modules" / "zod").mkdir(parents=True)
    (tmp_path / "node_modules" / "zod" / "package.json").write_text(content, encoding="utf-8")
    assert Versions([tmp_path]).of("node_modules/zod/index.js") == ""


def chain(key: str, importers: dict[str, list[Importer]], *here: str) -> tuple[str, ...]:
    imports = Imports({module: frozenset(found) for module, found in importers.items()}, {})
    return tuple(map(lead_text, imports.chain(key, {key, *here})))


def test_the_way_leads_to_own_code_by_the_fewest_packages() -> None:
    importers = {
        "node_modules/c/x.js": [Importer(False, "node_modules/c/y.js"), Importer(False, "node_modules/a/x.js")],
        "node_modules/c/y.js": [Importer(False, "node_modules/b/x.js")],
        "node_modules/a/x.js": [Importer(False, "node_modules/b/x.js")],
        "node_modules/b/x.js": [Importer(False, "src/page.js")],
        "src/page.js": [Importer(False, "src/entry.js")],
    }
    assert chain("node_modules/c", importers) == (
        "imported by node_modules/b",
        "imported by src/page.js",
        "imported by src/entry.js",
    )


def test_the_way_is_at_once_before_lazy_and_within_the_download_before_others() -> None:
    importers = {"src/x.js": [Importer(True, "src/a.js"), Importer(False, "src/b.js"), Importer(False, "src/c.js")]}
    assert chain("src/x.js", importers) == ("imported by src/b.js",)
    assert chain("src/x.js", importers, "src/c.js") == ("imported by src/c.js",)


def test_a_ring_of_imports_ends() -> None:
    importers = {"src/a.js": [Importer(False, "src/b.js")], "src/b.js": [Importer(False, "src/a.js")]}
    assert chain("src/a.js", importers) == ("imported by src/b.js",)
    assert chain("node_modules/a", {"node_modules/a/x.js": [Importer(False, "node_modules/b/x.js")]}) == ()
