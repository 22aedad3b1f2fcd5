"""The origin of a run's numbers, for its file."""

import hashlib
import importlib.metadata
import os
import platform
import re
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from pytest_memgate import __version__
from pytest_memgate.errors import UsageError
from pytest_memgate.github.event import read_event
from pytest_memgate.measure.process.git_commit import commit
from pytest_memgate.measure.python.machine_class import machine
from pytest_memgate.model.judgement.finding import Finding
from pytest_memgate.model.provenance import Commit, Machine, Provenance

_PACKAGES = ("pytest", "memray", "pytest-xdist", "pytest-benchmark", "coverage")
_PROGRAMS = ("lighthouse", "chrome")  # their versions are conditions of the pages that they measured
_LINK = re.compile(r"https?://\S+")


def provenance(
    root: Path, findings: Iterable[Finding], *, start: float, environ: Mapping[str, str] = os.environ
) -> Provenance:
    """Return the origin of a run that ends now; `start` is in seconds since the epoch."""
    return Provenance(
        id=uuid.uuid4().hex,
        commit=replace(commit(root, environ), fork=_is_of_fork(environ)),
        start=_utc(start),
        end=_utc(time.time()),
        ci=_ci_link(environ),
        machine=machine(),
        versions=_versions(findings),
    )


def together(parts: Sequence[Provenance | None]) -> Provenance | None:
    """Return what the origins of several parts have in common, from the first start to the last end."""
    known = [part for part in parts if part]
    if not known or len(known) < len(parts):
        return None
    first = known[0]
    same_versions = {item for part in known for item in part.versions.items()}
    clear = {name for name, _ in same_versions if sum(name == other for other, _ in same_versions) == 1}
    return Provenance(
        id=_joined(part.id for part in known),
        commit=first.commit if all(part.commit == first.commit for part in known) else Commit(),
        start=min(part.start for part in known),
        end=max(part.end for part in known),
        ci=first.ci if all(part.ci == first.ci for part in known) else "",
        machine=first.machine if all(part.machine == first.machine for part in known) else Machine(),
        versions={name: version for name, version in sorted(same_versions) if name in clear},
    )


def _joined(ids: Iterable[str]) -> str:
    """Return a name for several runs put together: the same parts have the same name. Empty if one has none."""
    known = sorted(ids)
    return hashlib.sha256("\n".join(known).encode()).hexdigest()[:32] if all(known) else ""


def _is_of_fork(environ: Mapping[str, str]) -> bool:
    """True if the CI job runs a pull request of another repository; for GitHub and GitLab."""
    source, own = environ.get("CI_MERGE_REQUEST_SOURCE_PROJECT_ID", ""), environ.get("CI_PROJECT_ID", "")
    path = environ.get("GITHUB_EVENT_PATH", "")
    try:
        event = read_event(environ.get("GITHUB_EVENT_NAME", ""), Path(path)) if path else None
    except UsageError:
        event = None
    return bool(source and source != own) or bool(event and event.is_of_pull_request and event.from_fork)


def _utc(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _ci_link(environ: Mapping[str, str]) -> str:
    """Return the address of the CI job: for GitHub, GitLab, Jenkins and Buildkite; else empty."""
    server, place, run = (environ.get(f"GITHUB_{name}", "") for name in ("SERVER_URL", "REPOSITORY", "RUN_ID"))
    own = f"{server}/{place}/actions/runs/{run}" if server and place and run else ""
    links = (own, *(environ.get(name, "") for name in ("CI_JOB_URL", "BUILD_URL", "BUILDKITE_BUILD_URL")))
    return next((link for link in links if _LINK.fullmatch(link)), "")


def _versions(findings: Iterable[Finding]) -> dict[str, str]:
    found = {"python": platform.python_version(), "pytest-memgate": __version__}
    for name in _PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    for finding in findings:
        conditions = finding.measurement.conditions if finding.measurement else {}
        found |= {name: conditions[name] for name in _PROGRAMS if name in conditions}
    return found
