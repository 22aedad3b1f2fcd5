"""How many bytes of a generated file come from each of its sources, read from its source map.

The format is ECMA-426, version 3: `mappings` holds, for each line of the generated file, segments of numbers in base64
(VLQ), each the difference to the one before: column, source, and up to three more that are of no use here. A segment's
source owns the text up to the next segment. Columns are UTF-16 code units.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from pytest_memgate.errors import MeasureError

_DIGITS = {digit: i for i, digit in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")}
_NOBODY = -1
_PRAGMA = "//# "  # its own map, or a debug id
_OTHER_FILE = "it does not fit its file: it is of another build"


class MapError(MeasureError):
    """A source map that does not describe its file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapped:
    """A generated file's bytes by source, without those of no source, and the text of each source, empty if unknown.

    Sources are named as in the map.
    """

    sizes: Mapping[str, int]
    texts: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Section:
    """A map, or a part of one, and the line and column where it begins."""

    line: int
    column: int
    sources: list[str]
    mappings: str
    texts: list[Any]


def read_map(generated: bytes, source_map: bytes) -> Mapped:
    """Return what a source map tells of its file.

    A source owns the text up to the next mapping, over line ends, too. Raises MapError for text that is not a map, and
    for one that does not fit the file.
    """
    try:
        lines = generated.decode("utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise MapError("its file is not UTF-8") from error
    sections = list(_sections(source_map))
    sources, spans_of = _spans(sections, len(lines))
    owned: Counter[int] = Counter()
    owner = _NOBODY
    for number, line in enumerate(lines):
        size_of = _ruler(line)
        spans = [(0, _NOBODY)] if line.startswith(_PRAGMA) else spans_of.get(number, [])
        if not spans or spans[0][0]:
            # Indentation belongs to what follows it.
            first = spans[0][1] if spans and not line[: spans[0][0]].strip() else owner
            spans = [(0, first), *spans]
        ends = [*(column for column, _ in spans[1:]), None]
        for (start, owner), end in zip(spans, ends, strict=True):  # the last one holds on
            owned[owner] += size_of(start, end)
        owned[owner] += number < len(lines) - 1  # its end
    return Mapped(sizes=_by_name(owned, sources), texts=_texts(sections))


def _spans(sections: list[_Section], lines: int) -> tuple[list[str], Mapping[int, list[tuple[int, int]]]]:
    """Return all sources of a map, and for each line the columns where another of them begins."""
    sources: list[str] = []
    found: dict[int, list[tuple[int, int]]] = {}
    for section in sections:
        decoder, first = _Decoder(len(section.sources)), len(sources)
        sources += section.sources
        mapped = section.mappings.rstrip(";").split(";")
        if section.line + len(mapped) > lines:
            raise MapError(_OTHER_FILE)
        for number, segments in enumerate(mapped):
            shift = section.column if number == 0 else 0
            spans = [
                (place + shift, _NOBODY if source == _NOBODY else source + first)
                for place, source in decoder.spans(segments)
            ]
            if spans:
                found.setdefault(section.line + number, []).extend(spans)
    return sources, found


def _by_name(owned: Counter[int], sources: list[str]) -> Mapping[str, int]:
    named: Counter[str] = Counter()
    for source, size in owned.items():
        if source != _NOBODY and sources[source]:
            named[sources[source]] += size
    return {name: size for name, size in named.items() if size > 0}


def _texts(sections: list[_Section]) -> Mapping[str, str]:
    texts: dict[str, str] = {}
    for section in sections:
        for source, text in zip_longest(section.sources, section.texts[: len(section.sources)]):
            if source:
                texts[source] = (text if isinstance(text, str) else "") or texts.get(source, "")
    return texts


def _sections(source_map: bytes) -> Iterator[_Section]:
    """Yield the parts of a map: a map of sections holds several."""
    try:
        content = json.loads(source_map)
    except (ValueError, RecursionError) as error:
        raise MapError("it is not JSON") from error
    if not isinstance(content, dict):
        raise MapError("it is not a source map")
    sections = content.get("sections")
    if sections is None:
        yield _section(0, 0, content)
        return
    for section in sections if isinstance(sections, list) else [None]:
        offset, inner = (section.get("offset"), section.get("map")) if isinstance(section, dict) else (None, None)
        line, column = (offset.get("line"), offset.get("column")) if isinstance(offset, dict) else (None, None)
        if not isinstance(inner, dict) or not isinstance(line, int) or not isinstance(column, int):
            raise MapError("one of its sections is none")
        yield _section(max(line, 0), max(column, 0), inner)


def _section(line: int, column: int, content: Mapping[str, Any]) -> _Section:
    sources, mappings = content.get("sources"), content.get("mappings")
    if not isinstance(sources, list) or not isinstance(mappings, str):
        raise MapError("it has no sources and mappings")
    root = str(content.get("sourceRoot") or "")
    root = f"{root.rstrip('/')}/" if root else ""
    texts = content.get("sourcesContent")
    return _Section(
        line=line,
        column=column,
        sources=[f"{root}{source}" if source else "" for source in sources],
        mappings=mappings,
        texts=texts if isinstance(texts, list) else [],
    )


def _ruler(line: str) -> Callable[[int, int | None], int]:
    """Return a function that counts the UTF-8 bytes between two columns of a line; None means its end.

    The function raises MapError for columns that the line does not have.
    """
    plain = line.isascii()
    wide = b"" if plain else line.encode("utf-16-le")
    width = len(line) if plain else len(wide) // 2

    def size_of(start: int, end: int | None) -> int:
        end = width if end is None else end
        if not 0 <= start <= end <= width:
            raise MapError(_OTHER_FILE)
        # A column within a surrogate pair is nobody's: ignored, so that no byte counts twice.
        return end - start if plain else len(wide[2 * start : 2 * end].decode("utf-16-le", "ignore").encode())

    return size_of


class _Decoder:
    """Reads the segments of line after line: the source carries over to the next line, the column starts anew."""

    def __init__(self, sources: int) -> None:
        self._sources = sources
        self._source = 0
        self._known: dict[str, tuple[int, int | None]] = {}

    def spans(self, segments: str) -> Iterator[tuple[int, int]]:
        """Yield each column of a line where another source begins, and that source; raises MapError."""
        if not segments:
            return
        column, source, owner = 0, self._source, None
        known = self._known
        for segment in segments.split(","):
            try:
                step, change = known[segment]  # nearly all segments of a file repeat
            except KeyError:
                step, change = known[segment] = _decode(segment)
            column += step
            if change is None:
                now = _NOBODY
            else:
                source += change
                now = source
            if now != owner:
                if not _NOBODY <= now < self._sources:
                    raise MapError(f"it names source {now} of {self._sources}")
                yield column, now
                owner = now
        self._source = source


def _decode(segment: str) -> tuple[int, int | None]:
    """Return a segment's step in columns and in sources, None if it names no source."""
    numbers = []
    value = shift = 0
    for letter in segment:
        digit = _DIGITS.get(letter)
        if digit is None:
            break
        value |= (digit & 31) << shift
        shift += 5
        if digit < 32:
            numbers.append(-(value >> 1) if value & 1 else value >> 1)
            value = shift = 0
    else:
        if len(numbers) in {1, 4, 5} and not shift:
            return numbers[0], numbers[1] if len(numbers) > 1 else None
    raise MapError(f"{segment!r} is not a mapping")
