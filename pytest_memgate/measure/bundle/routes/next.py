"""Next: the styles of each route, which its list of first loads leaves out, and the age of that list."""

import re
from collections.abc import Iterator
from pathlib import Path

from pytest_memgate.errors import MeasureError
from pytest_memgate.measure.bundle.routes.script import read_object
from pytest_memgate.measure.bundle.stats.shape import Node

_MANIFESTS = "server/app/**/*_client-reference-manifest.js"
_ASSIGNED = r"\]\s*="  # globalThis.__RSC_MANIFEST["/about/page"] = {…}
_UNSEEN = re.compile(r"^(?:\(.*\)|@.*)$")  # folders that are no part of the address: groups, slots
_PAGES = "build-manifest.json"
_BUILD = "BUILD_ID"
_SAME_BUILD_SECONDS = 60  # a list this much older than the build is of another one; chosen


def check_age(origin: Path, where: str) -> None:
    """Raise MeasureError if the list of routes is older than the build that it lies in: not each build writes one."""
    build = origin.parent.parent / _BUILD
    if build.is_file() and origin.stat().st_mtime + _SAME_BUILD_SECONDS < build.stat().st_mtime:
        why = f"{where} is of an older build than {_BUILD} beside it"
        raise MeasureError(why, hint="build with `next build` of 16.1 on, without --webpack")


def styles(origin: Path, notes: list[str]) -> dict[str, tuple[str, ...]]:
    """Return the styles of each route, relative to the folder of the build, by the route.

    A file that cannot be read is added to `notes`: the styles in it are not counted.
    """
    build = origin.parent.parent
    found: dict[str, dict[str, None]] = {}
    for path in sorted(build.glob(_MANIFESTS)):
        route = _route(path.parent.relative_to(build / "server" / "app"))
        found.setdefault(route, {}).update(dict.fromkeys(_of_app(path, notes)))
    for route, files in _of_pages(build, notes):
        found.setdefault(route, {}).update(dict.fromkeys(files))
    return {route: tuple(files) for route, files in found.items()}


def described_by(origin: Path) -> tuple[Path, ...]:
    """Return the files that the styles are read from."""
    build = origin.parent.parent
    return (*sorted(build.glob(_MANIFESTS)), *(path for path in (build / _PAGES,) if path.is_file()))


def _route(folder: Path) -> str:
    return "/" + "/".join(part for part in folder.parts if not _UNSEEN.match(part))


def _of_app(path: Path, notes: list[str]) -> Iterator[str]:
    try:
        content = Node(read_object(path.read_text(encoding="utf-8"), _ASSIGNED), path.name)
        listed = content["entryCSSFiles"].fields() if content["entryCSSFiles"].value else {}
        for files in listed.values():
            for file in files.items():
                if isinstance(file.value, str) or file["inlined"].value is not True:
                    yield file.value if isinstance(file.value, str) else file["path"].text()
    except (OSError, ValueError, MeasureError) as error:
        notes.append(f"the styles in {path.name} are not counted: {error}")


def _of_pages(build: Path, notes: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield the styles of the routes of the pages folder."""
    try:
        pages = read_object((build / _PAGES).read_text(encoding="utf-8")).get("pages", {})
    except FileNotFoundError:
        return
    except (OSError, ValueError, AttributeError) as error:
        notes.append(f"the styles in {_PAGES} are not counted: {error}")
        return
    common = pages.get("/_app", [])
    for route, files in pages.items():
        if not route.startswith("/_"):
            yield route, [file for file in (*common, *files) if file.endswith(".css")]
