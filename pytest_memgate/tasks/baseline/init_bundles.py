"""The bundles that a first configuration declares: a project's applications, each built one measured once."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_memgate.errors import MeasureError
from pytest_memgate.measure.bundle.build import Entry, Source, measure
from pytest_memgate.measure.bundle.routes.find import FRAMEWORKS, App, find_apps, no_file
from pytest_memgate.units import counted, format_size

_ALONE = "app"
_MOST_SHOWN = 20  # entries; a site may have hundreds of pages


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A bundle by name, its settings in memgate.yml, and its entries or, in `fault`, why it gives none."""

    name: str
    settings: Mapping[str, str]
    entries: tuple[Entry, ...] = ()
    fault: str = ""

    def lines(self) -> Iterator[str]:
        """Yield what to tell of it: the first screen of each entry."""
        if self.fault:
            yield f"bundle {self.name}: {self.fault}"
        for entry in self.entries[:_MOST_SHOWN]:
            label = f"{self.name}[{entry.name}]" if entry.name else self.name
            sizes = f"{format_size(entry.initial.raw)} raw, {format_size(entry.initial.gzip)} gzip"
            yield f"bundle {label}: first screen {sizes}"
        if len(self.entries) > _MOST_SHOWN:
            yield f"bundle {self.name}: {counted(len(self.entries) - _MOST_SHOWN, 'more entry', 'more entries')}"


def propose(project: Path) -> list[Proposal]:
    """Return a bundle for each application of a project that a package.json tells of."""
    apps = find_apps(project)
    proposals: dict[str, Proposal] = {}
    for app in apps:
        name = _ALONE if len(apps) == 1 else _name(app.folder.relative_to(project), proposals)
        same = [other for other in apps if other.framework == app.framework]
        proposals[name] = _proposal(name, app, project, alone=len(same) == 1)
    return list(proposals.values())


def _proposal(name: str, app: App, project: Path, *, alone: bool) -> Proposal:
    settings = _settings(app, project, alone=alone)
    if app.file is None:
        return Proposal(name=name, settings=settings, fault=str(no_file(app.framework, app.folder, project)))
    stats = project / settings["stats"] if "stats" in settings else None
    try:
        entries = measure(Source(framework=settings.get("framework", ""), stats=stats), project)
    except MeasureError as error:
        return Proposal(name=name, settings=settings, fault=" ".join(str(error).split()))
    return Proposal(name=name, settings=settings, entries=entries)


def _settings(app: App, project: Path, *, alone: bool) -> dict[str, str]:
    """Return the framework, where its name says more and is clear, or else the file that describes the build."""
    framework = FRAMEWORKS[app.framework]
    file = app.file or app.folder / framework.files[0]
    if alone and framework.by_name and app.folder in file.parents:
        return {"framework": app.framework}
    return {"stats": file.relative_to(project).as_posix()}


def _name(folder: Path, known: Mapping[str, object]) -> str:
    """Return the name of a folder in the letters that a bundle may have, with a number where it is taken."""
    word = re.sub(r"[^\w.-]+", "-", folder.name) or _ALONE
    name, number = word, 2
    while name in known:
        name, number = f"{word}-{number}", number + 1
    return name
