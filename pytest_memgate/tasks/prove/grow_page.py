"""Let a page grow: a copy of the folder that serves it, with a larger document."""

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from pytest_memgate.config.schema import Settings
from pytest_memgate.errors import MeasureError
from pytest_memgate.model.judgement.finding import Finding
from pytest_memgate.model.subject import Subject
from pytest_memgate.probes.page.probe import PageCheck
from pytest_memgate.report.words.budget import budget_text
from pytest_memgate.tasks.prove.scratch_project import Scratch, noise
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
    verdict_text,
)
from pytest_memgate.units import format_size

_METRIC = "web.bytes"
_MODULES = "node_modules"


def try_page(
    root: Path, settings: Settings, subject: Subject, check: PageCheck, findings: Mapping[str, Finding], folder: Path
) -> Trial:
    """Let the document of a page grow beyond the budget of its bytes; `findings` are those of the page as it is."""
    what = str(subject)
    if bad := [one for one in findings.values() if one.outcome.fails_gate]:
        return refuted(what, f"the gate says of it unchanged: {said(bad[0])}")
    if not check.serve:
        return left_out(what, "only a page that is served from a folder can be copied, not one at a url")
    before = findings.get(_METRIC)
    if before is None or before.outcome not in GREEN or not beyond(before):
        why = next((verdict_text(one) for one in findings.values() if one.outcome not in GREEN), "no value")
        return left_out(what, f"its {_METRIC} is not held against a baseline ({why})")
    try:
        scratch = Scratch(root, settings, folder)
        document = _copy(root, check, scratch)
        more = _grow(document, beyond(before))
    except (MeasureError, OSError) as error:
        return left_out(what, str(error))
    done = scratch.run(subject)
    after = findings_of(done.run, subject).get(_METRIC)
    lines = (
        f"unchanged: {said(before)}; budget: {budget_text(before)}",
        f"injected: {format_size(more)} in {document.relative_to(scratch.root).as_posix()}, in a copy of the folder",
        f"seen: {said(after) if after else done.why_useless or 'no value'}",
    )
    if after is None or not after.outcome.fails_gate:
        return refuted(what, *lines, "the gate did not go red on a growth beyond its budget")
    return Trial(what=what, proof=Proof.PROVEN, lines=(*lines, f"named: {first_site(after)}"))


def _copy(root: Path, check: PageCheck, scratch: Scratch) -> Path:
    """Copy the folder that serves the page, with links to the tools around it; return its document."""
    served = root / check.serve
    target = scratch.place(served)
    shutil.copytree(served, target, symlinks=True, ignore=shutil.ignore_patterns(_MODULES), dirs_exist_ok=True)
    if check.lighthouserc:
        scratch.copy([root / check.lighthouserc])
    for modules in _tools(root, served):
        link = scratch.place(modules)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(modules.resolve(), target_is_directory=True)
    name = check.path.partition("?")[0].partition("#")[0].lstrip("/")
    places = [target / name, target / name / "index.html", target / f"{name}.html"]
    places += [target / "index.html"] if check.single_page_app else []
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        raise MeasureError(f"{check.path} is no file in {check.serve}")
    return found


def _tools(root: Path, served: Path) -> Iterator[Path]:
    """Yield the folders in which Lighthouse CI is looked for."""
    near = served.absolute()
    around = [folder for folder in (near, *near.parents) if folder.is_relative_to(root.absolute())]
    beside = [modules.parent for modules in root.glob(f"*/{_MODULES}")]
    for folder in dict.fromkeys([*around, *beside]):
        if (folder / _MODULES).is_dir():
            yield folder / _MODULES


def _grow(document: Path, size: int) -> int:
    """Add a comment to a document and return its bytes: it is downloaded, and changes nothing else."""
    comment = f"\n<!-- {noise(size)} -->\n".encode()
    with document.open("ab") as file:
        file.write(comment)
    return len(comment)
