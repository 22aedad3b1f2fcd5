"""Which `--memgate-*` options count: typed ones and, beside a base, those of the base's ini file; not the change's."""

import argparse
import os
import shlex
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from _pytest.config.findpaths import load_config_dict_from_file

from pytest_memgate.baseline.source import GitRef
from pytest_memgate.budget.rule import PartError, Rule
from pytest_memgate.model.judgement.budget import RuleKind
from pytest_memgate.model.metric import MEMORY_PEAK
from pytest_memgate.plugin.flags import OPTIONS
from pytest_memgate.plugin.marker import parse_rule
from pytest_memgate.plugin.session.parsing import parsed
from pytest_memgate.tasks.run.git_worktree import repository
from pytest_memgate.tasks.run.loosened import Options

_HANDED = "memgate options"
_ENVIRONMENT = "PYTEST_ADDOPTS"
_LOOSENING = {option.name: option for option in OPTIONS if option.loosens}
# In pytest's own order: the first of them in a folder that speaks of pytest counts.
_INI_FILES = ("pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg")


def options_of(option: argparse.Namespace, source: Callable[[str, str], str] = lambda part, _: part) -> Options:
    """Return the meaning of the options; `source` gives the place of an option from its flag and its text.

    Raises pytest.UsageError for an amount that has no meaning.
    """
    strict = option.memgate_strict
    flag = "--no-memgate-strict" if strict is False else "--memgate-strict"
    texts = {flag: "", "--memgate-missing": option.memgate_missing, "--memgate-measure": option.memgate_measure}
    return Options(
        rules=_rules(option, source),
        missing=option.memgate_missing or "",
        strict=strict,
        measure=option.memgate_measure or "",
        sources={name: source(name, text or "") for name, text in texts.items()},
    )


def hand_over(config: pytest.Config, worker: dict[str, Any]) -> None:
    """Give an xdist worker the options that count, as it has parsed the change's own ini file by itself."""
    worker[_HANDED] = {name: getattr(config.option, f"memgate_{name}") for name in _LOOSENING}


def take_over(config: pytest.Config) -> bool:
    """Take the options that the controller has handed over; return False if this process is no worker."""
    worker = getattr(config, "workerinput", None)
    for name, value in (worker or {}).get(_HANDED, {}).items():
        setattr(config.option, f"memgate_{name}", value)
    return worker is not None


def _rules(option: argparse.Namespace, source: Callable[[str, str], str]) -> dict[str, Rule]:
    """Read `--memgate-growth 1MB` (of the peak memory) and `--memgate-growth web.lcp=500ms`, by metric."""
    given: dict[str, dict[str, object]] = {}
    sources: dict[str, dict[str, str]] = {}
    for part in RuleKind:
        for text in getattr(option, f"memgate_{part}") or []:
            name, has_name, amount = text.rpartition("=")
            metric = name if has_name else MEMORY_PEAK.name
            given.setdefault(metric, {})[part] = amount
            sources.setdefault(metric, {})[part] = source(f"--memgate-{part}", text)
    rules = {}
    for name, parts in given.items():
        try:
            rules[name] = replace(parse_rule(name, parts, ""), sources=sources[name])
        except ValueError as error:
            wrong = error.part if isinstance(error, PartError) else next(iter(parts))
            raise pytest.UsageError(f"memgate: --memgate-{wrong}: {error}") from error
    return rules


