"""Prove that the gate works here: make something grow beyond its budget, and check that the gate fails and names it."""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from pytest_memgate.baseline.paths import test_file
from pytest_memgate.baseline.source import WorkTree
from pytest_memgate.baseline.store import Store, Stores, environments
from pytest_memgate.config.schema import Settings
from pytest_memgate.config.sources import load_settings
from pytest_memgate.errors import MeasureError, UsageError
from pytest_memgate.measure.python.environment import key
from pytest_memgate.model.judgement.finding import Finding
from pytest_memgate.model.measurement import Basis
from pytest_memgate.model.metric import MEMORY_PEAK, WEB
from pytest_memgate.model.run import Verdict
from pytest_memgate.model.subject import Subject
from pytest_memgate.probes.bundle.probe import BundleCheck
from pytest_memgate.probes.page.probe import PageCheck
from pytest_memgate.report.words.budget import budget_text
from pytest_memgate.tasks.prove.grow_bundle import try_bundle
from pytest_memgate.tasks.prove.grow_page import try_page
from pytest_memgate.tasks.prove.pytest_subprocess import Done, real_run
from pytest_memgate.tasks.prove.trial import (
    GREEN,
    Proof,
    Trial,
    beyond,
    findings_of,
    first_site,
    left_out,
    refuted,
    said,
    why_not_green,
)
from pytest_memgate.units import format_size

_METRIC = MEMORY_PEAK.name
_GROWTH = "memgate_selftest_growth"  # the function that pytest_memgate.plugin.child_runs.inject_growth injects
_CANDIDATES = 5  # tests that are tried at most; chosen
_MOST = 200_000_000  # bytes: more of small objects takes minutes; chosen


def selftest(root: Path, test: str, *, pages: bool, say: Callable[[str], None]) -> int:
    """Try memory, bundles and, if asked for, pages; return the command's exit code.

    It is 0 if all that was tried is proven, 1 if the gate stayed green or was red unchanged, 3 if nothing could be
    tried. `test` names the one thing to try. Raises UsageError for a test that does not exist, and MeasureError if
    pytest itself gives no answer.
    """
    settings = load_settings(WorkTree(root))
    asked = Subject.parse(test) if test else None
    if asked and not (asked.name and test_file(asked.file, root).is_file()):
        raise _unknown(asked)
    check = settings.checks.get(asked.name) if asked and asked.file == settings.file else None
    if check and not isinstance(check, (BundleCheck, PageCheck)):
        what = f"{'an' if check.kind[0] in 'aeio' else 'a'} {check.kind}"
        raise UsageError(f"{asked} is {what}, which cannot be let grow", hint="try a test: memgate selftest")
    declared = _declared(settings, asked, pages=pages)
    tests = [] if asked in declared else [asked] if asked else list(islice(_candidates(root, settings), _CANDIDATES))
    with tempfile.TemporaryDirectory(prefix="memgate-") as name:
        folder = Path(name).resolve()
        unchanged = _run(root, [*tests, *declared], folder, "--memgate-measure=exact") if tests or declared else None
        if asked and unchanged and not _is_collected(unchanged, asked):
            raise _unknown(asked)
        trials: list[Trial] = []
        for trial in _trials(root, settings, asked, tests, declared, unchanged, folder):
            say(f"{trial.what}")
            for line in trial.lines:
                say(f"  {line}")
            trials.append(trial)
    if settings.of(PageCheck) and not pages and not (asked and asked in declared):
        say("pages\n  left out: a load takes seconds; try them with --pages")
    ungrown = {one.section for one in settings.checks.values() if not isinstance(one, (BundleCheck, PageCheck))}
    for section in sorted(ungrown) if not asked else ():
        say(f"{section}\n  left out: they cannot be let grow")
    return _conclude(trials, say)


def _unknown(asked: Subject) -> UsageError:
    return UsageError(f"there is no test {asked}", hint="write it as baselines do: tests/test_x.py::test_y")


