"""Let a bundle grow: a copy of the build with one larger file of its first screen, and stats that say so."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_memgate.config.schema import Settings
from pytest_memgate.errors import MeasureError
from pytest_memgate.measure.bundle.build import read_entries
from pytest_memgate.measure.bundle.routes.find import package_files
from pytest_memgate.measure.bundle.stats.disk import read_files
from pytest_memgate.measure.bundle.stats.layout import Layout, Start
from pytest_memgate.measure.bundle.stats.modules import ModuleNames
from pytest_memgate.model.judgement.finding import Finding
from pytest_memgate.model.metric import part_of
from pytest_memgate.model.subject import Subject
from pytest_memgate.probes.bundle.measuring import source_of
from pytest_memgate.probes.bundle.probe import BundleCheck
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

_GROWING = (".js", ".mjs", ".cjs", ".css")  # where a comment is `/* … */`
_MODULE = "memgate-selftest.js"


@dataclass(frozen=True, kw_only=True)
class Build:
    """A build on disk: its stats file, an entry, the files of all entries, and the file that is to grow."""

    layout: Layout
    start: Start
    paths: Mapping[str, Path]
    name: str


def try_bundle(
    root: Path, settings: Settings, subject: Subject, check: BundleCheck, findings: Mapping[str, Finding], folder: Path
) -> Trial:
    """Let the first gated entry grow beyond all of its budgets; `findings` are those of the bundle as it is."""
    what = str(subject)
    if bad := [one for one in findings.values() if one.outcome.fails_gate]:
        return refuted(what, f"the gate says of it unchanged: {said(bad[0])}")
    gated = [one for one in findings.values() if one.outcome in GREEN and beyond(one)]
    if not gated:
        why = next(map(verdict_text, findings.values()), "it was not run")
        return left_out(what, f"nothing of it is held against a baseline ({why})")
    try:
        build = _build(root, check, {part_of(one.metric) for one in gated})
        scratch = Scratch(root, settings, folder)
        scratch.copy(_with_maps(build))
        scratch.copy(package_files(root) if not check.files else ())
        mine = [one for one in gated if part_of(one.metric) == build.start.name]
        more = _grow(scratch, build, max(map(beyond, mine)))
    except (MeasureError, OSError) as error:
        return left_out(what, str(error))
    done = scratch.run(subject)
    lines = (
        f"unchanged: {said(mine[0])}; budget: {budget_text(mine[0])}",
        f"injected: {format_size(more)} in {build.name}, in a copy of the build",
    )
    return _judged(what, lines, mine, findings_of(done.run, subject), done.why_useless)


def _judged(
    what: str, lines: tuple[str, ...], gated: Iterable[Finding], found: Mapping[str, Finding], why: str
) -> Trial:
    red = [found[one.metric] for one in gated if one.metric in found and found[one.metric].outcome.fails_gate]
    if not red:
        seen = next((said(one) for one in found.values() if one.outcome not in GREEN), why or "nothing but green")
        return refuted(what, *lines, f"seen: {seen}", "the gate did not go red on a growth beyond its budget")
    lines = (*lines, *(f"seen: {said(one)}" for one in red))
    if green := [one.metric for one in gated if found.get(one.metric) not in red]:
        return refuted(what, *lines, f"stayed green on a growth beyond its budget: {', '.join(green)}")
    named = next(filter(None, map(first_site, red)), "")
    return Trial(what=what, proof=Proof.PROVEN, lines=(*lines, *([f"named: {named}"] if named else [])))


def _build(root: Path, check: BundleCheck, entries: set[str]) -> Build:
    """Return the build with the first of these entries; raises MeasureError if none of its files can grow."""
    base = root / check.root if check.root else None
    chosen = read_entries(source_of(check, root, entries), root, ModuleNames(root))
    for layout, start in chosen:
        wanted = dict.fromkeys(path for of, one in chosen if of is layout for path in one.total)
        if start.name in entries:
            paths = read_files(layout, wanted, root, base).paths
            name = next((path for path in start.initial if path in paths and path.endswith(_GROWING)), "")
            if name:
                return Build(layout=layout, start=start, paths=paths, name=name)
    raise MeasureError("no script or style is in its first screen")


def _with_maps(build: Build) -> Iterator[Path]:
    """Yield the files of a build, its stats file, and the source maps beside them."""
    if build.layout.origin.is_file():
        yield build.layout.origin
    yield from build.layout.described_by
    for path in build.paths.values():
        yield path
        source_map = path.with_name(f"{path.name}.map")
        if source_map.is_file():
            yield source_map


def _grow(scratch: Scratch, build: Build, size: int) -> int:
    """Add a comment to the copied file, and its size to the copied stats; return the bytes added."""
    comment = f"\n/* {noise(size)} */\n".encode()
    with scratch.place(build.paths[build.name]).open("ab") as file:
        file.write(comment)
    if build.layout.outputs[build.name].size is not None:
        origin = scratch.place(build.layout.origin)
        content = json.loads(origin.read_bytes())
        _resize(content, build.name, len(comment))
        origin.write_text(json.dumps(content), encoding="utf-8")
    return len(comment)


def _resize(content: Any, name: str, more: int) -> None:
    """Add to the size of a file wherever stats name it: webpack in lists of assets, esbuild among its outputs."""
    if isinstance(content, list):
        for each in content:
            _resize(each, name, more)
    elif isinstance(content, dict):
        output = content["outputs"].get(name) if isinstance(content.get("outputs"), dict) else None
        if output:
            output["bytes"] += more
            output.setdefault("inputs", {})[_MODULE] = {"bytesInOutput": more}
            return
        if str(content.get("name", "")).partition("?")[0] == name and isinstance(content.get("size"), int):
            content["size"] += more
        for key in ("assets", "entrypoints", "children"):
            inner = content.get(key)
            for each in inner.values() if isinstance(inner, dict) else [inner]:
                _resize(each, name, more)
