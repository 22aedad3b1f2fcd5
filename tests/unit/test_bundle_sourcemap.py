"""Bytes by source from source maps: made by hand, made at random, and real ones."""

import json
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_memgate.measure.bundle.sourcemap import MapError, read_map

BUILT = Path(__file__).parents[1] / "data" / "bundles" / "built"
DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def bytes_by_source(generated: bytes, told: bytes) -> Mapping[str, int]:
    return read_map(generated, told).sizes


def vlq(number: int) -> str:
    """Write a number as source maps do."""
    rest = -number << 1 | 1 if number < 0 else number << 1
    text = ""
    while True:
        digit, rest = rest & 31, rest >> 5
        text += DIGITS[digit | (32 if rest else 0)]
        if not rest:
            return text


def source_map(lines: Iterable[Iterable[tuple[int, int | None]]], sources: list[str | None], **more: Any) -> bytes:
    """Write a source map from each line's spans: the column, and the source from there on or None."""
    last = 0
    told = []
    for line in lines:
        segments, column = [], 0
        for start, source in line:
            segment = vlq(start - column)
            if source is not None:
                segment += vlq(source - last) + "AA"
                last = source
            segments.append(segment)
            column = start
        told.append(",".join(segments))
    return json.dumps({"version": 3, "sources": sources, "names": [], "mappings": ";".join(told)} | more).encode()


def test_a_source_owns_the_text_up_to_the_next_mapping() -> None:
    told = source_map([[(0, 0), (3, 1), (5, 0)]], ["a.js", "b.js"])
    assert bytes_by_source(b"aaabbaaaa", told) == {"a.js": 7, "b.js": 2}


def test_text_that_no_source_owns_is_left_out() -> None:
    told = source_map([[(2, 0), (4, None), (7, 0)]], ["a.js"])
    assert bytes_by_source(b"--aa---a", told) == {"a.js": 3}


def test_line_ends_and_indentation_belong_to_the_source_around_them() -> None:
    told = source_map([[(0, 0)], [], [(2, 0)], []], ["a.js"])
    assert bytes_by_source(b"aa\n\n  aa\n// the end\n", told) == {"a.js": 20}


def test_a_mapping_holds_until_the_next_one_over_line_ends() -> None:
    told = source_map([[(0, 0), (2, 1)], [], [], [(1, 0)]], ["a.js", "lib.js"])
    assert bytes_by_source(b"a=`one\ntwo\nthree\n`;a", told) == {"a.js": 4, "lib.js": 16}


def test_the_place_of_its_map_is_nobodys() -> None:
    told = source_map([[(0, 0)]], ["a.js"])
    assert bytes_by_source(b"aa\n//# sourceMappingURL=a.js.map", told) == {"a.js": 3}


def test_a_map_of_sections_is_read_whole() -> None:
    first, second = (json.loads(source_map([[(0, 0)]], [name])) for name in ("a.js", "b.js"))
    sections = [{"offset": {"line": 0, "column": 0}, "map": first}, {"offset": {"line": 1, "column": 2}, "map": second}]
    told = json.dumps({"version": 3, "sections": sections}).encode()
    assert bytes_by_source(b"aaa\naabb", told) == {"a.js": 6, "b.js": 2}


def test_the_texts_of_sources_are_read_as_far_as_there_are_some() -> None:
    told = source_map(
        [[(0, 0)]], ["a.js", "b.js", None, "c.js"], sourcesContent=["let a", None, "none"], sourceRoot="src"
    )
    assert read_map(b"aaa", told).texts == {"src/a.js": "let a", "src/b.js": "", "src/c.js": ""}


@pytest.mark.parametrize("texts", [None, "let a", {"a.js": "let a"}, [7], []])
def test_texts_of_another_shape_are_none(texts: object) -> None:
    mapped = read_map(b"aaa", source_map([[(0, 0)]], ["a.js"], sourcesContent=texts))
    assert (mapped.sizes, mapped.texts) == ({"a.js": 3}, {"a.js": ""})


def test_texts_of_sections_are_read() -> None:
    first, second = (json.loads(source_map([[(0, 0)]], [f"{x}.js"], sourcesContent=[x])) for x in "ab")
    sections = [{"offset": {"line": 0, "column": 0}, "map": first}, {"offset": {"line": 1, "column": 0}, "map": second}]
    told = json.dumps({"version": 3, "sections": sections}).encode()
    assert read_map(b"aaa\nbbb", told).texts == {"a.js": "a", "b.js": "b"}


def test_columns_are_utf_16_and_sizes_are_utf_8() -> None:
    text = "'é€😀';x"
    told = source_map([[(0, 0), (7, 1)]], ["a.js", "b.js"])
    assert bytes_by_source(text.encode(), told) == {"a.js": len("'é€😀';".encode()), "b.js": 1}