def _declared(settings: Settings, asked: Subject | None, *, pages: bool) -> list[Subject]:
    """Return the bundles and pages to try."""
    names = [f"bundle[{name}]" for name in settings.of(BundleCheck)]
    if pages or asked:
        names += [f"page[{name}]" for name in settings.of(PageCheck)]
    declared = [Subject(settings.file, name) for name in names]
    return [one for one in declared if asked in {None, one}]


def _candidates(root: Path, settings: Settings) -> Iterator[Subject]:
    """Yield suitable tests that have a baseline, first one of each of several files."""
    store = Stores(WorkTree(root), key()).own
    files = [file for file in store.files() if test_file(file, root).is_file()]
    step = max(1, len(files) // _CANDIDATES)
    spread = [file for start in range(step) for file in files[start::step]]
    first = [_suitable(store, file, settings) for file in spread[: 10 * _CANDIDATES]]
    yield from (names[0] for names in first if names)
    yield from (name for names in first for name in names[1:])


def _suitable(store: Store, file: str, settings: Settings) -> list[Subject]:
    """Return the tests of a file whose value is settled, the smallest first."""
    document = store.document(file)
    found = []
    for name, metrics in document.entries.items() if document else ():
        reference, subject = metrics.get(_METRIC), Subject(file, name)
        waived = any(waiver.concerns(subject, _METRIC) for waiver in settings.waivers)
        if reference and reference.repeatable and not reference.spread and not waived:
            found.append((reference.value, subject))
    return [subject for _, subject in sorted(found)]


def _run(root: Path, subjects: Iterable[Subject], folder: Path, *more: str) -> Done:
    """Run these tests under the real gate, where they are."""
    subjects = list(subjects)
    files = dict.fromkeys(str(test_file(one.file, root)) for one in subjects)
    only = (f"--memgate-only={one}" for one in subjects)
    done = real_run(
        root,
        ("-p", "pytest_memgate.plugin.child_runs.inject_growth", *only, *more, *files),
        folder,
        cwd=root,
        traces=False,
    )
    if done.run is None or done.code not in {0, 1}:
        raise MeasureError(f"the gate did not come to a verdict: {done.why_useless}", hint="see: pytest --memgate")
    return done


def _is_collected(done: Done, subject: Subject) -> bool:
    extent = done.run.extent if done.run else None
    return extent is not None and subject.name in extent.collected.get(subject.file, ())


def _trials(
    root: Path,
    settings: Settings,
    asked: Subject | None,
    tests: Sequence[Subject],
    declared: Sequence[Subject],
    unchanged: Done | None,
    folder: Path,
) -> Iterator[Trial]:
    if tests and unchanged:
        yield _try_memory(root, tests, unchanged, folder)
    elif not asked:
        yield _no_memory(root)
    for subject in declared if unchanged else ():
        findings = findings_of(unchanged.run, subject) if unchanged else {}
        kind, name = subject.name.removesuffix("]").split("[", 1)
        if kind == "bundle":
            yield try_bundle(root, settings, subject, settings.of(BundleCheck)[name], findings, folder)
        else:
            yield try_page(root, settings, subject, settings.of(PageCheck)[name], findings, folder)


def _no_memory(root: Path) -> Trial:
    known = [name for name in environments(WorkTree(root)) if name != WEB]
    others = [name for name in known if name != key()]
    there = f" (there are baselines for {', '.join(others)})" if others else ""
    why = f"no test has a settled baseline for {key()}{there}: memgate baseline update, then again"
    return Trial(what="memory", proof=Proof.NO_ANSWER, lines=(why,)) if known else left_out("memory", why)


def _try_memory(root: Path, tests: Sequence[Subject], unchanged: Done, folder: Path) -> Trial:
    """Grow the first of the tests that is green as it is; the others stay, and must stay green."""
    whys = {one: _why_unfit(one, unchanged) for one in tests}
    subject = next((one for one, why in whys.items() if not why), None)
    if subject is None:
        lines = tuple(f"{one}: {why}" for one, why in whys.items())
        red = any(each.outcome.fails_gate for one in tests for each in _memory(unchanged, one))
        return Trial(what="memory", proof=Proof.REFUTED if red else Proof.NO_ANSWER, lines=lines)
    (before,) = _memory(unchanged, subject)
    size = beyond(before)
    grown = _run(root, tests, folder, f"--memgate-grow={subject}", f"--memgate-grow-by={size}")
    others = [one for one, why in whys.items() if not why and one != subject]
    did = (
        f"unchanged: {said(before)}; budget: {budget_text(before)}",
        f"injected: {format_size(size)} of small objects, held while the test runs"
        + (f" ({len(others)} other tests run beside it, unchanged)" if others else ""),
    )
    return _judged(f"memory of {subject}", did, grown, subject, others)


def _memory(done: Done, subject: Subject) -> list[Finding]:
    return [one for metric, one in findings_of(done.run, subject).items() if metric == _METRIC]


def _why_unfit(subject: Subject, unchanged: Done) -> str:
    found = _memory(unchanged, subject)
    if why := why_not_green(found, unchanged, subject):
        return why
    size = beyond(found[0])
    if not size:
        return "it has no budget of growth over a baseline"
    if size > _MOST:
        return f"its budget allows {format_size(size)}, more than can be injected in small objects in a short time"
    measurement = found[0].measurement
    return "its runs differ too much" if measurement and measurement.basis is Basis.WARM and measurement.spread else ""


def _judged(what: str, lines: tuple[str, ...], grown: Done, subject: Subject, others: Sequence[Subject]) -> Trial:
    """Return whether the gate saw the growth: red on that test alone, and naming the function."""
    found = _memory(grown, subject)
    if not found:
        return refuted(what, *lines, f"seen: no value at all: {grown.why_useless or 'the test was not measured'}")
    finding = found[0]
    lines = (*lines, f"seen: {said(finding)}")
    if not finding.outcome.fails_gate:
        return refuted(what, *lines, "the gate stayed green on a growth beyond its budget")
    if grown.code == 0 or grown.run is None or grown.run.verdict is not Verdict.FAILED:
        return refuted(what, *lines, f"the test is red, but the run is not: pytest ended with {grown.code}")
    if not any(one.site and one.site.function == _GROWTH for one in finding.growth_by_site[:3]):
        return refuted(what, *lines, f"the function is not named; named is {first_site(finding) or 'nothing'}")
    if wrong := [one for one in others if [each.outcome in GREEN for each in _memory(grown, one)] != [True]]:
        return refuted(what, *lines, f"a test that did not grow is not green any more: {wrong[0]}")
    named = next(one.site.label for one in finding.growth_by_site if one.site and one.site.function == _GROWTH)
    return Trial(what=what, proof=Proof.PROVEN, lines=(*lines, f"named: {named}"))


def _conclude(trials: Sequence[Trial], say: Callable[[str], None]) -> int:
    by_proof = {proof: [trial.what for trial in trials if trial.proof is proof] for proof in Proof}
    if refused := by_proof[Proof.REFUTED]:
        say(f"selftest: NOT PROVEN: {', '.join(refused)}")
        return 1
    proven, silent = by_proof[Proof.PROVEN], by_proof[Proof.NO_ANSWER]
    if silent or not proven:
        what = f"could not be tried: {', '.join(silent)}" if silent else "nothing could be tried"
        say(f"selftest: NO ANSWER: {what}")
        return 3
    out = f"; left out: {', '.join(by_proof[Proof.LEFT_OUT])}" if by_proof[Proof.LEFT_OUT] else ""
    say(f"selftest: PROVEN: {', '.join(proven)}{out}")
    return 0
