"""Where each framework or bundler writes what describes its build: found by its name, or by the project's packages."""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_memgate.errors import MeasureError

_DEEPEST = 3  # folders below the project in which an application is looked for; chosen
_SKIPPED = {"node_modules", "dist", "build", "public", "venv"}
_WEB_APP = "manifest.json"
_OF_REACT_ROUTER = ("build/client/.vite/manifest.json", "build/client/assets/manifest-*.js")


@dataclass(frozen=True, slots=True, kw_only=True)
class Framework:
    """What its projects have in package.json, the patterns of its file, the best first, and how that is written.

    With `by_name`, a bundle is best declared by the framework's name: its file lies in a folder of the framework's own.
    """

    packages: tuple[str, ...]
    files: tuple[str, ...]
    written: str
    by_name: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """An application: its folder, its framework or bundler, and the file, or pattern of pages, of its build if any."""

    folder: Path
    framework: str
    file: Path | None


FRAMEWORKS: Mapping[str, Framework] = {
    "next": Framework(
        packages=("next",),
        files=(".next/diagnostics/route-bundle-stats.json", ".next/stats.json"),
        written="next build of 16.1 on or, with --webpack, a plugin that writes stats.toJson()",
        by_name=True,
    ),
    "sveltekit": Framework(
        packages=("@sveltejs/kit",),
        files=(".svelte-kit/output/client/.vite/manifest.json",),
        written="vite build",
        by_name=True,
    ),
    "nuxt": Framework(
        packages=("nuxt",),
        files=(".nuxt/dist/server/client.manifest.mjs",),
        written="nuxt build",
        by_name=True,
    ),
    "angular": Framework(
        packages=("@angular/core",),
        files=("dist/*/browser-stats.json", "dist/*/stats.json", "dist/browser-stats.json", "dist/stats.json"),
        written="ng build --stats-json",
        by_name=True,
    ),
    "astro": Framework(packages=("astro",), files=("dist/**/*.html",), written="astro build", by_name=True),
    "react-router": Framework(
        packages=("@react-router/dev",),
        files=_OF_REACT_ROUTER,
        written="react-router build",
        by_name=True,
    ),
    "remix": Framework(
        packages=("@remix-run/dev",),
        files=_OF_REACT_ROUTER,
        written="remix vite:build",
        by_name=True,
    ),
    "laravel": Framework(
        packages=("laravel-vite-plugin",),
        files=("public/build/manifest.json", "public/build/.vite/manifest.json"),
        written="vite build",
    ),
    "rsbuild": Framework(
        packages=("@rsbuild/core",),
        files=("dist/manifest.json",),
        written="rsbuild build, with output: {manifest: true}",
    ),
    "rspack": Framework(
        packages=("@rspack/core",),
        files=("dist/stats.json", "stats.json"),
        written="rspack build --json=dist/stats.json",
    ),
    "parcel": Framework(packages=("parcel",), files=("dist/**/*.html",), written="parcel build"),
    "django": Framework(
        packages=("webpack-bundle-tracker",),
        files=(
            "webpack-stats.json",
            "*/webpack-stats.json",
            "static/manifest.json",
            "static/.vite/manifest.json",
            "*/static/manifest.json",
            "*/static/.vite/manifest.json",
        ),
        written="webpack-bundle-tracker, or vite build with build: {manifest: true}",
    ),
    "webpack": Framework(
        packages=("webpack",),
        files=("dist/stats.json", "stats.json", "build/stats.json"),
        written="webpack --json=dist/stats.json",
    ),
    "vite": Framework(
        packages=("vite",),
        files=tuple(
            f"{folder}/{file}"
            for folder in ("dist", "build", "static", "static/*", "*/static", "*/static/*", "assets")
            for file in (".vite/manifest.json", "manifest.json")
        ),
        written="vite build, with build: {manifest: true}",
    ),
    "esbuild": Framework(
        packages=("esbuild",),
        files=("dist/metafile.json", "dist/meta.json", "metafile.json", "meta.json"),
        written="esbuild --metafile=dist/metafile.json",
    ),
    "bun": Framework(
        packages=("bun",),
        files=("dist/metafile.json", "dist/meta.json"),
        written="bun build --metafile=dist/metafile.json",
    ),
    "rollup": Framework(packages=("rollup",), files=("dist/**/*.html",), written="rollup, with the page in dist"),
}  # in the order in which they are looked for: what builds on another one comes before it


