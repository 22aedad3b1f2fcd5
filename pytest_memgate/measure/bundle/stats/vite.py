"""Reads the manifest that Vite writes with `build.manifest`: its chunks, their imports, and their CSS."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path

from pytest_memgate.errors import MeasureError
from pytest_memgate.measure.bundle.routes.nuxt import nuxt
from pytest_memgate.measure.bundle.routes.react_router import react_router
from pytest_memgate.measure.bundle.routes.routes import Finder
from pytest_memgate.measure.bundle.routes.sveltekit import sveltekit
from pytest_memgate.measure.bundle.stats.hashes import without_hash
from pytest_memgate.measure.bundle.stats.layout import Layout, Output, Start
from pytest_memgate.measure.bundle.stats.shape import Node

_SAME_BUILD_SECONDS = 2  # files this much newer than the manifest are still of its build; chosen
_FRAMEWORKS: tuple[Finder, ...] = (sveltekit, nuxt, react_router)
_SINGLE_CSS = "style.css"  # the key of the one file there is with `build.cssCodeSplit: false`


def read_manifest(content: Node, origin: Path, project: Path) -> Layout:
    """Return the build that a manifest describes; it has no sizes, and no modules but its chunks.

    The first screen of an entry is its file, its CSS, and those of the chunks that it imports other than by `import()`;
    for an HTML entry also the page itself, if it lies with the output. Fonts and images (`assets`) are not in it. A
    framework's pages are entries, each by its route. Raises MeasureError for a manifest without an entry, or of another
    shape.
    """
    plain = content.fields()
    routes = next((found for find in _FRAMEWORKS if (found := find(plain, origin, project))), None)
    chunks = routes.chunks if routes else plain
    entries = routes.pages if routes else {key: (key,) for key, one in chunks.items() if one["isEntry"].value is True}
    if not entries:
        raise MeasureError(f"{content.where}: none of its chunks has isEntry", hint="give the manifest of a build")
    common = _common_css(chunks)
    pages = [key for key in entries if key.endswith(".html")]

    def start(name: str, keys: Iterable[str]) -> Start:
        page = (name,) if name in pages else ()
        initial = _closure(chunks, keys, "imports")
        total = _closure(chunks, keys, "imports", "dynamicImports")
        return Start(
            name=name,
            initial=_once(page, _files(chunks, initial), common),
            total=_once(page, _files(chunks, initial), common, _files(chunks, total)),
        )

    starts = tuple(start(name, keys) for name, keys in entries.items())
    outputs = _outputs(chunks) | {page: Output(path=page, label=page) for page in pages}
    return Layout(
        origin=origin,
        bundler="Vite",
        outputs=outputs,
        starts=starts,
        named={name: partial(start, key, (key,)) for name, key in _names(chunks).items()},
        described_by=routes.files if routes else (),
        pages=frozenset(pages),
        folders=(
            *([origin.parent.parent] if origin.parent.name == ".vite" else []),
            *(routes.folders if routes else ()),
        ),
        notes=routes.notes if routes else tuple(_unreached(content.where, chunks, starts)),
    )


def _unreached(where: str, chunks: Mapping[str, Node], starts: Iterable[Start]) -> Iterator[str]:
    """Yield a note on chunks that a page can load and no entry reaches: nothing counts them."""
    reached = {path for start in starts for path in start.total}
    lost = [
        key
        for key, chunk in chunks.items()
        if chunk["isDynamicEntry"].value is True and chunk["file"].text() not in reached
    ]
    if lost:
        more = f" and {len(lost) - 1} more" if len(lost) > 1 else ""
        yield f"{where}: no entry reaches {lost[0]}{more}, so nothing counts it: name it in `entries` or `screens`"


def _names(chunks: Mapping[str, Node]) -> dict[str, str]:
    """Return the key of each chunk by its key and, if no other chunk has it, by its name: `entry/start`."""
    names = {key: str(chunk["name"].value or "") for key, chunk in chunks.items()}
    count = Counter(names.values())
    own = {name: key for key, name in names.items() if name and count[name] == 1}
    return own | {key: key for key in chunks}


def _closure(chunks: Mapping[str, Node], keys: Iterable[str], *ways: str) -> list[str]:
    found = dict.fromkeys(keys)
    for each in (queue := list(found)):
        for imported in (item for way in ways for item in chunks[each][way].items_if_any()):
            if imported.text() not in chunks:
                raise MeasureError(f"{imported.where}: there is no chunk {imported.value}", hint="build again")
            if imported.value not in found:
                queue.append(imported.value)
                found[imported.value] = None
    return queue


def _files(chunks: Mapping[str, Node], keys: Iterable[str]) -> list[str]:
    return [
        path
        for key in keys
        for path in (chunks[key]["file"].text(), *(css.text() for css in chunks[key]["css"].items_if_any()))
    ]


def _common_css(chunks: Mapping[str, Node]) -> list[str]:
    """Return the CSS of all entries that is not split by chunk: no chunk names it, but every page links it."""
    listed = {css.value for chunk in chunks.values() for css in chunk["css"].items_if_any()}
    single = chunks.get(_SINGLE_CSS)
    if single is None or single["isEntry"].value is True or single["file"].value in listed:
        return []
    return [single["file"].text()]


def _outputs(chunks: Mapping[str, Node]) -> dict[str, Output]:
    """Return the files, the label of each its name without the hash; a chunk's CSS mostly has the chunk's name."""
    outputs: dict[str, Output] = {}
    for key, chunk in chunks.items():
        name = str(chunk["name"].value or "")
        source = str(chunk["src"].value or name)
        for path in _files(chunks, [key]):
            outputs.setdefault(path, Output(path=path, label=without_hash(path, name=name), source=source))
    return outputs


def _once(*paths: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(path for some in paths for path in some))


def check_page(page: str, content: bytes, initial: Iterable[str]) -> None:
    """Raise MeasureError if a page does not load the script that the manifest gives it: one of them is older."""
    script = next((path for path in initial if path.endswith((".js", ".mjs"))), "")
    if script and Path(script).name.encode() not in content:
        why = f"{page} does not load {script}, which the manifest names"
        raise MeasureError(f"{why}: one of them is of an older build", hint="build again, with build.manifest")


def unknown_files(layout: Layout, base: Path) -> tuple[str, ...]:
    """Return a note on hashed scripts and styles that are newer than the manifest and not in it."""
    written = layout.origin.stat().st_mtime + _SAME_BUILD_SECONDS
    folders = sorted({(base / path).parent for path in layout.outputs})
    unknown = [
        file.relative_to(base).as_posix()
        for folder in folders
        for file in sorted(folder.iterdir())
        if file.suffix in {".js", ".css"} and file.stat().st_mtime > written and without_hash(file.name) != file.name
    ]
    unknown = [path for path in unknown if path not in layout.outputs]
    if not unknown:
        return ()
    more = f" and {len(unknown) - 1} more" if len(unknown) > 1 else ""
    return (f"the manifest may be of an older build: it does not know {unknown[0]}{more}, newer than itself",)
