"""Small applications, one for each front-end tool: their packages, how they are built, and what the gate is told."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import front_end_sources as sources
from front_end_sources import Change


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page: its address, the gate's entry for it, and the file of the page itself if the entry counts it."""

    address: str
    entry: str
    document: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """An application of one tool.

    `packages` are npm packages, the tool itself first. `files` gives the sources of a change. `build` is run one
    command after another; `clean` is removed before. `bundle` is what memgate.yml says. `serve` is a folder, or a
    command that listens on the port in PORT. `needs` is the oldest major version of Node that will do.
    `tells_modules` is True if what the gate reads tells of modules without source maps, too.
    """

    name: str
    packages: tuple[str, ...]
    files: Callable[[Change], Mapping[str, str]]
    build: tuple[tuple[str, ...], ...]
    bundle: str
    pages: tuple[Page, ...]
    serve: str | tuple[str, ...] = "dist"
    clean: tuple[str, ...] = ("dist",)
    needs: int = 20
    tells_modules: bool = False

    @property
    def version(self) -> str:
        return self.packages[0].rpartition("@")[2]


THREE = "three@0.187.0"
_INDEX = (Page(address="/index.html", entry="index.html", document="dist/index.html"),)
_ROUTES = (Page(address="/", entry="/"), Page(address="/about", entry="/about"))