def find_stats(framework: str, project: Path) -> Path:
    """Return the file, or the pattern of pages, that describes the build of the one application in a project.

    `framework` is one of FRAMEWORKS, or `auto` for the first that a package.json names. Raises MeasureError if there is
    no such application, more than one, or no file of its build.
    """
    apps = _apps(project)
    names = [framework] if framework != "auto" else [name for name in FRAMEWORKS if _having(name, apps)]
    if not names:
        known = ", ".join(FRAMEWORKS)
        hint = f"say which it is (framework: {known}), or give its file (stats)"
        raise MeasureError("no package.json names a bundler that memgate knows", hint=hint)
    for name in names:
        found = {folder: path for folder in _folders(name, apps, project) if (path := _file(folder, name))}
        if len(found) > 1:
            shown = ", ".join(folder.relative_to(project).as_posix() for folder in found)
            raise MeasureError(f"several folders have a build of {name}: {shown}", hint="give the file of one (stats)")
        for path in found.values():
            return path
    raise no_file(names[0], _folders(names[0], apps, project)[0], project)


def find_apps(project: Path) -> list[App]:
    """Return the applications of a project, each with the first framework that has a build there, or else the first.

    A folder with others below it, as the root of a workspace is, counts if it has a build of its own.
    """
    named = {folder: names for folder, packages in _apps(project).items() if (names := _names(packages))}
    around = [project] if len(named) == 1 else []  # a web folder may build into the Python package beside it
    apps = [_app([folder, *around], names) for folder, names in named.items()]
    return [app for app in apps if not any(_is_of(other, app) for other in apps)]


def no_file(framework: str, folder: Path, project: Path) -> MeasureError:
    """Return the error of an application without the file of its build: where that was looked for, what writes it."""
    where = folder.relative_to(project).as_posix()
    place = "" if where == "." else f" in {where}"
    looked = " or ".join(FRAMEWORKS[framework].files[:2])
    hint = f"it is written by: {FRAMEWORKS[framework].written}"
    return MeasureError(f"{framework}: there is no {looked}{place}", hint=hint)


def _names(packages: frozenset[str]) -> list[str]:
    return [name for name, framework in FRAMEWORKS.items() if packages & set(framework.packages)]


def _app(folders: list[Path], names: list[str]) -> App:
    found = ((name, file) for folder in folders for name in names if (file := _file(folder, name)))
    name, file = next(found, (names[0], None))
    return App(folder=folders[0], framework=name, file=file)


def _is_of(below: App, app: App) -> bool:
    """True if `below` lies in a folder below `app`, and its build is the only one that `app` has."""
    return app.folder in below.folder.parents and (app.file is None or below.folder in app.file.parents)


def _folders(name: str, apps: Mapping[Path, frozenset[str]], project: Path) -> list[Path]:
    return _having(name, apps) or [project]


def _file(folder: Path, name: str) -> Path | None:
    """Return the newest file of the first pattern that finds one; for pages, the pattern itself."""
    for pattern in FRAMEWORKS[name].files:
        there = [path for path in folder.glob(pattern) if not _is_of_web_app(path)]
        if there := sorted(there, key=lambda path: path.stat().st_mtime):
            return folder / pattern if pattern.endswith(".html") else there[-1]
    return None


def _having(name: str, apps: Mapping[Path, frozenset[str]]) -> list[Path]:
    return [folder for folder, packages in apps.items() if packages & set(FRAMEWORKS[name].packages)]


def _apps(project: Path) -> dict[Path, frozenset[str]]:
    """Return the folders with a package.json, and the packages that each names."""
    return {path.parent: _packages(path) for path in package_files(project)}


def package_files(folder: Path, deep: int = _DEEPEST) -> Iterator[Path]:
    """Yield each package.json of a folder and of those below it, by which applications are known."""
    if (folder / "package.json").is_file():
        yield folder / "package.json"
    if deep:
        for one in sorted(folder.iterdir()):
            if one.name not in _SKIPPED and not one.name.startswith(".") and _can_be_searched(one):
                yield from package_files(one, deep - 1)


def _can_be_searched(path: Path) -> bool:
    """True for a folder of the project that may be read: that of a database may belong to another user."""
    return path.is_dir() and not path.is_symlink() and os.access(path, os.R_OK | os.X_OK)


def _packages(path: Path) -> frozenset[str]:
    kinds = [_object(path).get(kind) for kind in ("dependencies", "devDependencies")]
    return frozenset(name for kind in kinds if isinstance(kind, dict) for name in kind)


def _is_of_web_app(path: Path) -> bool:
    """True for the manifest of a web app, its name and icons: many builds copy one to where Vite writes its own."""
    return path.name == _WEB_APP and any(isinstance(_object(path).get(key), (str, list)) for key in ("name", "icons"))


def _object(path: Path) -> dict[str, Any]:
    """Return the object in a file of JSON, an empty one if there is none."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
