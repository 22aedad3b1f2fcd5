"""Three weeks of the example project as a git repository: what its commits changed, and by whom."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

ANN, BO, CY = "Ann Example", "Bo Sample", "Cy Pattern"
LABELS, LOG, TRENDS = "shop/labels.py", "shop/middleware.py", "shop/trends.py"


@dataclass(frozen=True)
class Change:
    """A commit: a text that is replaced in a file, or a variant of the example in the place of the file."""

    day: int  # of November
    author: str
    title: str
    file: str = "notes.txt"
    old: str = ""
    new: str = ""
    variant: str = ""


CHANGES = (
    Change(2, ANN, "A shop with labels, trends and a request log"),
    Change(3, BO, "Say what an order is"),
    Change(4, ANN, "Taller labels for the new printer", LABELS, "_ROWS = 400", "_ROWS = 640"),
    Change(5, CY, "Names of parcels"),
    Change(6, BO, "Trends without a copy (#12)", TRENDS, variant="viewing_trends.py"),
    Change(9, CY, "Sort the couriers by price"),
    Change(10, ANN, "Copy the week again (#14)", TRENDS, "levels[-_WEEK:]", "levels[-_WEEK:].copy()"),
    Change(11, BO, "Keep requests to look at (#17)", LOG, variant="leaky_middleware.py"),
    Change(12, CY, "Say what a basket is"),
    Change(13, BO, "Keep no request (#19)", LOG, variant="../shop/middleware.py"),
    Change(16, ANN, "Larger chunks of what is uploaded", LOG, "16 * 1024", "64 * 1024"),
    Change(17, CY, "Six weeks of trends (#22)", TRENDS, "_WEEK = 7 * 24", "_WEEK = 6 * 7 * 24"),
    Change(18, ANN, "Say where parcels go"),
)
RELEASE, RELEASED = 6, "release 2.1"  # which of them, from 0
EXPLAINED, REASON = "test_a_day_of_deliveries", "a chunk of 64 KB: uploads of photos need fewer turns"


def write(folder: Path, example: Path) -> None:
    """Make the commits in a copy of the example."""
    _git(folder, "init", "--quiet", "--initial-branch=main")
    for change in CHANGES:
        file = folder / change.file
        if change.variant:
            shutil.copy(example / "variants" / change.variant, file)
        elif change.old:
            text = file.read_text(encoding="utf-8")
            if change.old not in text:
                raise SystemExit(f"{file}: no {change.old!r} in it")
            file.write_text(text.replace(change.old, change.new), encoding="utf-8")
        else:
            file.write_text(change.title, encoding="utf-8")
        _git(folder, "add", "--all")
        time = f"2026-11-{change.day:02}T10:00:00Z"
        name, mail = change.author, f"{change.author.partition(' ')[0].lower()}@example.org"
        _git(
            folder,
            "commit",
            "--quiet",
            f"--message={change.title}",
            env={
                "GIT_AUTHOR_NAME": name,
                "GIT_AUTHOR_EMAIL": mail,
                "GIT_AUTHOR_DATE": time,
                "GIT_COMMITTER_NAME": name,
                "GIT_COMMITTER_EMAIL": mail,
                "GIT_COMMITTER_DATE": time,
            },
        )


def _git(folder: Path, *args: str, env: dict[str, str] | None = None) -> None:
    command = ["env", *(f"{key}={value}" for key, value in (env or {}).items()), "git", *args]
    subprocess.run(command, cwd=folder, check=True)