_ALL = (
    App(
        name="vite",
        packages=("vite@8.4.0",),
        files=sources.vite,
        build=(("vite", "build"),),
        bundle="{stats: auto}",
        pages=_INDEX,
    ),
    App(
        name="webpack",
        packages=(
            "webpack@5.113.0",
            "webpack-cli@7.3.1",
            "html-webpack-plugin@5.6.8",
            "mini-css-extract-plugin@2.10.2",
            "css-loader@7.1.5",
        ),
        files=sources.webpack,
        build=(("webpack", "--json=dist/stats.json"),),
        bundle="{stats: dist/stats.json}",
        pages=(Page(address="/index.html", entry="main"),),
        tells_modules=True,
    ),
    App(
        name="webpack-bundle-tracker",
        packages=(
            "webpack-bundle-tracker@3.2.4",
            "webpack@5.113.0",
            "webpack-cli@7.3.1",
            "html-webpack-plugin@5.6.8",
            "mini-css-extract-plugin@2.10.2",
            "css-loader@7.1.5",
        ),
        files=sources.tracker,
        build=(("webpack",),),
        bundle="{stats: dist/webpack-stats.json}",
        pages=(Page(address="/index.html", entry="main"),),
    ),
    App(
        name="rspack",
        packages=("@rspack/core@2.3.4", "@rspack/cli@2.2.8", "css-loader@7.1.5"),
        files=sources.rspack,
        build=(("rspack", "build", "--json=dist/stats.json"),),
        bundle="{stats: dist/stats.json}",
        pages=(Page(address="/index.html", entry="main"),),
        tells_modules=True,
    ),
    App(
        name="rsbuild",
        packages=("@rsbuild/core@2.3.2",),
        files=sources.rsbuild,
        build=(("rsbuild", "build"),),
        bundle="{stats: auto}",
        pages=(Page(address="/main.html", entry="main"),),
    ),
    App(
        name="rollup",
        packages=("rollup@4.68.8", "@rollup/plugin-node-resolve@16.0.3"),
        files=sources.rollup,
        build=(("rollup", "--config"),),
        bundle="{framework: rollup}",
        pages=_INDEX,
    ),
    App(
        name="parcel",
        packages=("parcel@2.16.4",),
        files=sources.parcel,
        build=(("parcel", "build", "index.html", "--no-cache", "--public-url", "./"),),
        bundle="{framework: parcel}",
        pages=_INDEX,
    ),
    App(
        name="esbuild",
        packages=("esbuild@0.28.2",),
        files=sources.esbuild,
        build=(("node", "build.mjs"),),
        bundle="{stats: auto}",
        pages=(Page(address="/index.html", entry="src/main.js"),),
        tells_modules=True,
    ),
    App(
        name="bun",
        packages=("bun@1.4.5",),
        files=sources.parcel,
        build=(
            (
                "bun",
                "build",
                "./index.html",
                "--outdir=dist",
                "--minify",
                "--splitting",
                "--metafile=dist/metafile.json",
            ),
        ),
        bundle="{stats: dist/metafile.json}",
        pages=(Page(address="/index.html", entry="index.html"),),
        tells_modules=True,
    ),
    App(
        name="next",
        packages=("next@16.4.6", "react@19.3.1", "react-dom@19.3.1"),
        files=sources.next_turbopack,
        build=(("next", "build"),),
        clean=(".next",),
        serve=("next", "start"),
        bundle="{framework: next}",
        pages=_ROUTES,
    ),
    App(
        name="next-webpack",
        packages=("next@16.4.6", "react@19.3.1", "react-dom@19.3.1"),
        files=sources.next_webpack,
        build=(("next", "build", "--webpack"),),
        clean=(".next",),
        serve=("next", "start"),
        bundle="{framework: next, entries: [app/page, app/about/page]}",
        pages=(Page(address="/", entry="app/page"), Page(address="/about", entry="app/about/page")),
        tells_modules=True,
    ),
    App(
        name="sveltekit",
        packages=(
            "@sveltejs/kit@3.2.0",
            "@sveltejs/adapter-static@4.0.1",
            "@sveltejs/vite-plugin-svelte@7.3.1",
            "svelte@5.57.3",
            "vite@8.4.0",
        ),
        files=sources.sveltekit,
        build=(("vite", "build"),),
        clean=(".svelte-kit", "build"),
        serve="build",
        bundle="{framework: sveltekit}",
        pages=(Page(address="/index.html", entry="/"), Page(address="/about.html", entry="/about")),
        needs=22,
    ),
    App(
        name="nuxt",
        packages=("nuxt@4.5.2", "vue@3.5.45"),
        files=sources.nuxt,
        build=(("nuxt", "build"),),
        clean=(".nuxt", ".output"),
        serve=("node", ".output/server/index.mjs"),
        bundle="{framework: nuxt}",
        pages=_ROUTES,
        needs=22,
    ),
    App(
        name="angular",
        packages=(
            "@angular/cli@22.2.7",
            "@angular/build@22.2.7",
            "@angular/compiler@22.2.6",
            "@angular/compiler-cli@22.2.6",
            "@angular/core@22.2.6",
            "@angular/common@22.2.6",
            "@angular/platform-browser@22.2.6",
            "@angular/router@22.2.6",
            "rxjs@7.8.2",
            "typescript@6.0.3",
            "tslib@2.9.1",
        ),
        files=sources.angular,
        build=(("ng", "build"),),
        clean=("dist", ".angular"),
        serve="dist/app/browser",
        bundle="{framework: angular}",
        pages=(Page(address="/", entry="src/main.ts"),),
        needs=24,
        tells_modules=True,
    ),
    App(
        name="astro",
        packages=("astro@7.3.5",),
        files=sources.astro,
        build=(("astro", "build"),),
        clean=("dist", ".astro"),
        bundle="{framework: astro, entries: index.html}",
        pages=_INDEX,
        needs=22,
    ),
    App(
        name="react-router",
        packages=(
            "@react-router/dev@8.4.0",
            "@react-router/node@8.4.0",
            "@react-router/serve@8.4.0",
            "react-router@8.4.0",
            "react@19.3.1",
            "react-dom@19.3.1",
            "isbot@5.2.3",
            "vite@8.4.0",
        ),
        files=sources.react_router,
        build=(("react-router", "build"),),
        clean=("build",),
        serve=("react-router-serve", "build/server/index.js"),
        bundle="{framework: react-router}",
        pages=_ROUTES,
        needs=22,
    ),
)
APPS = {app.name: app for app in _ALL}
