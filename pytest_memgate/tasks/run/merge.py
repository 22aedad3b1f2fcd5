"""Put the parts of one plan together (shards, jobs for one folder each), and take the verdict on the whole."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from pytest_memgate.baseline.source import WorkTree
from pytest_memgate.baseline.store import Stores
from pytest_memgate.config.sources import Config, load_settings
from pytest_memgate.errors import RunFileError
from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.model.run import Extent, Run
from pytest_memgate.model.subject import Subject
from pytest_memgate.tasks.judge.baselines import Baselines
from pytest_memgate.tasks.judge.gate import Gate
from pytest_memgate.tasks.run.file import read_run
from pytest_memgate.tasks.run.provenance import together
from pytest_memgate.tasks.run.verdict import Brought, Facts, concluded

_NAMED = 3
_Names = dict[str, set[str]]


def merge(root: Path, paths: Sequence[Path], *, partial: bool = False) -> Run:
    """Return the run of all parts together, judged against the baselines of the project at `root`.

    Raises RunFileError for parts that are not of one plan: from different environments, against different refs, with a
    test in two of them or, unless `partial`, a test that all of them left out.
    """
    parts = {str(path): read_run(path) for path in paths}
    if len(parts) != len(paths):
        raise RunFileError("a part is named twice", hint="name each part's file once")
    _check_kind(parts)
    extents = {name: _extent(name, run) for name, run in parts.items()}
    extent = _together(extents, partial=partial)
    first = next(iter(parts.values()))
    facts = Facts(
        findings=tuple(_findings(parts.values())),
        collected=_whole(extent),
        everything=extent.everything,
        cut_short=extent.cut_short,
        skipped=sum(run.skipped for run in parts.values()),
        failed=frozenset(extent.failed),
        unjudged=frozenset(extent.unjudged),
        extent=extent,
    )
    brought = Brought(
        changes=tuple(dict.fromkeys(change for run in parts.values() for change in run.changes)),
        loosened=tuple(dict.fromkeys(line for run in parts.values() for line in run.loosened)),
        compared_with=first.compared_with,
    )
    gate = _gate(root, first, missing="fail" if any(run.missing_fails for run in parts.values()) else "warn")
    whole = concluded(gate, facts, brought, strict=any(run.strict for run in parts.values()))
    measured = next((run.measured for run in parts.values() if run.measured), None)
    return replace(whole, provenance=together([run.provenance for run in parts.values()]), measured=measured)


def _gate(root: Path, run: Run, *, missing: str) -> Gate:
    """Return a gate for the environment of the parts, which may be another machine."""
    tree = WorkTree(root)
    settings = load_settings(tree)
    return Gate(
        root=root,
        environment=run.environment,
        config=Config(settings=settings, missing=missing),
        own=settings,
        baselines=Baselines(Stores(tree, run.environment.key), None, run.environment.header),
    )


def _check_kind(parts: Mapping[str, Run]) -> None:
    (first, head), *others = parts.items()
    for name, run in parts.items():
        if run.update:
            raise RunFileError(f"{name} is of an update", hint="parts are runs that judge")
    for name, run in others:
        if run.environment != head.environment:
            header = head.environment.header.differences(run.environment.header)
            what = header or f"{head.environment.key} and {run.environment.key}"
            raise RunFileError(
                f"{first} and {name} are of different environments: {what}", hint="give each a report of its own"
            )
        if run.compared_with != head.compared_with:
            refs = (one.compared_with or "the work tree" for one in (head, run))
            raise RunFileError(f"{first} and {name} were compared with different baselines: {' and '.join(refs)}")


def _extent(name: str, run: Run) -> Extent:
    if run.extent is None:
        raise RunFileError(f"{name} does not say which tests it was asked to run", hint="make it with this memgate")
    return run.extent


def _together(extents: Mapping[str, Extent], *, partial: bool) -> Extent:
    """Return the extent of all parts together."""
    asked: _Names = defaultdict(set)
    ran: dict[tuple[str, str], str] = {}
    for name, extent in extents.items():
        twice: dict[str, list[str]] = defaultdict(list)
        for file, names in extent.collected.items():
            asked[file] |= set(names)
            for test in sorted(set(names) - set(extent.left_out.get(file, ()))):
                if (file, test) in ran:
                    twice[ran[file, test]].append(f"{file}::{test}")
                ran[file, test] = name
        for other, tests in twice.items():
            raise RunFileError(f"{other} and {name} both ran {_some(tests)}", hint="name each part once")
    left_out = {file: tuple(sorted(name for name in names if (file, name) not in ran)) for file, names in asked.items()}
    left_out = {file: names for file, names in left_out.items() if names}
    if left_out and not partial:
        tests = [f"{file}::{name}" for file, names in sorted(left_out.items()) for name in names]
        hint = "name the missing part, or say --partial where they are left out on purpose"
        raise RunFileError(f"none of the parts ran {_some(tests)}", hint=hint)
    fragments = {file for extent in extents.values() for file in extent.fragments}
    return Extent(
        collected={file: tuple(sorted(names)) for file, names in sorted(asked.items())},
        left_out=left_out,
        fragments=tuple(sorted(fragments)),
        gone=tuple(sorted({file for extent in extents.values() for file in extent.gone} - asked.keys())),
        everything=any(extent.everything for extent in extents.values()) and not (left_out or fragments),
        failed=tuple(sorted({test for extent in extents.values() for test in extent.failed})),
        unjudged=tuple(sorted({test for extent in extents.values() for test in extent.unjudged})),
        cut_short="; ".join(f"{name}: {extent.cut_short}" for name, extent in extents.items() if extent.cut_short),
    )


def _whole(extent: Extent) -> dict[str, frozenset[str]]:
    """Return the tests of each file of which the parts ran all."""
    if extent.cut_short:
        return {}
    partial = {*extent.left_out, *extent.fragments}
    found = {file: frozenset(names) for file, names in extent.collected.items() if file not in partial}
    return found | {file: frozenset() for file in extent.gone}


def _findings(runs: Collection[Run]) -> list[Finding]:
    """Return the findings on tests, without those that vanished or were not run: only the whole can tell these."""
    found = [finding for run in runs for finding in run.findings if finding.outcome is not Outcome.VANISHED]
    ran = {finding.subject for finding in found if finding.outcome is not Outcome.NOT_RUN}
    ran |= {Subject.parse(test) for run in runs if run.extent for test in run.extent.failed}
    left_out = {finding.subject: finding for finding in found if finding.outcome is Outcome.NOT_RUN}
    return [
        *(finding for finding in found if finding.outcome is not Outcome.NOT_RUN),
        *(finding for subject, finding in left_out.items() if subject not in ran),
    ]


def _some(tests: list[str]) -> str:
    more = f" and {len(tests) - _NAMED} more" if len(tests) > _NAMED else ""
    return f"{', '.join(tests[:_NAMED])}{more}"
