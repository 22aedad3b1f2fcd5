"""Compressed sizes, and the cache that keeps them."""

import gzip
import json
import random
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import brotli
import pytest

from pytest_memgate.measure.bundle import weigh as module
from pytest_memgate.measure.bundle.weigh import Sizes, weigh

TEXT = b"".join(b"export const stop%d = 'platform %d';\n" % (i, i % 7) for i in range(2000))


def test_sizes_are_those_of_gzip_9_and_brotli_11() -> None:
    assert weigh({"a.js": TEXT}) == {
        "a.js": Sizes(raw=len(TEXT), gzip=len(gzip.compress(TEXT, 9)), brotli=len(brotli.compress(TEXT, quality=11)))
    }


def test_what_came_back_is_what_went_in() -> None:
    empty = weigh({"a.js": b""})["a.js"]
    assert (empty.raw, empty.gzip) == (0, len(gzip.compress(b"")))
    assert weigh({}) == {}


def test_sizes_add_up_file_by_file() -> None:
    one = Sizes(raw=1, gzip=20, brotli=3)
    assert Sizes.sum([one, one]) == Sizes(raw=2, gzip=40, brotli=6)


@pytest.fixture
def compressed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of what is compressed from here on."""
    done: list[int] = []
    compress = module._brotli

    def count(content: bytes) -> int:
        done.append(len(content))
        return compress(content)

    monkeypatch.setattr(module, "_brotli", count)
    return done


def test_equal_files_are_compressed_once(compressed: list[int]) -> None:
    assert weigh({"a.js": TEXT, "b.js": TEXT})["b.js"].raw == len(TEXT)
    assert compressed == [len(TEXT)]


def test_the_largest_file_is_begun_first(compressed: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    weigh({"a.js": b"x" * 10, "b.js": b"x" * 1000, "c.js": b"x" * 100})
    assert compressed == [1000, 100, 10]


def test_a_known_file_is_not_compressed_again(tmp_path: Path, compressed: list[int]) -> None:
    cache = tmp_path / "new" / "cache"
    first = weigh({"a.js": TEXT}, cache)
    assert weigh({"renamed.js": TEXT}, cache)["renamed.js"] == first["a.js"]
    assert compressed == [len(TEXT)]
    weigh({"a.js": TEXT + b" "}, cache)
    assert compressed == [len(TEXT), len(TEXT) + 1]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b'{"format": 1}',
        b'{"format": 99, "engines": "", "sizes": {}}',
        b'{"format": 1, "engines": "zlib 0", "sizes": {}}',
    ],
)
def test_a_cache_that_is_spoilt_is_ignored_and_put_right(tmp_path: Path, content: bytes, compressed: list[int]) -> None:
    (tmp_path / "bundle-sizes.json").write_bytes(content)
    assert weigh({"a.js": TEXT}, tmp_path) == weigh({"a.js": TEXT})
    weigh({"a.js": TEXT}, tmp_path)
    assert compressed == [len(TEXT)] * 2


@pytest.mark.parametrize("entry", ["text", 7, [1], [1, "x"], None])
def test_an_entry_that_is_spoilt_is_ignored(tmp_path: Path, entry: object, compressed: list[int]) -> None:
    weigh({"a.js": TEXT}, tmp_path)
    file = tmp_path / "bundle-sizes.json"
    content = json.loads(file.read_bytes())
    content["sizes"] = dict.fromkeys(content["sizes"], entry)
    file.write_text(json.dumps(content), encoding="utf-8")
    assert weigh({"a.js": TEXT}, tmp_path) == weigh({"a.js": TEXT})
    assert len(compressed) == 3


def test_sizes_of_another_release_of_the_libraries_are_not_taken(
    tmp_path: Path, compressed: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    weigh({"a.js": TEXT}, tmp_path)
    monkeypatch.setattr(brotli, "__version__", "99.0")
    weigh({"a.js": TEXT}, tmp_path)
    assert len(compressed) == 2


def test_a_cache_that_cannot_be_written_costs_no_answer(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert weigh({"a.js": TEXT}, tmp_path / "file") == weigh({"a.js": TEXT})


def test_the_cache_forgets_the_oldest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CACHE_ENTRIES", 2)
    for name in "abc":
        weigh({name: name.encode()}, tmp_path)
    assert len(json.loads((tmp_path / "bundle-sizes.json").read_bytes())["sizes"]) == 2


def _weigh_many(cache: Path, worker: int) -> list[Sizes]:
    return [weigh({"a.js": b"%d %d" % (worker, i), "b.js": TEXT}, cache)["b.js"] for i in range(20)]


def test_processes_that_share_a_cache_all_get_their_answer(tmp_path: Path) -> None:
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as pool:
        found = [size for sizes in pool.map(partial(_weigh_many, tmp_path), range(4)) for size in sizes]
    assert set(found) == {weigh({"b.js": TEXT})["b.js"]}
    assert [path.name for path in tmp_path.iterdir()] == ["bundle-sizes.json"]


def test_threads_compress_at_the_same_time() -> None:
    """While one file is compressed, Python goes on: nothing waits for the interpreter's lock."""
    beats = []
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(module._brotli, random.Random(1).randbytes(500_000))
        while not done.done():
            beats.append(threading.active_count())
            time.sleep(0.001)
    assert len(beats) > 5
