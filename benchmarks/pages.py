"""Whether the gate of page loads is quiet on pages that stay as they are, and red on what makes them worse.

Real runs of `pytest --memgate` with the real Lighthouse CI and Chrome, strict as in CI, on pages that are written here.
Two unchanged pages, one still and one that computes, are gated again and again. Then there are four changes: 400 KB of
blocking script, an answer that comes 600 ms later, a banner that pushes the page down, a picture that waits for three
scripts in a row. Each has to be red on the right metrics and to name what did it. Prints a table and the counts last;
exits with 1 for any alarm, and for any change that is not found and named in every run. With `--compare`, no baseline
is made: `memgate compare` loads the page before its change and after it in turn.
"""

import argparse
import shutil
import statistics
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench_common import OUTCOMES_THAT_ALARM, Done, findings, only, project, run_pytest, say, title
from page_scenes import Scene, all_scenes

NODE_MODULES = Path(__file__).parent.parent / "tests" / "node_modules"
_METRICS = ("web.lcp", "web.cls", "web.ttfb", "web.bytes")  # those with a budget of their own


@dataclass(frozen=True, slots=True, kw_only=True)
class Gated:
    """One gated run: its findings by metric, and what was wrong with it, if anything."""

    done: Done
    found: Mapping[str, Mapping[str, Any]]
    wrong: tuple[str, ...]

    def value(self, metric: str) -> float:
        return float(self.found.get(metric, {}).get("value", 0))

    def loads(self) -> int:
        measurement = self.found.get("web.lcp", {}).get("measurement", {})
        return len(measurement.get("samples", ())) + len(measurement.get("again", ()))


def main() -> int:
    scenes = all_scenes()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--only", nargs="+", choices=scenes, default=list(scenes), metavar="PAGE", help=", ".join(scenes)
    )
    parser.add_argument("--runs", type=int, default=10, help="gated runs of each unchanged page")
    parser.add_argument("--changed-runs", type=int, default=5, help="gated runs of each changed page")
    parser.add_argument("--compare", action="store_true", help="by `memgate compare`, without a baseline")
    arguments = parser.parse_args()
    if not shutil.which("lhci", path=str(NODE_MODULES / ".bin")):
        say("no answer: this benchmark needs Lighthouse CI (in tests: npm ci)")
        return 2
    title(f"page loads: {', '.join(arguments.only)}")
    rows: dict[str, list[Gated]] = {}
    with project() as folder:
        for name in arguments.only:
            runs = arguments.changed_runs if scenes[name].red else arguments.runs
            say(f"{name}: {scenes[name].about}")
            play = _compare if arguments.compare else _play
            rows[name] = play(folder / name, scenes[name], runs)
            say("")
    return _count(scenes, rows)


def _play(folder: Path, scene: Scene, runs: int) -> list[Gated]:
    """Make the page's baseline, change the page, and gate it so many times."""
    _write(folder, scene.before)
    (folder / "node_modules").symlink_to(NODE_MODULES, target_is_directory=True)
    options = [*only("memgate"), "--memgate", "--memgate-strict", "--memgate-report", "run.json"]
    made = run_pytest(folder, *options, "--memgate-update").expect(0)
    base = _read(scene, folder, made)
    say(f"  baseline: {_shown(base)}")
    _write(folder, scene.after)
    gated = []
    for number in range(runs):
        one = _read(scene, folder, run_pytest(folder, *options).expect(0, 1), len(base.found))
        gated.append(one)
        say(f"  run {number + 1} of {runs}: {_shown(one)}; {', '.join(one.wrong) or 'right'}")
    return gated


