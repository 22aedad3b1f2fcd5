"""The parts of each file, exactly: bytes by module that sum to its size."""

import base64
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from pytest_memgate.measure.bundle.sourcemap import MapError, read_map
from pytest_memgate.measure.bundle.statements import Statements
from pytest_memgate.measure.bundle.stats.layout import Output
from pytest_memgate.measure.bundle.stats.modules import RUNTIME, ModuleNames

_NAMED_MAP = re.compile(rb"(?://|/\*)[#@] *sourceMappingURL=([^\s*]+)")
_TAIL = 4096  # bytes in which a file mostly names its map
_SCRIPTS = (".js", ".mjs", ".cjs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Bytes by module, or by the file's own label if nothing is known; `unread` says why its source map was useless."""

    modules: Mapping[str, int]
    estimated: bool = False
    whole: bool = False
    unread: str = ""


def parts_of(
    output: Output, path: Path, content: bytes, names: ModuleNames, project: Path, statements: Statements | None = None
) -> Parts:
    """Return the parts of a file: from its bundler, from its source map, or else by estimate.

    `statements` takes in the sources that the source map holds.
    """
    if output.parts and not output.estimated:
        return Parts(modules=_with_rest(output.parts, len(content)))
    unread = ""
    try:
        if mapped := _mapped(path, content, names, project, statements):
            return Parts(modules=_with_rest(mapped, len(content)))
    except MapError as error:
        unread = f"the source map of {output.label} says nothing: {error}"
    if output.parts and sum(output.parts.values()):
        return Parts(modules=scaled(output.parts, len(content)), estimated=True, unread=unread)
    return Parts(modules={output.label: len(content)}, whole=True, unread=unread)


def _mapped(
    path: Path, content: bytes, names: ModuleNames, project: Path, statements: Statements | None
) -> dict[str, int]:
    source_map = _source_map(path, content, project)
    if source_map is None:
        return {}
    mapped = read_map(content, source_map)
    if statements:
        for source, text in mapped.texts.items():
            statements.read(names(source), text)
    found: dict[str, int] = {}
    for source, size in mapped.sizes.items():
        found[names(source)] = found.get(names(source), 0) + size
    return found


def _source_map(path: Path, content: bytes, project: Path) -> bytes | None:
    """Return the source map that a file names, in itself or below the project, or else the one beside it."""
    named = _NAMED_MAP.findall(content[-_TAIL:]) or _NAMED_MAP.findall(content)
    url = named[-1].decode("utf-8", "replace") if named else ""
    if url.startswith("data:"):
        encoded = url.partition(";base64,")[2]
        with suppress(ValueError):
            return base64.b64decode(encoded, validate=True) if encoded else None
    beside = path.with_name(f"{path.name}.map")
    places = [] if not url or ":" in url else [path.parent / unquote(url.partition("?")[0])]
    for place in (*places, beside):
        if place == beside or place.resolve().is_relative_to(project.resolve()):
            with suppress(OSError, ValueError):
                return place.read_bytes()
    return None


def _with_rest(parts: Mapping[str, int], size: int) -> Mapping[str, int]:
    """Return the parts, with bytes of no module counted as the bundler's own."""
    rest = size - sum(parts.values())
    if rest < 0:
        return scaled(parts, size)
    return {**parts, RUNTIME: parts.get(RUNTIME, 0) + rest}


def scaled(parts: Mapping[str, int], size: int) -> Mapping[str, int]:
    """Return whole numbers in proportion to `parts` that sum to `size`."""
    whole = sum(parts.values())
    shares = {name: divmod(part * size, whole) for name, part in parts.items()}
    left = size - sum(share for share, _ in shares.values())
    rounded_up = set(sorted(shares, key=lambda name: (-shares[name][1], name))[:left])
    return {name: share + (name in rounded_up) for name, (share, _) in shares.items()}


def remarks(parts: Mapping[str, Parts]) -> tuple[str, ...]:
    """Return remarks that a reader of the sites of these files needs."""
    found = [each.unread for each in parts.values() if each.unread]
    if any(each.estimated for each in parts.values()):
        found.append("module sizes are estimates: webpack gives them before minification")
    whole = [path for path, each in parts.items() if each.whole and not each.unread and path.endswith(_SCRIPTS)]
    if whole:
        more = f" and {len(whole) - 1} more" if len(whole) > 1 else ""
        name = next(iter(parts[whole[0]].modules))
        found.append(f"what is in {name}{more} is not known: it has no source map")
    return tuple(found)
