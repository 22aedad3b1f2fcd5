"""File names without the hash that changes from build to build: `entry-46P3FFLH.js` is `entry-*.js`."""

import re
from collections.abc import Iterable

_EXTENSIONS = re.compile(r"(?:\.(?:[cm]?[jt]sx?|css|html?|json|map|min|module|chunk|bundle|modern|legacy))+$")
_TOKEN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z0-9]{6,}(?![A-Za-z0-9])")
_HEX = re.compile(r"[0-9a-f]+")
_BASE32 = re.compile(r"[A-Z2-7]{8}")  # esbuild's
_BASE64 = re.compile(r"[A-Za-z0-9_-]{8}")  # Rollup's, and so Vite's
_TURBOPACK = re.compile(r"((?:[a-z]+-)?)[0-9a-z_~.-]{13}")
_SUFFIX = re.compile(r"[-._][A-Za-z0-9_-]{6,}")
_NAME = re.compile(r"(?:[A-Z]?[a-z]{2,})+[A-Z]{0,3}\d{0,2}|[A-Z]{2,}\d{0,2}|v?\d+|[A-Z]?[a-z]")
_NO_SPEECH = re.compile(r"[b-df-hj-np-tv-xz]{5}")


def without_hash(path: str, *, hashes: Iterable[str] = (), name: str = "") -> str:
    """Return a file's name with `*` for its hash.

    The hash is each of `hashes`, or the text after the chunk's `name`. If the bundler told neither, it is text that
    looks like a known bundler's hash; of Rollup's hashes, one in 25 looks like a word and stays.
    """
    known = [text for text in hashes if len(text) >= 4 and text in path]
    if known:
        for text in sorted(known, key=len, reverse=True):
            path = path.replace(text, "*")
        return path
    folder, slash, file = path.rpartition("/")
    extension = match[0] if (match := _EXTENSIONS.search(file)) else ""
    stem = file.removesuffix(extension)
    folder = "/".join("*" if len(part) >= 16 and _is_random(part) else part for part in folder.split("/"))
    return f"{folder}{slash}{_after_name(stem, name) or _ending(stem) or _anywhere(stem)}{extension}"


def turbopack_label(path: str) -> str:
    """Return a file's name with `*` for the hash of Turbopack: 13 characters, the whole name or after a word."""
    folder, slash, file = path.rpartition("/")
    stem, dot, extension = file.rpartition(".")
    match = _TURBOPACK.fullmatch(stem)
    return f"{folder}{slash}{match[1]}*{dot}{extension}" if match else without_hash(path)


def _after_name(stem: str, name: str) -> str:
    """Return the stem with `*` for the text after a chunk's known name, empty if that is no hash."""
    name = name.rpartition("/")[2]
    rest = stem.removeprefix(name)
    if name and name not in stem and _BASE64.fullmatch(stem):
        return "*"
    if not name or rest == stem or not _SUFFIX.fullmatch(rest):
        return ""
    # Eight characters are Rollup's hash even if all are small letters; another length may be a word of the pattern's.
    return f"{name}{rest[0]}*" if len(rest) == 9 or not rest[1:].islower() else ""


def _ending(stem: str) -> str:
    """Return the stem without a hash of eight characters at its end, or as a whole; `-` and `_` may be among them."""
    head, tail = stem[:-8], stem[-8:]
    return (
        f"{head}*" if (not head or head.endswith(("-", "."))) and _BASE64.fullmatch(tail) and _is_random(tail) else ""
    )


def _anywhere(stem: str) -> str:
    return _TOKEN.sub(lambda match: "*" if _is_hash(match[0]) else match[0], stem)


def _is_hash(token: str) -> bool:
    if _HEX.fullmatch(token):
        return len(token) >= 8 or not token.isalpha()
    return (len(token) == 8 or len(token) >= 16) and _is_random(token)


def _is_random(text: str) -> bool:
    """True if a text mixes letters, cases and digits as a hash does and a name made of words does not."""
    if _HEX.fullmatch(text) or _BASE32.fullmatch(text):
        return True
    if not any(map(str.isupper, text)):
        # A name may hold a number or two, as `base64url` does: a hash goes from letters to digits more often.
        return len(re.findall(r"[a-z](?=\d)|\d(?=[a-z])", text)) >= 3
    return bool(_NO_SPEECH.search(text)) or not all(_NAME.fullmatch(word) for word in re.split("[-_]", text))
