"""The files that a step writes for GitHub: its outputs and its summary."""

import secrets
from collections.abc import Mapping
from pathlib import Path

SUMMARY_MOST = 1024 * 1024  # bytes of one step's summary: GitHub shows nothing of a larger one


def write_outputs(path: Path, values: Mapping[str, str]) -> None:
    """Add outputs to a step's file; no value can end early or add another one, whatever it holds."""
    parts = []
    for name, value in values.items():
        end = f"end-{secrets.token_hex(16)}"
        parts.append(f"{name}<<{end}\n{value}\n{end}\n")
    _add(path, "".join(parts))


def write_summary(path: Path, text: str) -> None:
    """Add Markdown to a step's summary; a text that is too large is left out, and the summary says so."""
    room = SUMMARY_MOST - (path.stat().st_size if path.exists() else 0)
    if len(text.encode()) > room:
        text = "memgate: the summary has no room for the report; see the artifact.\n"
    _add(path, text)


def _add(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8", newline="\n") as file:
        file.write(text)
