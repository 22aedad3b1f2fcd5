"""Write a first configuration."""

from datetime import date, timedelta
from pathlib import Path

from pytest_memgate.baseline.batch import replace_text
from pytest_memgate.baseline.source import WorkTree
from pytest_memgate.config.sources import FILE, load_settings
from pytest_memgate.errors import UsageError

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

# bundles:                         # what a bundler made; each is a test: memgate.yml::bundle[app]
#   app: {stats: web/dist/stats.json}                  # webpack's stats, Vite's manifest, esbuild's metafile

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


def init(root: Path) -> Path:
    """Write memgate.yml; raises UsageError if the project is configured already."""
    settings = load_settings(WorkTree(root))
    path = root / FILE
    if settings.file or path.exists():
        raise UsageError(f"{settings.file or FILE} configures memgate already", hint="see it with: memgate config")
    try:
        replace_text(path, _TEXT.replace("UNTIL", str(date.today() + timedelta(days=30))))  # noqa: DTZ011  # of here
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from error
    return path