def _compare(folder: Path, scene: Scene, runs: int) -> list[Gated]:
    """Commit the page, change it, and compare it with its commit so many times."""
    _write(folder, scene.before)
    (folder / "node_modules").symlink_to(NODE_MODULES, target_is_directory=True)
    (folder / ".gitignore").write_text("node_modules\nrun.json\n", encoding="utf-8")
    who = ("-c", "user.name=benchmark", "-c", "user.email=benchmark@example.org")
    for args in (["init", "-q"], ["add", "-A"], [*who, "commit", "-q", "-m", "base"]):
        subprocess.run(["git", *args], cwd=folder, check=True)
    _write(folder, scene.after)
    options = [*only("memgate"), "--memgate-strict", "--memgate-report", "run.json"]
    gated = []
    for number in range(runs):
        done = run_pytest(folder, *options, command=("-m", "pytest_memgate", "compare", "HEAD")).expect(0, 1)
        one = _read(scene, folder, done, len(findings(folder / "run.json")))
        gated.append(one)
        say(f"  run {number + 1} of {runs}: {_shown(one)}; {', '.join(one.wrong) or 'right'}")
    return gated


def _read(scene: Scene, folder: Path, done: Done, metrics: int = 0) -> Gated:
    """Read what a run found; with `metrics`, the number in the baseline, also whether it is what it should be."""
    found = {finding["metric"]: finding for finding in findings(folder / "run.json")}
    wrong = (_missed if scene.red else _alarms)(scene, done, found) if metrics else []
    measured = [finding for finding in found.values() if "measurement" in finding]
    if metrics and len(measured) != metrics:
        wrong.append(f"{len(measured)} of {metrics} metrics measured")
    return Gated(done=done, found=found, wrong=tuple(wrong))


def _alarms(_: Scene, done: Done, found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    alarms = [
        f"{metric} is {finding['outcome']}: {finding.get('reason', '')} {_samples(finding)}"
        for metric, finding in found.items()
        if finding["outcome"] in OUTCOMES_THAT_ALARM
    ]
    return alarms or ([f"exit code {done.code}: {done.summary()}"] if done.code else [])


def _missed(scene: Scene, done: Done, found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    missed = [] if done.code else ["exit code 0"]
    for metric, first in scene.red.items():
        finding = found.get(metric, {})
        if finding.get("outcome") != "regressed":
            missed.append(f"{metric} is {finding.get('outcome')}: {finding.get('reason', '')} {_samples(finding)}")
            continue
        sites = [(one.get("site") or {}).get("path") for one in finding.get("growth_by_site", ())]
        if sites[:1] != [first]:
            missed.append(f"{metric} names {sites[:1]}, not {first}")
    if scene.told not in done.output:
        missed.append(f"the failure does not say {scene.told!r}")
    return missed


def _samples(finding: Mapping[str, Any]) -> str:
    measurement = finding.get("measurement", {})
    return f"(samples {measurement.get('samples')}, again {measurement.get('again')})"


def _shown(one: Gated) -> str:
    red = [metric for metric, finding in one.found.items() if finding["outcome"] == "regressed"]
    said = f", red: {' '.join(red)}" if red else ""
    values = ", ".join(f"{metric.removeprefix('web.')} {one.value(metric):g}" for metric in _METRICS)
    return f"{values} ({one.loads()} loads, {one.done.seconds:.0f} s{said})"


def _count(scenes: Mapping[str, Scene], rows: Mapping[str, list[Gated]]) -> int:
    """Print the table and the last line; return the exit code."""
    say(f"{'page':<8}{'runs':>5}{'red':>5}{'right':>7}{'loads':>7}{'seconds':>9}   lcp, ms")
    for name, runs in rows.items():
        lcp = [one.value("web.lcp") for one in runs]
        say(
            f"{name:<8}{len(runs):>5}{sum(one.done.code != 0 for one in runs):>5}"
            f"{sum(not one.wrong for one in runs):>7}{statistics.mean(one.loads() for one in runs):>7.1f}"
            f"{statistics.mean(one.done.seconds for one in runs):>9.0f}   {min(lcp):.0f} .. {max(lcp):.0f}"
        )
    still = [one for name, runs in rows.items() if not scenes[name].red for one in runs]
    changed = [one for name, runs in rows.items() if scenes[name].red for one in runs]
    alarms, named = sum(bool(one.wrong) for one in still), sum(not one.wrong for one in changed)
    say(f"\n{alarms} alarms in {len(still)} unchanged runs; {named} of {len(changed)} changed runs found and named")
    return int(alarms > 0 or named < len(changed))


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


if __name__ == "__main__":
    sys.exit(main())
