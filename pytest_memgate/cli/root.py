"""The folder of a project, found from any folder within it."""

from pathlib import Path

_MARKS = ("memgate.yml", ".memgate", "pyproject.toml", "pytest.ini", "tox.ini", "setup.cfg", ".git")


def find_root(start: Path) -> Path:
    """Return the nearest folder, from `start` up, that looks like a project's root; `start` itself if none does."""
    for folder in (start, *start.parents):
        if any((folder / mark).exists() for mark in _MARKS):
            return folder
    return start
