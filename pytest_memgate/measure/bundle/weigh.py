"""Sizes of files, raw and as a server sends them: compressed in parallel, and kept while the files stay the same."""

import json
import os
import tempfile
import zlib
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import brotli

_CACHE_FILE = "bundle-sizes.json"
_CACHE_FORMAT = 1
_CACHE_ENTRIES = 5000  # about 400 KB


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Bytes of a set of files: raw, by gzip at level 9, and by Brotli at quality 11, each file by itself."""

    raw: int
    gzip: int
    brotli: int

    @classmethod
    def sum(cls, sizes: Iterable["Sizes"]) -> "Sizes":
        """Return the sums of several sizes."""
        every = list(sizes)
        return cls(
            raw=sum(one.raw for one in every),
            gzip=sum(one.gzip for one in every),
            brotli=sum(one.brotli for one in every),
        )


def weigh(contents: Mapping[str, bytes], cache: Path | None = None) -> dict[str, Sizes]:
    """Return the sizes of each file, by name.

    `cache` is a folder that processes may share and that may vanish at any time; trouble with it costs only time.
    """
    digests = {name: blake2b(content, digest_size=20).hexdigest() for name, content in contents.items()}
    distinct = {digests[name]: content for name, content in contents.items()}
    known = _load(cache) if cache else {}
    fresh = _compress({digest: content for digest, content in distinct.items() if digest not in known})
    if cache and fresh:
        _store(cache, _load(cache) | fresh)  # read anew: others may have written meanwhile
    sizes = {digest: (known | fresh)[digest] for digest in distinct}
    return {
        name: Sizes(raw=len(content), gzip=sizes[digests[name]][0], brotli=sizes[digests[name]][1])
        for name, content in contents.items()
    }


def _compress(contents: Mapping[str, bytes]) -> dict[str, tuple[int, int]]:
    """Compress all files, the largest first: both libraries let other threads run meanwhile."""
    if not contents:
        return {}
    largest_first = sorted(contents.items(), key=lambda item: -len(item[1]))
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        # Brotli takes far longer: gzip fills the gaps that it leaves at the end.
        by_brotli = {digest: pool.submit(_brotli, content) for digest, content in largest_first}
        by_gzip = {digest: pool.submit(_gzip, content) for digest, content in largest_first}
        return {digest: (by_gzip[digest].result(), by_brotli[digest].result()) for digest in contents}


def _gzip(content: bytes) -> int:
    compressor = zlib.compressobj(9, zlib.DEFLATED, 31)  # 31: with gzip's header, which has no time in it
    return len(compressor.compress(content)) + len(compressor.flush())


def _brotli(content: bytes) -> int:
    return len(brotli.compress(content, quality=11))


def _engines() -> str:
    """Return the names of the libraries, on which the sizes depend beside the content."""
    return f"zlib {zlib.ZLIB_RUNTIME_VERSION}, brotli {brotli.__version__}"


def _load(cache: Path) -> dict[str, tuple[int, int]]:
    with suppress(OSError, ValueError, TypeError, KeyError, RecursionError):
        content = json.loads((cache / _CACHE_FILE).read_bytes())
        if content["format"] == _CACHE_FORMAT and content["engines"] == _engines():
            return {digest: (int(gzip), int(brotli)) for digest, (gzip, brotli) in content["sizes"].items()}
    return {}


def _store(cache: Path, sizes: dict[str, tuple[int, int]]) -> None:
    latest = dict(list(sizes.items())[-_CACHE_ENTRIES:])
    text = json.dumps({"format": _CACHE_FORMAT, "engines": _engines(), "sizes": latest})
    with suppress(OSError):
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=cache, encoding="utf-8", delete=False) as file:
            file.write(text)
        Path(file.name).replace(cache / _CACHE_FILE)
