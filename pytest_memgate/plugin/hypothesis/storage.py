"""Each process under the gate begins with the same hypothesis storage of its own, whatever lies in `.hypothesis`.

Hypothesis keeps failing examples, tables of Unicode and the constants of the project's modules below `.hypothesis`.
Making the tables takes 200 MB, reading them 5. So they are copied or made before the first test, and one example is
drawn then: no test pays for the set-up of hypothesis. At the end, new failing examples and the tables go to where
hypothesis would have put them.
"""

import inspect
import os
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from pytest_memgate.measure.compiling.private_folder import private_folder, shared_name
from pytest_memgate.plugin.hypothesis.replay import Replay
from pytest_memgate.plugin.hypothesis.seed import FixedSeed
from pytest_memgate.tasks.prove.pytest_subprocess import QUIET

_VARIABLE = "HYPOTHESIS_STORAGE_DIRECTORY"
_HOME = "MEMGATE_HYPOTHESIS_HOME"  # the project's own storage, for the processes that are started
_EXAMPLES, _TABLES = "examples", "unicode_data"
_PATIENCE = 60.0  # seconds for another worker to make the tables
_NAP = 0.02  # seconds


def begin(config: pytest.Config) -> None:
    """Give hypothesis a storage of its own in this process, if it is installed."""
    name = shared_name()
    if name and ("_hypothesis_pytestplugin" in sys.modules or "hypothesis" in sys.modules):
        config.pluginmanager.register(HypothesisStorage(config, Path(name, "hypothesis")), "memgate-hypothesis")


class HypothesisStorage:
    """The storage of one process, and the project's own storage, which is kept apart from it."""

    def __init__(self, config: pytest.Config, folder: Path) -> None:
        self._config = config
        self._folder = folder  # all processes have it in common
        self._own = folder / str(os.getpid())
        self._variables = {name: os.environ.get(name) for name in (_VARIABLE, _HOME)}
        # Workers inherit another storage than the project's in the environment.
        self._home = Path(os.environ.get(_HOME) or os.environ.get(_VARIABLE) or ".hypothesis").absolute()
        os.environ[_HOME] = str(self._home)
        self._seed = FixedSeed()
        # A further run of some tests, which only looks at them, changes nothing in the project.
        self._is_quiet = config.pluginmanager.hasplugin(QUIET[1])
        os.environ[_VARIABLE] = str(self._own)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Switch to the storage, whatever a conftest file has chosen, and let hypothesis set itself up."""
        configuration = sys.modules.get("hypothesis.configuration")
        if configuration is None or not private_folder():  # no test module has imported it
            return
        self._own.mkdir(parents=True, exist_ok=True)
        chosen = getattr(configuration, "__hypothesis_home_directory", None)
        if chosen and not Path(chosen).is_relative_to(self._folder):
            self._home = Path(chosen).absolute()
        _copy(self._tables(), self._own)
        configuration.set_hypothesis_home_dir(self._own)
        with suppress(Exception):  # whatever it is, the tests that use hypothesis will meet it
            draw()
        if self._config.getoption("hypothesis_seed", None) is None:
            self._seed.give(session.items)
        replay = Replay(self._home / _EXAMPLES, self._own)
        if replay.has_examples() and not self._is_quiet:
            self._config.pluginmanager.register(replay, "memgate-hypothesis-replay")

    def pytest_unconfigure(self) -> None:
        """Give new examples and tables to the project."""
        self._seed.take()
        if not self._is_quiet:
            self._give_back()
        for name, value in self._variables.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
        configuration = sys.modules.get("hypothesis.configuration")
        if configuration:
            configuration.set_hypothesis_home_dir(self._home)

    def _give_back(self) -> None:
        """Copy new examples and tables to where hypothesis would have put them."""
        is_new = not self._home.exists()
        for name in (_EXAMPLES, _TABLES):
            _copy(self._own / name, self._home / name)
        if is_new and self._home.exists():
            with suppress(OSError):  # hypothesis sees to it, too, that nobody commits what is in a new one
                (self._home / ".gitignore").write_text("*\n", encoding="utf-8")

    def _tables(self) -> Path:
        """Return a storage with the tables of Unicode, which one process makes for all."""
        tables, unfinished = self._folder / "tables", self._folder / "unfinished"
        try:
            (self._folder / "begun").mkdir()
        except FileExistsError:
            end = time.monotonic() + _PATIENCE
            while not tables.exists() and time.monotonic() < end:
                time.sleep(_NAP)
            return tables
        unfinished.mkdir()
        _copy(self._home / _TABLES, unfinished / _TABLES)
        if not (unfinished / _TABLES).exists():
            _make_tables(unfinished)
        unfinished.rename(tables)
        return tables


def draw() -> None:
    """Let hypothesis draw one text, for which it reads its tables, with settings of its own."""
    from hypothesis import HealthCheck, Phase, Verbosity, find, settings, strategies

    plain = settings(
        database=None,
        deadline=None,
        derandomize=True,
        max_examples=1,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
    )
    find(strategies.text(), lambda _: True, settings=plain)


def _make_tables(storage: Path) -> None:
    """Make the tables of Unicode in another process: this one would be 200 MB larger from then on."""
    program = f"{inspect.getsource(draw)}\ndraw()"
    with suppress(OSError, subprocess.SubprocessError):
        subprocess.run(  # noqa: S603
            [sys.executable, "-c", program],
            env={**os.environ, _VARIABLE: str(storage)},
            capture_output=True,
            timeout=_PATIENCE,
            check=False,
        )


def _copy(source: Path, target: Path) -> None:
    """Copy the files of a folder that the other one lacks, as far as they can be copied."""
    if source.is_dir():
        for file in source.rglob("*"):
            if file.is_file():
                _copy_file(file, target / file.relative_to(source))


def _copy_file(source: Path, target: Path) -> None:
    """Copy a file so that a reader sees all of it or nothing."""
    if not target.exists():
        unfinished = target.with_name(f"{target.name}.{os.getpid()}")
        with suppress(OSError):  # hypothesis goes without a storage that cannot be written, too
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, unfinished)
            unfinished.replace(target)
