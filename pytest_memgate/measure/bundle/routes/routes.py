"""The pages of a framework in a manifest of chunks, as Vite writes it: each page by its route, and its chunks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pytest_memgate.measure.bundle.stats.shape import Node

Chunks = Mapping[str, Node]  # by their keys in the manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class Routes:
    """The chunks that the first screen of each page starts from, by its route.

    `chunks` are those of the manifest, with what the framework left out of it. `files` are those that the routes were
    read from. `folders` are further folders to look
    for the files in. `notes` tell what is not known.
    """

    pages: Mapping[str, tuple[str, ...]]
    chunks: Chunks
    files: tuple[Path, ...] = ()
    folders: tuple[Path, ...] = ()
    notes: tuple[str, ...] = field(default=())


Finder = Callable[[Chunks, Path, Path], Routes | None]
"""Returns the routes of a manifest at a path in a project, None if it is not of this framework."""


def above(origin: Path, project: Path) -> list[Path]:
    """Return the folders around a file, the nearest first, up to the project."""
    return [folder for folder in origin.parents if folder.is_relative_to(project)]