class Given:
    """The options of a run beside a git ref, by their place.

    `typed` are those on the command line, `held` are these and the ones of the ref's own ini file. Raises
    pytest.UsageError for an ini file of the ref that pytest cannot read.
    """

    def __init__(self, config: pytest.Config, ref: str) -> None:
        self._config = config
        commit = GitRef(config.rootpath, ref).commit
        self._top = repository(config.rootpath)
        self._base = GitRef(self._top, commit)
        self._ref = ref
        words = [str(argument) for argument in config.invocation_params.args]
        self.typed = self._parsed([word for word in words if not word.startswith("@")])
        self.held = self._parsed([*self._addopts(), *self._as_on_the_base(words)])

    def given(self) -> Options:
        """Return the options of this run, each with the file or the variable that it stands in."""
        return options_of(self._config.option, self._place)

    def base_line(self) -> Iterator[str]:
        """Yield a line if the change itself names the ref that it is compared with."""
        name, typed = self._config.option.memgate_base, self.typed.memgate_base
        place = self._place("--memgate-base", name)
        if typed is not None:
            return
        if self._base.commit == GitRef(self._top, "HEAD").commit:
            yield f"{place}: {name} is the commit under test itself: its changes are compared with nothing"
        elif name != self.held.memgate_base and _ENVIRONMENT not in place:
            before = self.held.memgate_base
            yield f"{place}: {name}, and {before or 'no ref'} on the base; type it on the command line"

    def hold(self) -> None:
        """Let the options of the base count, in pytest's own place; strict options of the change count at once.

        Raises pytest.UsageError for an option of the base that pytest cannot read.
        """
        self._config.option.no_summary = self.held.no_summary  # before pytest 9 it silences plugins, too
        if self._config.pluginmanager.is_blocked("terminal") and "no:terminal" not in self.held.plugins:
            raise pytest.UsageError("memgate: -p no:terminal hides what the gate says; type it where that is meant")
        for name, option in _LOOSENING.items():
            given = getattr(self._config.option, f"memgate_{name}")
            if given not in option.strictest:
                setattr(self._config.option, f"memgate_{name}", getattr(self.held, f"memgate_{name}"))

    def _place(self, flag: str, text: str) -> str:
        """Return an option with its place; typed options come last, and need none."""
        here = self._config.invocation_params.dir
        files = [word[1:] for word in map(str, self._config.invocation_params.args) if word.startswith("@")]
        places = {name: (here / name).read_text(encoding="utf-8", errors="replace").splitlines() for name in files}
        places[_ENVIRONMENT] = shlex.split(os.environ.get(_ENVIRONMENT, ""))
        for name, words in places.items():
            if any(word.startswith(flag) for word in words) and (not text or any(text in word for word in words)):
                return f"{flag} in {name}"
        return f"{flag} in {self._config.inipath.name if self._config.inipath else 'the code of the project'}"

    def _parsed(self, words: Sequence[str]) -> argparse.Namespace:
        try:
            return parsed(self._config, words)
        except pytest.UsageError as error:
            raise pytest.UsageError(f"memgate: the options of {self._ref}: {error}") from error

    def _as_on_the_base(self, words: Sequence[str]) -> Iterator[str]:
        """Yield the typed words; for a file of words, `@options.txt`, those that it holds on the base."""
        for word in words:
            if word.startswith("@"):
                yield from (self._read(self._config.invocation_params.dir / word[1:]) or "").splitlines()
            else:
                yield word

    def _addopts(self) -> list[str]:
        """Return the `addopts` that pytest would find on the base."""
        for setting in reversed(self.typed.override_ini or []):
            name, _, value = setting.partition("=")
            if name == "addopts":
                return shlex.split(value)
        for path in self._ini_files():
            settings = self._settings(path)
            if settings is not None:
                found = settings.get("addopts", "")
                words: Any = getattr(found, "value", found)  # pytest 9 wraps it
                return shlex.split(words) if isinstance(words, str) else [str(word) for word in words]
        return []

    def _ini_files(self) -> Iterator[Path]:
        """Yield the paths at which pytest looks for its ini file: as typed, or from the arguments upwards."""
        here = self._config.invocation_params.dir
        if self.typed.inifilename:
            yield here / self.typed.inifilename
            return
        asked = [here / str(argument).partition("::")[0] for argument in self.typed.file_or_dir]
        folders = [path if path.is_dir() else path.parent for path in asked if path.exists()]
        start = Path(os.path.commonpath(folders)) if folders else here
        for folder in (start, *start.parents):
            yield from (folder / name for name in _INI_FILES)

    def _settings(self, path: Path) -> Mapping[str, Any] | None:
        text = self._read(path)
        if text is None:
            return None
        with tempfile.TemporaryDirectory(prefix="memgate-") as folder:
            copy = Path(folder, path.name)
            copy.write_text(text, encoding="utf-8")
            try:
                return load_config_dict_from_file(copy)
            except (pytest.UsageError, pytest.fail.Exception) as error:
                said = str(error).replace(str(copy), path.name)
                raise pytest.UsageError(f"memgate: {self._ref}: {said}") from error

    def _read(self, path: Path) -> str | None:
        """Return a file as it is on the base, None if there is none or it lies outside of the repository."""
        path = path.resolve()
        if not path.is_relative_to(self._top):
            return None
        try:
            return self._base.read(path.relative_to(self._top).as_posix())
        except UnicodeDecodeError as error:
            raise pytest.UsageError(f"memgate: {path.name} of {self._ref}: {error}") from error
