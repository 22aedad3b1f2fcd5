"""Whether the sizes of bundles are those that a browser downloads, whatever tool has built them.

One small application for each front-end tool (`front_end_apps.py`), installed from npm in the version named there and
built five times. Chrome opens each page, and what it loads of scripts and styles before any input has to be what the
gate says: `bundle.initial.raw`, less the page itself where it counts that. A build with another letter in every module
and style, so that all files have other names, may change values by a few bytes and must list no renamed files. One with
the package three in the first screen has to be red, to name three first, and its importer; one with three behind a
click has to be green. The first build again has to give the same values. Prints a table; exits with 1 for any check
that fails.
"""

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench_common import findings, only, run_pytest, say, title
from front_end_apps import APPS, App, Page
from front_end_builds import NoAnswerError, Visit, Workshop, chrome
from front_end_sources import Change

LETTERS = 64  # bytes that values may differ by after another letter in each file; chosen
_COMPRESSED = 200  # compressed sizes by a 200th of them, too; chosen
_CHECKS = ("chrome", "renamed", "red", "named", "importer", "lazy", "again")
_PACKAGE, _IMPORTER = "node_modules/three", "src/greeting.js"
_Found = Mapping[str, Mapping[str, Any]]  # the findings of a run by metric


@dataclass(slots=True, kw_only=True)
class Result:
    """What is known of a tool: both sizes by page, the checks that were made, and what was wrong in each."""

    app: App
    ours: list[int] = field(default_factory=list)
    seen: list[int] = field(default_factory=list)
    made: set[str] = field(default_factory=set)
    wrong: dict[str, list[str]] = field(default_factory=dict)
    no_answer: str = ""

    def note(self, check: str, wrong: str) -> None:
        self.wrong.setdefault(check, []).append(wrong)
        say(f"{self.app.name}: {check}: {wrong}")

    def verdict(self, check: str) -> str:
        if self.wrong.get(check):
            return "FAILS"
        return "right" if check in self.made else "-"


class RefusedError(Exception):
    """A gate that gave no values."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=APPS, default=list(APPS), metavar="TOOL", help=", ".join(APPS))
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="work there, and leave the applications as built")
    parser.add_argument("--no-maps", action="store_true", help="take source maps away: fewer names can be told")
    arguments = parser.parse_args()
    browser = chrome()
    if not browser:
        say("no answer: this benchmark needs Node, Chrome, and Puppeteer (in tests: npm ci)")
        return 2
    title(f"front-end tools: {', '.join(arguments.only)}")
    results = []
    with tempfile.TemporaryDirectory(prefix="memgate-bench-") as name:
        for tool in arguments.only:
            folder = (arguments.keep or Path(name)).resolve() / tool
            results.append(_Trial(Workshop(APPS[tool], folder), browser, maps=not arguments.no_maps).run())
            if not arguments.keep:
                shutil.rmtree(folder)
    return _tell(results)


class _Trial:
    """One application, through all its builds."""

    def __init__(self, workshop: Workshop, browser: str, *, maps: bool) -> None:
        self._workshop, self._browser, self._maps = workshop, browser, maps
        self._app, self._folder = workshop.app, workshop.folder
        self._options = [*only("memgate"), "--memgate", "--memgate-report", "run.json"]
        self._result = Result(app=workshop.app)

    def run(self) -> Result:
        """Return what was found; a tool that does not build has no answer, a gate without values is wrong."""
        try:
            self._run()
        except NoAnswerError as error:
            self._result.no_answer = str(error)
            say(f"{self._app.name}: no answer: {error}")
        except RefusedError as error:
            self._result.note("chrome", str(error))
        return self._result

    def _run(self) -> None:
        (self._folder / "memgate.yml").write_text(f"bundles:\n  app: {self._app.bundle}\n", encoding="utf-8")
        (self._folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
        shutil.rmtree(self._folder / ".memgate", ignore_errors=True)
        self._workshop.install()
        self._workshop.build(Change.NONE, maps=self._maps)
        first = self._visits()
        self._gate("update", "--memgate-update")
        before = self._gate("first")
        self._result.seen = [visit.size for visit in first]
        self._result.ours = self._compare(before, first)
        for change, judge in (
            (Change.LETTERS, self._renamed),
            (Change.EAGER, self._eager),
            (Change.LAZY, self._lazy),
            (Change.NONE, self._again),
        ):
            self._workshop.build(change, maps=self._maps)
            found = self._gate(change)
            visits = self._visits()
            self._compare(found, visits)
            judge(before, found)
            if change is Change.LETTERS and visits[0].files.keys() == first[0].files.keys():
                self._result.note("renamed", "no file has another name")

    def _visits(self) -> list[Visit]:
        visits = self._workshop.visits(self._browser)
        for line in (line for visit in visits for line in visit.wrong):
            self._result.note("chrome", f"the page fails: {line}")
        return visits

    def _gate(self, name: str, *options: str) -> _Found:
        """Return the findings of a gated run by metric; raises RefusedError."""
        done = run_pytest(self._folder, *self._options, *options)
        self._workshop.log(f"gate-{name}", done.output)
        problems = [line for line in done.output.splitlines() if line.startswith(("problem ", "memgate: NO ANSWER"))]
        if problems or done.code not in {0, 1}:
            raise RefusedError(f"{name}: {' | '.join(problems) or done.output[-2000:]}")
        shutil.copy(self._folder / "run.json", self._folder / "logs" / f"run-{name}.json")
        return {one["metric"]: one for one in findings(self._folder / "run.json")}

    def _compare(self, found: _Found, visits: list[Visit]) -> list[int]:
        """Return the gate's size of each page; notes those that are not what Chrome saw."""
        self._result.made.add("chrome")
        sizes = [self._value(found, page) for page in self._app.pages]
        for page, ours, visit in zip(self._app.pages, sizes, visits, strict=True):
            if ours != visit.size:
                self._result.note("chrome", f"{page.address}: {ours:,} bytes, but Chrome loads {visit.size:,}")
        return sizes

    def _value(self, found: _Found, page: Page) -> int:
        """Return the bytes of scripts and styles that the gate found for a page; 0 if it has no such entry."""
        value = int(found.get(_raw(page), {}).get("value", 0))
        return value - (self._folder / page.document).stat().st_size if value and page.document else value

    def _again(self, before: _Found, found: _Found) -> None:
        self._result.made.add("again")
        for line in _differences(before, found, 0):
            self._result.note("again", line)

    def _renamed(self, before: _Found, found: _Found) -> None:
        self._result.made.add("renamed")
        for line in _differences(before, found, LETTERS):
            self._result.note("renamed", line)

    def _eager(self, _: _Found, found: _Found) -> None:
        self._result.made.add("red")
        page, *others = self._app.pages
        finding = found.get(_raw(page), {})
        if finding.get("outcome") != "regressed":
            self._result.note("red", f"{_raw(page)} is {finding.get('outcome')}")
            return
        for other in others:
            if found.get(_raw(other), {}).get("outcome") == "regressed":
                self._result.note("red", f"{_raw(other)} is regressed, too")
        parts: list[dict[str, Any]] = list(finding.get("growth_by_site", ()))
        site = (parts[0].get("site") or {}) if parts else {}
        told = {"named": site.get("path") == _PACKAGE, "importer": _IMPORTER in json.dumps(site)}
        for check, right in told.items():
            if right:
                self._result.made.add(check)
            elif self._maps or self._app.tells_modules:
                self._result.note(check, f"the growth's first part is {json.dumps(site)}")

    def _lazy(self, _: _Found, found: _Found) -> None:
        self._result.made.add("lazy")
        for metric, finding in found.items():
            if finding["outcome"] == "regressed":
                self._result.note("lazy", f"{metric} is regressed")


