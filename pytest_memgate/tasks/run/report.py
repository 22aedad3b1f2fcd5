"""Show a run in the form that a reader wants."""

from collections.abc import Sequence
from pathlib import Path

from pytest_memgate.baseline.batch import replace_text
from pytest_memgate.errors import UsageError
from pytest_memgate.model.run import Run
from pytest_memgate.tasks.run.file import read_run, to_json
from pytest_memgate.tasks.run.json_file import json_text


def report(root: Path, paths: Sequence[Path], form: str, *, prefix: str = "") -> str:
    """Return the report of the last of the runs' files; the others are its history, the oldest first.

    Raises RunFileError for a file that is not a run, UsageError for a missing library.
    """
    *history, run = [read_run(path) for path in paths]
    return render(root, run, history, form, prefix=prefix)


def render(root: Path, run: Run, history: Sequence[Run], form: str, *, prefix: str = "") -> str:
    """Return a run as markdown, html, github, openmetrics or json; raises UsageError for a missing library."""
    if form == "markdown":
        from pytest_memgate.report.markdown import markdown

        return markdown(run, history)
    if form == "html":
        from pytest_memgate.report.html.render import html

        return html(run, history)
    if form == "github":
        from pytest_memgate.report.annotations import annotations

        lines = annotations(run, prefix=prefix, locate=lambda path, word: locate(root, path, word))
        return "".join(f"{line}\n" for line in lines)
    if form == "openmetrics":
        from pytest_memgate.report.openmetrics import openmetrics

        return openmetrics(run)
    return json_text(to_json(run), indent=1)


def write(text: str, path: Path) -> None:
    """Write a report whole or not at all; raises UsageError if that fails."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_text(path, text)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}", hint="give another path") from error


def locate(root: Path, path: str, word: str) -> tuple[str, int] | None:
    """Return the file of the project that `path` means, and the first line that has `word`, 0 if none has.

    A bundler's paths may be below a folder of the project. None for a path outside of the project: a run's file from
    elsewhere may hold any path.
    """
    try:
        for folder in (root, *sorted(one for one in root.iterdir() if one.is_dir())):
            file = folder / path
            if file.is_file() and file.resolve().is_relative_to(root.resolve()) and "node_modules" not in file.parts:
                return file.relative_to(root).as_posix(), _line_of(file, word)
    except (OSError, ValueError):  # no path of this system
        pass
    return None


def _line_of(file: Path, word: str) -> int:
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines() if word else []
    return next((number for number, line in enumerate(lines, 1) if word in line), 0)
