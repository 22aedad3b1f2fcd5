"""A scratch project: copies of the files of one declared check, to be changed and run under the real gate."""

import base64
import random
import shutil
from collections.abc import Iterable
from pathlib import Path

from pytest_memgate.baseline.store import FOLDER
from pytest_memgate.config.schema import Settings
from pytest_memgate.errors import MeasureError
from pytest_memgate.model.metric import WEB
from pytest_memgate.model.subject import Subject
from pytest_memgate.tasks.prove.pytest_subprocess import Done, real_run


class Scratch:
    """A folder with a project's configuration, its baselines of the web, and copies of some files at their places."""

    def __init__(self, root: Path, settings: Settings, folder: Path) -> None:
        self._source = root.resolve()
        self.root = folder / "project"
        shutil.rmtree(self.root, ignore_errors=True)
        self.root.mkdir(parents=True)
        self._folder = folder
        (self.root / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
        baselines = Path(FOLDER, WEB)
        self.copy([self._source / settings.file])
        shutil.copytree(self._source / baselines, self.root / baselines)

    def place(self, path: Path) -> Path:
        """Return the place of a project's file in the copy; raises MeasureError for a file from elsewhere."""
        real = path.absolute()
        for base in (self._source, self._source.resolve()):
            if real.is_relative_to(base):
                return self.root / real.relative_to(base)
        raise MeasureError(f"{path} lies outside the project, and only what is in it is copied")

    def copy(self, files: Iterable[Path]) -> None:
        """Copy files of the project to their places; raises MeasureError for a file from elsewhere."""
        for file in files:
            target = self.place(file)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)

    def run(self, subject: Subject) -> Done:
        """Run one check of the copy under the real gate."""
        plugin = ("-p", "pytest_memgate.plugin.child_runs.inject_growth", f"--memgate-only={subject}")
        return real_run(self.root, (*plugin, str(self.root / subject.file)), self._folder, cwd=self.root, traces=False)


def noise(size: int) -> str:
    """Return text that stays at least `size` bytes however it is compressed; the same each time.

    Base 64 holds six bits in each byte, so the text is a third longer, and no compressor removes more than that third.
    """
    dice = random.Random(0)  # noqa: S311  # no secret
    return base64.b64encode(dice.randbytes(size)).decode()
