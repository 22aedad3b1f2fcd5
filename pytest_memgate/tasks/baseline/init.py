"""Write a first configuration."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import yaml

from pytest_memgate.baseline.batch import replace_text
from pytest_memgate.baseline.source import WorkTree
from pytest_memgate.config.from_lighthouserc import Converted, converted
from pytest_memgate.config.located import from_yaml
from pytest_memgate.config.schema import read_settings
from pytest_memgate.config.sources import FILE, load_settings
from pytest_memgate.errors import ConfigError, MeasureError, UsageError
from pytest_memgate.measure.lighthouse.lighthouserc import SCRIPTS, read_ci
from pytest_memgate.measure.process.workspace import Workspace
from pytest_memgate.tasks.baseline.init_bundles import Proposal, propose

_TEXT = """\
# What the gate allows; every value below is the default unless its comment says otherwise.
# KB is 1000 bytes, KiB is 1024. `memgate config` prints what holds and where it comes from.

budgets:
  memory.peak:                     # the most that a test holds at once
    growth: 200KB                  # above its baseline: 200KB, 5%, max(200KB, 5%) or min(200KB, 5%)
    # limit: 64MB                  # absolute, with or without a baseline (no default)
    # drift: 1MB                   # above its anchor, the value before its first raise, however slowly (no default)

  # bundle.initial.raw: {growth: 200KB, limit: 10MB}   # the first screen of each entry; gzip and brotli the same
  # bundle.initial.gzip[admin]: {growth: 50KB}         # of one entry
  # web.lcp: {growth: 300ms}                           # beside it web.ttfb 300ms, web.bytes 200KB, web.cls 0.1
  # time.median: {growth: 20%}                         # of tests that pytest-benchmark times (no default)

  # overrides:                     # for some tests; the last pattern that names a test wins
  #   - tests: "tests/etl/**"
  #     memory.peak: {growth: "max(1MB, 5%)"}

BUNDLES

# pages:                           # loaded by Lighthouse; each is a test: memgate.yml::page[home]
#   home: {serve: web/dist, path: /, runs: 5}

# imports: [mypackage]             # what importing costs; each is a test: memgate.yml::import[mypackage]

missing: warn                      # a test without a baseline, or the reverse: warn or fail

# waivers:                         # for a while, up to a ceiling, for a reason
#   - test: "tests/test_x.py::test_y"
#     metric: memory.peak
#     ceiling: 3MB
#     until: UNTIL
#     reason: "why it may"
"""
_ABOUT_BUNDLES = "# what a bundler made; each is a test: memgate.yml::bundle[app]"
_SOME_BUNDLE = (
    "app: {stats: web/dist/stats.json}                  # webpack's stats, Vite's manifest, esbuild's metafile"
)


def init(root: Path) -> tuple[Path, list[str]]:
    """Write memgate.yml with the bundles of the project; return its path, and the lines that tell of each bundle.

    Raises UsageError if the project is configured already.
    """
    _check_new(root)
    bundles = propose(root)
    until = str(date.today() + timedelta(days=30))  # noqa: DTZ011  # of here
    text = _TEXT.replace("UNTIL", until).replace("BUNDLES", "\n".join(_bundles(bundles)))
    path, lines = _write(root, text), [line for bundle in bundles for line in bundle.lines()]
    if faulty := [bundle.name for bundle in bundles if bundle.fault]:
        lines.append(f"a comment in {FILE} until it can be measured: {', '.join(faulty)}")
    return path, lines


def _bundles(bundles: list[Proposal]) -> Iterator[str]:
    """Yield the lines of the section, those of a bundle without a number as a comment."""
    is_live = any(not bundle.fault for bundle in bundles)
    yield f"{'bundles:' if is_live else '# bundles:':<35}{_ABOUT_BUNDLES}"
    margin = "  " if is_live else "#   "
    for bundle in bundles:
        line = f"{_flow(bundle.name)}: {_flow(dict(bundle.settings))}"
        if bundle.fault:
            yield f"{margin}# {bundle.fault}"
        yield f"{margin}{'# ' if is_live and bundle.fault else ''}{line}"
    if not bundles:
        yield f"{margin}{_SOME_BUNDLE}"


def init_from(root: Path, source: Path) -> tuple[Path, list[str]]:
    """Write memgate.yml with the pages and limits of a lighthouserc; return its path, and a line for what is left out.

    Raises UsageError if the project is configured already, and ConfigError if the file cannot be used.
    """
    _check_new(root)
    try:
        with Workspace() as workspace:
            ci = read_ci(source, "node", workspace)
    except MeasureError as error:
        raise ConfigError(str(error)) from error
    try:
        parent = source.resolve().parent
        folder = parent.relative_to(root).as_posix() if parent.is_relative_to(root) else "."
        found = converted(ci, "" if folder == "." else folder, is_script=source.suffix in SCRIPTS)
        text = "\n".join(_lines(found, source.name)) + "\n"
        read_settings(from_yaml(text, FILE))
    except (MeasureError, ConfigError) as error:
        raise ConfigError(f"{source}: {error}") from error
    return _write(root, text), found.left_out


def _lines(found: Converted, name: str) -> Iterator[str]:
    yield f"# The pages and limits of {name}; `memgate config` prints what holds and where it comes from."
    yield "# Each page is a test: memgate.yml::page[…]. Beside a limit, growth above the baseline is judged."
    for section, values in (("budgets", found.budgets), ("pages", found.pages)):
        if values:
            yield from ("", f"{section}:", *_entries(values))
    if found.left_out:
        yield from ("", f"# Left out of {name}:", *(f"#   {line}" for line in found.left_out))


def _entries(values: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line for each value of a section, and one for each item of a list."""
    for key, value in values.items():
        if isinstance(value, list):
            yield from (f"  {key}:", *(f"    - {_flow(item)}" for item in value))
        else:
            yield f"  {_flow(key)}: {_flow(value)}"


def _flow(value: object) -> str:
    text: str = yaml.safe_dump(value, default_flow_style=True, width=10**9, allow_unicode=True, sort_keys=False)
    return text.removesuffix("\n").removesuffix("\n...")


def _check_new(root: Path) -> None:
    settings = load_settings(WorkTree(root))
    if settings.file or (root / FILE).exists():
        raise UsageError(f"{settings.file or FILE} configures memgate already", hint="see it with: memgate config")


def _write(root: Path, text: str) -> Path:
    _check_new(root)
    path = root / FILE
    try:
        replace_text(path, text)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from error
    return path
