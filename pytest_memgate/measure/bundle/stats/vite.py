"""Reads the manifest that Vite writes with `build.manifest`: its chunks, their imports, and their CSS."""

from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path

from pytest_memgate.errors import MeasureError
from pytest_memgate.measure.bundle.stats.hashes import without_hash
from pytest_memgate.measure.bundle.stats.layout import Layout, Output, Start
from pytest_memgate.measure.bundle.stats.shape import Node

_SAME_BUILD_SECONDS = 2  # files this much newer than the manifest are still of its build; chosen
_SINGLE_CSS = "style.css"  # the key of the one file there is with `build.cssCodeSplit: false`


def read_manifest(content: Node, origin: Path) -> Layout:
    """Return the build that a manifest describes; it has no sizes, and no modules but its chunks.

    The first screen of an entry is its file, its CSS, and those of the chunks that it imports other than by `import()`;
    for an HTML entry also the page itself, if it lies with the output. Fonts and images (`assets`) are not in it.
    Raises MeasureError for a manifest without an entry, or of another shape.
    """
    chunks = content.fields()
    entries = [key for key, chunk in chunks.items() if chunk["isEntry"].value is True]
    if not entries:
        raise MeasureError(f"{content.where}: none of its chunks has isEntry", hint="give the manifest of a build")
    common = _common_css(chunks)
    pages = [key for key in entries if key.endswith(".html")]

    def start(key: str) -> Start:
        page = (key,) if key in pages else ()
        initial = _closure(chunks, key, "imports")
        total = _closure(chunks, key, "imports", "dynamicImports")
        return Start(
            name=key,
            initial=_once(page, _files(chunks, initial), common),
            total=_once(page, _files(chunks, initial), common, _files(chunks, total)),
        )

    outputs = _outputs(chunks) | {page: Output(path=page, label=page) for page in pages}
    return Layout(
        origin=origin,
        bundler="Vite",
        outputs=outputs,
        starts=tuple(map(start, entries)),
        named={name: partial(start, key) for name, key in _names(chunks).items()},
        pages=frozenset(pages),
        folders=(origin.parent.parent,) if origin.parent.name == ".vite" else (),
    )


def _names(chunks: Mapping[str, Node]) -> dict[str, str]:
    """Return the key of each chunk by its key and, if no other chunk has it, by its name: `entry/start`."""
    names = [str(chunk["name"].value or "") for chunk in chunks.values()]
    own = {name: key for name, key in zip(names, chunks, strict=True) if name and names.count(name) == 1}
    return own | {key: key for key in chunks}


def _closure(chunks: Mapping[str, Node], key: str, *ways: str) -> list[str]:
    found = {key: None}
    for each in (queue := [key]):
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
        name, source = str(chunk["name"].value or ""), str(chunk["src"].value or "")
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
