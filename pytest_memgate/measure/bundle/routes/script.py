"""Data that a tool wrote as JavaScript: JSON but for `!0`, `void 0`, keys without quotes and commas at the end."""

import json
import re
from typing import Any

_STRING = r'"(?:[^"\\]|\\.)*"'
_PIECES = re.compile(rf"({_STRING})|!0|!1|void 0|undefined|([{{,]\s*)([A-Za-z_$][\w$]*)(?=\s*:)|,(?=\s*[\]}}])")
_WORDS = {"!0": "true", "!1": "false", "void 0": "null", "undefined": "null"}


def read_object(text: str, after: str = "") -> Any:
    """Return the first object or list behind what the pattern `after` finds; raises ValueError if there is none."""
    opening = re.search(rf"{after}[^\[{{]*(?=[\[{{])", text)
    if opening is None:
        raise ValueError("no data is in it")
    return json.JSONDecoder().raw_decode(_PIECES.sub(_as_json, text[opening.end() :]))[0]


def _as_json(piece: re.Match[str]) -> str:
    if piece[1]:
        return piece[1]
    if piece[3]:
        return f'{piece[2]}"{piece[3]}"'
    return _WORDS.get(piece[0], "")
