"""Failing examples of earlier runs are replayed once a test has passed and has been measured.

Hypothesis replays them first. An example that no longer fails would then be part of the test's memory in one checkout
and not in another. If one still fails, so does the test, and its memory is not judged.
"""

import inspect
import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from _pytest.unittest import TestCaseFunction

from pytest_memgate.plugin.test import TEST

_SETTINGS = "_hypothesis_internal_use_settings"  # hypothesis's own plugin for pytest sets it, too


class Replay:
    """The hook that replays the examples of the project's own storage."""

    def __init__(self, examples: Path, private: Path) -> None:
        self._examples = examples
        self._private = private

    def has_examples(self) -> bool:
        """True if there is any failing example to replay."""
        try:
            return any(self._examples.iterdir())
        except OSError:
            return False

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        """Replay after the call."""
        result = yield  # within it the loop traces the function of the test
        if isinstance(item, pytest.Function) and not isinstance(item, TestCaseFunction):
            is_of_hypothesis = getattr(item.obj, "is_hypothesis_test", False)
            if is_of_hypothesis and not item.stash[TEST].run.is_repeat:
                self._replay(item)
        return result

    def _replay(self, item: pytest.Function) -> None:
        """Call a test once more with the failing examples only; raises the error that they lead to."""
        from hypothesis import Phase, settings
        from hypothesis.database import DirectoryBasedExampleDatabase

        test = getattr(item.obj, "__func__", item.obj)
        own: Any = getattr(test, _SETTINGS, None)
        if own is None or Phase.reuse not in own.phases or not self._is_private(own.database):
            return
        if inspect.iscoroutinefunction(item.obj.hypothesis.inner_test):  # the plugin that runs it is done with it
            return
        phases = [one for one in own.phases if one not in {Phase.explicit, Phase.generate, Phase.target}]
        database = DirectoryBasedExampleDatabase(self._examples)
        setattr(test, _SETTINGS, settings(own, database=database, phases=phases))
        try:
            item.obj(**{name: item.funcargs[name] for name in item._fixtureinfo.argnames})
        finally:
            setattr(test, _SETTINGS, own)

    def _is_private(self, database: object) -> bool:
        """True if a test keeps its examples in the gate's storage; a database of its own replays as usual."""
        path = getattr(database, "path", None)
        return path is not None and os.fspath(path).startswith(f"{self._private}{os.sep}")
