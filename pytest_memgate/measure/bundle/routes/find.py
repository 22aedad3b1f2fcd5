"""Where each framework or bundler writes what describes its build: found by its name, or by the project's packages."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_memgate.errors import MeasureError

_DEEPEST = 3  # folders below the project in which an application is looked for; chosen
_SKIPPED = {"node_modules", "dist", "build", "public", "venv"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Framework:
    """What its projects have in package.json, the patterns of its file, the best first, and how that is written."""

    packages: tuple[str, ...]
    files: tuple[str, ...]
    written: str


FRAMEWORKS: Mapping[str, Framework] = {
    "next": Framework(
        packages=("next",),
        files=(".next/diagnostics/route-bundle-stats.json", ".next/stats.json"),
        written="next build (16.1 on; with --webpack, see docs/bundles.md)",
    ),
    "sveltekit": Framework(
        packages=("@sveltejs/kit",),
        files=(".svelte-kit/output/client/.vite/manifest.json",),
        written="vite build",
    ),
    "nuxt": Framework(
        packages=("nuxt",),
        files=(".nuxt/dist/server/client.manifest.mjs",),
        written="nuxt build",
    ),
    "angular": Framework(
        packages=("@angular/core",),
        files=("dist/*/browser-stats.json", "dist/*/stats.json", "dist/browser-stats.json", "dist/stats.json"),
        written="ng build --stats-json",
    ),
    "astro": Framework(packages=("astro",), files=("dist/**/*.html",), written="astro build"),
    "remix": Framework(
        packages=("@react-router/dev", "@remix-run/dev"),
        files=("build/client/.vite/manifest.json", "build/client/assets/manifest-*.js"),
        written="react-router build",
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
            for folder in ("dist", "build", "static", "*/static")
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
    name = names[0]
    where = _folders(name, apps, project)[0].relative_to(project).as_posix()
    place = "" if where == "." else f" in {where}"
    looked = " or ".join(FRAMEWORKS[name].files[:2])
    raise MeasureError(f"{name}: there is no {looked}{place}", hint=f"it is written by: {FRAMEWORKS[name].written}")


def _folders(name: str, apps: Mapping[Path, frozenset[str]], project: Path) -> list[Path]:
    return _having(name, apps) or [project]


def _file(folder: Path, name: str) -> Path | None:
    """Return the newest file of the first pattern that finds one; for pages, the pattern itself."""
    for pattern in FRAMEWORKS[name].files:
        if there := sorted(folder.glob(pattern), key=lambda path: path.stat().st_mtime):
            return folder / pattern if pattern.endswith(".html") else there[-1]
    return None


def _having(name: str, apps: Mapping[Path, frozenset[str]]) -> list[Path]:
    return [folder for folder, packages in apps.items() if packages & set(FRAMEWORKS[name].packages)]


def _apps(project: Path) -> dict[Path, frozenset[str]]:
    """Return the folders with a package.json, and the packages that each names."""
    return {path.parent: _packages(path) for path in _package_files(project, _DEEPEST)}


def _package_files(folder: Path, deep: int) -> Iterator[Path]:
    if (folder / "package.json").is_file():
        yield folder / "package.json"
    if deep:
        for one in sorted(folder.iterdir()):
            if one.is_dir() and not one.is_symlink() and one.name not in _SKIPPED and not one.name.startswith("."):
                yield from _package_files(one, deep - 1)


def _packages(path: Path) -> frozenset[str]:
    try:
        content = json.loads(path.read_bytes())
        kinds = [content.get(kind) or {} for kind in ("dependencies", "devDependencies")]
        return frozenset(name for kind in kinds for name in kind)
    except (OSError, ValueError, AttributeError, TypeError):
        return frozenset()