def _raw(page: Page) -> str:
    return f"bundle.initial.raw[{page.entry}]" if page.entry else "bundle.initial.raw"


def _differences(before: _Found, after: _Found, bound: int) -> list[str]:
    """Return the metrics that came, went, or changed by more than `bound` bytes, as a whole or by the sum of parts."""
    wrong = [f"{metric} is only in one of the builds" for metric in sorted(before.keys() ^ after.keys())]
    for metric in sorted(before.keys() & after.keys()):
        change = abs(int(after[metric]["value"]) - int(before[metric]["value"]))
        parts = {
            (part.get("site") or {}).get("path", "all others"): int(part["head"] - part["base"])
            for part in after[metric].get("growth_by_site", ())
        }
        moved = sum(map(abs, parts.values()))
        more = int(before[metric]["value"]) // _COMPRESSED if bound and ".raw" not in metric else 0
        if change > bound + more or moved > 2 * bound:
            names = ", ".join(f"{name} {growth:+,}" for name, growth in parts.items())
            wrong.append(f"{metric} changed by {change}, its parts by {moved:,} ({names})")
    return wrong


def _tell(results: list[Result]) -> int:
    checks = " ".join(f"{check:<8}" for check in _CHECKS)
    say(f"\n{'tool':<22} {'version':<8} {'ours':>19} {'Chrome':>19}  {checks}")
    for result in results:
        ours, seen = (" + ".join(f"{size:,}" for size in sizes) for sizes in (result.ours, result.seen))
        verdicts = " ".join(f"{result.verdict(check):<8}" for check in _CHECKS)
        say(f"{result.app.name:<22} {result.app.version:<8} {ours:>19} {seen:>19}  {verdicts}")
    silent = [result.app.name for result in results if result.no_answer]
    failed = [result.app.name for result in results if result.wrong and not result.no_answer]
    right = len(results) - len(failed) - len(silent)
    if silent:
        say(f"no answer: {', '.join(silent)}")
    say(f"{right} of {len(results)} tools are right{': not ' * bool(failed)}{', '.join(failed)}")
    return 1 if failed else 2 * bool(silent)


if __name__ == "__main__":
    sys.exit(main())