def test_a_column_within_a_pair_counts_no_byte_twice() -> None:
    told = source_map([[(0, 0), (2, 1)]], ["a.js", "b.js"])
    assert sum(bytes_by_source("a😀b".encode(), told).values()) <= len("a😀b".encode())


def test_the_root_of_sources_comes_before_each() -> None:
    told = source_map([[(0, 0), (1, 1)]], ["a.js", None], sourceRoot="../src/")
    assert bytes_by_source(b"ab", told) == {"../src/a.js": 1}


def test_a_source_that_is_listed_twice_is_one() -> None:
    told = source_map([[(0, 0), (1, 1)]], ["a.js", "a.js"])
    assert bytes_by_source(b"ab", told) == {"a.js": 2}


def test_an_empty_map_tells_nothing() -> None:
    assert bytes_by_source(b"a {}\n", source_map([], [])) == {}


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (b"{", "it is not JSON"),
        (b"[" * 100_000, "it is not JSON"),
        (b"[]", "it is not a source map"),
        (b'{"version": 3, "sections": [{"offset": {"line": 0}}]}', "one of its sections is none"),
        (b'{"version": 3, "sources": ["a.js"]}', "it has no sources and mappings"),
        (b'{"sources": ["a.js"], "mappings": "AA"}', "'AA' is not a mapping"),
        (b'{"sources": ["a.js"], "mappings": "AAA?"}', "is not a mapping"),
        (b'{"sources": ["a.js"], "mappings": "AAAg"}', "is not a mapping"),
        (b'{"sources": ["a.js"], "mappings": "AAAA,"}', "'' is not a mapping"),
        (source_map([[(0, 1)]], ["a.js"]), "it names source 1 of 1"),
        (source_map([[(0, 0), (9, None)]], ["a.js"]), "it does not fit its file"),
        (source_map([[(3, 0), (1, None)]], ["a.js"]), "it does not fit its file"),
        (source_map([[(0, 0)], [(0, 0)]], ["a.js"]), "it does not fit its file"),
    ],
)
def test_a_map_that_tells_nothing_of_its_file_is_refused(told: bytes, said: str) -> None:
    with pytest.raises(MapError) as caught:
        bytes_by_source(b"aaaa", told)
    assert said in str(caught.value)


def test_a_file_that_is_not_utf_8_is_refused() -> None:
    with pytest.raises(MapError, match="not UTF-8"):
        bytes_by_source(b"\xff\xfe", source_map([[(0, 0)]], ["a.js"]))


@given(
    lines=st.lists(
        st.lists(
            st.tuples(st.text(st.sampled_from("ab é€😀;,"), min_size=1, max_size=9), st.integers(0, 3)), max_size=5
        ),
        min_size=1,
        max_size=6,
    )
)
def test_where_every_text_has_a_source_all_bytes_have_one(lines: list[list[tuple[str, int]]]) -> None:
    """Of lines written from pieces of known sources, each source gets its pieces, and the line end after its last."""
    expected: Counter[str] = Counter()
    spans: list[list[tuple[int, int | None]]] = []
    for number, pieces in enumerate(lines):
        line: list[tuple[int, int | None]] = []
        column = 0
        for text, source in pieces:
            line.append((column, source))
            column += len(text.encode("utf-16-le")) // 2
            expected[f"{source}.js"] += len(text.encode())
        spans.append(line)
        owner = next((pieces[-1][1] for pieces in reversed(lines[: number + 1]) if pieces), None)
        if owner is not None and number + 1 < len(lines):
            expected[f"{owner}.js"] += 1  # the last one holds on
    text = "\n".join("".join(piece for piece, _ in pieces) for pieces in lines)
    assert bytes_by_source(text.encode(), source_map(spans, [f"{number}.js" for number in range(4)])) == expected


@pytest.mark.parametrize("path", sorted(BUILT.rglob("*.js.map")), ids=lambda path: f"{path.parts[-4]}-{path.stem}")
def test_real_maps_give_most_of_a_file_to_sources(path: Path) -> None:
    generated = path.with_suffix("").read_bytes()
    mapped = bytes_by_source(generated, path.read_bytes())
    assert 0.1 * len(generated) < sum(mapped.values()) <= len(generated)


def test_two_megabytes_take_less_than_two_seconds() -> None:
    count = 400_000  # as many mappings as there are names and operators in a minified file of that size
    spans: list[tuple[int, int | None]] = [(column * 5, column // 50 % 100) for column in range(count)]
    told = source_map([spans], [f"src/{number}.js" for number in range(100)])
    start = time.process_time()
    mapped = bytes_by_source(b"x" * (count * 5), told)
    assert time.process_time() - start < 2
    assert sum(mapped.values()) == count * 5
