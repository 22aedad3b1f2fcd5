"""The checks that memgate.yml declares as tests: `memgate.yml::bundle[app]`, `::page[home]`, `::import[numpy]`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_memgate.measure.process.shared_server import SharedServer
from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.plugin.checks.fixture import Recorder
from pytest_memgate.plugin.items import OwnItem, subject_of
from pytest_memgate.plugin.marker import read_marker
from pytest_memgate.plugin.test import TEST
from pytest_memgate.probes.check import Check
from pytest_memgate.probes.table import probe_of
from pytest_memgate.tasks.judge.answer import answered
from pytest_memgate.tasks.judge.gate import Gate
from pytest_memgate.tasks.judge.probed import probe_findings


class Declared:
    """Collects the declared checks, and makes the recorder of the `memgate` fixture."""

    def __init__(self, config: pytest.Config, gate: Gate, *, update: bool) -> None:
        self.gate = gate
        self.update = update
        self.cache = _cache(config)
        name = gate.own.file
        self._path = gate.root / name if name and self._has_any(name) else None
        if self._path:
            _also_run(config, self._path)  # each of xdist's workers reads the test paths anew

    def _has_any(self, file: str) -> bool:
        """True if there is something to collect, even if it is only the baseline of a check that is gone."""
        return bool(self.gate.own.checks) or any(file in store.files() for store in self.gate.baselines.head)

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        """Collect the checks of the configuration file."""
        if file_path != self._path:
            return None
        return DeclaredFile.from_parent(parent, path=file_path, declared=self)

    def recorder(self, item: pytest.Item) -> Recorder:
        """Return the recorder of one test."""
        return Recorder(item, self.gate, update=self.update, cache=self.cache)


def _cache(config: pytest.Config) -> Path | None:
    """Return the folder in pytest's own cache where compressed sizes are kept from run to run."""
    cache = getattr(config, "cache", None)
    return cache.mkdir("memgate") if cache else None


def _also_run(config: pytest.Config, path: Path) -> None:
    """Add the declared checks to a run of the project's own test paths, which do not name this file."""
    if config.args_source is not pytest.Config.ArgsSource.TESTPATHS:
        return
    folders = [(config.invocation_params.dir / argument).resolve() for argument in config.args]
    if not any(folder == path or folder in path.parents for folder in folders):
        config.args.append(str(path))


class DeclaredFile(pytest.File):
    """memgate.yml, or pyproject.toml, as a collection of checks."""

    def __init__(self, *, declared: Declared, **more: Any) -> None:
        super().__init__(**more)
        self._declared = declared
        self.server = SharedServer()

    def teardown(self) -> None:
        """End the server that the checks shared, after the last of them."""
        self.server.end()

    def collect(self) -> Iterator[pytest.Item]:
        """Yield an item for each check."""
        for name, check in self._declared.gate.own.checks.items():
            # Given as a text, it is what --lf reads from its cache; pytest 9.2 would not see that it has brackets.
            nodeid = f"{self.nodeid}::{name}"
            yield DeclaredItem.from_parent(self, name=name, nodeid=nodeid, check=check, declared=self._declared)


class DeclaredItem(OwnItem):
    """One declared check."""

    def __init__(self, *, check: Check, declared: Declared, **more: Any) -> None:
        super().__init__(**more)
        self._check = check
        self._declared = declared
        self._family = probe_of(check).family
        self.add_marker(f"memgate_{check.kind}")

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return the file and line where the check is declared."""
        line = self._check.source.rpartition(":")[2]
        return self.path, int(line) - 1 if line.isdecimal() else 0, self.name

    def runtest(self) -> None:
        """Measure, and keep the findings on the test.

        An error of a probe becomes a finding; a bug of ours is raised, and leaves a finding without an answer.
        """
        test = self.stash[TEST]
        subject = subject_of(self, self._declared.gate.root)
        if test.outcome is Outcome.SKIPPED:
            finding = Finding(subject=subject, metric=self._family, outcome=test.outcome, why=test.why)
            test.findings.append(finding)
        else:
            try:
                test.findings += answered(subject, self._family, self._measure)
            except Exception as error:
                # A fault of ours is no answer either: without a finding the verdict could be green.
                why = f"{type(error).__name__}: {error}"
                test.findings.append(Finding(subject=subject, metric=self._family, outcome=Outcome.NO_ANSWER, why=why))
                raise

    def _measure(self) -> list[Finding]:
        declared = self._declared
        return probe_findings(
            declared.gate,
            subject_of(self, declared.gate.root),
            self._check,
            read_marker(self)[0],
            settle=declared.update,
            cache=declared.cache,
            server=self.parent.server if isinstance(self.parent, DeclaredFile) else None,
        )
